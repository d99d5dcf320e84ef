/** The answer is about the policy that the session had: of its profile, its options, its buckets. */
import { describe, expect, test } from "vitest";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { Locations } from "../../src/index.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OTHER = "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888";
const config = { roleArn: "arn:aws:iam::123456789012:role/polaris", region: "us-west-2" };
const all = { read: ["s3://lake/t"], write: ["s3://lake/t"] };
const denied = (action: string, resource: string) =>
  `User: arn:aws:sts::123456789012:assumed-role/polaris/etl is not authorized to perform: ${action} on resource: ${resource} because no session policy allows the ${action} action`;

describe('in profile "polaris"', () => {
  const options = { profile: "polaris" } as const;
  const causeOf = (action: string, resource: string, keys = {}) =>
    diagnoseAccessDenied(denied(action, resource), { ...config, ...keys }, all, options)[0]?.cause;

  test.each(["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext"])(
    "sessions get %s on a configured key",
    (action) => {
      expect(causeOf(action, KEY, { currentKmsKey: KEY })).toBe("session-outdated");
      const [least] = diagnoseAccessDenied(
        denied(action, KEY),
        { ...config, currentKmsKey: KEY },
        all,
      );
      expect(least?.cause).toBe("action-never-granted");
    },
  );

  test("without keys, sessions that only read get every key of the account", () => {
    const reader = { read: ["s3://lake/t"] };
    const ask = (key: string, locations: Locations) =>
      diagnoseAccessDenied(denied("kms:Decrypt", key), config, locations, options)[0]?.cause;
    expect(ask(OTHER, reader)).toBe("session-outdated");
    expect(ask(OTHER, all)).toBe("kms-key-not-configured");
    expect(ask(OTHER.replace("123456789012", "999988887777"), reader)).toBe(
      "kms-key-not-configured",
    );
  });

  test("no option grants giving up uploads", () => {
    expect(causeOf("s3:AbortMultipartUpload", "arn:aws:s3:::lake/t/f")).toBe(
      "action-never-granted",
    );
  });

  test("who may write may delete", () => {
    expect(causeOf("s3:DeleteObject", "arn:aws:s3:::lake/t/f")).toBe("session-outdated");
  });
});

test("of a catalog with several buckets both keys stay in use", () => {
  const catalog = { ...config, currentKmsKey: KEY, allowedLocations: ["s3://lake", "s3://pond"] };
  const [found] = diagnoseAccessDenied(denied("kms:GenerateDataKey", OTHER), catalog, all);
  expect(found?.remedy).toMatchObject({
    field: "encryptionKeys",
    value: OTHER,
    also: { field: "encryptionKeys", value: KEY },
  });
  expect(found?.explanation).toContain("both keys may be in use");
});

test("a location's own name is a bare path until the option grants it", () => {
  const text = denied("s3:GetObject", "arn:aws:s3:::lake/t");
  expect(diagnoseAccessDenied(text, config, all)[0]).toMatchObject({
    cause: "bare-path",
    certainty: "certain",
    remedy: { field: "barePaths", value: true },
  });
  const [granted] = diagnoseAccessDenied(text, config, all, { barePaths: true });
  expect(granted?.cause).toBe("session-outdated");
});

test("a role's statement is as wide as the catalog, not as one object", () => {
  const catalog = { ...config, allowedLocations: ["s3://lake/wh"] };
  const locations = { read: ["s3://lake/wh/t"] };
  const text = `User: arn:aws:sts::123456789012:assumed-role/polaris/etl is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::lake/wh/t/f because no identity-based policy allows the s3:GetObject action`;
  expect(diagnoseAccessDenied(text, catalog, locations)[0]?.remedy?.statement).toEqual({
    Effect: "Allow",
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::lake/wh/*",
  });
});
