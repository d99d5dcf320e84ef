/** The table of docs/engines.md. */
import { engines } from "./engines.ts";
import type { GuideResult } from "./kms-guide.ts";
import type { Trace } from "./traces.ts";

const SAYS = {
  fails: "fails",
  hangs: "hangs",
  silent: "**succeeds, and says nothing of what was refused**",
  succeeds: "succeeds",
} as const;

function tableOf(traces: readonly Trace[]): string {
  const rows = traces.map(({ engine, version, operation, accesses, requests, without }) => [
    `${engines[engine]?.title ?? engine} ${version}`,
    operation.replaceAll("-", " "),
    accesses === null ? "**none works, with all four**" : accesses.join(", ") || "none",
    requests.join(", ") || "none",
    Object.entries(without)
      .map(([access, outcome]) => `${access}: ${SAYS[outcome]}`)
      .join("; ") || "not tried",
  ]);
  const head = ["engine", "operation", "needs", "requests to S3", "without it"];
  return markdown([head, ...rows]);
}

/** The page with the table of these traces between its marks. */
export function withTable(page: string, traces: readonly Trace[]): string {
  return between(page, "traces: npm run test:engines", "end of traces", tableOf(traces));
}

/** The page of the KMS guide with a row for each step, and a column for each engine. */
export function withGuide(page: string, results: readonly GuideResult[]): string {
  const names = [...new Set(results.map(({ engine }) => engine))];
  const steps = results.filter(({ engine }) => engine === names[0]);
  const rows = steps.map(({ step, action }, i) => [
    step,
    action,
    ...names.map((name) => results.filter(({ engine }) => engine === name)[i]?.outcome ?? ""),
  ]);
  const head = ["step", "the engine does", ...names.map((name) => engines[name]?.title ?? name)];
  return between(
    page,
    "guide: npm run test:engines kms-guide",
    "end of guide",
    markdown([head, ...rows]),
  );
}

function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

function between(page: string, start: string, end: string, text: string): string {
  const [before, , after] = page.split(
    new RegExp(`(?<=<!-- ${start} -->\n)([\\s\\S]*?)(?=<!-- ${end} -->)`),
  );
  if (after === undefined) throw new Error(`The page has lost the marks "${start}" and "${end}".`);
  return `${before}\n${text}\n${after}`;
}
