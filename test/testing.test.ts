import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildSessionPolicy, serializePolicy } from "../src/index.ts";
import {
  accessRequestArbitrary,
  assertLeastPrivilege,
  leastPrivilegeProperties,
  locationsArbitrary,
  policyMatchers,
  storageConfigArbitrary,
} from "../src/testing/index.ts";
import { allows } from "./iam.ts";
import { plantedFaults } from "./planted-faults.ts";

const numRuns = 200;
const fault = (name: string) => {
  const found = plantedFaults.find((planted) => planted.fault.includes(name));
  if (found === undefined) throw new Error(name);
  return found.generate;
};

describe("assertLeastPrivilege", () => {
  test("passes our own generator", () => {
    assertLeastPrivilege(buildSessionPolicy, { numRuns });
  });

  test("names the property, its sentence, the seed and the smallest session", () => {
    const run = () => assertLeastPrivilege(fault("siblings"), { seed: 7 });
    expect(run).toThrow(
      /^only-what-was-asked: Every request that the policy allows was asked for\.\n\n.*seed: 7/s,
    );
    expect(run).toThrow(/Counterexample: .*"read":\["s3:\/\/wh-bucket/s);
  });

  test("runs only what it is told to, and knows its names", () => {
    const siblings = fault("siblings");
    assertLeastPrivilege(siblings, { numRuns, only: ["canonical", "inputs-untouched"] });
    expect(() => assertLeastPrivilege(siblings, { only: ["cannonical"] })).toThrow(
      /no property "cannonical"/,
    );
    expect(leastPrivilegeProperties).toHaveLength(13);
  });

  test("judges by decide as the slow evaluator does: every planted fault is caught", () => {
    for (const { fault, caughtBy, generate } of plantedFaults) {
      expect(() => assertLeastPrivilege(generate, { only: [caughtBy], seed: 1 }), fault).toThrow(
        caughtBy,
      );
    }
  });
});

describe("arbitraries", () => {
  test("draw what is valid", () => {
    fc.assert(
      fc.property(storageConfigArbitrary(), locationsArbitrary(), (config, locations) => {
        buildSessionPolicy(config, locations, { maxLength: Number.POSITIVE_INFINITY });
      }),
    );
  });

  test("keep to their constraints", () => {
    const configs = storageConfigArbitrary({
      partitions: ["aws-cn"],
      maxKmsKeys: 0,
      customEndpoints: false,
    });
    fc.assert(
      fc.property(configs, ({ roleArn, currentKmsKey, allowedKmsKeys, endpoint }) => {
        expect(roleArn).toMatch(/^arn:aws-cn:/);
        expect([currentKmsKey ?? null, endpoint ?? null, allowedKmsKeys ?? []]).toEqual([
          null,
          null,
          [],
        ]);
      }),
    );
    const locations = locationsArbitrary({ buckets: ["lake"], maxLocations: 1, hostile: false });
    fc.assert(
      fc.property(locations, (lists) => {
        for (const list of Object.values(lists)) {
          expect([...list].length).toBeLessThanOrEqual(1);
          for (const uri of list) expect(uri).toMatch(/^s3[an]?:\/\/lake(\/[a-z0-9/]*)?$/);
        }
      }),
    );
  });

  test("shrink to a small readable case", () => {
    const { counterexample } = fc.check(
      fc.property(locationsArbitrary(), ({ read }) =>
        [...(read ?? [])].every((uri) => !uri.includes("*")),
      ),
      { seed: 3, numRuns: 1000 },
    );
    expect(counterexample).toEqual([
      { read: [expect.stringMatching(/^s3:\/\/wh-bucket\/[^/]*\*[^/]*$/)] },
    ]);
  });

  test("draw requests that a policy allows, and others", () => {
    const policy = buildSessionPolicy({}, { read: ["s3://lake/a*b"], list: ["s3://lake/a*b"] });
    const requests = fc.sample(accessRequestArbitrary(policy), { numRuns: 2000, seed: 5 });
    const allowed = requests
      .filter((request) => allows(policy, request))
      .map(({ action }) => action);
    expect(new Set(allowed)).toEqual(
      new Set(["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]),
    );
    expect(allowed.length).toBeLessThan(requests.length / 2);
  });
});

describe("policyMatchers", () => {
  const policy = buildSessionPolicy({}, { read: ["s3://lake/db"] });
  const object = { action: "s3:GetObject", resource: "arn:aws:s3:::lake/db/f" };
  const other = { ...object, resource: "arn:aws:s3:::lake/dbx" };
  const { toAllow, toDeny, toBeNoBroaderThan } = policyMatchers;

  test("show the statement that decides", () => {
    const result = toAllow(policy, object);
    expect([result.pass, toDeny(policy, object).pass]).toEqual([true, false]);
    expect(result.message()).toBe(
      `expected the policy not to allow ${JSON.stringify(object)}; allowed by\nStatement 0: ${JSON.stringify(policy.Statement[0])}`,
    );
    expect(toDeny(policy, object).message()).toMatch(/^expected the policy to deny .*Statement 0/s);
  });

  test("what they can't show does not keep them from their answer", () => {
    const odd = { ...object, extra: 1n };
    expect(toDeny(policy, odd).message()).toContain("something that JSON can't hold");
  });

  test("say so if there is none", () => {
    const result = toDeny(policy, other);
    expect([result.pass, toAllow(policy, other).pass]).toEqual([true, false]);
    expect(result.message()).toBe(
      `expected the policy not to deny ${JSON.stringify(other)}; no statement matches it`,
    );
    expect(toAllow(policy, other).message()).toMatch(/^expected the policy to allow /);
  });

  test("show the statement that denies, also where Statement is no list", () => {
    const Statement = { Effect: "Deny", Action: "*", Resource: "*" };
    const { pass, message } = toAllow({ Version: "2012-10-17", Statement }, object);
    expect(pass).toBe(false);
    expect(message()).toContain(`explicitlyDenied by\nStatement 0: ${JSON.stringify(Statement)}`);
  });

  test("show a request that makes the difference", () => {
    const wide = buildSessionPolicy({}, { read: ["s3://lake"] });
    const broader = toBeNoBroaderThan(wide, policy);
    expect(broader.pass).toBe(false);
    expect(broader.message()).toContain('only the policy allows {"action":"s3:GetObject"');
    const narrower = toBeNoBroaderThan(policy, wide);
    expect(narrower.pass).toBe(true);
    expect(narrower.message()).toContain("it is narrower");
  });

  test("work through expect.extend", () => {
    expect.extend(policyMatchers);
    expect(policy).toAllow(object);
    expect(policy).not.toAllow(other);
    expect(() => expect(policy).toDeny(object)).toThrow(/Statement 0/);
    expect(serializePolicy(policy)).toContain("lake");
  });
});
