import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  serializePolicy,
} from "../../src/index.ts";
import { ADDITIONS } from "../../src/options.ts";
import {
  type AsyncSessionPolicyGenerator,
  accessRequestArbitrary,
  assertLeastPrivilege,
  leastPrivilegeProperties,
  locationsArbitrary,
  policyMatchers,
  storageConfigArbitrary,
} from "../../src/testing/index.ts";
import { askedBy, partitionOf, servicesOf } from "../../src/testing/model.ts";
import { allows } from "../support/iam.ts";
import { plantedFaults } from "../support/planted-faults.ts";

const numRuns = 40;
const fault = (name: string) => {
  const found = plantedFaults.find((planted) => planted.fault.includes(name));
  if (found === undefined) throw new Error(name);
  return found.generate;
};

test("the properties of docs/least-privilege.md are those of the kit", () => {
  const page = readFileSync(new URL("../../docs/least-privilege.md", import.meta.url), "utf8");
  const rows = page.matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm);
  expect([...rows].map(([, name, statement]) => [name, statement?.replace(/[`\\]/g, "")])).toEqual(
    leastPrivilegeProperties.map(({ name, statement }) => [name, statement]),
  );
});

describe("the model of what was asked for", () => {
  const ROLE = "arn:aws:iam::123456789012:role/polaris";
  const key = (partition: string, region = "r-1") => `arn:${partition}:kms:${region}:1:key/k`;

  test.each([
    [{}, "aws"],
    [{ roleArn: ROLE, region: "cn-north-1" }, "aws"],
    [{ roleArn: "arn::iam::1:role/x", region: "cn-north-1" }, "aws-cn"],
    [{ region: "us-west-2" }, "aws"],
    [{ region: "my-cn-1" }, "aws"],
    [{ region: "cn-northwest-1" }, "aws-cn"],
    [{ region: "us-gov-west-1" }, "aws-us-gov"],
    [{ region: "us-iso-east-1" }, "aws-iso"],
    [{ region: "us-isob-east-1" }, "aws-iso-b"],
    [{ region: "eu-isoe-west-1" }, "aws-iso-e"],
    [{ region: "us-isof-south-1" }, "aws-iso-f"],
    [{ region: "eusc-de-east-1" }, "aws-eusc"],
    [{ currentKmsKey: key("aws-x"), allowedKmsKeys: [key("aws-y")] }, "aws-x"],
    [{ allowedKmsKeys: [key("aws-y"), key("aws-x")] }, "aws-y"],
    [{ currentKmsKey: key("aws-x"), kmsUnavailable: true }, "aws"],
    [{ currentKmsKey: key("aws-x"), endpoint: "https://minio.local" }, "aws"],
    [{ currentKmsKey: key("aws-x"), endpointInternal: "https://minio.local" }, "aws"],
    [{ currentKmsKey: key("aws-x"), endpoint: "https://s3.r-1.amazonaws.com" }, "aws-x"],
  ])("the partition of %j is %s", (storageConfig, partition) => {
    expect(partitionOf({ storageConfig, locations: {} })).toBe(partition);
  });

  test.each([
    ["aws", undefined, ["s3.r-1.amazonaws.com"]],
    ["aws-cn", undefined, ["s3.r-1.amazonaws.com.cn"]],
    ["aws-us-gov", undefined, ["s3.r-1.amazonaws.com"]],
    ["aws-iso", undefined, undefined],
    ["aws", "https://s3.amazonaws.com", ["s3.r-1.amazonaws.com"]],
    ["aws", "https://s3.amazonaws.com:443/", ["s3.r-1.amazonaws.com"]],
    ["aws-cn", "https://s3.cn-north-1.amazonaws.com.cn", ["s3.r-1.amazonaws.com.cn"]],
    ["aws", "https://s3.amazonaws.com.example.org", undefined],
    ["aws", "https://minio.local", undefined],
  ])("a key of %s behind %s may be used through %j", (partition, endpoint, services) => {
    const storageConfig = { endpoint };
    const session = { storageConfig, locations: {} };
    expect(servicesOf(session, key(partition))).toEqual(services);
    expect(servicesOf({ ...session, options: { kmsViaService: false } }, key(partition))).toBe(
      undefined,
    );
  });

  test("keys are asked for through S3 where that can be told", () => {
    const session = {
      storageConfig: { currentKmsKey: key("aws") },
      locations: { read: ["s3://lake"] },
    };
    const asked = (context: Record<string, string>, config = {}) =>
      askedBy({ ...session, storageConfig: { ...session.storageConfig, ...config } })({
        action: "kms:Decrypt",
        resource: key("aws"),
        context,
      });
    expect(asked({ "kms:ViaService": "s3.r-1.amazonaws.com" })).toBe(true);
    expect(asked({ "kms:ViaService": "ec2.r-1.amazonaws.com" })).toBe(false);
    expect(asked({ "aws:ViaService": "s3.r-1.amazonaws.com" })).toBe(false);
    expect(asked({})).toBe(false);
    expect(asked({}, { endpoint: "http://minio.local" })).toBe(true);
    expect(asked({ "kms:ViaService": "s3.r-1.amazonaws.com" }, { kmsUnavailable: true })).toBe(
      false,
    );
  });

  test("an access is asked for below its location, a list by its prefix", () => {
    const session = {
      storageConfig: {},
      locations: {
        read: ["s3://lake"],
        write: ["s3a://lake/a//"],
        list: ["s3n://lake/b", "s3://all"],
      },
    };
    const asked = (action: string, resource: string, context = {}) =>
      askedBy(session)({ action, resource: `arn:aws:s3:::${resource}`, context });
    expect([asked("s3:GetObject", "lake/x"), asked("s3:GetObject", "lake2/x")]).toEqual([
      true,
      false,
    ]);
    expect([asked("s3:PutObject", "lake/a//x"), asked("s3:PutObject", "lake/a/x")]).toEqual([
      true,
      false,
    ]);
    expect(asked("s3:GetObjectVersion", "lake/x")).toBe(false);
    expect(asked("s3:GetObjectAcl", "lake/x")).toBe(false);
    const listed = (prefix?: string) => asked("s3:ListBucket", "lake", { "s3:prefix": prefix });
    expect(["b/", "b/x", "b", "x/b/", undefined].map(listed)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([asked("s3:ListBucket", "all"), asked("s3:ListBucket", "lake")]).toEqual([true, false]);
  });
});

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
      /Unknown property "cannonical"\. Use a name/,
    );
    expect(leastPrivilegeProperties).toHaveLength(14);
  });

  test("judges by decide as the slow evaluator does: every planted fault is caught", () => {
    for (const { fault, caughtBy, generate } of plantedFaults) {
      const check = () =>
        assertLeastPrivilege(generate, { only: [caughtBy], numRuns: 300, seed: 1 });
      expect(check, fault).toThrow(caughtBy);
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
      fc.property(configs, ({ roleArn, region, currentKmsKey, allowedKmsKeys, endpoint }) => {
        expect(roleArn ?? region).toMatch(/^(arn:aws-cn:|cn-)/);
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
          for (const uri of list) expect(uri).toMatch(/^[sS]3[an]?:\/\/lake(\/[a-z0-9/]*)?$/);
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

describe("what a property asks of a generator", () => {
  type Asked = Parameters<typeof buildSessionPolicy>;
  const askedBy = (name: string): Asked[] => {
    const asked: Asked[] = [];
    const property = leastPrivilegeProperties.find((one) => one.name === name);
    property?.check(
      (...args) => {
        asked.push(args);
        return buildSessionPolicy(...args);
      },
      { numRuns: 200, seed: 2 },
    );
    return asked;
  };

  test("canonical: each location also with s3n and a slash, backwards, as Sets", () => {
    const asked = askedBy("canonical");
    for (let i = 0; i < asked.length; i += 2) {
      const [one, other] = [asked[i]?.[1] ?? {}, asked[i + 1]?.[1] ?? {}];
      expect(Object.keys(other)).toEqual(Object.keys(one).reverse());
      for (const access of ["read", "list", "write", "delete"] as const) {
        if (one[access] === undefined) continue;
        const uris = [...one[access]].reverse();
        const respelled = uris.map((uri) => {
          const rest = uri.slice(uri.indexOf("://"));
          return `s3n${rest}${rest.at(-1) === "/" ? "" : "/"}`;
        });
        expect(other[access]).toBeInstanceOf(Set);
        expect([...(other[access] ?? [])]).toEqual([
          ...new Set(uris.flatMap((uri, n) => [uri, respelled[n] ?? ""])),
        ]);
      }
    }
    const options = asked.flatMap(([, , some]) => Object.keys(some ?? {}));
    expect([...new Set(options)].sort()).toEqual(
      [...ADDITIONS, "kmsViaService", "maxLength"].sort(),
    );
  });

  test("fits-or-throws: limits between 1 and a little more than is needed, and without", () => {
    const asked = askedBy("fits-or-throws");
    const limits = asked.map(([, , options]) => options?.maxLength);
    expect(limits).toContain(undefined);
    const shares = asked.flatMap(([config, locations, options]) => {
      const maxLength = Number.POSITIVE_INFINITY;
      const max = options?.maxLength ?? maxLength;
      if (max === maxLength) return [];
      return [max / serializePolicy(buildSessionPolicy(config, locations, { maxLength })).length];
    });
    expect(Math.max(...shares)).toBeLessThan(1.15);
    expect(shares.some((share) => share > 1)).toBe(true);
    for (const share of [0.2, 0.4, 0.6, 0.8]) {
      expect(shares.some((one) => one > share && one <= share + 0.2)).toBe(true);
    }
    const long = asked.map(
      ([, locations]) =>
        Object.values(locations ?? {}).flatMap((list) =>
          [...list].filter((uri) => uri.length > 150),
        ).length,
    );
    expect(Math.max(...long), "several large names at once").toBeGreaterThan(1);
  });

  test("errors-are-typed: what is right but for a field, too", () => {
    const almost = askedBy("errors-are-typed").filter(([config]) => {
      const fields = Object.entries(config ?? {}) as [string, unknown][];
      const isKnown = fields.some(([field]) => ["roleArn", "region", "endpoint"].includes(field));
      return isKnown && fields.length > 2 && typeof fields[0]?.[1] === "number";
    });
    expect(almost.length).toBeGreaterThan(0);
  });

  test("no-write-without-write: nothing of what is denied", () => {
    const deny = {
      Effect: "Deny",
      Action: ["s3:PutObject", "s3:DeleteObject"],
      Resource: "*",
    } as const;
    assertLeastPrivilege(
      (...args) => {
        const policy = buildSessionPolicy(...args);
        return { ...policy, Statement: [...policy.Statement, deny] };
      },
      { numRuns, only: ["no-write-without-write"] },
    );
  });
});

describe("what the arbitraries draw from", () => {
  const drawn = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.sample(arbitrary, { numRuns: 2000, seed: 11 });
  const sorted = (values: Iterable<string>) => [...new Set(values)].sort();

  test("configurations: four partitions, two regions and accounts each, all kinds of keys", () => {
    const configs = drawn(storageConfigArbitrary());
    const regions = ["us-west-2", "eu-central-1", "cn-north-1", "cn-northwest-1"].concat([
      "us-gov-west-1",
      "us-gov-east-1",
      "us-iso-east-1",
      "us-iso-west-1",
    ]);
    expect(sorted(configs.flatMap(({ region }) => region ?? []))).toEqual(sorted(regions));
    const keys = configs.flatMap(({ currentKmsKey, allowedKmsKeys }) =>
      [currentKmsKey ?? [], allowedKmsKeys ?? []].flat(),
    );
    const part = (i: number) => sorted(keys.map((key) => key.split(":")[i] ?? ""));
    expect(part(1)).toEqual(["aws", "aws-cn", "aws-iso", "aws-us-gov"]);
    expect(part(3)).toEqual(sorted(regions));
    expect(part(4)).toEqual(["123456789012", "444455556666"]);
    expect(part(5)).toEqual([
      "key/ABCD1234-1111-2222-3333-444444444444",
      "key/abcd1234-1111-2222-3333-444444444444",
      "key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ]);
    const byRegion = configs.filter(({ roleArn }) => roleArn === undefined);
    expect(sorted(byRegion.flatMap(({ region }) => region ?? []))).toEqual(sorted(regions));
    expect(configs.some(({ roleArn }) => roleArn?.includes("role/team:a:b/"))).toBe(true);
    expect(configs.some(({ roleArn }) => roleArn === undefined)).toBe(true);
    expect(sorted(configs.map(({ endpoint }) => String(endpoint)))).toEqual([
      "http://minio.local:9000",
      "https://s3.us-west-2.amazonaws.com",
      "null",
      "undefined",
    ]);
    const other = drawn(storageConfigArbitrary({ partitions: ["mine"] }));
    expect(sorted(other.flatMap(({ region }) => region ?? []))).toEqual(["local", "other"]);
  });

  test("locations: near one another, some of them hostile", () => {
    const uris = drawn(locationsArbitrary()).flatMap((lists) =>
      Object.values(lists).flatMap((list) => [...list]),
    );
    const parts = uris.map((uri) => /^([sS]3[an]?):\/\/([^/]*)((?:\/.*)?)$/su.exec(uri) ?? []);
    expect(sorted(parts.map(([, scheme = ""]) => scheme))).toEqual(["S3", "s3", "s3a", "s3n"]);
    expect(sorted(parts.map(([, , bucket = ""]) => bucket))).toEqual([
      "WH-bucket",
      "wh-bucket",
      "wh-bucket2",
      "wh.bucket",
    ]);
    const tame = ["db", "db2", "orders", "o", "data"];
    const hostile = [
      "*",
      "a*b",
      "?",
      "a?b",
      "$",
      "${*}",
      "${aws:username}",
      "{",
      "}",
      "",
      ".",
      "..",
    ];
    hostile.push(" ", "%2F", "+", '"', "\\", "é", "売上", "📦", "\u2028", "a:b", "DB", "orders*");
    const segments = (some: readonly string[][]) =>
      sorted(some.flatMap(([, , , path = ""]) => path.split("/").slice(1)));
    expect(segments(parts)).toEqual(expect.arrayContaining(sorted([...tame, ...hostile])));
    expect(uris.some((uri) => uri.endsWith("/"))).toBe(true);
    expect(uris.some((uri) => !uri.endsWith("/"))).toBe(true);
  });

  test("requests: each action, on what a policy names and just beside it", () => {
    const policy = buildSessionPolicy(
      {
        roleArn: "arn:aws-cn:iam::123456789012:role/polaris",
        currentKmsKey: "arn:aws-cn:kms:cn-north-1:123456789012:key/k",
      },
      { read: ["s3://lake/a*b"], list: ["s3://lake/a*b"] },
    );
    for (const [arbitrary, named] of [
      [accessRequestArbitrary(), false],
      [accessRequestArbitrary(policy), true],
    ] as const) {
      const requests = drawn(arbitrary);
      const about = (test: RegExp) =>
        sorted(requests.filter(({ resource }) => test.test(resource)).map(({ action }) => action));
      expect(about(/:s3:::[^/]*\//)).toEqual(
        sorted([
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:GetObjectVersion",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
          "s3:GetObjectTagging",
          "s3:PutObjectTagging",
          "s3:PutObjectAcl",
          "s3:DeleteObjectVersion",
          "s3:BypassGovernanceRetention",
        ]),
      );
      expect(about(/:s3:::[^/]*$/)).toEqual(
        sorted([
          "s3:ListBucket",
          "s3:GetBucketLocation",
          "s3:ListBucketMultipartUploads",
          "s3:ListBucketVersions",
          "s3:DeleteBucket",
          "s3:PutBucketPolicy",
        ]),
      );
      expect(about(/:kms:/)).toEqual(
        sorted([
          "kms:Decrypt",
          "kms:GenerateDataKey",
          "kms:Encrypt",
          "kms:DescribeKey",
          "kms:GenerateDataKeyWithoutPlaintext",
          "kms:ReEncryptFrom",
          "kms:ScheduleKeyDeletion",
          "kms:CreateGrant",
        ]),
      );
      expect(requests.every(({ resource }) => /^arn:[^:]*:(s3|kms):/.test(resource))).toBe(true);
      const values = (key: string) =>
        requests.flatMap(({ context }) =>
          context?.[key] === undefined ? [] : String(context[key]),
        );
      const services = ["ec2.us-west-2.amazonaws.com", "s3.us-west-2.amazonaws.com"];
      expect(sorted(values("kms:ViaService"))).toEqual(
        named ? sorted([...services, "s3.cn-north-1.amazonaws.com.cn"]) : services,
      );
      const near = (name: string) =>
        ["", "x", "/", "0/x", "b/y", "*", "é"].flatMap((end) =>
          [0, 1, 2].map((cut) => name.slice(0, name.length - cut) + end),
        );
      const prefixes = ["db/"].concat(named ? ["", "a*b/"] : []);
      expect(sorted(values("s3:prefix"))).toEqual(sorted(prefixes.flatMap(near)));
      const keys = ["arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444"];
      if (named) keys.push("arn:aws-cn:kms:cn-north-1:123456789012:key/k");
      expect(
        sorted(requests.map(({ resource }) => resource).filter((arn) => arn.includes(":kms:"))),
      ).toEqual(sorted(keys.flatMap(near)));
      const asked = requests.map(({ resource }) => resource);
      for (const object of ["arn:aws:s3:::wh-bucket/db/", "arn:aws:s3:::wh-bucket/db/x"]) {
        expect(asked).toContain(object);
      }
      for (const object of ["lake", "lake/a*b/", "lake/a*b/x", "lake/a*bx"]) {
        expect(asked.includes(`arn:aws-cn:s3:::${object}`), object).toBe(named);
      }
    }
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

  test("toDeny does not pass because a condition key was forgotten, except s3:prefix", () => {
    const key = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
    const config = { currentKmsKey: key };
    const writer = buildSessionPolicy(config, {
      write: ["s3://lake/db"],
      list: ["s3://lake/db"],
    });
    const generate = { action: "kms:GenerateDataKey", resource: key };
    const forgotten = toDeny(writer, generate);
    expect(forgotten.pass).toBe(false);
    expect(forgotten.message()).toContain(
      'with {"kms:ViaService":"s3.us-west-2.amazonaws.com"} it is allowed',
    );
    const context = { "KMS:viaservice": "ec2.us-west-2.amazonaws.com" };
    expect(toDeny(writer, { ...generate, context }).pass).toBe(true);
    expect(toDeny(writer, { ...generate, action: "kms:Encrypt" }).pass).toBe(true);
    expect(toDeny(writer, { ...generate, resource: `${key}0` }).pass).toBe(true);
    const list = { action: "s3:ListBucket", resource: "arn:aws:s3:::lake" };
    expect(toDeny(writer, list).pass).toBe(true);
    const reader = buildSessionPolicy(config, { read: ["s3://lake/db"] });
    expect(toDeny(reader, generate).pass).toBe(true);
  });

  test("nor do not.toAllow and not.toDeny, which prove as little then", () => {
    expect.extend(policyMatchers);
    const key = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
    const reader = buildSessionPolicy({ allowedKmsKeys: [key] }, { read: ["s3://lake/db"] });
    const decrypt = { action: "kms:Decrypt", resource: key };
    const says = /with {"kms:ViaService":"s3\.us-west-2\.amazonaws\.com"} it is allowed/;
    expect(() => expect(reader).not.toAllow(decrypt)).toThrow(says);
    expect(() => expect(reader).not.toDeny(decrypt)).toThrow(says);
    expect(() => expect(reader).toAllow(decrypt)).toThrow(/no statement matches it/);
    const elsewhere = { ...decrypt, context: { "kms:ViaService": [] } };
    expect(reader).not.toAllow(elsewhere);
    expect(reader).toDeny(elsewhere);
  });

  test.each([
    ["s3:ListBucket", "arn:aws:s3:::lake/db/x"],
    ["s3:GetObject", "arn:aws:s3:::lake"],
    ["kms:Decrypt", "arn:aws:s3:::lake/db/x"],
    ["kms:Decrypt", "arn:aws:kms:us-west-2:123456789012:alias/lake"],
    ["s3:ListAllMyBuckets", "arn:aws:s3:::lake"],
    ["s3:GetObject", "s3://lake/db/x"],
    ["s3:GetObject", "lake/db/x"],
    ["s3:PutObjekt", "arn:aws:s3:::lake/db/x"],
    ["kms:Decript", "arn:aws:kms:us-west-2:123456789012:key/k"],
    ["GetObject", "arn:aws:s3:::lake/db/x"],
    ["s3:*", "arn:aws:s3:::lake/db/x"],
  ])("refuse to answer for %s on %s, which no service asks", (action, resource) => {
    for (const matcher of [toAllow, toDeny]) {
      expect(() => matcher(policy, { action, resource })).toThrow(
        expect.objectContaining({ code: "INVALID_REQUEST" }),
      );
    }
  });

  test("refuse a policy that can't be read, with an error of this library", () => {
    const statement = {
      get Action(): string {
        throw new Error("secret");
      },
    };
    const trap = { Version: "2012-10-17", Statement: [statement] };
    for (const ask of [
      () => toAllow(trap, object),
      () => toDeny(trap, object),
      () => toBeNoBroaderThan(trap, policy),
      () => toBeNoBroaderThan(policy, trap),
    ]) {
      expect(ask).toThrow(expect.objectContaining({ code: "UNSUPPORTED_POLICY" }));
    }
  });

  test("take a policy as JSON text and as an AssumeRole request", () => {
    const text = serializePolicy(policy);
    for (const form of [text, { RoleArn: "arn:aws:iam::123456789012:role/p", Policy: text }]) {
      expect([toAllow(form, object).pass, toDeny(form, other).pass]).toEqual([true, true]);
      expect(toAllow(form, object).message()).toContain("Statement 0");
      expect(toBeNoBroaderThan(form, text).pass).toBe(true);
    }
  });

  test("work through expect.extend", () => {
    expect.extend(policyMatchers);
    expect(policy).toAllow(object);
    expect(policy).not.toAllow(other);
    expect(() => expect(policy).toDeny(object)).toThrow(/Statement 0/);
    expect(serializePolicy(policy)).toContain("lake");
  });
});

describe("assertLeastPrivilege takes generators as they are", () => {
  const asynchronous: AsyncSessionPolicyGenerator = async (...args) => buildSessionPolicy(...args);

  test("a generator that returns promises: the check is a promise, for others it is none", async () => {
    const checked = assertLeastPrivilege(asynchronous, { numRuns: 20 });
    expect(checked).toBeInstanceOf(Promise);
    await checked;
    expect(assertLeastPrivilege(buildSessionPolicy, { numRuns: 20 })).toBe(undefined);
  });

  test("a generator that returns a promise now and then", async () => {
    let calls = 0;
    const mixed = ((...args: Parameters<typeof buildSessionPolicy>) => {
      const policy = () => buildSessionPolicy(...args);
      return ++calls % 3 === 0 ? new Promise((resolve) => resolve(policy())) : policy();
    }) as unknown as AsyncSessionPolicyGenerator;
    await expect(assertLeastPrivilege(mixed, { numRuns: 20 })).resolves.toBe(undefined);
  });

  test("rejections are answers as errors are", async () => {
    const late = assertLeastPrivilege(async (...args) => fault("siblings")(...args), { seed: 7 });
    await expect(late).rejects.toThrow(/^only-what-was-asked: .*seed: 7/s);
    const failing = assertLeastPrivilege(async () => Promise.reject(new Error("no STS")));
    await expect(failing).rejects.toThrow("no STS");
  });

  test("sessions that are mixed up at the same time are found", async () => {
    let current: Parameters<typeof buildSessionPolicy> | undefined;
    const shared: AsyncSessionPolicyGenerator = async (...args) => {
      current = args;
      await Promise.resolve();
      return buildSessionPolicy(...(current ?? args));
    };
    const only = ["independent-of-other-sessions"];
    await expect(assertLeastPrivilege(shared, { only, numRuns: 300 })).rejects.toThrow("session 2");
  });

  test("a slow one is tried at least once, and by default not longer than a test may take", async () => {
    const slow: AsyncSessionPolicyGenerator = async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return buildSessionPolicy(...args);
    };
    await assertLeastPrivilege(slow, { only: ["canonical", "monotone"] });
    const stuck: AsyncSessionPolicyGenerator = async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return buildSessionPolicy(...args);
    };
    await expect(assertLeastPrivilege(stuck, { only: ["canonical"] })).rejects.toThrow(
      "No session was tried in time.",
    );
  });

  test("a policy may be JSON text or an AssumeRole request", () => {
    assertLeastPrivilege((...args) => serializePolicy(buildSessionPolicy(...args)), { numRuns });
    assertLeastPrivilege((...args) => ({ Policy: serializePolicy(buildSessionPolicy(...args)) }), {
      numRuns,
    });
    const notJson = () => assertLeastPrivilege(() => "{", { numRuns });
    expect(notJson).toThrow("The policy is not JSON.");
  });

  test("a generator that knows no options", () => {
    const plain = (config: AwsStorageConfig, locations: Locations) =>
      buildSessionPolicy(config, locations);
    expect(() => assertLeastPrivilege(plain, { numRuns })).toThrow();
    const seen: number[] = [];
    assertLeastPrivilege(
      (...args) => {
        seen.push(args.length);
        return plain(args[0], args[1]);
      },
      { options: false, numRuns },
    );
    expect(new Set(seen)).toEqual(new Set([2]));
    for (const name of ["siblings", "foreign bucket may be listed", "not escaped", "read-only"]) {
      const check = () =>
        assertLeastPrivilege((config, locations) => fault(name)(config, locations), {
          options: false,
          numRuns: 300,
          seed: 1,
        });
      expect(check, name).toThrow("Property failed after");
    }
  });

  test("a generator without kms:ViaService says so", () => {
    const anywhere = fault("outside S3");
    assertLeastPrivilege(anywhere, {
      numRuns,
      options: fc.constant({ kmsViaService: false }),
    });
  });

  test("a generator that needs certain configurations", () => {
    const needy: typeof buildSessionPolicy = (config, ...rest) => {
      if (!config.currentKmsKey || !config.roleArn) throw new Error("needs a role and a key");
      return buildSessionPolicy(config, ...rest);
    };
    const key = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
    const storageConfig = storageConfigArbitrary({ partitions: ["aws"] }).map((config) => ({
      ...config,
      roleArn: "arn:aws:iam::123456789012:role/polaris",
      currentKmsKey: key,
    }));
    expect(() => assertLeastPrivilege(needy, { numRuns })).toThrow("needs a role and a key");
    assertLeastPrivilege(needy, { numRuns, storageConfig, except: ["errors-are-typed"] });
    expect(() => assertLeastPrivilege(needy, { numRuns, except: ["monoton"] })).toThrow(
      'Unknown property "monoton"',
    );
  });

  test("a generator that always fails passes nothing", () => {
    const failing = () => {
      throw Object.assign(new Error("POLICY_TOO_LARGE"), { code: "POLICY_TOO_LARGE", issues: [1] });
    };
    for (const { name, check } of leastPrivilegeProperties) {
      if (name === "errors-are-typed") continue;
      for (const options of [undefined, false] as const) {
        if (name === "fits-or-throws" && options === false) continue;
        expect(() => check(failing, { numRuns, options }), name).toThrow("POLICY_TOO_LARGE");
      }
    }
  });
});
