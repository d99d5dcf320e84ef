/** The storage configuration in what people paste: itself, a catalog, or what lists catalogs. */

export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads JSON, or a JSON object a line, as `polaris catalogs list` prints them. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const first: unknown = JSON.parse(lines[0] ?? "");
    if (!isFields(first)) throw error;
    return lines.map((line) => JSON.parse(line));
  }
}

/** What a response of the management API has around a catalog, from the outside in. */
const AROUND = ["catalogs", 0, "catalog"] as const;

/** A catalog or storage configuration with all around it, and the way there. Throws if it is not JSON. */
export function pastedIn(text: string) {
  const whole = parse(text);
  const way: (string | number)[] = [];
  let found = whole;
  for (const step of AROUND) {
    const isOne = step === 0 ? Array.isArray(found) && found.length === 1 : isFields(found);
    const next: unknown = isOne ? Reflect.get(Object(found), step) : undefined;
    if (next === undefined) continue;
    way.push(step);
    found = next;
  }
  return { whole, way, found };
}

/** The fields of the storage configuration, to be read or changed; undefined if the text has none. */
function fieldsOf(found: unknown): Fields | undefined {
  if (!isFields(found)) return undefined;
  const inside = found["storageConfigInfo"];
  return isFields(inside) ? inside : found;
}

/** Whether the text holds a storage configuration that can be changed. */
export function isEditable(text: string): boolean {
  try {
    return fieldsOf(pastedIn(text).found) !== undefined;
  } catch {
    return false;
  }
}

/** The text with its storage configuration changed, and all around it as it was. */
export function edited(text: string, change: (config: Fields) => void): string {
  const { whole, found } = pastedIn(text);
  const config = fieldsOf(found);
  if (config === undefined) return text;
  change(config);
  return JSON.stringify(whole, null, 2);
}
