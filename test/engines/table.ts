/** The tables of docs/engines.md and docs/kms-guide.md. */
import { engines } from "./engines.ts";
import type { GuideResult } from "./kms-guide.ts";
import type { Trace } from "./traces.ts";

const SAYS = {
  fails: "fails",
  hangs: "hangs",
  silent: "**reports success**",
  succeeds: "succeeds",
} as const;

const HEAD = ["operation", "needs", "requests to S3", "without it"];

function tablesOf(traces: readonly Trace[]): string {
  const titleOf = ({ engine, version }: Trace) => `${engines[engine]?.title ?? engine} ${version}`;
  const titles = [...new Set(traces.map(titleOf))];
  return titles
    .map((title) => {
      const rows = traces.filter((trace) => titleOf(trace) === title).map(rowOf);
      return `### ${title}\n\n${folded(`${rows.length} operations`, markdown([HEAD, ...rows]))}`;
    })
    .join("\n");
}

function rowOf({ operation, accesses, requests, without }: Trace): readonly string[] {
  return [
    operation.replaceAll("-", " "),
    accesses === null ? "**none works, with all four**" : accesses.join(", ") || "none",
    requests.join(", ") || "none",
    outcomeOf(without),
  ];
}

/** Says once what happens whichever access is left out, or for each access what happens. */
function outcomeOf(without: Trace["without"]): string {
  const outcomes = Object.entries(without);
  const [same, ...others] = new Set(outcomes.map(([, outcome]) => SAYS[outcome]));
  if (same === undefined) return "not tried";
  if (others.length === 0) return same;
  return outcomes.map(([access, outcome]) => `${access}: ${SAYS[outcome]}`).join("; ");
}

/** The page with a table of each engine's traces between its marks. */
export function withTables(page: string, traces: readonly Trace[]): string {
  return between(page, "traces: npm run test:engines", "end of traces", tablesOf(traces));
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
  const titles = names.map((name) => (engines[name]?.title ?? name).replace(/,$/, ""));
  const head = ["step", "the engine does", ...titles];
  return between(
    page,
    "guide: npm run test:engines kms-guide",
    "end of guide",
    markdown([head, ...rows]),
  );
}

/** A part of a page that opens on a click: ten tables are too tall to scroll past. */
function folded(summary: string, text: string): string {
  return `<details><summary>${summary}</summary>\n\n${text}\n</details>\n`;
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
