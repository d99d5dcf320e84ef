import { describe, expect, test } from "vitest";
import { propertiesJudgedBy } from "../../src/testing/properties.ts";
import { allows } from "../support/iam.ts";
import { plantedFaults, subtleFaults } from "../support/planted-faults.ts";

const properties = propertiesJudgedBy((policy) => (request) => allows(policy, request));

describe("each property has been seen to fail", () => {
  for (const { fault, caughtBy, says = "Property failed", generate } of [
    ...plantedFaults,
    ...subtleFaults,
  ]) {
    test(`${caughtBy} catches: ${fault}`, () => {
      const property = properties.find(({ name }) => name === caughtBy);
      expect(property, caughtBy).toBeDefined();
      let report = "";
      try {
        property?.check(generate, { numRuns: 300, seed: 1 });
      } catch (error) {
        report = String(error);
      }
      expect(report).toMatch(/Property failed after/);
      expect(report).toContain(says);
    });
  }

  test("every property is among them", () => {
    const caught = new Set(plantedFaults.map(({ caughtBy }) => caughtBy));
    expect(properties.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
});
