/** Polaris' KMS guide: https://polaris.apache.org/blog/2025/12/24/securing-s3-data-with-aws-kms/ */
import { describe, expect, test } from "vitest";
import { type AwsStorageConfig, buildSessionPolicy } from "../src/index.ts";
import { allows } from "./support/iam.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OLDER = [
  "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888",
  "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
];
const catalog: AwsStorageConfig = {
  storageType: "S3",
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  region: "us-west-2",
  externalId: "ext-7f3a",
};

/** The request that S3 makes of KMS when the session reads or writes a table. */
function mayUse(action: string, key: string, config: AwsStorageConfig): boolean {
  const table = ["s3://wh-bucket/ns/t1"];
  const policy = buildSessionPolicy(config, { read: table, list: table, write: table });
  const context = { "kms:ViaService": "s3.us-west-2.amazonaws.com" };
  return allows(policy, { action, resource: key, context });
}

describe("without the key in the catalog, as the guide's failures show,", () => {
  test("select * from ns.t1 may not decrypt", () => {
    expect(mayUse("kms:Decrypt", KEY, catalog)).toBe(false);
  });
  test("insert into ns.t1 may not generate a data key", () => {
    expect(mayUse("kms:GenerateDataKey", KEY, catalog)).toBe(false);
  });
});

describe("with the key as currentKmsKey", () => {
  const config = { ...catalog, currentKmsKey: KEY };
  test("data is read and written", () => {
    expect(mayUse("kms:Decrypt", KEY, config)).toBe(true);
    expect(mayUse("kms:GenerateDataKey", KEY, config)).toBe(true);
  });
  test("other services than S3 may not use it for the session", () => {
    const policy = buildSessionPolicy(config, { read: ["s3://wh-bucket/ns/t1"] });
    for (const service of ["s3.eu-west-1.amazonaws.com", "ec2.us-west-2.amazonaws.com"]) {
      const context = { "kms:ViaService": service };
      expect(allows(policy, { action: "kms:Decrypt", resource: KEY, context })).toBe(false);
    }
    expect(allows(policy, { action: "kms:Decrypt", resource: KEY })).toBe(false);
  });
});

describe("with two older keys in allowedKmsKeys", () => {
  const config = { ...catalog, currentKmsKey: KEY, allowedKmsKeys: OLDER };
  test("data that they encrypt is read", () => {
    for (const key of OLDER) expect(mayUse("kms:Decrypt", key, config)).toBe(true);
  });
  test("they encrypt nothing new", () => {
    for (const key of OLDER) {
      for (const action of [
        "kms:GenerateDataKey",
        "kms:Encrypt",
        "kms:GenerateDataKeyWithoutPlaintext",
      ]) {
        expect(mayUse(action, key, config)).toBe(false);
      }
    }
  });
});
