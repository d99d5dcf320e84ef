import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildSessionPolicy, SessionPolicyError } from "../src/index.ts";
import { grantSet } from "./support/grant-sets.ts";
import type { AnyPolicy } from "./support/iam.ts";

interface Vector {
  readonly id: string;
  readonly storageConfig: object;
  readonly locations: {
    readonly read: string[];
    readonly list: string[];
    readonly write: string[];
  };
  readonly policy?: AnyPolicy;
  readonly error?: string;
}

function vectorsOf(file: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), "utf8"));
}

/** Our policy in profile "polaris", or the code of the error. */
function predict({ storageConfig, locations }: Vector): AnyPolicy | string {
  try {
    return buildSessionPolicy(storageConfig, locations, {
      profile: "polaris",
      maxLength: Number.POSITIVE_INFINITY,
    });
  } catch (error) {
    if (error instanceof SessionPolicyError) return error.code;
    throw error;
  }
}

describe('profile "polaris" grants what Polaris grants', () => {
  for (const vector of vectorsOf("polaris-session-policies.json")) {
    test(vector.id, () => {
      const ours = predict(vector);
      // Polaris takes a location without a bucket for one in a bucket named null; we refuse it.
      if (vector.policy === undefined || vector.id === "bad/scheme-only") {
        expect(ours).toBeTypeOf("string");
      } else {
        expect(typeof ours === "string" ? ours : grantSet(ours)).toEqual(grantSet(vector.policy));
      }
    });
  }
});

describe('profile "polaris" on unusual inputs', () => {
  const documented = documentedRefusals();
  const vectors = vectorsOf("polaris-unusual-inputs.json");
  for (const vector of vectors) {
    test(vector.id, () => {
      const ours = predict(vector);
      if (vector.policy === undefined) {
        expect(ours).toBeTypeOf("string");
      } else if (typeof ours === "string") {
        expect(documented.get(vector.id), "docs/polaris-compatibility.md lists it").toBe(ours);
      } else {
        expect(grantSet(ours)).toEqual(grantSet(vector.policy));
        expect(documented.has(vector.id), "docs/polaris-compatibility.md lists it").toBe(false);
      }
    });
  }

  test("the documented refusals are all among the vectors", () => {
    const ids = new Set(vectors.map(({ id }) => id));
    expect([...documented.keys()].filter((id) => !ids.has(id))).toEqual([]);
  });
});

/** The table of docs/polaris-compatibility.md: what Polaris accepts and we refuse, by id. */
function documentedRefusals(): Map<string, string> {
  const page = readFileSync(new URL("../docs/polaris-compatibility.md", import.meta.url), "utf8");
  const rows = page.matchAll(/^\| `([a-z0-9/-]+)` +\| `([A-Z_]+)` +\|/gim);
  return new Map([...rows].map(([, id = "", code = ""]) => [id, code]));
}
