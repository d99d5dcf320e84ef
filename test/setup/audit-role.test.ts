import { describe, expect, test } from "vitest";
import { auditRole, keyPolicyStatements, rolePolicy, trustPolicy } from "../../src/setup/index.ts";
import { faultOf } from "../support/errors.ts";
import { allows } from "../support/iam.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const ROLE = "arn:aws:iam::123456789012:role/polaris";
const storageConfig = {
  roleArn: ROLE,
  externalId: "ext-1",
  region: "us-west-2",
  allowedLocations: ["s3://lake/db", "s3://pond/db"],
  currentKmsKey: KEY,
};
const own = rolePolicy(storageConfig);
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
const audit = (...policies: object[]) => auditRole({ storageConfig, policies: policies as never });

describe("auditRole", () => {
  test("finds nothing in rolePolicy's own output, with any options", () => {
    expect(audit(own)).toEqual(CLEAN);
    const options = { objectVersions: true, abortMultipartUploads: true, objectTags: true };
    const policies = [rolePolicy(storageConfig, options)];
    expect(auditRole({ storageConfig, policies, options })).toEqual(CLEAN);
  });

  const actions = own.Statement.flatMap(({ Action }, i) =>
    [Action].flat().map((action) => ({ action, i })),
  );
  test.each(actions)(
    "reports exactly $action of statement $i as missing without it",
    ({ action, i }) => {
      const Statement = own.Statement.flatMap((statement, at) => {
        const left = [statement.Action].flat().filter((one) => at !== i || one !== action);
        return left.length > 0 ? [{ ...statement, Action: left }] : [];
      });
      const { missing, excess, unknown } = audit(policyOf(...Statement));
      expect([missing.map(({ request }) => request.action), excess, unknown]).toEqual([
        [action],
        [],
        [],
      ]);
      for (const { request, statement } of missing) {
        expect(allows(policyOf(...Statement) as never, request)).toBe(false);
        expect(allows(policyOf(...Statement, statement) as never, request)).toBe(true);
      }
      expect(audit(policyOf(...Statement, ...missing.map(({ statement }) => statement)))).toEqual(
        CLEAN,
      );
    },
  );

  test.each<[string, object[], string[], string[], string[]]>([
    ["s3:* on *", [allow("s3:*", "*")], ["kms:Decrypt", "kms:GenerateDataKey"], ["s3:*"], []],
    ["a Deny of deletes", [...own.Statement, deny("s3:DeleteObject")], ["s3:DeleteObject"], [], []],
    [
      "TLS required",
      [...own.Statement, deny("s3:*", { Bool: { "aws:SecureTransport": "false" } })],
      [],
      [],
      [],
    ],
    [
      "a VPC endpoint only",
      [...own.Statement, deny("s3:*", { StringNotEquals: { "aws:SourceVpce": "vpce-1" } })],
      [],
      [],
      ["aws:SourceVpce"],
    ],
    [
      "ViaService of another region",
      [
        ...own.Statement.filter(({ Action }) => ![Action].flat().includes("kms:Decrypt")),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], KEY, {
          StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
        }),
      ],
      ["kms:Decrypt", "kms:GenerateDataKey"],
      ["kms:Decrypt", "kms:GenerateDataKey"],
      [],
    ],
    [
      "a tag of objects",
      [...own.Statement, allow("s3:GetObjectTagging", "arn:aws:s3:::lake/db/*")],
      [],
      ["s3:GetObjectTagging"],
      [],
    ],
    ["NotAction", [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }], [], ["*", "*"], []],
    [
      "NotResource",
      [
        ...own.Statement,
        { Effect: "Deny", Action: "s3:GetObject", NotResource: "arn:aws:s3:::lake/*" },
      ],
      ["s3:GetObject"],
      [],
      [],
    ],
    [
      "another service",
      [...own.Statement, allow(["sqs:*", "sns:Publish"], "*")],
      [],
      ["sqs:*", "sns:Publish"],
      [],
    ],
  ])("judges %s", (_, statements, missing, excess, unknown) => {
    const found = audit(policyOf(...statements));
    expect({
      missing: found.missing.map(({ request }) => request.action).sort(),
      excess: found.excess.flatMap(({ actions }) => actions),
      unknown: found.unknown.map(({ key }) => key),
    }).toEqual({ missing, excess, unknown });
    for (const { request } of found.missing) {
      expect(allows(policyOf(...statements) as never, request)).toBe(false);
      expect(allows(own as never, request)).toBe(true);
    }
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

  test("refuses what is not a setup", () => {
    expect(faultOf(() => auditRole(null as never)).code).toBe("INVALID_OPTIONS");
    expect(faultOf(() => auditRole({ storageConfig } as never)).paths).toEqual(["policies"]);
  });
});
