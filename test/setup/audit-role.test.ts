import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareAccess } from "../../src/analysis/index.ts";
import { serializePolicy } from "../../src/index.ts";
import { auditRole, keyPolicyStatements, rolePolicy, trustPolicy } from "../../src/setup/index.ts";
import { setupConfig, setupOptions } from "../support/arbitrary-setups.ts";
import { judged, KEY, OTHER_KEY } from "../support/audit-requests.ts";
import { faultOf } from "../support/errors.ts";
import { allows } from "../support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 50);
const ROLE = "arn:aws:iam::123456789012:role/polaris";
const storageConfig = {
  roleArn: ROLE,
  externalId: "ext-1",
  region: "us-west-2",
  allowedLocations: ["s3://lake/db", "s3://pond/db"],
  currentKmsKey: KEY,
};
const own = rolePolicy(storageConfig);
const KMS = ["kms:Decrypt", "kms:GenerateDataKey"];
const CLEAN = { missing: [], excess: [], unknown: [] };
const policyOf = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...(Condition && { Condition }),
});
const deny = (Action: string, Condition?: object) => ({
  ...allow(Action, "*", Condition),
  Effect: "Deny",
});
const TLS_ONLY = { Bool: { "aws:SecureTransport": "false" } };
const audit = (...policies: object[]) => auditRole({ storageConfig, policies: policies as never });

describe("auditRole", () => {
  test("finds nothing in rolePolicy's own output, with any options", () => {
    expect(audit(own)).toEqual(CLEAN);
    const options = { objectVersions: true, abortMultipartUploads: true, objectTags: true };
    const policies = [rolePolicy(storageConfig, options)];
    expect(auditRole({ storageConfig, policies, options })).toEqual(CLEAN);
  });

  test("asks without TLS where an endpoint is http", () => {
    const policies = [policyOf(...own.Statement, deny("s3:*", TLS_ONLY))] as never;
    const missingAt = (endpoint: string) =>
      auditRole({ storageConfig: { ...storageConfig, endpoint }, policies }).missing;
    expect(missingAt("https://s3.us-west-2.amazonaws.com")).toEqual([]);
    const [first] = missingAt("http://s3.us-west-2.amazonaws.com");
    expect(first?.request.context).toMatchObject({ "aws:SecureTransport": "false" });
    expect(first?.why).toContain("A Deny statement takes away s3:");
  });

  test("finds nothing in it for any configuration and options, and exactly what is taken away", () => {
    const input = fc.tuple(setupConfig, setupOptions, fc.nat(), fc.nat());
    fc.assert(
      fc.property(input, ([config, options, i, j]) => {
        const whole = rolePolicy(config, options);
        const setup = { storageConfig: config, options };
        expect(auditRole({ ...setup, policies: [whole] })).toEqual(CLEAN);
        const at = i % whole.Statement.length;
        const actions = [whole.Statement[at]?.Action ?? []].flat();
        const action = actions[j % actions.length];
        const Statement = whole.Statement.flatMap((statement, k) => {
          const Action = actions.filter((one) => one !== action);
          if (k !== at) return [statement];
          return Action.length > 0 ? [{ ...statement, Action }] : [];
        });
        // An audit of no statements at all would be one of no policy.
        if (Statement.length === 0) return;
        const less = { ...whole, Statement };
        const { missing, excess, unknown } = auditRole({ ...setup, policies: [less] });
        expect({ excess, unknown }).toEqual({ excess: [], unknown: [] });
        for (const { request, where } of missing) {
          expect([request.action, where]).toEqual([action, "policies"]);
          expect(allows(less, request)).toBe(false);
          expect(allows(whole, request)).toBe(true);
        }
        // Another statement may allow it too, in profile polaris.
        const isSame = compareAccess(less, whole).relation === "equal";
        expect(missing.length === 0).toBe(isSame);
        const mended = policyOf(...Statement, ...missing.map(({ statement }) => statement));
        expect(compareAccess(mended, whole).relation).toBe("equal");
      }),
      { numRuns },
    );
  }, 600_000);

  const everything = allow("s3:*", "*");
  const onlyFrom = (key: string, value: string) => ({ StringNotEquals: { [key]: value } });
  const withoutKeys = own.Statement.filter(
    ({ Action }) => ![Action].flat().includes("kms:Decrypt"),
  );
  test.each<[string, object[], object[] | undefined, string[], string[], string[]]>([
    ["s3:* on *", [everything], undefined, KMS, ["s3:*"], []],
    [
      "AmazonS3FullAccess",
      [allow(["s3:*", "s3-object-lambda:*"], "*")],
      undefined,
      KMS,
      ["s3:*", "s3-object-lambda:*"],
      [],
    ],
    [
      "a Deny of deletes",
      [...own.Statement, deny("s3:DeleteObject")],
      undefined,
      ["s3:DeleteObject"],
      [],
      [],
    ],
    ["TLS required", [...own.Statement, deny("s3:*", TLS_ONLY)], undefined, [], [], []],
    [
      "a VPC endpoint only",
      [...own.Statement, deny("s3:*", onlyFrom("aws:SourceVpce", "vpce-1"))],
      undefined,
      [],
      [],
      ["aws:SourceVpce"],
    ],
    [
      "NotAction",
      [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }],
      undefined,
      [],
      ["*", "*"],
      [],
    ],
    [
      "NotResource",
      [
        ...own.Statement,
        { Effect: "Deny", Action: "s3:GetObject", NotResource: "arn:aws:s3:::lake/*" },
      ],
      undefined,
      ["s3:GetObject"],
      [],
      [],
    ],
    ["a boundary", own.Statement as object[], [everything], KMS, [], []],
    [
      "ViaService of another region",
      [
        ...withoutKeys,
        allow(KMS, KEY, { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } }),
      ],
      undefined,
      KMS,
      KMS,
      [],
    ],
    [
      "a tag of objects",
      [...own.Statement, deny("s3:GetObject", onlyFrom("s3:ExistingObjectTag/team", "lake"))],
      undefined,
      [],
      [],
      ["s3:ExistingObjectTag/team"],
    ],
    [
      "more than is needed, beside it",
      [...own.Statement, allow("s3:GetObjectTagging", "arn:aws:s3:::lake/db/*")],
      undefined,
      [],
      ["s3:GetObjectTagging"],
      [],
    ],
    [
      "another service",
      [...own.Statement, allow(["sqs:*", "sns:Publish"], "*")],
      undefined,
      [],
      ["sqs:*", "sns:Publish"],
      [],
    ],
  ])("judges %s as the slow evaluator does", (_, statements, bounds, missing, excess, unknown) => {
    const policy = policyOf(...statements) as never;
    const boundary = bounds && (policyOf(...bounds) as never);
    const found = auditRole({ storageConfig, policies: [policy], boundary });
    expect({
      missing: found.missing.map(({ request }) => request.action).sort(),
      excess: found.excess.flatMap(({ actions }) => actions),
      unknown: found.unknown.map(({ key }) => key),
    }).toEqual({ missing, excess, unknown });

    const layers = boundary === undefined ? [policy] : [policy, boundary];
    const isNeeded = (request: object) => allows(own as never, request as never);
    const covers = (statement: object, request: object) =>
      allows(policyOf(statement) as never, request as never);
    const ofThese = found.excess.filter(({ otherServices }) => otherServices === undefined);
    for (const { request } of found.missing) {
      expect(layers.every((layer) => allows(layer, request))).toBe(false);
      expect(isNeeded(request)).toBe(true);
    }
    const extra: object[] = [];
    const opens = new Set<string>();
    for (const { request, opens: keys, never } of judged(layers)) {
      if (isNeeded(request)) {
        const isMissing = found.missing.some(({ statement }) => covers(statement, request));
        if (never) expect(isMissing, JSON.stringify(request)).toBe(true);
        for (const key of keys) opens.add(key);
      } else if (!never) extra.push(request);
    }
    expect([...opens]).toEqual(unknown);
    // Each row of excess covers a request that nobody needs, and each such request is in a row.
    const rows = ofThese.map(({ actions, exceptActions, resource }) =>
      exceptActions === undefined
        ? allow([...actions], resource)
        : { Effect: "Allow", NotAction: exceptActions, Resource: resource },
    );
    for (const row of rows) expect(extra.some((request) => covers(row, request))).toBe(true);
    for (const request of extra) {
      const inRow = rows.some((row) => covers(row, request));
      expect(inRow, JSON.stringify(request)).toBe(true);
    }
  });

  const many = <T>(count: number, make: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));
  test.each<[string, (policy: number) => object[]]>([
    [
      "buckets to read and write",
      (p) =>
        many(24, (i) =>
          allow(
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
            [`arn:aws:s3:::team-${p}-bucket-${i}`, `arn:aws:s3:::team-${p}-bucket-${i}/data/*`],
          ),
        ),
    ],
    [
      "resources of one statement",
      (p) => [
        allow(
          ["s3:Get*", "s3:List*"],
          many(90, (i) => `arn:aws:s3:::team-${p}-bucket-${i}/data/table_${i}/*`),
        ),
      ],
    ],
    [
      "prefixes of one bucket to list",
      (p) =>
        many(30, (i) =>
          allow("s3:ListBucket", "arn:aws:s3:::lake", {
            StringLike: { "s3:prefix": [`team${p}/t${i}/*`, `team${p}/t${i}`] },
          }),
        ),
    ],
    [
      "keys",
      (p) =>
        many(20, (i) =>
          allow(
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            KEY.replace(/\d{8}$/, `${p + 10}0000${i + 10}`),
            {
              StringEquals: {
                "kms:ViaService": [`s3.us-west-2.amazonaws.com`, `s3.eu-west-${p}.amazonaws.com`],
              },
            },
          ),
        ),
    ],
    [
      "buckets with all rights",
      (p) =>
        many(40, (i) =>
          allow("s3:*", [
            `arn:aws:s3:::team-${p}-bucket-${i}`,
            `arn:aws:s3:::team-${p}-bucket-${i}/*`,
          ]),
        ),
    ],
  ])("is done with twenty full managed policies of %s", (_, statements) => {
    const policies = many(20, (p) => policyOf(...statements(p)));
    const rows = policies.flatMap(
      ({ Statement }) => Statement as { Resource: string | string[] }[],
    );
    const start = performance.now();
    const { missing, excess } = audit(own, ...policies);
    expect(missing).toEqual([]);
    expect(excess).toHaveLength(rows.flatMap(({ Resource }) => Resource).length);
    // Alone, a second.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("counts as excess what a policy variable opens", () => {
    const Resource = "arn:aws:s3:::home/${aws:username}/*";
    const { missing, excess } = audit(own, policyOf(allow("s3:GetObject", Resource)));
    expect(missing).toEqual([]);
    expect(excess).toMatchObject([{ policy: 1, actions: ["s3:GetObject"], resource: Resource }]);
  });

  test("names every policy that lacks an action, not only the first", () => {
    const boundary = policyOf(everything);
    const setup = { storageConfig, policies: [policyOf(...withoutKeys)], boundary };
    const { missing } = auditRole(setup);
    expect(missing.map(({ where, request }) => `${where} ${request.action}`)).toEqual([
      "policies kms:Decrypt",
      "boundary kms:Decrypt",
      "policies kms:GenerateDataKey",
      "boundary kms:GenerateDataKey",
    ]);
  });

  test("asks the boundary, the trust policy and the keys' policies as well", () => {
    const boundary = policyOf(allow("s3:*", "*"));
    const bounded = auditRole({ storageConfig, policies: [own], boundary });
    expect(bounded.missing.map(({ where, request }) => `${where} ${request.action}`)).toEqual([
      "boundary kms:Decrypt",
      "boundary kms:GenerateDataKey",
    ]);
    const trust = trustPolicy(storageConfig, { principal: "123456789012" });
    expect(auditRole({ storageConfig, policies: [own], trust })).toEqual(CLEAN);
    const other = { ...storageConfig, externalId: "ext-2" };
    expect(auditRole({ storageConfig: other, policies: [own], trust }).missing).toMatchObject([
      { where: "trust", request: { action: "sts:AssumeRole" } },
    ]);
    const keyPolicy = policyOf(...keyPolicyStatements(storageConfig));
    expect(auditRole({ storageConfig, policies: [own], keyPolicies: [keyPolicy] })).toEqual(CLEAN);
    const decryptOnly = policyOf(...keyPolicyStatements({ roleArn: ROLE, allowedKmsKeys: [KEY] }));
    const without = auditRole({ storageConfig, policies: [own], keyPolicies: [decryptOnly] });
    expect(without.missing).toMatchObject([
      {
        where: "keyPolicies",
        request: { action: "kms:GenerateDataKey" },
        statement: { Principal: { AWS: ROLE } },
      },
    ]);
  });

  describe("with keys' policies", () => {
    const two = { ...storageConfig, encryptionKeys: [KEY, OTHER_KEY], currentKmsKey: null };
    const policies = [rolePolicy(two)];
    const full = (key: string) =>
      policyOf(...keyPolicyStatements({ roleArn: ROLE, encryptionKeys: [key] }));
    const everyKey = policyOf({ ...allow("kms:*", "*"), Principal: { AWS: "123456789012" } });
    const decrypting = policyOf({
      ...allow("kms:Decrypt", "*"),
      Principal: { AWS: "123456789012" },
    });
    const lacks = (keyPolicies: object) =>
      auditRole({ storageConfig: two, policies, keyPolicies: keyPolicies as never }).missing.map(
        ({ request, where }) => `${where} ${request.action} ${request.resource === KEY ? 1 : 2}`,
      );

    test("finds the policy of a key by its ARN, or by the policy's Resource", () => {
      expect(lacks([full(KEY), full(OTHER_KEY)])).toEqual([]);
      expect(lacks({ [KEY]: everyKey, [OTHER_KEY]: everyKey })).toEqual([]);
      expect(lacks({ [KEY]: everyKey, [OTHER_KEY]: decrypting })).toEqual([
        "keyPolicies kms:GenerateDataKey 2",
      ]);
      expect(lacks([full(KEY)])).toEqual([
        "keyPolicies kms:Decrypt 2",
        "keyPolicies kms:GenerateDataKey 2",
      ]);
    });

    test("takes one of Resource * for the policy of each key, and refuses two that disagree", () => {
      expect(lacks([everyKey])).toEqual([]);
      expect(lacks([everyKey, everyKey])).toEqual([]);
      expect(faultOf(() => lacks([everyKey, decrypting]))).toMatchObject({
        code: "INVALID_OPTIONS",
        paths: ["keyPolicies"],
      });
    });

    test("adds to each key's policy what that key lacks", () => {
      const { missing } = auditRole({ storageConfig: two, policies, keyPolicies: [decrypting] });
      expect(missing.map(({ statement }) => statement)).toMatchObject([
        { Action: "kms:GenerateDataKey", Resource: KEY, Principal: { AWS: ROLE } },
        { Action: "kms:GenerateDataKey", Resource: OTHER_KEY, Principal: { AWS: ROLE } },
      ]);
    });

    test("needs no policy of the role where the key's policy names the role", () => {
      const withoutKms = [policyOf(...withoutKeys)];
      const keyPolicies = { [KEY]: full(KEY) };
      expect(auditRole({ storageConfig, policies: withoutKms, keyPolicies })).toEqual(CLEAN);
    });

    test("needs both for a key of another account", () => {
      const foreign = KEY.replace("123456789012", "999999999999");
      const other = { ...storageConfig, currentKmsKey: foreign };
      const keyPolicies = { [foreign]: policyOf(...keyPolicyStatements(other)) };
      const auditOf = (statements: readonly object[]) =>
        auditRole({ storageConfig: other, policies: [policyOf(...statements)], keyPolicies });
      expect(auditOf(rolePolicy(other).Statement)).toEqual(CLEAN);
      expect(
        auditOf(withoutKeys).missing.map(({ where, request }) => `${where} ${request.action}`),
      ).toEqual(KMS.map((action) => `policies ${action}`));
    });

    test("counts what a role may do with other keys, whatever the policies of these say", () => {
      const keyPolicies = { [KEY]: full(KEY) };
      const found = auditRole({
        storageConfig,
        policies: [policyOf(...own.Statement, allow("kms:*", "*"))],
        keyPolicies,
      });
      expect(found.excess.map(({ actions }) => actions)).toEqual([["kms:*"]]);
    });
  });

  test("asks the trust policy for sts:TagSession where sessions carry tags", () => {
    const userArn = "arn:aws:iam::123456789012:user/polaris-server";
    const setup = { storageConfig: { ...storageConfig, userArn }, policies: [own], tags: true };
    const trust = (tags: boolean) => trustPolicy(storageConfig, { principal: userArn, tags });
    expect(auditRole({ ...setup, trust: trust(true) })).toEqual(CLEAN);
    const { missing } = auditRole({ ...setup, trust: trust(false) });
    expect(missing).toMatchObject([
      { where: "trust", request: { action: "sts:TagSession", principal: userArn } },
    ]);
    const [row] = missing;
    const mended = policyOf(...trust(false).Statement, row?.statement ?? {});
    expect(allows(mended as never, row?.request as never)).toBe(true);
    // The external id is not told with sts:TagSession.
    const [assume] = trust(false).Statement;
    const both = policyOf({ ...assume, Action: ["sts:AssumeRole", "sts:TagSession"] });
    expect(auditRole({ ...setup, trust: both }).unknown).toMatchObject([
      { key: "sts:ExternalId", request: { action: "sts:TagSession" } },
    ]);
    const another = { ...setup, storageConfig: { ...storageConfig, userArn: `${userArn}-2` } };
    expect(auditRole({ ...another, trust: trust(true) }).missing).toMatchObject([
      { request: { action: "sts:AssumeRole" } },
      { request: { action: "sts:TagSession" } },
    ]);
  });

  test("finds missing a trust of services or identity providers only, whoever assumes the role", () => {
    const missingWith = (Principal: object, userArn?: string) => {
      const trust = policyOf({ Effect: "Allow", Principal, Action: "sts:AssumeRole" });
      const setup = { storageConfig: { ...storageConfig, userArn }, policies: [own], trust };
      return auditRole(setup).missing.map(({ request }) => request.action);
    };
    const user = "arn:aws:iam::123456789012:user/polaris-server";
    const provider = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com";
    for (const userArn of [undefined, user]) {
      expect(missingWith({ Service: "ec2.amazonaws.com" }, userArn)).toEqual(["sts:AssumeRole"]);
      expect(missingWith({ Federated: provider }, userArn)).toEqual(["sts:AssumeRole"]);
      const both = { Service: "ec2.amazonaws.com", AWS: "123456789012" };
      expect(missingWith(both, userArn)).toEqual([]);
    }
  });

  test("knows the keys about the principal that assumes the role", () => {
    const userArn = "arn:aws:iam::123456789012:role/polaris-server";
    const auditWith = (Condition: object) => {
      const everyone = { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" };
      const trust = policyOf({ ...everyone, Condition });
      return auditRole({ storageConfig: { ...storageConfig, userArn }, policies: [own], trust });
    };
    const like = (arn: string) => ({ ArnLike: { "aws:PrincipalArn": arn } });
    expect(auditWith(like("arn:aws:iam::*:role/polaris-*"))).toEqual(CLEAN);
    expect(auditWith(like("arn:aws:iam::*:user/*")).missing).toHaveLength(1);
    const account = { StringEquals: { "aws:PrincipalAccount": "123456789012" } };
    expect(auditWith(account)).toEqual(CLEAN);
  });

  test("names a policy variable that nobody told as the policy writes it", () => {
    const Resource = "arn:aws:s3:::*/${aws:PrincipalTag/team}/*";
    const { unknown } = audit(policyOf(allow("s3:*", Resource)));
    expect(unknown.map(({ key }) => key)).toEqual(["aws:PrincipalTag/team"]);
  });

  test("reports what the trust policy hangs on, and a Deny there", () => {
    const trust = trustPolicy(storageConfig, { principal: "123456789012" });
    const [assume] = trust.Statement;
    const Condition = { ...assume?.Condition, IpAddress: { "aws:SourceIp": "10.0.0.0/8" } };
    const setup = { storageConfig, policies: [own] };
    expect(
      auditRole({ ...setup, trust: policyOf({ ...assume, Condition }) }).unknown,
    ).toMatchObject([{ key: "aws:SourceIp", request: { action: "sts:AssumeRole" } }]);
    const Deny = { Effect: "Deny", Principal: "*", Action: "sts:AssumeRole" };
    const [row] = auditRole({ ...setup, trust: policyOf(...trust.Statement, Deny) }).missing;
    expect(row?.why).toMatch(/^A Deny statement of the trust policy/);
  });

  test("takes what the aws command prints", () => {
    const text = serializePolicy(own);
    for (const policy of [
      { RoleName: "polaris", PolicyName: "p", PolicyDocument: own },
      { PolicyVersion: { Document: encodeURIComponent(text), VersionId: "v1" } },
      text,
    ]) {
      expect(auditRole({ storageConfig, policies: [policy] })).toEqual(CLEAN);
    }
    const trust = trustPolicy(storageConfig, { principal: "123456789012" });
    const printed = { Role: { Arn: ROLE, AssumeRolePolicyDocument: trust } };
    expect(auditRole({ storageConfig, policies: [own], trust: printed })).toEqual(CLEAN);
    const key = { Policy: JSON.stringify(policyOf(...keyPolicyStatements(storageConfig))) };
    expect(auditRole({ storageConfig, policies: [own], keyPolicies: [key] })).toEqual(CLEAN);
  });

  test("refuses what is not a setup", () => {
    expect(faultOf(() => auditRole(null as never)).code).toBe("INVALID_OPTIONS");
    expect(faultOf(() => auditRole({ storageConfig } as never)).paths).toEqual(["policies"]);
    const setup = { storageConfig, policies: [own] };
    expect(faultOf(() => auditRole({ ...setup, tags: "yes" } as never)).paths).toEqual(["tags"]);
    for (const keyPolicies of [own, "arn:aws:kms", 1]) {
      const { code, paths } = faultOf(() => auditRole({ ...setup, keyPolicies } as never));
      expect({ code, paths }).toEqual({ code: "INVALID_OPTIONS", paths: ["keyPolicies"] });
    }
  });
});
