/**
 * Copies what callers pass in. Each value is read once, and only the copy is checked and used: a
 * getter, a Proxy or a subclass can't show one value to the check and another to the policy.
 * @module
 */

/** More elements than any list has that a policy could hold. */
const MOST_ELEMENTS = 10_000_000;

const { size: SIZE } = Object.getOwnPropertyDescriptors(Set.prototype);

/**
 * Copies a list: a dense array or a Set, of this or another realm.
 *
 * @returns a new array; undefined if `value` is not a list, or an array with holes.
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
  if (!(length <= MOST_ELEMENTS)) return undefined;
  const elements: unknown[] = [];
  for (let i = 0; i < length; i++) {
    const element = list[i];
    // An array may have billions of holes at no cost, and most ways to walk it visit each one.
    if (element === undefined && !(i in list)) return undefined;
    elements.push(element);
  }
  return elements;
}

/** Whether a value is a Set of any realm: only those have what the getter of `size` reads. */
function isSet(value: unknown): value is ReadonlySet<unknown> {
  if (typeof value !== "object" || value === null) return false;
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

/** Whether a value is an object with fields, and not a list. */
export function isRecord(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isSet(value);
}

const MOST_DEPTH = 64;

/**
 * Copies a document such as a policy: lists, objects with their own fields, and values.
 *
 * @returns a copy of plain arrays and of objects without a prototype.
 * @throws RangeError for more than 64 levels, which a cycle has too; the caller's `reading` makes it
 *   an error of this library.
 */
export function plainCopy(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MOST_DEPTH) throw new RangeError("too deep");
  const list = readList(value);
  if (list !== undefined) return list.map((element) => plainCopy(element, depth + 1));
  if (Array.isArray(value)) throw new RangeError("a list with holes");
  const copy: { [field: string]: unknown } = Object.create(null);
  for (const field of Object.keys(value)) {
    copy[field] = plainCopy((value as { [field: string]: unknown })[field], depth + 1);
  }
  return copy;
}
