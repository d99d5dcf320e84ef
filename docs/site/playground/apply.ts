/** Makes the change that a diagnosis proposes to the input of the first tab. */

import { diffLines } from "diff";
import type { Diagnosis, Remedy } from "polaris-session-policy/diagnosis";
import { ACCESSES, type Input, SWITCHES } from "./input.ts";
import { edited } from "./pasted.ts";

const LISTS = ["allowedKmsKeys", "allowedLocations", "encryptionKeys", "decryptionKeys"];

/** Whether the remedy is a change of what the first tab holds; others are changes in AWS. */
export function canApply({ field, value }: Remedy): boolean {
  if (field === undefined || value === undefined) return false;
  // A place-holder, as in arn:aws:kms:REGION:ACCOUNT:key/ID, is for a person to fill in.
  return typeof value === "boolean" || !/\b(?:ACCOUNT|REGION|BUCKET|KEY_ID)\b/.test(value);
}

/** The input with the remedy, and with what has to change along with it. */
export function applied(input: Input, { field, value, replaces, also }: Remedy): Input {
  let next: Input = { ...input, options: { ...input.options } };
  const access = ACCESSES.find((name) => name === field);
  const option = SWITCHES.find(({ name }) => name === field);
  if (access !== undefined && typeof value === "string") {
    const lines = next[access].split("\n").filter((line) => line.trim() !== "");
    next[access] = [...lines, ...(lines.includes(value) ? [] : [value])].join("\n");
  } else if (option !== undefined && typeof value === "boolean") {
    next.options[option.name] = value;
  } else if (field !== undefined) {
    next.config = edited(input.config, (config) => {
      const list: unknown[] = Array.isArray(config[field]) ? config[field] : [];
      config[field] = LISTS.includes(field)
        ? [...list.filter((item) => item !== replaces && item !== value), value]
        : value;
    });
  }
  if (also !== undefined && canApply(also)) next = applied(next, also);
  return next;
}

export interface Line {
  readonly sign: " " | "+" | "−";
  readonly text: string;
}

/** The lines that differ, with one line around them. */
export function difference(before: string, after: string): Line[] {
  const lines = diffLines(`${before}\n`, `${after}\n`).flatMap(({ added, removed, value }) =>
    value
      .replace(/\n$/, "")
      .split("\n")
      .map((text): Line => ({ sign: added ? "+" : removed ? "−" : " ", text })),
  );
  const differs = (i: number) => (lines[i]?.sign ?? " ") !== " ";
  return lines.filter((_, i) => differs(i - 1) || differs(i) || differs(i + 1));
}

/** The pieces of a log, those that a diagnosis is about marked with its place in the list. */
export function marked(
  log: string,
  diagnoses: readonly Diagnosis[],
): { text: string; mark?: number }[] {
  const lines = log.split("\n");
  return lines.map((text, i) => {
    const end = i === lines.length - 1 ? "" : "\n";
    const mark = diagnoses.findIndex(
      (diagnosis) =>
        [diagnosis.firstLine, diagnosis.lastLine].includes(i + 1) ||
        (i + 1 > diagnosis.firstLine && i + 1 < diagnosis.lastLine && isAbout(diagnosis, text)),
    );
    return mark === -1 ? { text: text + end } : { text: text + end, mark };
  });
}

const DENIED = /denied|not authorized|forbidden|\b403\b|no .{1,40} policy allows/i;

function isAbout({ action, resource, operation, bucket }: Diagnosis, line: string): boolean {
  const names = [action, resource].filter((name) => name !== undefined);
  if (names.some((name) => line.includes(name))) return true;
  const others = [operation, bucket].filter((name) => name !== undefined);
  return DENIED.test(line) && (names.length === 0 || others.some((name) => line.includes(name)));
}
