/**
 * What a diagnosis says of each denial, word for word and with all its remedies: findings.json is the
 * list to proof-read when one of them changes.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig, Locations, SessionPolicyOptions } from "../../src/index.ts";

interface Case {
  readonly name: string;
  readonly text: string;
  readonly config?: AwsStorageConfig;
  readonly locations?: Locations;
  readonly options?: SessionPolicyOptions;
  /** Each diagnosis, without what it repeats of the message (for that see denials.test.ts). */
  readonly findings: readonly object[];
}

const cases: Case[] = JSON.parse(readFileSync(new URL("findings.json", import.meta.url), "utf8"));

const FIELDS = new Set(["cause", "certainty", "explanation", "remedy", "alternatives"]);

test.each(cases)("$name", ({ text, config, locations, options, findings }) => {
  const diagnoses = diagnoseAccessDenied(text, config, locations, options);
  const found = diagnoses.map((diagnosis) =>
    Object.fromEntries(Object.entries(diagnosis).filter(([field]) => FIELDS.has(field))),
  );
  expect(found).toStrictEqual(findings);
});
