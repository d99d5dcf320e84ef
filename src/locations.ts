/**
 * Locations: `s3://bucket/prefix`, each meaning every key below the prefix.
 *
 * Inside the library a location is one string, its *place*: `bucket/` and then the prefix, which ends
 * with `/` unless it is empty. Then a place lies inside another exactly if it starts with it, and in
 * code-unit order everything inside a place follows right behind it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 * @module
 */
import { fault, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";

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

/** The accesses asked for at each place. */
export type Places = ReadonlyMap<string, number>;

/** As many faults as one error tells; a person mends the first and sees the pattern. */
const MOST_ISSUES = 10;

/**
 * Reads the four lists.
 *
 * @param allowed the places that every location must lie inside, as {@link outermost} returns them;
 *   undefined if the configuration does not say.
 * @throws SessionPolicyError `INVALID_LOCATION`, `LOCATION_NOT_ALLOWED`
 */
export function parseLocations(locations: Locations, allowed?: readonly string[]): Places {
  if (typeof locations !== "object" || locations === null || Symbol.iterator in locations) {
    throw fault(
      "INVALID_LOCATION",
      [],
      "Locations must be an object with the lists read, list, write and delete.",
    );
  }
  const places = new Map<string, number>();
  const outside: SessionPolicyIssue[] = [];
  const invalid: SessionPolicyIssue[] = [];
  const add = (access: Access, uri: unknown, index: number): boolean => {
    if (invalid.length + outside.length >= MOST_ISSUES) return false;
    const place = typeof uri === "string" ? placeOf(uri) : undefined;
    if (place === undefined) {
      invalid.push({ path: [access, index], message: faultOf(uri) });
    } else if (allowed !== undefined && !isInside(place, allowed)) {
      outside.push({
        path: [access, index],
        message:
          "lies outside the storage configuration's allowedLocations: grant less, or have the location allowed there.",
      });
    } else {
      places.set(place, (places.get(place) ?? 0) | BIT[access]);
    }
    return true;
  };
  for (const name of Object.keys(locations)) {
    if (!isAccess(name)) {
      throw fault("INVALID_LOCATION", [name], "is no access: use read, list, write and delete.");
    }
    const list: unknown = locations[name];
    if (list === undefined) continue;
    if (Array.isArray(list)) {
      for (let i = 0; i < list.length; i++) if (!add(name, list[i], i)) break;
    } else if (list instanceof Set) {
      let i = 0;
      // Not the iterator of `list` itself: a subclass may have one that never ends.
      Set.prototype.forEach.call(list, (uri: unknown) => add(name, uri, i++));
    } else {
      throw fault("INVALID_LOCATION", [name], "must be a list: an array or a Set of S3 URIs.");
    }
  }
  if (invalid.length > 0) throw new SessionPolicyError("INVALID_LOCATION", invalid);
  if (outside.length > 0) throw new SessionPolicyError("LOCATION_NOT_ALLOWED", outside);
  return places;
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

/** The place of a location; undefined if there is something wrong with it. */
export function placeOf(uri: string): string | undefined {
  if (uri.length > 6 + 255 + 1 + MOST_KEY_BYTES + 1) return undefined;
  const match = LOCATION.exec(uri);
  if (match === null) return undefined;
  const [, bucket = "", prefix = ""] = match;
  if (DIRECTORY_BUCKET.test(bucket) || IP_ADDRESS.test(bucket)) return undefined;
  if (prefix.length * 3 > MOST_KEY_BYTES && prefixBytes(prefix) > MOST_KEY_BYTES) return undefined;
  return prefix === "" || prefix.endsWith("/") ? `${bucket}/${prefix}` : `${bucket}/${prefix}/`;
}

/** UTF-8 bytes of a prefix, one trailing slash left out: it makes no difference to the place. */
function prefixBytes(prefix: string): number {
  let bytes = prefix.endsWith("/") ? -1 : 0;
  for (const character of prefix) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** What is wrong with a location, and what to do; never the location itself. */
export function faultOf(uri: unknown): string {
  if (typeof uri !== "string") return "must be a string, s3://bucket/prefix.";
  const [, scheme, rest = ""] = /^([^:/]*):\/\/(.*)$/s.exec(uri) ?? [];
  if (scheme === undefined) return "is no URI: write s3://bucket/prefix.";
  if (!/^s3[an]?$/.test(scheme)) return "must begin with s3://, s3a:// or s3n://, in lower case.";
  const slash = rest.indexOf("/");
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
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

/** The places that lie inside no other of them, in code-unit order. */
export function outermost(places: Iterable<string>): string[] {
  const kept: string[] = [];
  for (const place of [...places].sort()) {
    const last = kept.at(-1);
    if (last === undefined || !place.startsWith(last)) kept.push(place);
  }
  return kept;
}

/** Whether a place lies inside one of `outer`, which {@link outermost} returned. */
export function isInside(place: string, outer: readonly string[]): boolean {
  // Only the last one that is not behind the place can contain it: see the order of places above.
  let low = 0;
  let high = outer.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((outer[middle] ?? "") <= place) low = middle + 1;
    else high = middle;
  }
  return low > 0 && place.startsWith(outer[low - 1] ?? "");
}
