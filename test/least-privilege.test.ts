import { describe, test } from "vitest";
import { buildSessionPolicy } from "../src/index.ts";
import { propertiesJudgedBy } from "../src/testing/properties.ts";
import { allows } from "./support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 150);

describe("least privilege, judged by the slow IAM evaluator", () => {
  for (const { name, statement, check } of propertiesJudgedBy(
    (policy) => (request) => allows(policy, request),
  )) {
    test(`${name}: ${statement}`, () => check(buildSessionPolicy, { numRuns }), 600_000);
  }
});
