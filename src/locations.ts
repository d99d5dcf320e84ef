/**
 * Locations: `s3://bucket/prefix`, each meaning every key below the prefix.
 *
 * A location's *place* is `bucket/` and then the prefix, which ends with `/` unless it is empty. So a
 * place lies inside another exactly if it starts with it, and in code-unit order everything inside a
 * place follows right behind it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 * @module
 */
import { fault, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { isPlain } from "./policy.ts";

/** What a session may do below a location. */
export type Access = "read" | "list" | "write" | "delete";

export const ACCESSES: readonly Access[] = ["read", "list", "write", "delete"];

/** One bit an access, so that a set of accesses is a number. */
export const BIT: Readonly<Record<Access, number>> = { read: 1, list: 2, write: 4, delete: 8 };

/** The locations a session may read, list, write and delete: `s3://`, `s3a://` or `s3n://` URIs. */
export interface Locations {
  readonly read?: readonly string[] | ReadonlySet<string> | undefined;
  readonly list?: readonly string[] | ReadonlySet<string> | undefined;
  readonly write?: readonly string[] | ReadonlySet<string> | undefined;
  readonly delete?: readonly string[] | ReadonlySet<string> | undefined;
}

/** What is asked for in a bucket. */
export interface BucketPlaces {
  readonly bucket: string;
  /** The accesses to the whole bucket, as bits; 0 for none. */
  readonly root: number;
  /** The places in the order of places, without the bucket and without the slash at their end. */
  readonly prefixes: readonly string[];
  /** The accesses to each of them; one number if they are the same, and no place inside another. */
  readonly accesses: number | readonly number[];
  /** Whether no prefix needs escapes, neither in a pattern nor in JSON. */
  readonly plain: boolean;
}

/** As many faults as one error tells; a person mends the first and sees the pattern. */
const MOST_ISSUES = 10;

/** A list of locations, and the accesses that are asked for with it. */
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
 * @returns the buckets in the order of places.
 * @throws SessionPolicyError `INVALID_LOCATION`, `LOCATION_NOT_ALLOWED`
 */
export function parseLocations(
  locations: Locations,
  allowed?: readonly string[],
): readonly BucketPlaces[] {
  const lists = distinctLists(locations);
  const [only, ...others] = lists;
  if (only === undefined) return [];
  // Tables come in order, and with the same lists for several accesses, more often than not.
  const inOrder = others.length === 0 ? readInOrder(only, allowed) : undefined;
  return inOrder ?? readInAnyOrder(lists, allowed);
}

/** The lists, each with the accesses that the same list is given for. */
function distinctLists(locations: Locations): LocationList[] {
  if (typeof locations !== "object" || locations === null || Symbol.iterator in locations) {
    throw fault(
      "INVALID_LOCATION",
      [],
      "Locations must be an object with the lists read, list, write and delete.",
    );
  }
  const lists: LocationList[] = [];
  for (const access of Object.keys(locations)) {
    if (!isAccess(access)) {
      throw fault("INVALID_LOCATION", [access], "is no access: use read, list, write and delete.");
    }
    const list: unknown = locations[access];
    if (list === undefined) continue;
    let uris: readonly unknown[];
    if (Array.isArray(list)) {
      uris = list;
    } else if (list instanceof Set) {
      const members: unknown[] = [];
      // Not the iterator of `list` itself: a subclass may have one that never ends.
      Set.prototype.forEach.call(list, (uri: unknown) => members.push(uri));
      uris = members;
    } else {
      throw fault("INVALID_LOCATION", [access], "must be a list: an array or a Set of S3 URIs.");
    }
    if (uris.length === 0) continue;
    const same = lists.find((other) => isSame(other.uris, uris));
    if (same === undefined) lists.push({ uris, access, accesses: BIT[access] });
    else same.accesses |= BIT[access];
  }
  return lists;
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) {
    // Holes are alike too, but an array may have billions of them.
    if (one[i] !== other[i] || one[i] === undefined) return false;
  }
  return true;
}

/** A location that needs no escapes, in a bucket whose name needs no second look. */
const PLAIN_LOCATION = /^s3[an]?:\/\/[a-z0-9][a-z0-9-]{2,62}\/[ !#%-)+->@-[\]-~]*$/;

/**
 * Reads a list that is in order already and all of whose locations are plain, ten times as fast as
 * {@link readInAnyOrder}, which gives the same.
 *
 * @returns undefined if the list is not such.
 */
function readInOrder(
  { uris, accesses }: LocationList,
  allowed: readonly string[] | undefined,
): BucketPlaces[] | undefined {
  const runs: { readonly bucket: string; readonly head: string; readonly from: number }[] = [];
  // What is behind the URI before, and less than `until`, begins with `head` as that does, and lies
  // inside the same allowed place.
  let head = "";
  let until = "";
  let before = "";
  let end = 0;
  for (let i = 0; i < uris.length; i++) {
    const uri = uris[i];
    if (typeof uri !== "string" || uri.length > MOST_KEY_BYTES || !PLAIN_LOCATION.test(uri)) {
      return undefined;
    }
    const isBehind = uri > before;
    const isKnown = isBehind && uri < until;
    if (isKnown || (isBehind && head !== "" && uri.startsWith(head))) {
      // It is in the order of places, and outside the one before, but for what begins with that.
      if (uri.charCodeAt(end) <= SLASH && uri.startsWith(before.slice(0, end))) return undefined;
    } else {
      const start = uri.indexOf("//") + 2;
      const slash = uri.indexOf("/", start);
      const bucket = uri.slice(start, slash);
      const last = runs.at(-1);
      if (DIRECTORY_BUCKET.test(bucket)) return undefined;
      if (last !== undefined && `${last.bucket}/` >= `${bucket}/`) return undefined;
      head = uri.slice(0, slash + 1);
      runs.push({ bucket, head, from: i });
    }
    end = endOf(uri);
    if (end < head.length) return undefined;
    before = uri;
    if (isKnown) continue;
    until = `${head.slice(0, -1)}0`;
    if (allowed !== undefined) {
      const scheme = uri.slice(0, uri.indexOf("//") + 2);
      const outer = outerOf(`${uri.slice(scheme.length, end)}/`, allowed);
      if (outer === undefined) return undefined;
      // What is less begins with the place, or with it and less than a slash, which is refused above.
      until = `${scheme}${outer.slice(0, -1)}0`;
    }
  }
  return runs.map(({ bucket, head, from }, run) => {
    const to = runs[run + 1]?.from ?? uris.length;
    const prefixes = uris.slice(from, to).map((uri) => {
      const text = String(uri);
      return text.slice(head.length, endOf(text));
    });
    return { bucket, root: 0, prefixes, accesses, plain: true };
  });
}

/** Where a URI ends, but for a slash. */
function endOf(uri: string): number {
  return uri.charCodeAt(uri.length - 1) === SLASH ? uri.length - 1 : uri.length;
}

/** The code unit of `/`. */
export const SLASH = 47;

/** Reads lists in any order, with repeats and places inside one another. */
function readInAnyOrder(
  lists: readonly LocationList[],
  allowed: readonly string[] | undefined,
): BucketPlaces[] {
  const asked = new Map<string, number>();
  const invalid: SessionPolicyIssue[] = [];
  const outside: SessionPolicyIssue[] = [];
  for (const { uris, access, accesses } of lists) {
    for (let i = 0; i < uris.length; i++) {
      if (invalid.length + outside.length >= MOST_ISSUES) break;
      const uri = uris[i];
      const place = typeof uri === "string" ? placeOf(uri) : undefined;
      if (place === undefined) {
        invalid.push({ path: [access, i], message: faultOf(uri) });
      } else if (allowed !== undefined && outerOf(place, allowed) === undefined) {
        outside.push({ path: [access, i], message: OUTSIDE });
      } else {
        asked.set(place, (asked.get(place) ?? 0) | accesses);
      }
    }
  }
  if (invalid.length > 0) throw new SessionPolicyError("INVALID_LOCATION", invalid);
  if (outside.length > 0) throw new SessionPolicyError("LOCATION_NOT_ALLOWED", outside);
  return bucketsOf(asked);
}

const OUTSIDE =
  "lies outside the storage configuration's allowedLocations: grant less, or have the location allowed there.";

/** The places by bucket. */
export function bucketsOf(asked: ReadonlyMap<string, number>): BucketPlaces[] {
  const buckets: {
    bucket: string;
    root: number;
    prefixes: string[];
    accesses: number[];
    plain: boolean;
  }[] = [];
  for (const place of [...asked.keys()].sort()) {
    const slash = place.indexOf("/");
    const bucket = place.slice(0, slash);
    let last = buckets.at(-1);
    if (last?.bucket !== bucket) {
      last = { bucket, root: 0, prefixes: [], accesses: [], plain: true };
      buckets.push(last);
    }
    const accesses = asked.get(place) ?? 0;
    if (slash === place.length - 1) {
      last.root = accesses;
    } else {
      const prefix = place.slice(slash + 1, -1);
      last.prefixes.push(prefix);
      last.accesses.push(accesses);
      last.plain &&= isPlain(prefix);
    }
  }
  return buckets;
}

function isAccess(name: string): name is Access {
  return Object.hasOwn(BIT, name);
}

/**
 * The form of a location that we take. Bucket names are those that AWS ever gave out or that a store
 * such as Ceph accepts; control characters and lone surrogates cannot be part of a key that S3 and
 * XML can hold; everything else in the prefix is literal, `%`, `//`, `.` and `..` included.
 */
const LOCATION = /^s3[an]?:\/\/([A-Za-z0-9._-]{3,255})(?:\/([^\p{Cc}\p{Cs}]*))?$/u;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const DIRECTORY_BUCKET = /--x-s3$/;
const MOST_KEY_BYTES = 1024;
/** More than any location has; what is longer is not even looked at. */
const MOST_URI = 2 * MOST_KEY_BYTES;

/** The place of a location; undefined if there is something wrong with it. */
export function placeOf(uri: string): string | undefined {
  if (uri.length > MOST_URI) return undefined;
  const match = LOCATION.exec(uri);
  if (match === null) return undefined;
  const [, bucket = "", prefix = ""] = match;
  if (DIRECTORY_BUCKET.test(bucket) || IP_ADDRESS.test(bucket)) return undefined;
  if (prefix.length * 3 > MOST_KEY_BYTES && prefixBytes(prefix) > MOST_KEY_BYTES) return undefined;
  return prefix === "" || prefix.endsWith("/") ? `${bucket}/${prefix}` : `${bucket}/${prefix}/`;
}

/** UTF-8 bytes of a prefix, one trailing slash left out: it makes no difference to the place. */
function prefixBytes(prefix: string): number {
  // Each byte becomes one character, or `%XX`.
  const bytes = encodeURI(prefix).replace(/%../g, "_").length;
  return prefix.endsWith("/") ? bytes - 1 : bytes;
}

/** What is wrong with a location, and what to do; never the location itself. */
export function faultOf(uri: unknown): string {
  if (typeof uri !== "string") return "must be a string, s3://bucket/prefix.";
  if (!uri.includes("://")) return "is no URI: write s3://bucket/prefix.";
  if (!/^s3[an]?:\/\//.test(uri)) return "must begin with s3://, s3a:// or s3n://, in lower case.";
  const [, , bucket = ""] = uri.split("/", 3);
  if (bucket === "") return "names no bucket: write s3://bucket/prefix.";
  if (bucket.startsWith("arn:")) {
    return "names an access point: grant the bucket behind it, as s3://bucket/prefix.";
  }
  if (DIRECTORY_BUCKET.test(bucket)) {
    return "names an S3 Express directory bucket, which s3express:CreateSession grants and no object action does: use a general purpose bucket.";
  }
  if (!/^[A-Za-z0-9._-]{3,255}$/.test(bucket) || IP_ADDRESS.test(bucket)) {
    return "names a bucket that no S3 store accepts: 3 to 255 letters, digits, dots, hyphens and underscores.";
  }
  if (/\p{Cc}/u.test(uri)) return "holds a control character, which no key of a table needs.";
  if (/\p{Cs}/u.test(uri)) return "holds half of a surrogate pair: it is not valid Unicode.";
  return `has a prefix of more than ${MOST_KEY_BYTES} UTF-8 bytes, the most that an S3 key may have.`;
}

/** The accesses to a place, by its index, as bits. */
export function accessesTo({ accesses }: BucketPlaces, index: number): number {
  return typeof accesses === "number" ? accesses : (accesses[index] ?? 0);
}

/** All accesses that are asked for anywhere, as bits. */
export function accessesOf(places: readonly BucketPlaces[]): number {
  let all = 0;
  for (const { root, accesses } of places) {
    all |= root;
    if (typeof accesses === "number") all |= accesses;
    else for (const some of accesses) all |= some;
  }
  return all;
}

/** What no place begins with: they begin with a bucket. */
const NO_PLACE = "/";

/** The places that lie inside no other of them, in code-unit order. */
export function outermost(places: Iterable<string>): string[] {
  const kept: string[] = [];
  let around = NO_PLACE;
  for (const place of [...places].sort()) {
    if (place.startsWith(around)) continue;
    kept.push(place);
    around = place;
  }
  return kept;
}

/** Which one of `outer`, which {@link outermost} returned, a place lies inside. */
function outerOf(place: string, outer: readonly string[]): string | undefined {
  // Only the last one that is not behind the place can contain it: see the order of places above.
  let low = 0;
  let high = outer.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((outer[middle] ?? "") <= place) low = middle + 1;
    else high = middle;
  }
  const last = outer[low - 1] ?? NO_PLACE;
  return place.startsWith(last) ? last : undefined;
}
