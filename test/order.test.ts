import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  type SessionPolicyOptions,
  type Statement,
  serializePolicy,
} from "../src/index.ts";
import { locationsArbitrary, storageConfigArbitrary } from "../src/testing/index.ts";
import { faultOf } from "./support/errors.ts";

const listOf = (value: Statement["Action"]) => (typeof value === "string" ? [value] : [...value]);
/** What a statement is sorted by, as one string: NUL comes before all that a name may hold. */
const keyOf = ({ Action, Resource }: Statement) =>
  [...listOf(Action), "", ...listOf(Resource)].join("\0");

/** Statements for S3 without a condition, then lists, then keys. */
const kindOf = ({ Action, Condition }: Statement) => {
  if (listOf(Action).some((action) => action.startsWith("kms:"))) return 2;
  return Condition === undefined ? 0 : 1;
};

const config = storageConfigArbitrary({ maxKmsKeys: 4 });
const locations = locationsArbitrary({ maxLocations: 5 });
const leastPrivilege = fc.constantFrom<SessionPolicyOptions>(
  { maxLength: 100_000 },
  { maxLength: 100_000, objectVersions: true, abortMultipartUploads: true },
  { maxLength: 100_000, barePaths: true, objectTags: true, listMultipartUploads: true },
);
const options = fc.oneof(
  leastPrivilege,
  fc.constant<SessionPolicyOptions>({ maxLength: 100_000, profile: "polaris" }),
);

describe("a policy is in an order that its content decides", () => {
  test("statements by kind, then action, then resource", () => {
    fc.assert(
      fc.property(config, locations, leastPrivilege, (c, l, o) => {
        const { Statement } = buildSessionPolicy(c, l, o);
        const keys = Statement.map((statement) => `${kindOf(statement)}${keyOf(statement)}`);
        for (const [i, key] of keys.entries()) {
          // Of the same actions and resources, only conditions differ.
          if (i > 0) expect((keys[i - 1] ?? "") <= key).toBe(true);
        }
      }),
    );
  });

  test("lists by code unit, each name once, and one name without brackets", () => {
    fc.assert(
      fc.property(config, locations, leastPrivilege, (c, l, o) => {
        for (const statement of buildSessionPolicy(c, l, o).Statement) {
          const { Action, Resource, Condition = {} } = statement;
          const values = Object.values(Condition).flatMap((keys) => Object.values(keys));
          for (const value of [Action, Resource, ...values]) {
            if (typeof value === "string") continue;
            expect(value.length).toBeGreaterThan(1);
            expect(value).toEqual([...new Set(value)].sort());
          }
        }
      }),
    );
  });

  test("whatever the order of locations and keys", () => {
    const turned = <T>(values: readonly T[] = []) => [...values].reverse();
    fc.assert(
      fc.property(config, locations, options, (c, l, o) => {
        const backwards: AwsStorageConfig = {
          ...c,
          ...(c.allowedKmsKeys && { allowedKmsKeys: turned(c.allowedKmsKeys) }),
        };
        const reversed = Object.fromEntries(
          Object.entries(l)
            .reverse()
            .map(([access, some]) => [access, turned(some)]),
        );
        expect(serializePolicy(buildSessionPolicy(backwards, reversed, o))).toBe(
          serializePolicy(buildSessionPolicy(c, l, o)),
        );
      }),
    );
  });
});

interface Case {
  readonly name: string;
  readonly config: AwsStorageConfig;
  readonly locations: Locations;
  readonly options?: SessionPolicyOptions;
  readonly policy: PolicyDocument;
}

/** A change here is a change of what users have in caches, in reviews and in snapshots of their own. */
describe("of policies as short, the same one is emitted in every release", () => {
  const cases = JSON.parse(
    readFileSync(new URL("pinned-policies.json", import.meta.url), "utf8"),
  ) as Case[];
  test.each(cases)("$name", ({ config, locations, options, policy: pinned }) => {
    const policy = serializePolicy(pinned);
    const build = (maxLength: number) =>
      serializePolicy(buildSessionPolicy(config, locations, { ...options, maxLength }));
    expect(build(Number.POSITIVE_INFINITY)).toBe(policy);
    // Its length is known to the character.
    expect(build(policy.length)).toBe(policy);
    if (policy.includes('"Deny"')) return;
    expect(faultOf(() => build(policy.length - 1)).message).toContain(
      `The policy needs ${policy.length.toLocaleString("en")} characters; ${(policy.length - 1).toLocaleString("en")} are`,
    );
  });
});
