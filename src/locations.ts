/**
 * Locations: `s3://bucket/prefix`. Each means every key below the prefix.
 *
 * A location's *place* is `bucket/` and then the prefix, which ends with `/` unless it is empty. So a
 * place lies inside another exactly if it starts with the other. In code-unit order everything inside a
 * place follows directly after it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 * @module
 */
import { bucketFault } from "./buckets.ts";
import { fault, MOST_ISSUES, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { isRecord, readList } from "./input.ts";

/** What a session may do below a location. */
export type Access = "read" | "list" | "write" | "delete";

export const ACCESSES: readonly Access[] = ["read", "list", "write", "delete"];

/** One bit for each access, so that a set of accesses is a number. */
export const BIT: Readonly<Record<Access, number>> = { read: 1, write: 2, delete: 4, list: 8 };

/** The locations that a session may read, list, write and delete: `s3://`, `s3a://` or `s3n://` URIs. */
export interface Locations {
  readonly read?: readonly string[] | ReadonlySet<string> | undefined;
  readonly list?: readonly string[] | ReadonlySet<string> | undefined;
  readonly write?: readonly string[] | ReadonlySet<string> | undefined;
  readonly delete?: readonly string[] | ReadonlySet<string> | undefined;
}

/** A location's place, and the accesses to it, as bits. */
export interface PlaceAccess {
  readonly place: string;
  readonly accesses: number;
  /** The list and the index where it is first named. */
  readonly access: Access;
  readonly index: number;
}

/** The places of a bucket, each with the accesses to it, as bits. */
export interface BucketPlaces {
  readonly bucket: string;
  /** The accesses to the whole bucket. */
  readonly root: number;
  /** The places in their order, without the bucket and without the slash at their end. */
  readonly prefixes: readonly string[];
  readonly accesses: readonly number[];
}

/** A list of locations as it was passed in, and the accesses that it is for, as bits. */
interface LocationList {
  readonly uris: readonly unknown[];
  /** The name of the list in the input, for errors. */
  readonly access: Access;
  accesses: number;
}

/**
 * Reads the four lists.
 *
 * @param allowed the places that every location must lie inside, as {@link outermost} returns them;
 *   undefined if the configuration does not say.
 * @returns an entry for each distinct URI, in the order in which they are first named.
 * @throws SessionPolicyError `INVALID_LOCATION`, `LOCATION_NOT_ALLOWED`
 */
export function parseLocations(
  locations: Locations,
  { allowedPlaces, onAws }: LocationRules,
): readonly PlaceAccess[] {
  const asked = new Map<string, PlaceAccess & { accesses: number }>();
  const invalid: SessionPolicyIssue[] = [];
  const outside: SessionPolicyIssue[] = [];
  for (const { uris, access, accesses } of readLists(locations)) {
    for (let i = 0; i < uris.length && invalid.length + outside.length < MOST_ISSUES; i++) {
      const uri = uris[i];
      const known = typeof uri === "string" ? asked.get(uri) : undefined;
      if (known !== undefined) {
        known.accesses |= accesses;
        continue;
      }
      const place = typeof uri === "string" ? placeOf(uri, onAws) : undefined;
      if (typeof uri !== "string" || place === undefined) {
        invalid.push({ path: [access, i], message: faultOf(uri, onAws) });
      } else if (allowedPlaces !== undefined && !isInside(place, allowedPlaces)) {
        outside.push({ path: [access, i], message: OUTSIDE });
      } else {
        asked.set(uri, { place, accesses, access, index: i });
      }
    }
  }
  if (invalid.length > 0) throw new SessionPolicyError("INVALID_LOCATION", invalid);
  if (outside.length > 0) throw new SessionPolicyError("LOCATION_NOT_ALLOWED", outside);
  return [...asked.values()];
}

/** What a storage configuration says of locations. */
export interface LocationRules {
  readonly allowedPlaces: readonly string[] | undefined;
  readonly onAws: boolean;
}

const OUTSIDE =
  "lies outside the storage configuration's allowedLocations. Grant less, or have the location allowed there.";

/** Copies the lists. A list that is passed for several accesses is copied once. */
function readLists(locations: Locations): LocationList[] {
  if (!isRecord(locations)) {
    throw fault(
      "INVALID_LOCATION",
      [],
      "Locations must be an object with the lists read, list, write and delete.",
    );
  }
  const lists: LocationList[] = [];
  const known = new Map<unknown, LocationList>();
  for (const access of Object.keys(locations)) {
    if (!isAccess(access)) {
      throw fault(
        "INVALID_LOCATION",
        [access],
        "is not an access. Use read, list, write or delete.",
      );
    }
    const list: unknown = locations[access];
    if (list === undefined) continue;
    const same = known.get(list);
    if (same !== undefined) {
      same.accesses |= BIT[access];
      continue;
    }
    const uris = readList(list);
    if (uris === undefined) {
      throw fault("INVALID_LOCATION", [access], "must be a list: an array or a Set of S3 URIs.");
    }
    const added = { uris, access, accesses: BIT[access] };
    lists.push(added);
    known.set(list, added);
  }
  return lists;
}

/** Sorts places by bucket, and merges places that are named twice. */
export function placesByBucket(
  asked: readonly Pick<PlaceAccess, "place" | "accesses">[],
): readonly BucketPlaces[] {
  const buckets: { bucket: string; root: number; prefixes: string[]; accesses: number[] }[] = [];
  let head = NO_PLACE;
  let last: (typeof buckets)[number] | undefined;
  let before = NO_PLACE;
  for (const { place, accesses } of [...asked].sort(byPlace)) {
    if (last === undefined || !place.startsWith(head)) {
      head = place.slice(0, place.indexOf("/") + 1);
      last = { bucket: head.slice(0, -1), root: 0, prefixes: [], accesses: [] };
      buckets.push(last);
    }
    if (place.length === head.length) {
      last.root |= accesses;
    } else if (place === before) {
      last.accesses.push((last.accesses.pop() ?? 0) | accesses);
    } else {
      last.prefixes.push(place.slice(head.length, -1));
      last.accesses.push(accesses);
    }
    before = place;
  }
  return buckets;
}

function byPlace(a: { readonly place: string }, b: { readonly place: string }): number {
  return a.place < b.place ? -1 : a.place === b.place ? 0 : 1;
}

/**
 * Leaves out accesses that an outer place has already.
 *
 * @param rootLists whether a list of a whole bucket includes lists of its prefixes.
 * @returns the places in order, each with the accesses that no outer place has.
 */
export function withoutNested(
  asked: readonly PlaceAccess[],
  rootLists: boolean,
): { readonly bucket: string; readonly place: string; readonly accesses: number }[] {
  const needed: { bucket: string; place: string; accesses: number }[] = [];
  for (const { bucket, root, prefixes, accesses } of placesByBucket(asked)) {
    if (root !== 0) needed.push({ bucket, place: `${bucket}/`, accesses: root });
    walkNested(prefixes, rootLists ? root : root & ~BIT.list, (outer, prefix, i) => {
      const all = (accesses[i] ?? 0) | outer;
      const place = `${bucket}/${prefix}/`;
      if (all !== outer) needed.push({ bucket, place, accesses: all & ~outer });
      return all;
    });
  }
  return needed;
}

/**
 * Walks prefixes in the order of places, and makes a value for each.
 *
 * @param make gets the value of the innermost other prefix around a prefix, or `outside` if there is none.
 */
export function walkNested<T>(
  prefixes: readonly string[],
  outside: T,
  make: (outer: T, prefix: string, index: number) => T,
): void {
  let outer: Outer<T> | undefined;
  for (const [i, prefix] of prefixes.entries()) {
    while (outer !== undefined && !isBelow(prefix, outer.prefix)) outer = outer.outer;
    const made = make(outer === undefined ? outside : outer.made, prefix, i);
    outer = { prefix, made, outer };
  }
}

/** A prefix, its value, and the innermost other prefix around it. */
interface Outer<T> {
  readonly prefix: string;
  readonly made: T;
  readonly outer: Outer<T> | undefined;
}

const SLASH = 47;

/** Tells whether a prefix's place lies inside another prefix's place; both lack their last slash. */
function isBelow(prefix: string, other: string): boolean {
  // The first test is much faster, and decides nearly always.
  return prefix.charCodeAt(other.length) === SLASH && prefix.startsWith(other);
}

function isAccess(name: string): name is Access {
  return Object.hasOwn(BIT, name);
}

/**
 * The form of a location. Bucket names are those that AWS once gave out, or that Ceph and similar stores
 * accept. Control characters and lone surrogates cannot be part of a key that S3 and XML can hold.
 * Everything else in the prefix is literal: `%`, `//`, `.` and `..` too.
 */
const LOCATION =
  /^[sS]3[aAnN]?:\/\/(?!\d+\.\d+\.\d+\.\d+(?:\/|$))[A-Za-z0-9._-]{3,255}(?:\/[^\p{Cc}\p{Cs}]*)?$/u;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const MOST_KEY_BYTES = 1024;
/** No valid location is longer. A longer text is not tested further. */
const MOST_URI = 2 * MOST_KEY_BYTES;

/** Returns the place of a location; undefined if the location is invalid. */
export function placeOf(uri: string, onAws = true): string | undefined {
  if (uri.length > MOST_URI || !LOCATION.test(uri)) return undefined;
  const start = uri.indexOf("/") + "//".length;
  const slash = uri.indexOf("/", start);
  const bucket = slash < 0 ? uri.slice(start) : uri.slice(start, slash);
  if (bucketFault(bucket, onAws) !== undefined) return undefined;
  if (slash < 0) return `${bucket}/`;
  const prefixLength = uri.length - slash - 1;
  if (prefixLength * 3 > MOST_KEY_BYTES && prefixBytes(uri.slice(slash + 1)) > MOST_KEY_BYTES) {
    return undefined;
  }
  return uri.endsWith("/") ? uri.slice(start) : `${uri.slice(start)}/`;
}

/** Counts the UTF-8 bytes of a prefix, without one trailing slash, which does not change the place. */
function prefixBytes(prefix: string): number {
  // Each byte becomes one character, or `%XX`.
  const bytes = encodeURI(prefix).replace(/%../g, "_").length;
  return prefix.endsWith("/") ? bytes - 1 : bytes;
}

/** Says what is wrong with a location, and what to do, without the location itself. */
export function faultOf(uri: unknown, onAws = true): string {
  if (typeof uri !== "string") return "must be a string, s3://bucket/prefix.";
  if (!uri.includes("://")) return "is not a URI. Write s3://bucket/prefix.";
  if (!/^s3[an]?:\/\//i.test(uri)) return "must begin with s3://, s3a:// or s3n://.";
  const [, , bucket = ""] = uri.split("/", 3);
  if (bucket === "") return "has no bucket. Write s3://bucket/prefix.";
  if (bucket.startsWith("arn:")) {
    return "names an access point. Grant the bucket itself, as s3://bucket/prefix.";
  }
  const reserved = bucketFault(bucket, onAws);
  if (reserved !== undefined) return reserved;
  if (!/^[A-Za-z0-9._-]{3,255}$/.test(bucket) || IP_ADDRESS.test(bucket)) {
    return "names a bucket that no S3 store accepts. Use 3 to 255 letters, digits, dots, hyphens and underscores.";
  }
  if (/\p{Cc}/u.test(uri)) return "holds a control character. Leave it out.";
  if (/\p{Cs}/u.test(uri)) return "holds half of a surrogate pair. Write valid Unicode.";
  return `has a prefix of more than ${MOST_KEY_BYTES} UTF-8 bytes, the most that an S3 key may have. Grant a shorter one.`;
}

/** No place begins with this, because each begins with a bucket. */
const NO_PLACE = "/";

/** Returns the places that lie inside no other place, in code-unit order. */
export function outermost(places: Iterable<string>): string[] {
  const kept: string[] = [];
  let last = NO_PLACE;
  for (const place of [...places].sort()) {
    if (place.startsWith(last)) continue;
    kept.push(place);
    last = place;
  }
  return kept;
}

/** Tells whether a place lies inside one of `outer`, which {@link outermost} returned. */
function isInside(place: string, outer: readonly string[]): boolean {
  // Only the last one that does not come after the place can contain it: see the order of places above.
  let low = 0;
  let high = outer.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((outer[middle] ?? "") <= place) low = middle + 1;
    else high = middle;
  }
  return place.startsWith(outer[low - 1] ?? NO_PLACE);
}
