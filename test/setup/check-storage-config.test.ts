import { describe, expect, test } from "vitest";
import { type AwsStorageConfig, buildSessionPolicy, serializePolicy } from "../../src/index.ts";
import { checkStorageConfig } from "../../src/setup/index.ts";
import { faultOf } from "../support/errors.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OLD = "arn:aws:kms:us-west-2:123456789012:key/00000000-1111-2222-3333-444444444444";
const ELSEWHERE = "arn:aws:kms:eu-west-1:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const REPLICA = "arn:aws:kms:eu-west-1:123456789012:key/mrk-00000000000000000000000000000000";
const sound: AwsStorageConfig = {
  storageType: "S3",
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  externalId: "ext-1",
  region: "us-west-2",
  allowedLocations: ["s3://wh-bucket/warehouse"],
  currentKmsKey: KEY,
};
const found = (changes: AwsStorageConfig) =>
  checkStorageConfig({ ...sound, ...changes }).map(
    ({ code, severity, path }) => `${severity} ${code} ${path.join(".")}`,
  );

describe("checkStorageConfig", () => {
  test("finds nothing in a sound configuration", () => {
    expect(checkStorageConfig(sound)).toEqual([]);
    expect(found({ allowedKmsKeys: [OLD] })).toEqual([]);
    expect(found({ currentKmsKey: null })).toEqual([]);
  });

  test.each<[AwsStorageConfig, string[]]>([
    [{ currentKmsKey: ELSEWHERE }, ["warning KEY_IN_OTHER_REGION currentKmsKey"]],
    [{ allowedKmsKeys: [OLD, ELSEWHERE] }, ["warning KEY_IN_OTHER_REGION allowedKmsKeys.1"]],
    [{ currentKmsKey: REPLICA }, ["warning KEY_IN_OTHER_REGION currentKmsKey"]],
    [{ allowedKmsKeys: [OLD, KEY] }, ["info CURRENT_KEY_REPEATED allowedKmsKeys.1"]],
    [
      { allowedKmsKeys: [OLD], allowedLocations: ["s3://lake/db", "s3://pond/db"] },
      ["info SEVERAL_KEYS_ONE_WRITES allowedKmsKeys"],
    ],
    [{ externalId: null }, ["warning NO_EXTERNAL_ID externalId"]],
    [
      { allowedLocations: ["s3://lake/db", "s3://pond/"] },
      ["warning WHOLE_BUCKET allowedLocations.1"],
    ],
    [
      { allowedLocations: ["s3://lake/db/x", "s3a://lake/db", "s3://lake/db/"] },
      [
        "warning OVERLAPPING_LOCATIONS allowedLocations.0",
        "warning OVERLAPPING_LOCATIONS allowedLocations.2",
      ],
    ],
    [{ kmsUnavailable: true }, ["warning KMS_UNAVAILABLE_WITH_KEYS kmsUnavailable"]],
    [{ kmsUnavailable: true, currentKmsKey: null }, []],
    [{ region: null }, ["warning NO_REGION region"]],
    [{ endpoint: "http://minio:9000", roleArn: null }, ["warning HTTP_ENDPOINT endpoint"]],
    [{ endpoint: "https://minio.example.com" }, ["warning AWS_ROLE_OTHER_STORE roleArn"]],
    [{ endpoint: "https://ceph.example.com", roleArn: "arn:aws:iam:::role/polaris" }, []],
    [{ endpoint: "https://s3.us-west-2.amazonaws.com" }, []],
    [{ roleArn: "arn:aws:iam::123456789012:user/polaris" }, ["error NOT_A_ROLE roleArn"]],
    [{ roleArn: "arn:aws:sts::123456789012:assumed-role/polaris/s" }, ["error NOT_A_ROLE roleArn"]],
    [
      { allowedLocations: [`s3://wh-bucket/${"long/".repeat(30)}`] },
      ["info FEW_TABLES_FIT allowedLocations.0"],
    ],
    [
      { allowedLocations: [`s3://wh-bucket/${"a".repeat(1024)}`] },
      ["info FEW_TABLES_FIT allowedLocations.0"],
    ],
  ])("finds in %j", (changes, expected) => {
    expect(found(changes)).toEqual(expected);
  });

  test("takes names that S3 reserves for ordinary ones outside AWS", () => {
    const outside = { endpoint: "https://minio.example.com", roleArn: null };
    const allowedLocations = ["s3://lake-s3alias/db/x", "s3://lake-s3alias/db", "s3://xn--lake"];
    expect(found({ ...outside, allowedLocations })).toEqual([
      "warning OVERLAPPING_LOCATIONS allowedLocations.0",
      "warning WHOLE_BUCKET allowedLocations.2",
    ]);
    expect(found({ ...outside, allowedLocations: ["s3://lake--x-s3/db"] })).toEqual([]);
    expect(found({ ...outside, region: null })).toEqual(["info NO_REGION region"]);
  });

  test("counts the tables that fit as sessions are built", () => {
    const allowedLocations = [`s3://wh-bucket/${"long/".repeat(20)}`];
    const [finding] = checkStorageConfig({ ...sound, allowedLocations });
    const count = Number(finding?.message.split(" ", 1)[0]);
    const fits = (tables: number) => {
      const uris = Array.from(
        { length: tables },
        (_, i) => `${allowedLocations[0]}ten_chars_/sixteen_charact_${i}`,
      );
      const locations = { read: uris, list: uris, write: uris };
      const policy = buildSessionPolicy({ ...sound, allowedLocations }, locations, {
        maxLength: Infinity,
      });
      return serializePolicy(policy).length <= 2048;
    };
    expect([fits(count), fits(count + 1)]).toEqual([true, false]);
  });

  test("says in each finding what to do, and repeats no value", () => {
    const secrets = { externalId: "s3cret", region: "us-west-2" };
    for (const finding of checkStorageConfig({ ...sound, ...secrets, currentKmsKey: ELSEWHERE })) {
      expect(finding.remedy).toMatch(/^[A-Z].*\.$/);
      expect(JSON.stringify(finding)).not.toMatch(/s3cret|eu-west-1|123456789012/);
    }
  });

  test("refuses what is not valid", () => {
    expect(faultOf(() => checkStorageConfig({ currentKmsKey: "alias/x" })).code).toBe(
      "INVALID_KMS_KEY",
    );
    expect(faultOf(() => checkStorageConfig(null as never)).code).toBe("INVALID_STORAGE_CONFIG");
  });
});
