/**
 * Prints documents, tables and sentences.
 * @module
 */
import process from "node:process";
import { type PolicyDocument, serializePolicy } from "polaris-session-policy";
import type { AccessRow } from "polaris-session-policy/analysis";
import type { Values } from "./options.ts";
import { UsageError } from "./usage-error.ts";

export function print(output: string): void {
  process.stdout.write(`${output}\n`);
}

/** Writes JSON of printable ASCII: readable on a terminal, minified in a pipe, or as the flag says. */
export function documentText(document: object, values: Values): string {
  if (values["pretty"] && values["compact"]) {
    throw new UsageError("--pretty and --compact exclude each other. Choose one.");
  }
  const pretty = values["pretty"] || (process.stdout.isTTY && !values["compact"]);
  return pretty ? prettyJson(document) : serializePolicy(document as PolicyDocument);
}

export function prettyJson(document: unknown): string {
  return JSON.stringify(document, null, 2).replace(
    /[^\n\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Writes a length and the limit. */
export function lengthText(length: number, most: number): string {
  const characters = `${length.toLocaleString("en")} of ${most.toLocaleString("en")} characters`;
  return most === Number.POSITIVE_INFINITY
    ? `${length.toLocaleString("en")} characters`
    : characters;
}

/** Writes what a policy allows and denies, a row each. */
export function accessTable(rows: readonly AccessRow[]): string {
  const cells = rows.map((row) => {
    const objects = row.objects === undefined ? row.bucket : `${row.bucket}/${row.objects}`;
    const except = (names: readonly string[] = []) => names.map((name) => `except ${name}`);
    return [
      row.effect,
      [...row.actions, ...except(row.exceptActions)],
      [row.key ?? objects ?? row.resource, ...except(row.exceptResources)],
      row.condition,
    ];
  });
  return table(["EFFECT", "ACTIONS", "ON", "IF"], cells);
}

/** Writes rows under a head, in columns. A cell may have several lines. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | readonly string[])[])[],
): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === "string" ? [cell] : cell).map(printable)),
  );
  const widths = head.map((_, column) =>
    cells.reduce(
      (widest, row) =>
        (row[column] ?? []).reduce((most, { length }) => Math.max(most, length), widest),
      0,
    ),
  );
  const lines = cells.flatMap((row, i) => {
    const height = row.reduce((most, cell) => Math.max(most, cell.length), 0);
    return Array.from({ length: height }, (_, line) => {
      const joined = row.map((cell, column) => (cell[line] ?? "").padEnd(widths[column] ?? 0));
      const text = joined.join("  ").trimEnd();
      return i === 0 ? bold(text) : text;
    });
  });
  return lines.join("\n");
}

/** Breaks a sentence into lines of at most 100 characters. */
export function folded(sentence: string): string[] {
  return (sentence.match(/\S.{0,94}\S*(?=\s|$)|\S+/g) ?? []).map((line) => `  ${line.trim()}`);
}

/** Replaces control characters: logs and policies may hold sequences that drive a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\ufffd");
}

export function bold(line: string): string {
  return process.stdout.isTTY && !process.env["NO_COLOR"] ? `\u001b[1m${line}\u001b[22m` : line;
}

/** Writes a path as the library's messages do: allowedKmsKeys[1]. */
export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join("");
}

/** Writes a number with its noun. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
