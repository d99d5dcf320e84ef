/**
 * What field reports and real engines printed, each with what an answer must say and must not say.
 *
 * `denials` holds texts in the form of public reports, on one storage configuration; `engines` what
 * Spark, Flink, Trino, S3A, Iceberg's Java API and nine Python engines printed on sessions that lacked
 * one access each; `reports.json` more texts in the form of public reports, on the first configuration.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Diagnosis, diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig, Locations } from "../../src/index.ts";

interface Case {
  readonly file: string;
  readonly session: string | Locations;
  /** Whether there is anything to be found. */
  readonly found: boolean;
  /** The causes any of which is right, where there is more than one thing to say. */
  readonly causes?: readonly string[];
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

interface Cases {
  readonly storageConfig: AwsStorageConfig;
  readonly sessions?: Readonly<Record<string, Locations>>;
  readonly cases: readonly Case[];
}

/** The text is a timeout of a write, and says nothing of the delete that was refused before. */
const SAYS_NOTHING = "flink__upsert-streaming-__no-delete.txt";

function expectAnswer(
  diagnoses: readonly Diagnosis[],
  { found, causes, includes, excludes }: Omit<Case, "file" | "session">,
): void {
  const json = JSON.stringify(diagnoses);
  expect(diagnoses.length > 0).toBe(found);
  for (const words of includes) expect(json).toContain(words);
  for (const words of excludes) expect(json).not.toContain(words);
  if (causes !== undefined) for (const { cause } of diagnoses) expect(causes).toContain(cause);
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

describe.each(["denials", "engines"])("%s", (folder) => {
  const { storageConfig, sessions, cases }: Cases = JSON.parse(read(`${folder}/cases.json`));
  const told = cases.filter(({ file }) => file !== SAYS_NOTHING);

  const answer = ({ file, session }: Case): Diagnosis[] => {
    const locations = typeof session === "string" ? sessions?.[session] : session;
    return diagnoseAccessDenied(read(`${folder}/texts/${file}`), storageConfig, locations);
  };

  test.each(told.map((one) => [one.file, one] as const))("%s", (_, one) => {
    expectAnswer(answer(one), one);
  });

  test("no text has more than a dozen findings", () => {
    for (const one of cases) expect(answer(one).length).toBeLessThanOrEqual(12);
  });
});

describe("reports", () => {
  const { storageConfig, sessions }: Cases = JSON.parse(read("denials/cases.json"));
  const reports: readonly (Omit<Case, "file" | "session"> & {
    readonly name: string;
    readonly session: string;
    readonly text: string;
  })[] = JSON.parse(read("reports.json"));

  test.each(reports.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const diagnoses = diagnoseAccessDenied(one.text, storageConfig, sessions?.[one.session]);
    expectAnswer(diagnoses, one);
  });
});

test("a text that names no delete is not answered with one", () => {
  const text = read(`engines/texts/${SAYS_NOTHING}`);
  expect(diagnoseAccessDenied(text, {}, { read: ["s3://jvm-lake/db/orders"] })).toEqual([]);
});
