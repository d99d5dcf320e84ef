/**
 * The command diagnose.
 * @module
 */
import process from "node:process";
import {
  type Diagnosis,
  diagnoseAccessDenied,
  type Remedy,
} from "polaris-session-policy/diagnosis";
import type { Command } from "./command.ts";
import { read, readOnce, sessionFrom } from "./input.ts";
import { LOCATIONS, OPTIONS, STORAGE_CONFIG, textOf } from "./options.ts";
import { bold, counted, folded, print, printable } from "./output.ts";
import { UsageError } from "./usage-error.ts";

export const diagnose: Command = {
  summary: "explain the refused requests in logs",
  files: { usage: "[FILE|-]…", least: 0, most: Number.POSITIVE_INFINITY },
  flags: [STORAGE_CONFIG, LOCATIONS, OPTIONS],
  notes:
    "Without a file it reads standard input. With the configuration and the session's\nlocations more of the answers are certain.\nExit status: 0 if nothing is found, 1 if something is.",
  example: "diagnose spark.log trino.log --config catalog.json",
  run: async ({ values, files }) => {
    if (files.length === 0 && process.stdin.isTTY) {
      throw new UsageError("diagnose has no log. Name a file, or pipe one to standard input.");
    }
    const sources = files.length === 0 ? ["-"] : files;
    readOnce(...sources, textOf(values, "config"));
    const { config, locations, options } = await sessionFrom(values);
    const found: (Diagnosis & { readonly file: string })[] = [];
    for (const file of sources) {
      const diagnoses = diagnoseAccessDenied(await read(file), config, locations, options);
      found.push(...diagnoses.map((diagnosis) => ({ file, ...diagnosis })));
    }
    if (values["json"]) {
      print(JSON.stringify(found));
    } else if (found.length === 0) {
      print(nothingFound(sources));
    } else {
      print(found.map((one) => diagnosisText(one, sources.length > 1)).join("\n\n"));
    }
    return found.length === 0;
  },
};

function nothingFound(sources: readonly string[]): string {
  const where = sources.length > 1 ? `these ${counted(sources.length, "file")}` : "this text";
  return [
    `No refused request was found in ${where}. Looked for access denied by S3, KMS and STS`,
    "(AccessDenied, Forbidden, 403, not authorized to perform) and for credentials that AWS refuses.",
  ].join("\n");
}

function diagnosisText(diagnosis: Diagnosis & { file: string }, named: boolean): string {
  const { cause, certainty, count, action, resource, bucket, key, operation, file } = diagnosis;
  const where = resource ?? (bucket === undefined ? "" : `s3://${bucket}/${key ?? ""}`);
  const title = `${cause}${count > 1 ? ` (${count} times)` : ""}`;
  const lines = [
    `  at        ${named ? `${file}, ` : ""}${linesText(diagnosis)}`,
    `  request   ${[action ?? operation ?? "unknown", where].filter(Boolean).join(" on ")}`,
    `  by        ${diagnosis.principal ?? "unknown"}`,
    `  denied by ${diagnosis.deniedBy ?? (diagnosis.keyFault ? "the key itself" : "unknown")}`,
    ...(diagnosis.resources ?? []).slice(1).map((one) => `  also on   ${one}`),
    ...folded(
      `${certainty === "certain" ? "this is why: " : "this may be why: "}${diagnosis.explanation}`,
    ),
    ...[diagnosis.remedy ?? [], diagnosis.alternatives ?? []].flat().flatMap(remedyLines),
  ];
  return [bold(title), ...lines.map(printable)].join("\n");
}

function linesText({ firstLine, lastLine }: Diagnosis): string {
  return firstLine === lastLine ? `line ${firstLine}` : `lines ${firstLine} to ${lastLine}`;
}

function remedyLines(remedy: Remedy): string[] {
  const { cause, field, cliFlag, value, when, statement, how, also } = remedy;
  const setting =
    value === false && cliFlag === "--no-kms"
      ? "leave --no-kms out"
      : `${cliFlag}${typeof value === "string" ? ` ${value}` : ""}`;
  const told = cliFlag === undefined ? how : `${setting} (${field})`;
  const change = statement === undefined ? told : JSON.stringify(statement);
  return [
    `  ${cause === undefined ? "change    " : `or ${cause}: `}${change}${when === undefined ? "" : `, if ${when}`}`,
    ...(how === undefined || how === change
      ? []
      : folded(how).map((line, i) =>
          i === 0 ? `  how       ${line.trim()}` : `            ${line.trim()}`,
        )),
    ...(also === undefined ? [] : remedyLines(also)),
  ];
}
