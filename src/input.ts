/**
 * Copies the input. Each value is read once, and only the copy is checked and used. So a getter, a Proxy
 * or a subclass can't show one value to the check and another to the policy.
 * @module
 */

/** A list with more elements fits no policy. */
export const MOST_ELEMENTS = 1_000_000;

const { size: SIZE } = Object.getOwnPropertyDescriptors(Set.prototype);

/**
 * Copies a list: an array or a Set, of this or another realm.
 *
 * @returns a new array, which ends with `undefined` at the first hole; undefined if `value` is not a
 *   list.
 */
export function readList(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return readArray(value);
  if (!isSet(value)) return undefined;
  const members: unknown[] = [];
  // The iterator of `value` itself may never end: a subclass or the caller may have replaced it.
  Set.prototype.forEach.call(value, (member: unknown) => members.push(member));
  return members;
}

function readArray(list: readonly unknown[]): unknown[] | undefined {
  const { length } = list;
  const elements: unknown[] = [];
  for (let i = 0; i < length; i++) {
    if (i === MOST_ELEMENTS) return undefined;
    const element = list[i];
    elements.push(element);
    // An array may have billions of holes at no cost: the first one is enough to refuse it.
    if (element === undefined && !(i in list)) break;
  }
  return elements;
}

/** Tells whether a value is a Set of any realm: for other values the getter of `size` throws. */
function isSet(value: unknown): value is ReadonlySet<unknown> {
  // The tag is asked first, because a throw of the getter takes 20 µs.
  if (Object.prototype.toString.call(value) !== "[object Set]") return false;
  try {
    SIZE.get?.call(value as Set<unknown>);
    return true;
  } catch {
    return false;
  }
}

/**
 * Copies the named fields of an object, own or inherited.
 *
 * @returns a new object without a prototype; undefined if `value` is not an object, or is a list.
 */
export function readRecord<Field extends string>(
  value: unknown,
  fields: readonly Field[],
): { [F in Field]?: unknown } | undefined {
  if (!isRecord(value)) return undefined;
  const copy: { [F in Field]?: unknown } = Object.create(null);
  for (const field of fields) {
    const read = value[field];
    if (read !== undefined) copy[field] = read;
  }
  return copy;
}

/** Tells whether a value is an object with fields, and not a list or anything else to iterate. */
export function isRecord(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === "object" && value !== null && !(Symbol.iterator in value);
}

const MOST_DEPTH = 64;

/**
 * Copies a document, for example a policy: lists, objects with their own fields, and values.
 *
 * @returns a copy of plain arrays and of objects without a prototype; a list with holes ends with
 *   `undefined` at the first of them.
 * @throws RangeError for more than 64 levels, and so for a cycle, and for more values than any document
 *   has: a few objects that hold one another twice have them. The caller's `reading` makes it an error of
 *   this library.
 */
export function plainCopy(value: unknown, depth = 0, values = { left: MOST_ELEMENTS }): unknown {
  if (depth > MOST_DEPTH || values.left-- === 0) throw new RangeError("too large");
  // A function is no value of JSON, and may be a Proxy.
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  const list = readList(value);
  if (list !== undefined) return list.map((element) => plainCopy(element, depth + 1, values));
  const copy: { [field: string]: unknown } = Object.create(null);
  for (const field of Object.keys(value)) {
    copy[field] = plainCopy((value as { [field: string]: unknown })[field], depth + 1, values);
  }
  return copy;
}
