import { describe, expect, test } from "vitest";
import { type AwsStorageConfig, buildSessionPolicy, storageConfigSchema } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const ROLE = "arn:aws:iam::123456789012:role/polaris";

// What may come from JSON.parse is not typed.
const build = (config: unknown, options = {}) =>
  buildSessionPolicy(config as AwsStorageConfig, { read: ["s3://wh-bucket/db"] }, options);
const resources = (config: unknown) => build(config).Statement.flatMap(({ Resource }) => Resource);
const partition = (config: unknown) => String(resources(config)[0]).split(":")[1];

describe("a storage configuration", () => {
  test("is accepted as the management API returns it, with null for what is not set", () => {
    const config = {
      storageType: "S3",
      allowedLocations: ["s3://wh-bucket/"],
      storageName: null,
      roleArn: ROLE,
      externalId: null,
      userArn: null,
      region: null,
      endpoint: null,
      endpointInternal: null,
      stsEndpoint: null,
      stsUnavailable: null,
      pathStyleAccess: false,
      kmsUnavailable: null,
      currentKmsKey: null,
      allowedKmsKeys: [],
    };
    expect(build(config).Statement).toHaveLength(1);
  });

  test("may have fields that we do not know", () => {
    expect(build({ roleArn: ROLE, futureField: { deep: [1] } })).toEqual(build({ roleArn: ROLE }));
  });

  test.each([
    [null, ""],
    ["S3", ""],
    [42, ""],
    [[], ""],
    [{ storageType: "GCS" }, "storageType"],
    [{ roleArn: 1 }, "roleArn"],
    [{ roleArn: "" }, "roleArn"],
    [{ roleArn: "not-an-arn" }, "roleArn"],
    [{ region: {} }, "region"],
    [{ kmsUnavailable: "true" }, "kmsUnavailable"],
    [{ endpoint: "s3.example.com" }, "endpoint"],
    [{ allowedLocations: "s3://wh-bucket" }, "allowedLocations"],
    [{ allowedLocations: ["s3://wh-bucket", "*"] }, "allowedLocations.1"],
    [{ allowedLocations: [7] }, "allowedLocations.0"],
  ])("%j is refused as INVALID_STORAGE_CONFIG", (config, path) => {
    expect(faultOf(() => build(config))).toMatchObject({
      code: "INVALID_STORAGE_CONFIG",
      paths: [path],
    });
  });

  test("faults are told all at once, the schema and the builder alike", () => {
    const config = { roleArn: "x", endpoint: "nowhere", allowedKmsKeys: [KEY, "y"] };
    const paths = ["roleArn", "endpoint", "allowedKmsKeys.1"];
    expect(faultOf(() => build(config)).paths.sort()).toEqual([...paths].sort());
    const { error } = storageConfigSchema.safeParse(config);
    expect(error?.issues.map(({ path }) => path.join(".")).sort()).toEqual([...paths].sort());
  });

  test("the schema reports keys that the builder refuses", () => {
    const { error } = storageConfigSchema.safeParse({ currentKmsKey: "alias/lake" });
    expect(error?.issues).toMatchObject([{ path: ["currentKmsKey"] }]);
    expect(storageConfigSchema.parse({ roleArn: ROLE, other: 1 })).toEqual({ roleArn: ROLE });
  });

  test("messages never repeat what was configured", () => {
    const secret = "s3cr3t-Value";
    for (const field of ["externalId", "roleArn", "region", "endpoint", "currentKmsKey"]) {
      const { message } = faultOf(() => build({ [field]: secret, storageType: secret }));
      expect(message).not.toBe("");
      expect(message).not.toContain(secret);
    }
  });

  test("getters that throw and proxies become INVALID_STORAGE_CONFIG", () => {
    const throwing = {
      get roleArn() {
        throw new Error("secret");
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const config of [throwing, proxy]) {
      const { code, message } = faultOf(() => build(config));
      expect(code).toBe("INVALID_STORAGE_CONFIG");
      expect(message).not.toContain("secret");
    }
  });
});

describe("the partition", () => {
  test.each([
    ["arn:aws:iam::123456789012:role/x", "aws"],
    ["arn:aws-cn:iam::123456789012:role/x", "aws-cn"],
    ["arn:minio:iam:::role/dummy", "minio"],
    ["urn:ecs:iam::ns1:role/x", "ecs"],
    ["arn:aws:iam::123456789012:role/team:lake/x", "aws"],
    ["arn:aws:iam::123456789012:role/a:b:c/x", "aws"],
    ["arn:aws:iam::123456789012:root", "aws"],
  ])("of %s is %s", (roleArn, expected) => {
    expect(partition({ roleArn, region: "cn-north-1" })).toBe(expected);
  });

  test.each([
    ["us-west-2", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["us-isob-east-1", "aws-iso-b"],
    ["eu-isoe-west-1", "aws-iso-e"],
    ["us-isof-south-1", "aws-iso-f"],
    ["eusc-de-east-1", "aws-eusc"],
    ["local", "aws"],
    ["", "aws"],
  ])("without a role is told by region %j: %s", (region, expected) => {
    expect(partition({ region })).toBe(expected);
  });

  test("without role and region is told by the keys, and is aws without those", () => {
    const key = KEY.replace("aws", "aws-cn").replace("us-west-2", "cn-north-1");
    expect(partition({ currentKmsKey: key })).toBe("aws-cn");
    expect(partition({ allowedKmsKeys: [key] })).toBe("aws-cn");
    expect(partition({})).toBe("aws");
  });

  test("with wildcards in it stays literal", () => {
    expect(resources({ roleArn: "arn:a*s:iam::1:role/x" })[0]).toBe("arn:a${*}s:s3:::wh-bucket");
  });

  test("of a role is read in linear time", () => {
    const hostile = `${":".repeat(500_000)}\n`;
    expect(faultOf(() => build({ roleArn: hostile })).code).toBe("INVALID_STORAGE_CONFIG");
    expect(faultOf(() => build({ roleArn: ":".repeat(500_000) })).code).toBe("none");
  });
});

describe("a KMS key", () => {
  test.each([
    ["", "must not be empty"],
    ["arn:aws:kms:us-west-2:123456789012:alias/lake", "alias"],
    ["alias/lake", "alias"],
    ["abcd1234-1111-2222-3333-444444444444", "bare key id"],
    ["*", "wildcards"],
    ["arn:aws:kms:*:*:key/*", "wildcards"],
    ["arn:aws:kms:us-west-2:123456789012:key/${aws:username}", "variables"],
    ["arn:aws:kms::123456789012:key/01234578", "region"],
    ["arn:aws:kms:us-west-2::key/01234578", "account"],
    ["arn:aws:kms:us-west-2:42:key/01234578", "account"],
    ["arn:aws:s3:::wh-bucket", "another service"],
    ["arn:aws:kms:us-west-2:123456789012:key/", "does not name a key"],
    ["arn:aws:kms:us-west-2:123456789012:key/a/b", "does not name a key"],
    ["arn:aws-cn:kms:cn-north-1:123456789012:key/01234578", "another partition"],
    [" arn:aws:kms:us-west-2:123456789012:key/01234578", "no ARN"],
  ])("%j is refused as INVALID_KMS_KEY", (key, reason) => {
    const current = faultOf(() => build({ roleArn: ROLE, currentKmsKey: key }));
    expect(current).toMatchObject({ code: "INVALID_KMS_KEY", paths: ["currentKmsKey"] });
    expect(current.message).toContain(reason);
    const allowed = faultOf(() => build({ roleArn: ROLE, allowedKmsKeys: [KEY, key] }));
    expect(allowed).toMatchObject({ code: "INVALID_KMS_KEY", paths: ["allowedKmsKeys.1"] });
  });

  test("of another partition than the first is refused", () => {
    const other = KEY.replace("aws", "aws-cn").replace("us-west-2", "cn-north-1");
    expect(faultOf(() => build({ currentKmsKey: KEY, allowedKmsKeys: [other] }))).toMatchObject({
      code: "INVALID_KMS_KEY",
      paths: ["allowedKmsKeys.0"],
    });
  });

  test("may be of another account and region, and a multi-region key", () => {
    const keys = [
      "arn:aws:kms:us-west-2:444455556666:key/abcd1234-1111-2222-3333-444444444444",
      "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ];
    expect(resources({ roleArn: ROLE, allowedKmsKeys: keys })).toEqual(
      expect.arrayContaining(keys),
    );
  });

  test("behind an endpoint outside AWS may lack region and account, in any partition", () => {
    const key = "arn:minio:kms:::key/lake";
    const policy = build({ roleArn: ROLE, endpoint: "http://minio:9000", currentKmsKey: key });
    expect(policy.Statement.at(-1)).toEqual({
      Effect: "Allow",
      Action: "kms:Decrypt",
      Resource: key,
    });
    const wildcard = { endpoint: "http://minio:9000", currentKmsKey: "arn:minio:kms:::key/*" };
    expect(faultOf(() => build(wildcard)).code).toBe("INVALID_KMS_KEY");
  });

  test.each([
    ["https://s3.us-west-2.amazonaws.com", true],
    ["https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com:443/", true],
    ["https://s3.dualstack.cn-north-1.amazonaws.com.cn", true],
    ["https://s3.amazonaws.com.evil.example", false],
    ["https://s3.us-west-2.amazonaws.com@evil.example/", false],
    ["https://evil.example/.amazonaws.com", false],
    ["https://evil.example?.amazonaws.com", false],
    ["http://[::1]:9000", false],
    ["http://localhost", false],
  ])("endpoint %s is AWS' own: %s", (endpoint, onAws) => {
    const { Condition } = build({ endpoint, currentKmsKey: KEY }).Statement.at(-1) ?? {};
    expect(Condition !== undefined).toBe(onAws);
  });

  test("is ignored where KMS is unavailable, valid or not", () => {
    const config = { roleArn: ROLE, kmsUnavailable: true, currentKmsKey: "alias/x" };
    expect(build(config)).toEqual(build({ roleArn: ROLE }));
  });

  test("that is the current one needs no repetition among the allowed, nor do these", () => {
    const once = build({ currentKmsKey: KEY });
    expect(build({ currentKmsKey: KEY, allowedKmsKeys: [KEY, KEY] })).toEqual(once);
  });

  test("carries the S3 of its own region, a statement for each", () => {
    const other = KEY.replace("us-west-2", "eu-west-1");
    const conditions = build({ currentKmsKey: KEY, allowedKmsKeys: [other] }).Statement.flatMap(
      ({ Condition }) => (Condition ? [Condition] : []),
    );
    expect(conditions).toEqual([
      { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
      { StringEquals: { "kms:ViaService": "s3.us-west-2.amazonaws.com" } },
    ]);
  });

  test.each([
    ["aws-cn", "cn-north-1", "s3.cn-north-1.amazonaws.com.cn"],
    ["aws-us-gov", "us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"],
    ["aws-iso", "us-iso-east-1", undefined],
    ["aws-eusc", "eusc-de-east-1", undefined],
  ])("in %s is used through %s: %s", (name, region, service) => {
    const key = `arn:${name}:kms:${region}:123456789012:key/abcd1234-1111-2222-3333-444444444444`;
    const { Condition } = build({ currentKmsKey: key }).Statement.at(-1) ?? {};
    expect(Condition?.["StringEquals"]?.["kms:ViaService"]).toBe(service);
  });
});
