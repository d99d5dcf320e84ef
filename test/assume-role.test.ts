import { STSClient } from "@aws-sdk/client-sts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVendor, tableProperties } from "../examples/catalog-server/src/vend-credentials.ts";
import {
  buildAssumeRoleRequest,
  buildSessionPolicy,
  cacheKey,
  createAssumeRoleRequestBuilder,
  roleSessionName,
  type SessionNameField,
  type SessionSettings,
  serializePolicy,
  sessionTags,
} from "../src/index.ts";
import { locationsArbitrary, storageConfigArbitrary } from "../src/testing/index.ts";
import { faultOf } from "./support/errors.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 1000);
const config = { roleArn: "arn:aws:iam::123456789012:role/polaris", region: "us-west-2" };
const locations = { read: ["s3://wh-bucket/db/orders"] };

describe("the session name is Polaris'", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((letter) => letter.repeat(50));
  const context = { realm: a, catalog: b, namespace: c, table: "t", principal: d };
  // Most of these are the documented cases of Polaris' AwsSessionNameBuilderTest.
  test.each<[string, SessionSettings | undefined, string]>([
    ["by default", undefined, "PolarisAwsCredentialsStorageIntegration"],
    ["without fields", { nameFields: [] }, "PolarisAwsCredentialsStorageIntegration"],
    [
      "with a prefix, but no fields",
      { nameFields: ["prefix-x"] },
      "PolarisAwsCredentialsStorageIntegration",
    ],
    [
      "with the principal",
      { includePrincipal: true, context: { principal: "etl_writer" } },
      "polaris-etl_writer",
    ],
    [
      "with replaced characters",
      { includePrincipal: true, context: { principal: "a b/é📦:c" } },
      "polaris-a_b____c",
    ],
    [
      "with a long principal",
      { includePrincipal: true, context: { principal: "x".repeat(100) } },
      `polaris-${"x".repeat(56)}`,
    ],
    ["with a principal that is not known", { includePrincipal: true }, "polaris-"],
    [
      "with a field",
      { nameFields: ["principal"], context: { principal: "etl_writer" } },
      "p-etl_writer",
    ],
    [
      "with fields before the principal",
      { includePrincipal: true, nameFields: ["table"], context },
      "p-t",
    ],
    [
      "with two long fields",
      { nameFields: ["realm", "catalog"], context },
      `p-${"a".repeat(30)}-${"b".repeat(31)}`,
    ],
    [
      "with four long fields",
      { nameFields: ["realm", "catalog", "namespace", "principal"], context },
      `p-${"a".repeat(14)}-${"b".repeat(15)}-${"c".repeat(15)}-${"d".repeat(15)}`,
    ],
    [
      "with a short first field",
      { nameFields: ["realm", "catalog"], context: { ...context, realm: "ab" } },
      `p-ab-${b}`,
    ],
    [
      "with a missing field",
      { nameFields: ["catalog", "principal"], context: { principal: "user" } },
      "p--user",
    ],
    [
      "with null for what is missing",
      { nameFields: ["catalog", "principal"], context: { catalog: null } },
      "p--",
    ],
    [
      "with special characters",
      {
        nameFields: ["realm", "principal"],
        context: { realm: "my realm", principal: "user@domain" },
      },
      "p-my_realm-user@domain",
    ],
    [
      "with a prefix",
      { nameFields: ["catalog", "prefix-org", "table"], context: { catalog: "cat", table: "t" } },
      "org-cat-t",
    ],
    [
      "with two prefixes: the first",
      { nameFields: ["prefix-one", "prefix-two", "table"], context },
      "one-t",
    ],
    ["with an empty prefix", { nameFields: ["prefix-", "table"], context }, "p-t"],
    [
      "with a prefix to replace in",
      { nameFields: ["prefix-my org", "table"], context },
      "my_org-t",
    ],
    [
      "with a prefix that leaves no room",
      { nameFields: [`prefix-${"x".repeat(70)}`, "table"], context },
      "x".repeat(64),
    ],
    [
      "with a prefix that leaves none for a value",
      { nameFields: [`prefix-${"x".repeat(63)}`, "table"], context },
      `${"x".repeat(63)}-`,
    ],
    [
      "with a prefix that leaves none for two values",
      { nameFields: [`prefix-${"x".repeat(62)}`, "table", "realm"], context },
      `${"x".repeat(62)}-`,
    ],
    ["with a field twice", { nameFields: ["table", "table"], context }, "p-t-t"],
  ])("%s", (_, session, name) => {
    expect(roleSessionName(session)).toBe(name);
  });
});

describe("the session tags are Polaris', and STS takes them:", () => {
  const tags = (session: SessionSettings) =>
    sessionTags(session).map(({ Key, Value }) => `${Key}=${Value}`);
  test.each<[string, SessionSettings, string[]]>([
    ["none unless asked for", {}, []],
    [
      "all fields",
      {
        tagFields: ["realm", "catalog", "namespace", "table", "principal", "roles", "trace_id"],
        context: {
          realm: "r",
          catalog: "c",
          namespace: "n.s",
          table: "t",
          principal: "p",
          roles: ["x"],
          traceId: "4bf9",
        },
      },
      [
        "polaris:realm=r",
        "polaris:catalog=c",
        "polaris:namespace=n.s",
        "polaris:table=t",
        "polaris:principal=p",
        "polaris:roles=x",
        "polaris:trace_id=4bf9",
      ],
    ],
    [
      "unknown values, but for the trace",
      { tagFields: ["table", "roles", "trace_id"], context: { table: "", roles: [] } },
      ["polaris:table=unknown", "polaris:roles=unknown"],
    ],
    ["roles that are not known", { tagFields: ["roles"] }, ["polaris:roles=unknown"]],
    [
      "roles in order, without a comma",
      { tagFields: ["roles"], context: { roles: ["writer", "admin", "a,b"] } },
      ["polaris:roles=a_b+admin+writer"],
    ],
    [
      "roles whose names hold the separator, told from two roles",
      { tagFields: ["roles"], context: { roles: ["a+b", "c=2Bd"] } },
      ["polaris:roles=a=2Bb+c=3D2Bd"],
    ],
    [
      "in Polaris' order, whatever the order asked for",
      { tagFields: ["roles", "table", "realm"], context: { table: "t" } },
      ["polaris:realm=unknown", "polaris:table=t", "polaris:roles=unknown"],
    ],
    [
      "other scripts and spaces stay, other characters don't",
      { tagFields: ["table"], context: { table: "売上 é'\"<>,;📦\u0000" } },
      ["polaris:table=売上 é________"],
    ],
    [
      "a field twice is one tag",
      { tagFields: ["table", "table"], context: { table: "t" } },
      ["polaris:table=t"],
    ],
    [
      "256 characters, not half of one",
      { tagFields: ["table"], context: { table: `${"a".repeat(255)}𝒳𝒳` } },
      [`polaris:table=${"a".repeat(255)}𝒳`],
    ],
    [
      "256 characters of two code units",
      { tagFields: ["table"], context: { table: "𝒳".repeat(300) } },
      [`polaris:table=${"𝒳".repeat(256)}`],
    ],
  ])("%s", (_, session, expected) => {
    expect(tags(session)).toEqual(expected);
  });
});

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom("", "a".repeat(300)),
);
const sessions: fc.Arbitrary<SessionSettings> = fc.record(
  {
    context: fc.record(
      {
        realm: fc.option(text),
        catalog: text,
        namespace: text,
        table: text,
        principal: text,
        roles: fc.array(text, { maxLength: 4 }),
        traceId: text,
      },
      { requiredKeys: [] },
    ),
    nameFields: fc.array(
      fc.oneof(
        fc.constantFrom<SessionNameField>("realm", "catalog", "namespace", "table", "principal"),
        text.map((x): SessionNameField => `prefix-${x}`),
      ),
      { maxLength: 7 },
    ),
    includePrincipal: fc.boolean(),
    tagFields: fc.array(
      fc.constantFrom("realm", "catalog", "namespace", "table", "principal", "roles", "trace_id"),
    ),
    durationSeconds: fc.integer({ min: 900, max: 43_200 }),
  },
  { requiredKeys: [] },
);
const configs = storageConfigArbitrary()
  .filter(({ roleArn }) => roleArn != null)
  .map((some) => ({ ...some, region: some.region ?? "us-west-2" }));

describe("properties", () => {
  test("a request always satisfies STS' patterns, and the same input gives the same", () => {
    fc.assert(
      fc.property(configs, locationsArbitrary(), sessions, (storageConfig, asked, session) => {
        const options = { maxLength: Number.POSITIVE_INFINITY };
        const whole = serializePolicy(buildSessionPolicy(storageConfig, asked, options));
        if (whole.length > 2048) {
          const { code } = faultOf(() =>
            buildAssumeRoleRequest(storageConfig, asked, session, options),
          );
          expect(code).toBe("POLICY_TOO_LARGE");
          return;
        }
        const request = buildAssumeRoleRequest(storageConfig, asked, session, options);
        expect(request.RoleSessionName).toMatch(/^[\w+=,.@-]{2,64}$/);
        expect(request.Policy).toBe(whole);
        expect(request.DurationSeconds).toBe(session.durationSeconds ?? 3600);
        const { Tags = [], TransitiveTagKeys = [] } = request;
        expect(Tags.length).toBeLessThanOrEqual(50);
        expect(TransitiveTagKeys).toEqual(Tags.map(({ Key }) => Key));
        expect(new Set(TransitiveTagKeys).size).toBe(Tags.length);
        for (const { Key, Value } of Tags) {
          expect(Key).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u);
          expect(Value).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u);
        }
        expect(createAssumeRoleRequestBuilder(storageConfig, options)(asked, session)).toEqual({
          request,
          cacheKey: cacheKey(storageConfig, asked, session, options),
        });
      }),
      { numRuns },
    );
  });

  test("more text never makes a name shorter, nor changes what stands before it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (realm, table, more) => {
        const nameFields = ["realm", "table"] as const;
        const name = roleSessionName({ nameFields, context: { realm, table } });
        const longer = roleSessionName({ nameFields, context: { realm, table: table + more } });
        expect(longer.startsWith(name)).toBe(true);
      }),
      { numRuns },
    );
  });

  test("no field is lost while there is room for it", () => {
    const fields = ["realm", "catalog", "namespace", "table", "principal"] as const;
    const values = fc.tuple(
      ...fields.map(() =>
        fc.string({ minLength: 1, maxLength: 90, unit: fc.constantFrom("a", "b") }),
      ),
    );
    fc.assert(
      fc.property(
        values,
        fc.string({ maxLength: 40, unit: fc.constantFrom("x", "y") }),
        (texts, prefix) => {
          const context = Object.fromEntries(fields.map((field, i) => [field, texts[i]]));
          const name = roleSessionName({ context, nameFields: [`prefix-${prefix}`, ...fields] });
          const parts = name.slice((prefix || "p").length + 1).split("-");
          expect(parts).toHaveLength(fields.length);
          for (const [i, part] of parts.entries()) {
            expect(part.length).toBeGreaterThan(0);
            expect(texts[i]?.startsWith(part)).toBe(true);
          }
          // What an earlier field leaves unused flows on; what a later one does, does not flow back.
          if (parts.at(-1) !== texts.at(-1)) expect(name).toHaveLength(64);
        },
      ),
      { numRuns },
    );
  });

  test("cache keys are equal exactly when the requests and the stores are", () => {
    const tables = fc.subarray(["s3://lake/a", "s3://lake/a/b", "s3a://lake/a/", "s3://lake/c"]);
    const session: fc.Arbitrary<SessionSettings> = fc.record(
      {
        context: fc.record({
          table: fc.constantFrom("t", "u"),
          roles: fc.constantFrom(["x", "y"], ["y", "x"]),
        }),
        tagFields: fc.subarray(["table", "roles"]),
        nameFields: fc.subarray(["table"]),
        durationSeconds: fc.constantFrom(900, 3600),
      },
      { requiredKeys: [] },
    );
    const storage = fc.record(
      {
        roleArn: fc.constant(config.roleArn),
        externalId: fc.constantFrom("id1", "id2"),
        region: fc.constantFrom("us-west-2", "eu-west-1"),
        endpoint: fc.constantFrom(null, "https://a.example", "https://b.example"),
        endpointInternal: fc.constantFrom("https://a.example", "https://b.example"),
        stsEndpoint: fc.constantFrom(undefined, "https://a.example", "https://b.example"),
        pathStyleAccess: fc.constantFrom(null, false, true),
      },
      { requiredKeys: ["roleArn"] },
    );
    const input = fc.tuple(storage, fc.record({ read: tables, list: tables }), session);
    fc.assert(
      fc.property(input, input, (one, other) => {
        const told = ([storageConfig, asked, settings]: typeof one) =>
          JSON.stringify([
            buildAssumeRoleRequest(storageConfig, asked, settings),
            storageConfig.region ?? null,
            storageConfig.endpoint ?? null,
            storageConfig.endpointInternal ?? null,
            storageConfig.stsEndpoint ?? null,
            storageConfig.pathStyleAccess === true,
          ]);
        expect(cacheKey(...one) === cacheKey(...other)).toBe(told(one) === told(other));
      }),
      { numRuns: numRuns * 2 },
    );
  });

  test("any JSON value for the session gives a request or INVALID_SESSION", () => {
    const almost = fc.tuple(
      sessions,
      fc.constantFrom(
        "context",
        "nameFields",
        "tagFields",
        "durationSeconds",
        "includePrincipal",
        "x",
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          almost.map(([s, key, value]) => ({ ...s, [key]: value })),
        ),
        (session) => {
          const { code } = faultOf(() =>
            buildAssumeRoleRequest(config, locations, session as SessionSettings),
          );
          expect(["none", "INVALID_SESSION"]).toContain(code);
        },
      ),
      { numRuns },
    );
  });
});

describe("the request, whole", () => {
  const { RoleArn, Policy } = buildAssumeRoleRequest(config, locations);
  const session: SessionSettings = {
    context: { table: "orders", roles: ["b", "a"] },
    tagFields: ["roles", "table"],
    nameFields: ["table"],
    durationSeconds: 900,
  };

  test("without settings", () => {
    expect(buildAssumeRoleRequest(config, locations)).toStrictEqual({
      RoleArn: config.roleArn,
      RoleSessionName: "PolarisAwsCredentialsStorageIntegration",
      Policy: serializePolicy(buildSessionPolicy(config, locations)),
      DurationSeconds: 3600,
    });
    expect(cacheKey(config, locations)).toContain(JSON.stringify(Policy));
  });

  test("with all of them", () => {
    const storageConfig = { ...config, externalId: "ext-1" };
    expect(buildAssumeRoleRequest(storageConfig, locations, session)).toStrictEqual({
      RoleArn,
      RoleSessionName: "p-orders",
      Policy,
      DurationSeconds: 900,
      ExternalId: "ext-1",
      Tags: [
        { Key: "polaris:table", Value: "orders" },
        { Key: "polaris:roles", Value: "a+b" },
      ],
      TransitiveTagKeys: ["polaris:table", "polaris:roles"],
    });
  });

  test("without a role, for a store outside AWS", () => {
    for (const store of [
      { endpoint: "http://minio:9000" },
      { stsEndpoint: "http://minio:9000" },
      { endpointInternal: "http://minio:9000", region: "us-west-2" },
    ]) {
      const request = buildAssumeRoleRequest(store, locations, session);
      expect(request).not.toHaveProperty("RoleArn");
      expect(request.RoleSessionName).toBe("p-orders");
      expect(cacheKey(store, locations)).toContain("http://minio:9000");
    }
  });

  test("never with a policy that STS does not take", () => {
    const read = Array.from({ length: 60 }, (_, i) => `s3://wh-bucket/db/table_${i}`);
    const options = { maxLength: Number.POSITIVE_INFINITY };
    expect(faultOf(() => buildAssumeRoleRequest(config, { read }, {}, options)).code).toBe(
      "POLICY_TOO_LARGE",
    );
    const short = { maxLength: 100 };
    expect(faultOf(() => buildAssumeRoleRequest(config, locations, {}, short)).code).toBe(
      "POLICY_TOO_LARGE",
    );
  });

  test("from a builder is prepared with its cache key, options included", () => {
    const prepare = createAssumeRoleRequestBuilder(config, { objectVersions: true });
    const { request, cacheKey: key } = prepare(locations);
    expect(request.Policy).toContain("s3:GetObjectVersion");
    expect(key).toBe(cacheKey(config, locations, undefined, { objectVersions: true }));
    expect(key).not.toBe(cacheKey(config, locations));
  });
});

describe("what can't be asked of STS is refused:", () => {
  const gov = "arn:aws-us-gov:iam::123456789012:role/polaris";
  test.each<[string, object, string, string]>([
    ["no STS", { ...config, stsUnavailable: true }, "STS_UNAVAILABLE", "stsUnavailable"],
    ["no role on AWS", { region: "us-west-2" }, "INVALID_STORAGE_CONFIG", "roleArn"],
    [
      "no role behind an endpoint of AWS",
      { endpoint: "https://s3.us-west-2.amazonaws.com" },
      "INVALID_STORAGE_CONFIG",
      "roleArn",
    ],
    [
      "an endpoint without a scheme",
      { endpoint: "minio:9000" },
      "INVALID_STORAGE_CONFIG",
      "endpoint",
    ],
    ["an empty endpoint", { ...config, endpoint: "" }, "INVALID_STORAGE_CONFIG", "endpoint"],
    [
      "an internal endpoint without a scheme",
      { endpointInternal: "minio:9000" },
      "INVALID_STORAGE_CONFIG",
      "endpointInternal",
    ],
    ...["\u0000", "\u007f", "\ud800", "\ufffe", "\uffff"].map(
      (character): [string, object, string, string] => [
        `a role with ${JSON.stringify(character)}`,
        { roleArn: `${config.roleArn}${character}x` },
        "INVALID_STORAGE_CONFIG",
        "roleArn",
      ],
    ),
    [
      "a short role",
      { roleArn: "a:b:c:d:e:f", endpoint: "http://minio:9000" },
      "INVALID_STORAGE_CONFIG",
      "roleArn",
    ],
    [
      "a long role",
      { roleArn: `${config.roleArn}${"x".repeat(2048)}` },
      "INVALID_STORAGE_CONFIG",
      "roleArn",
    ],
    ["a short external id", { ...config, externalId: "x" }, "INVALID_STORAGE_CONFIG", "externalId"],
    [
      "an external id with a space",
      { ...config, externalId: "x y" },
      "INVALID_STORAGE_CONFIG",
      "externalId",
    ],
    [
      "a long external id",
      { ...config, externalId: "x".repeat(1225) },
      "INVALID_STORAGE_CONFIG",
      "externalId",
    ],
    ["GovCloud without a region", { roleArn: gov }, "INVALID_STORAGE_CONFIG", "region"],
    [
      "GovCloud with an empty region",
      { roleArn: gov, region: "" },
      "INVALID_STORAGE_CONFIG",
      "region",
    ],
    [
      "what the policy refuses",
      { ...config, currentKmsKey: "x" },
      "INVALID_KMS_KEY",
      "currentKmsKey",
    ],
  ])("%s", (_, storageConfig, code, path) => {
    expect(faultOf(() => buildAssumeRoleRequest(storageConfig, locations))).toMatchObject({
      code,
      paths: [path],
    });
    expect(faultOf(() => cacheKey(storageConfig, locations)).code).toBe(code);
  });

  test.each<[string, unknown, string]>([
    ["no object", "x", ""],
    ["null", null, ""],
    ["a setting that there is not", { duration: 900 }, "duration"],
    ["a short duration", { durationSeconds: 899 }, "durationSeconds"],
    ["a long duration", { durationSeconds: 43_201 }, "durationSeconds"],
    ["half a second", { durationSeconds: 900.5 }, "durationSeconds"],
    ["a duration in words", { durationSeconds: "900" }, "durationSeconds"],
    ["a name field that there is not", { nameFields: ["table", "roles"] }, "nameFields.1"],
    ["a name field that is no string", { nameFields: [1] }, "nameFields.0"],
    ["a tag field that there is not", { tagFields: ["traceId"] }, "tagFields.0"],
    ["a prefix as a tag", { tagFields: ["prefix-x"] }, "tagFields.0"],
    ["a field that is no string", { tagFields: [1] }, "tagFields.0"],
    ["fields that are no list", { nameFields: "table" }, "nameFields"],
    ["a context field that there is not", { context: { role: "x" } }, "context.role"],
    ["a context that is none", { context: "x" }, "context"],
    ["a number in the context", { context: { table: 1 } }, "context.table"],
    ["roles that are no list", { context: { roles: "x" } }, "context.roles"],
    ["a role that is no string", { context: { roles: ["x", 1] } }, "context.roles.1"],
    ["a flag that is none", { includePrincipal: "yes" }, "includePrincipal"],
  ])("%s", (_, session, path) => {
    const { code, paths, message } = faultOf(() =>
      buildAssumeRoleRequest(config, locations, session as SessionSettings),
    );
    expect([code, ...paths]).toEqual(["INVALID_SESSION", path]);
    expect(message).not.toBe("");
  });

  test("the names of the trace are told apart", () => {
    const messageFor = (session: unknown) =>
      faultOf(() => sessionTags(session as SessionSettings)).message;
    expect(messageFor({ tagFields: ["traceId"] })).toMatch(/^tagFields\[0\]: .*Write trace_id/);
    expect(messageFor({ context: { trace_id: "x" } })).toMatch(
      /^context\.trace_id: .*Write traceId/,
    );
  });

  test("getters and proxies show one value to the check and to the request", () => {
    let reads = 0;
    const changing = {
      get roleArn() {
        return reads++ === 0 ? config.roleArn : "none";
      },
    };
    expect(buildAssumeRoleRequest(changing, locations).RoleArn).toBe(config.roleArn);
    expect(reads).toBe(1);
    let asked = 0;
    const session = {
      get durationSeconds(): number {
        return asked++ === 0 ? 900 : 1;
      },
      nameFields: new Proxy(["table"] as const, {
        get: (target, name) => (name === "0" && asked++ > 1 ? "x" : Reflect.get(target, name)),
      }),
    };
    expect(buildAssumeRoleRequest(config, locations, session)).toMatchObject({
      DurationSeconds: 900,
      RoleSessionName: "p-",
    });
  });

  test("what can't be read", () => {
    const storageConfig = {
      get roleArn(): string {
        throw new Error("s3cr3t");
      },
    };
    expect(faultOf(() => buildAssumeRoleRequest(storageConfig, locations))).toEqual({
      code: "INVALID_STORAGE_CONFIG",
      paths: [""],
      message:
        "The storage configuration could not be read. Pass a plain object, as JSON.parse returns.",
    });
    const session = {
      get durationSeconds(): number {
        throw new Error("s3cr3t");
      },
    };
    expect(faultOf(() => buildAssumeRoleRequest(config, locations, session))).toEqual({
      code: "INVALID_SESSION",
      paths: [""],
      message: "The session could not be read. Pass a plain object, as JSON.parse returns.",
    });
  });

  test("never with the external id in the message", () => {
    const { message } = faultOf(() =>
      buildAssumeRoleRequest({ ...config, externalId: "s3cr3t !" }, locations),
    );
    expect(message).not.toContain("s3cr3t");
  });

  test("the limits themselves are allowed", () => {
    const ids = ["xy", "x".repeat(1224), "a_b+=,.@:/-"];
    for (const externalId of ids) {
      expect(buildAssumeRoleRequest({ ...config, externalId }, locations).ExternalId).toBe(
        externalId,
      );
    }
    for (const length of [20, 2048]) {
      const roleArn = `a:b:c::d:${"x".repeat(length - 9)}`;
      expect(roleArn).toHaveLength(length);
      expect(buildAssumeRoleRequest({ ...config, roleArn }, locations).RoleArn).toBe(roleArn);
    }
    for (const durationSeconds of [900, 43_200]) {
      expect(buildAssumeRoleRequest(config, locations, { durationSeconds }).DurationSeconds).toBe(
        durationSeconds,
      );
    }
    expect(
      buildAssumeRoleRequest({ roleArn: gov, region: "us-gov-west-1" }, locations).RoleArn,
    ).toBe(gov);
    expect(buildAssumeRoleRequest(config, locations)).not.toHaveProperty("ExternalId");
    expect(buildAssumeRoleRequest(config, locations)).not.toHaveProperty("Tags");
  });
});

test("the example vends credentials: on the wire are the parameters, in the response the config", async () => {
  const sent: URLSearchParams[] = [];
  const sts = new STSClient({
    region: "us-west-2",
    credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" },
    requestHandler: {
      handle: async (request: { body: string }) => {
        sent.push(new URLSearchParams(request.body));
        const body =
          "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
        const response = { statusCode: 200, headers: {}, body: new TextEncoder().encode(body) };
        return { response: response as never };
      },
    },
  });
  const storageConfig = {
    ...config,
    externalId: "ext-1",
    endpoint: "https://s3.us-west-2.amazonaws.com",
    pathStyleAccess: true,
  };
  const vend = createVendor(sts, storageConfig);
  const session: SessionSettings = {
    context: { table: "orders", roles: ["b", "a"] },
    tagFields: ["table", "roles"],
    nameFields: ["table"],
  };
  const refreshEndpoint = "v1/lake/namespaces/db/tables/orders/credentials";
  const table = { location: "s3://wh-bucket/db/orders", refreshEndpoint };
  const credentials = {
    "s3.access-key-id": "ASIA",
    "s3.secret-access-key": "secret",
    "s3.session-token": "token",
    "s3.session-token-expires-at-ms": "1893456000000",
  };
  const vended = await vend(locations, session);
  expect(tableProperties(storageConfig, table, vended)).toEqual({
    config: {
      ...credentials,
      "client.refresh-credentials-endpoint": refreshEndpoint,
      "client.region": "us-west-2",
      "s3.endpoint": "https://s3.us-west-2.amazonaws.com",
      "s3.path-style-access": "true",
    },
    "storage-credentials": [{ prefix: "s3://wh-bucket/db/orders", config: credentials }],
  });
  expect(await vend({ read: ["s3a://wh-bucket/db/orders/"] }, session)).toEqual(credentials);
  expect(sent, "the second comes from the cache").toHaveLength(1);
  const { Version: _, ...wire } = Object.fromEntries(sent[0] ?? []);
  expect(wire).toEqual({
    Action: "AssumeRole",
    RoleArn: config.roleArn,
    RoleSessionName: "p-orders",
    Policy: serializePolicy(buildSessionPolicy(storageConfig, locations)),
    DurationSeconds: "3600",
    ExternalId: "ext-1",
    "Tags.member.1.Key": "polaris:table",
    "Tags.member.1.Value": "orders",
    "Tags.member.2.Key": "polaris:roles",
    "Tags.member.2.Value": "a+b",
    "TransitiveTagKeys.member.1": "polaris:table",
    "TransitiveTagKeys.member.2": "polaris:roles",
  });
});
