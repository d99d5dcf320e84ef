import { describe, expect, test } from "vitest";
import { propertiesJudgedBy } from "../src/testing/properties.ts";
import { allows } from "./iam.ts";
import { plantedFaults } from "./planted-faults.ts";

const properties = propertiesJudgedBy(allows);

describe("each property has been seen to fail", () => {
  for (const { fault, caughtBy, generate } of plantedFaults) {
    test(`${caughtBy} catches: ${fault}`, () => {
      const property = properties.find(({ name }) => name === caughtBy);
      expect(property, caughtBy).toBeDefined();
      expect(() => property?.check(generate, { seed: 1 })).toThrow(/Property failed after/);
    });
  }

  test("every property is among them", () => {
    const caught = new Set(plantedFaults.map(({ caughtBy }) => caughtBy));
    expect(properties.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
});
