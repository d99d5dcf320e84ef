/** Inputs that took minutes, or that no time would have been enough for. */
import { expect, test } from "vitest";
import { compareAccess, decide, listAccess } from "../../src/analysis/index.ts";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig } from "../../src/index.ts";
import { checkStorageConfig } from "../../src/setup/index.ts";
import { faultOf } from "../support/errors.ts";

const many = <T>(count: number, make: (i: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));
const S3 = "arn:aws:s3:::";
const allow = (more: object = {}) => ({
  Effect: "Allow",
  Action: "s3:GetObject",
  Resource: "*",
  ...more,
});
const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const get = { action: "s3:GetObject", resource: `${S3}b/k` };
const asks = (operator: string, wanted: string[], values: string[]) =>
  decide(policy(allow({ Condition: { [operator]: { k: wanted } } })), {
    ...get,
    context: { k: values },
  });
const config: AwsStorageConfig = { roleArn: "arn:aws:iam::123456789012:role/polaris" };
const diagnose = (text: string) => diagnoseAccessDenied(text, config, { read: ["s3://lake/db"] });
const key = (i: number) =>
  `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-${String(i).padStart(12, "0")}`;

test.each<[string, () => unknown]>([
  [
    "statements with thousands of keys each, compared",
    () =>
      compareAccess(
        policy(
          ...many(10, (s) =>
            allow({
              Condition: {
                StringEquals: Object.fromEntries(many(2000, (i) => [`k${s}x${i}`, "v"])),
              },
            }),
          ),
        ),
        policy(allow()),
      ),
  ],
  [
    "a statement with thousands of keys, compared",
    () =>
      compareAccess(
        policy(
          allow({
            Condition: { StringEquals: Object.fromEntries(many(8000, (i) => [`k${i}`, "v"])) },
          }),
        ),
        policy(allow()),
      ),
  ],
  [
    "${ many times in the pattern of an ARN",
    () => asks("ArnLike", [`arn:${"${a}".repeat(40)}`], ["x"]),
  ],
  [
    "${ many times in an ARN",
    () => asks("ArnLike", ["arn:aws:iam::*:*"], [`arn:${"${a}".repeat(40)}`]),
  ],
  [
    "a variable with many spaces",
    () => decide(policy(allow({ Resource: `${S3}\${aws:${" ".repeat(300_000)}"}` })), get),
  ],
  [
    "many values of a long pattern",
    () =>
      asks(
        "StringLike",
        ["a".repeat(160_000)],
        many(8000, (i) => `b${i}`),
      ),
  ],
  [
    "a long value of many patterns",
    () =>
      asks(
        "StringEqualsIgnoreCase",
        many(50_000, (i) => `b${i}`),
        ["A".repeat(500_000)],
      ),
  ],
  [
    "many values of many ARNs",
    () =>
      asks(
        "ArnLike",
        many(4000, (i) => `arn:aws:s3:::b${i}`),
        many(4000, (i) => `${S3}${i}`),
      ),
  ],
  [
    "many numbers",
    () =>
      asks(
        "NumericEquals",
        many(16_000, String),
        many(16_000, (i) => `9${"0".repeat(50)}${i}`),
      ),
  ],
  [
    "many dates",
    () =>
      asks(
        "DateEquals",
        many(16_000, () => "2026-01-01T00:00:00Z"),
        many(16_000, () => "2026-01-02T00:00:00Z"),
      ),
  ],
  [
    "many addresses",
    () =>
      asks(
        "IpAddress",
        many(16_000, () => "10.0.0.1"),
        many(16_000, () => "2001:db8::1"),
      ),
  ],
  [
    "many actions of many resources, listed",
    () =>
      listAccess(
        policy(
          allow({
            Action: many(16_000, (i) => `s3:Get*${i}`),
            Resource: many(16_000, (i) => `${S3}*${i}`),
          }),
        ),
      ),
  ],
  [
    "many locations and keys, checked",
    () =>
      checkStorageConfig({
        ...config,
        allowedLocations: many(16_000, (i) => `s3://lake/db/t${i}`),
        allowedKmsKeys: many(16_000, key),
        region: "us-west-2",
      }),
  ],
  [
    "many locations, checked",
    () =>
      checkStorageConfig({
        ...config,
        allowedLocations: many(50_000, (i) => `s3://lake/db/t${i}`),
      }),
  ],
  ["a log of spaces after Forbidden", () => diagnose(`Forbidden:${" ".repeat(255_000)}\v`)],
  ["a log of initiating", () => diagnose(`w${"Cinitiatp".repeat(28_000)}`)],
])(
  "%s end within seconds",
  (_, run) => {
    const start = performance.now();
    const { code } = faultOf(run);
    expect(["none", "UNSUPPORTED_POLICY"]).toContain(code);
    // Alone, less than a second.
    expect(performance.now() - start).toBeLessThan(3000);
  },
  60_000,
);

test("policies that people have are not refused", () => {
  const prefixes = policy({
    ...allow({ Action: "s3:ListBucket", Resource: `${S3}b` }),
    Condition: { StringLike: { "s3:prefix": many(1000, (i) => `db/table_${i}/*`) } },
  });
  expect(compareAccess(prefixes, prefixes).relation).toBe("equal");
  const statements = policy(...many(4000, (i) => allow({ Resource: `${S3}b/table_${i}/*` })));
  expect(compareAccess(statements, policy(allow())).relation).toBe("narrower");
  const actions = policy(
    allow({
      Action: many(200, (i) => `sqs:Action${i}`),
      Resource: many(500, (i) => `arn:aws:sqs:us-west-2:123456789012:q${i}`),
    }),
  );
  expect(compareAccess(actions, policy(allow({ Action: "*" }))).relation).toBe("narrower");
});
