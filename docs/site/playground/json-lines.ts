/** At which line of a JSON text a field stands, and at which the text stops being JSON. */
import { findNodeAtLocation, type ParseError, parseTree } from "jsonc-parser";

const lineAt = (text: string, offset: number) => text.slice(0, offset).split("\n").length;

/** The first line that is not JSON; undefined if the text is. */
export function lineOfFault(text: string): number | undefined {
  const faults: ParseError[] = [];
  parseTree(text, faults, { disallowComments: true });
  return faults[0] === undefined ? undefined : lineAt(text, faults[0].offset);
}

/** The line of a field of the storage configuration in the text, or of the nearest field around it. */
export function lineOfPath(text: string, path: readonly (string | number)[]): number | undefined {
  const root = parseTree(text);
  if (root === undefined) return undefined;
  const catalog = findNodeAtLocation(root, ["catalog"]) ?? root;
  const config = findNodeAtLocation(catalog, ["storageConfigInfo"]) ?? catalog;
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length);
    const node = findNodeAtLocation(config, part) ?? findNodeAtLocation(catalog, part);
    if (node === undefined) continue;
    // A field begins where its name does.
    return lineAt(text, (node.parent?.type === "property" ? node.parent : node).offset);
  }
  return undefined;
}
