/**
 * The published polaris-core 1.7.0 beside profile "polaris", statement by statement. What differs has
 * a rule on docs/polaris-compatibility.md, or fails.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSessionPolicy, SessionPolicyError } from "../../src/index.ts";
import type { AnyPolicy } from "../support/iam.ts";
import { statementTexts } from "../support/statement-texts.ts";
import { startGenerator, timeGenerator } from "./generator.js";
import { FLAWS, randomSessions, withS3nAllowed } from "./sessions.ts";

const RUNS = 5000;
const print = (line: string) => process.stdout.write(`${line}\n`);
const page = readFileSync(new URL("../../docs/polaris-compatibility.md", import.meta.url), "utf8");
/** The first two columns of the page's tables of refusals. */
const rows = [...page.matchAll(/^\| `?([^|`]+?)`? +\| `([A-Z_]+)` +\|/gm)];
const documented = new Map(rows.map(([, rule = "", code = ""]) => [rule, code]));

interface Session {
  readonly storageConfig: object;
  readonly locations: Readonly<Record<string, readonly string[]>>;
}

let polaris: ReturnType<typeof startGenerator>;
beforeAll(() => {
  polaris = startGenerator();
});
afterAll(() => polaris.stop());

/** Polaris' statements, or undefined if it throws. It takes locations to delete as ones to write. */
async function theirs({ storageConfig, locations }: Session): Promise<string[] | undefined> {
  const write = [...(locations["write"] ?? []), ...(locations["delete"] ?? [])];
  const answer = await polaris.answer({ storageConfig, locations: { ...locations, write } });
  return "error" in answer ? undefined : statementTexts(JSON.parse(answer.policy));
}

/** Our statements in profile "polaris", or the code of the error. */
function ours({ storageConfig, locations }: Session): string[] | string {
  try {
    const options = { profile: "polaris", maxLength: Number.POSITIVE_INFINITY } as const;
    return statementTexts(buildSessionPolicy(storageConfig, locations, options) as AnyPolicy);
  } catch (error) {
    if (error instanceof SessionPolicyError) return error.code;
    throw error;
  }
}

describe.each([
  // Polaris takes a missing bucket for one named null.
  ["polaris-session-policies.json", new Map([["bad/scheme-only", "INVALID_LOCATION"]])],
  ["polaris-unusual-inputs.json", documented],
])("polaris-core 1.7.0 on the vectors of %s", (file, refused) => {
  const text = readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8");
  const vectors: (Session & { id: string; policy?: AnyPolicy })[] = JSON.parse(text);

  test("gives the statements that the vector holds, or throws where it did", async () => {
    for (const vector of vectors) {
      const expected = vector.policy && statementTexts(vector.policy);
      expect(await theirs(vector), vector.id).toEqual(expected);
    }
  });

  test("gives the profile's statements, except where the page lists a refusal", async () => {
    for (const vector of vectors) {
      const found = ours(vector);
      const expected = await theirs(vector);
      if (expected === undefined) expect(found, vector.id).toBeTypeOf("string");
      else expect(found, vector.id).toEqual(refused.get(vector.id) ?? expected);
    }
  });
});

describe("polaris-core 1.7.0 on random configurations", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

  test(`gives the profile's statements ${RUNS} times`, async () => {
    print(`fast-check's seed is ${seed}: run SEED=${seed} npm run test:polaris for the same.`);
    const property = fc.asyncProperty(randomSessions, async (session) => {
      expect(ours(session)).toEqual(await theirs(session));
    });
    await fc.assert(property, { numRuns: RUNS, seed });
  });

  test.each(FLAWS.map((flaw) => [flaw.rule, flaw] as const))(
    "takes what we refuse: %s",
    async (rule, { code, put }) => {
      expect(documented.get(rule), "docs/polaris-compatibility.md names it").toBe(code);
      const property = fc.asyncProperty(randomSessions.map(put), async (session) => {
        expect(ours(session)).toBe(code);
        expect(await theirs(session)).toBeInstanceOf(Array);
      });
      await fc.assert(property, { numRuns: 50, seed });
    },
  );

  test("refuses what we take: s3n:// in allowedLocations", async () => {
    expect(page).toContain("Polaris refuses `s3n://` in a catalog's allowed locations");
    const locations = { read: ["s3n://lake/t"], list: [], write: [], delete: [] };
    const property = fc.asyncProperty(randomSessions.map(withS3nAllowed), async (session) => {
      expect(ours({ ...session, locations })).toBeInstanceOf(Array);
      expect(await theirs({ ...session, locations })).toBeUndefined();
    });
    await fc.assert(property, { numRuns: 50, seed });
  });
});

test("its time can be measured", async () => {
  const session = { storageConfig: {}, locations: { read: ["s3://lake/t"] } };
  const [nanoseconds = 0] = (await timeGenerator([session])) ?? [];
  print(`Polaris takes ${(nanoseconds / 1000).toFixed(1)} µs for one location to read.`);
  expect(nanoseconds).toBeGreaterThan(100);
});
