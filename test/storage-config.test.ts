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
    [{ kmsUnavailable: "yes" }, "kmsUnavailable"],
    [{ kmsUnavailable: 1 }, "kmsUnavailable"],
    [{ pathStyleAccess: "TRUE " }, "pathStyleAccess"],
    [{ region: 1 }, "region"],
    [{ region: "" }, "region"],
    [{ region: "*" }, "region"],
    [{ region: "us west 2" }, "region"],
    [{ region: "us-west-2\n" }, "region"],
    [{ endpoint: "http://" }, "endpoint"],
    [{ endpoint: "http://mi nio:9000" }, "endpoint"],
    [{ endpointInternal: "::::" }, "endpointInternal"],
    [{ stsEndpoint: "minio:9000" }, "stsEndpoint"],
    [{ stsEndpoint: "" }, "stsEndpoint"],
    [{ stsEndpoint: "http://a b" }, "stsEndpoint"],
    [{ allowedLocations: ["s3://"] }, "allowedLocations.0"],
    [{ allowedLocations: ["gs://lake/t"] }, "allowedLocations.0"],
    [{ allowedLocations: [""] }, "allowedLocations.0"],
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
    const config = { roleArn: "x", endpoint: "http://", allowedKmsKeys: [KEY, "y"] };
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

describe("a field's name", () => {
  test.each([
    ["currentKMSKey", "currentKmsKey"],
    ["current_kms_key", "currentKmsKey"],
    ["current-kms-key", "currentKmsKey"],
    ["current.kms.key", "currentKmsKey"],
    ["allowedKmsKey", "allowedKmsKeys"],
    ["encryption_keys", "encryptionKeys"],
    ["DECRYPTION_KEY", "decryptionKeys"],
    ["allowedLocation", "allowedLocations"],
    ["rolearn", "roleArn"],
    ["role-arns", "roleArn"],
    ["KmsUnavailable", "kmsUnavailable"],
    ["sts_endpoint", "stsEndpoint"],
  ])("%s is an error that says %s", (name, known) => {
    const config = { roleArn: ROLE, [name]: null };
    expect(faultOf(() => build(config))).toMatchObject({
      code: "INVALID_STORAGE_CONFIG",
      paths: [name],
      message: `${name}: is not a field of a storage configuration. Write ${known}.`,
    });
    const { error } = storageConfigSchema.safeParse(config);
    expect(error?.issues).toMatchObject([{ path: [name] }]);
  });

  test.each([
    { foo: 1 },
    { Version: "2012-10-17", Statement: [] },
    { type: "INTERNAL", name: "lake", properties: {} },
  ])("%j is none of a storage configuration, and refused", (config) => {
    expect(faultOf(() => build(config))).toMatchObject({
      code: "INVALID_STORAGE_CONFIG",
      paths: [""],
    });
  });

  test("storageConfigInfo tells a catalog, which storageConfigOf reads", () => {
    const catalog = { storageConfigInfo: { roleArn: ROLE }, roleArn: ROLE };
    expect(faultOf(() => build(catalog))).toMatchObject({
      code: "INVALID_STORAGE_CONFIG",
      paths: ["storageConfigInfo"],
      message: expect.stringContaining("storageConfigOf(catalog)"),
    });
  });

  test("none at all is a configuration that sets nothing", () => {
    expect(build({}).Statement).toHaveLength(1);
    expect(build(Object.create({ currentKmsKey: KEY }))).toEqual(build({ currentKmsKey: KEY }));
  });
});

describe("a value", () => {
  test("may be a boolean's text, as Polaris' Ceph guide writes it", () => {
    const keyed = { roleArn: ROLE, currentKmsKey: KEY };
    expect(build({ ...keyed, kmsUnavailable: "true" })).toEqual(build({ roleArn: ROLE }));
    expect(build({ ...keyed, kmsUnavailable: "false" })).toEqual(build(keyed));
    expect(storageConfigSchema.parse({ stsUnavailable: "true", pathStyleAccess: "false" })).toEqual(
      { stsUnavailable: true, pathStyleAccess: false },
    );
  });

  test.each(["allowedLocations", "allowedKmsKeys", "encryptionKeys", "decryptionKeys"])(
    "of %s is a dense array of texts",
    (field) => {
      const holes = new Array(4_000_000_000);
      for (const value of [KEY, new Set([KEY]), holes, { length: 1 }, [null]]) {
        expect(faultOf(() => build({ [field]: value })).paths[0]).toMatch(field);
      }
    },
  );

  test("is read once, and what was checked is what is used", () => {
    let reads = 0;
    const config = {
      get currentKmsKey() {
        reads++;
        return reads === 1 ? KEY : "*";
      },
    };
    expect(resources(config)).toContain(KEY);
    expect(reads).toBe(1);
    const list = new Proxy([KEY], {
      get: (target, name) => (name === "0" && reads++ > 1 ? "*" : Reflect.get(target, name)),
    });
    expect(resources({ encryptionKeys: list })).toContain(KEY);
  });
});

describe("an allowed location that no session can use", () => {
  const unusable = [
    "s3://*",
    "s3://10.0.0.1/lake",
    "s3://lake--usw2-az1--x-s3/t",
    "s3://ab/t",
    "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/lake/t",
    "s3://lake/a\tb",
  ];
  test.each(unusable)("%j leaves the others usable", (uri) => {
    const config = { allowedLocations: [uri, "s3://wh-bucket"] };
    expect(build(config)).toEqual(build({}));
    expect(storageConfigSchema.safeParse(config).success).toBe(true);
    expect(faultOf(() => build({ allowedLocations: [uri] })).code).toBe("LOCATION_NOT_ALLOWED");
    const inside = { read: [uri] };
    expect(faultOf(() => buildSessionPolicy(config, inside)).code).toBe("INVALID_LOCATION");
  });
});

describe("the partition", () => {
  test.each([
    ["arn:aws:iam::123456789012:role/x", "aws"],
    ["arn:aws-cn:iam::123456789012:role/x", "aws-cn"],
    ["arn:minio:iam:::role/dummy", "aws"],
    ["urn:ecs:iam::ns1:role/x", "aws"],
    ["urn:sgws:identity::27233906934684427525:role/x", "aws"],
    ["arn:a*s:iam::1:role/x", "aws"],
    ['arn:aws",:iam::1:role/x', "aws"],
    ["arn:aws-x:iam::1:role/x", "aws-x"],
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
  ])("without a role is told by region %j: %s", (region, expected) => {
    expect(partition({ region })).toBe(expected);
  });

  test("without role and region is told by the keys, and is aws without those", () => {
    const key = KEY.replace("aws", "aws-cn").replace("us-west-2", "cn-north-1");
    expect(partition({ currentKmsKey: key })).toBe("aws-cn");
    expect(partition({ allowedKmsKeys: [key] })).toBe("aws-cn");
    expect(partition({})).toBe("aws");
  });

  test.each(["endpoint", "endpointInternal", "stsEndpoint"])(
    "is aws behind an %s outside AWS, whatever the region",
    (field) => {
      expect(partition({ region: "cn-north-1", [field]: "http://minio:9000" })).toBe("aws");
      expect(partition({ region: "cn-north-1", [field]: "https://s3.amazonaws.com.cn" })).toBe(
        "aws-cn",
      );
    },
  );

  test("of a foreign role is none of an AWS key's", () => {
    const config = { roleArn: "arn:minio:iam:::role/dummy", currentKmsKey: KEY };
    expect(faultOf(() => build(config)).code).toBe("INVALID_KMS_KEY");
    expect(resources({ ...config, endpoint: "minio:9000" })).toContain(KEY);
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
    [" arn:aws:kms:us-west-2:123456789012:key/01234578", "is not an ARN"],
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

  test("encrypts if it is a current or an encryption key, and else only decrypts", () => {
    const keys = [1, 2, 3, 4].map((n) => KEY.replace("abcd1234", `0000000${n}`));
    const [current, encryption, allowed, decryption] = keys as [string, string, string, string];
    const policy = buildSessionPolicy(
      {
        currentKmsKey: current,
        encryptionKeys: [encryption, current],
        allowedKmsKeys: [allowed, encryption],
        decryptionKeys: [decryption, allowed, encryption, current],
      },
      { read: ["s3://wh-bucket/db"], write: ["s3://wh-bucket/db"] },
    );
    const grants = new Map(keys.map((key) => [key, new Set<string>()]));
    for (const { Action, Resource } of policy.Statement) {
      for (const key of [Resource].flat()) {
        for (const action of [Action].flat()) grants.get(key)?.add(action);
      }
    }
    expect([...grants].map(([, actions]) => [...actions].sort())).toEqual([
      ["kms:Decrypt", "kms:GenerateDataKey"],
      ["kms:Decrypt", "kms:GenerateDataKey"],
      ["kms:Decrypt"],
      ["kms:Decrypt"],
    ]);
  });

  test("means the same in the fields of both generations", () => {
    const other = KEY.replace("abcd1234", "00000001");
    const locations = { read: ["s3://wh-bucket/db"], write: ["s3://wh-bucket/db"] };
    expect(
      buildSessionPolicy({ encryptionKeys: [KEY], decryptionKeys: [other] }, locations),
    ).toEqual(buildSessionPolicy({ currentKmsKey: KEY, allowedKmsKeys: [other] }, locations));
  });

  test.each(["encryptionKeys", "decryptionKeys"])("in %s must name a key", (field) => {
    expect(faultOf(() => build({ [field]: [KEY, "alias/lake"] }))).toMatchObject({
      code: "INVALID_KMS_KEY",
      paths: [`${field}.1`],
    });
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
