/**
 * Returns what a map holds for a key. If it holds nothing, `make` makes it first, and the map keeps it.
 *
 * @see https://tc39.es/proposal-upsert/
 */
export function getOrInsertComputed<Key, Value extends NonNullable<unknown>>(
  map: Map<Key, Value>,
  key: Key,
  make: () => Value,
): Value {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
