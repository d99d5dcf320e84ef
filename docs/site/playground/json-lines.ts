/** At which line of a JSON text a field stands, and at which the text stops being JSON. */
import { findNodeAtLocation, type Node, type ParseError, parseTree } from "jsonc-parser";
import { pastedIn } from "./pasted.ts";

const lineAt = (text: string, offset: number) => text.slice(0, offset).split("\n").length;

/** The parser calls itself for each level, so that thousands of them end its stack. */
function treeOf(text: string, faults?: ParseError[]): Node | undefined {
  try {
    return parseTree(text, faults, { disallowComments: true });
  } catch {
    return undefined;
  }
}

/** The first line that is not JSON; undefined if the text is. */
export function lineOfFault(text: string): number | undefined {
  const faults: ParseError[] = [];
  treeOf(text, faults);
  return faults[0] === undefined ? undefined : lineAt(text, faults[0].offset);
}

/** The line of a field of the storage configuration in the text, or of the nearest field around it. */
export function lineOfPath(text: string, path: readonly (string | number)[]): number | undefined {
  const root = treeOf(text);
  if (root === undefined || path.length === 0) return undefined;
  const catalog = findNodeAtLocation(root, pastedIn(text).way) ?? root;
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
