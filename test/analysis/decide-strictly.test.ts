import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, decideStrictly } from "../../src/analysis/index.ts";
import { trustPolicy } from "../../src/setup/index.ts";
import { arbitraryPolicy } from "../support/arbitrary-policies.ts";
import { faultOf } from "../support/errors.ts";
import { allows } from "../support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 1000);
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OBJECT = "arn:aws:s3:::lake/db/f";
const policyIf = (Condition: object, more: object[] = []) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*", Condition }, ...more],
});
const get = { action: "s3:GetObject", resource: OBJECT };

describe("decideStrictly", () => {
  test.each<[object, string]>([
    [{ StringEquals: { "kms:ViaService": "s3.us-west-2.amazonaws.com" } }, "kms:ViaService=s3.us-"],
    [{ StringLike: { "aws:SourceVpce": "vpce-*" } }, "aws:SourceVpce=vpce-"],
    [{ StringEqualsIgnoreCase: { "aws:PrincipalTag/team": ["lake"] } }, "team=lake"],
    [{ Bool: { "aws:SecureTransport": true } }, "aws:SecureTransport=true"],
    [{ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, "aws:SourceIp=10.0.0.0"],
    [{ NumericLessThan: { "s3:max-keys": "10" } }, "s3:max-keys=9"],
    [{ DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }, "=2100-01-01T00:00:00Z"],
    [{ ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/x" } }, "aws:PrincipalArn=arn:aws:iam:"],
    [{ Null: { "aws:SourceVpce": "false" } }, "aws:SourceVpce=x"],
    [{ "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } }, "aws:TagKeys=team"],
    [{ StringLike: { "aws:SourceVpce": "*" }, StringNotEquals: { "aws:SourceVpce": "x" } }, "=*"],
  ])("refuses a denial for want of %j, and says what would allow it", (condition, says) => {
    const { code, paths, message } = faultOf(() => decideStrictly(policyIf(condition), get));
    expect({ code, paths }).toEqual({
      code: "INVALID_REQUEST",
      paths: [`context.${Object.keys(Object.values(condition)[0])[0]}`],
    });
    expect(message).toContain(says);
  });

  test("names an external id that is absent, but never repeats its value", () => {
    const role = "arn:aws:iam::123456789012:role/polaris";
    const trust = trustPolicy(
      { roleArn: role, externalId: "secret-1" },
      { principal: "arn:aws:iam::123456789012:role/server" },
    );
    const request = {
      action: "sts:AssumeRole",
      resource: role,
      principal: "arn:aws:iam::123456789012:role/server",
    };
    const { paths, message } = faultOf(() => decideStrictly(trust, request));
    expect(paths).toEqual(["context.sts:ExternalId"]);
    expect(message).toContain("with sts:ExternalId=… the policy allows the request");
    expect(message).not.toContain("secret-1");
  });

  const allow = { Effect: "Allow", Action: "*", Resource: "*" };
  const denyIf = (Condition: object) => ({ ...allow, Effect: "Deny", Condition });
  test.each<[string, object[], object, string[], string]>([
    [
      "a Deny without a key",
      [allow, denyIf({ StringNotEquals: { "aws:SourceVpce": "vpce-1" } })],
      {},
      ["context.aws:SourceVpce"],
      "aws:SourceVpce=vpce-1",
    ],
    [
      "a Deny where a key is absent",
      [allow, denyIf({ Null: { "aws:SourceVpce": "true" } })],
      {},
      ["context.aws:SourceVpce"],
      "aws:SourceVpce=x",
    ],
    [
      "two Denies",
      [
        allow,
        denyIf({ StringNotLike: { "aws:SourceVpce": "vpce-*" } }),
        denyIf({ NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } }),
      ],
      {},
      ["context.aws:SourceVpce"],
      "aws:SourceIp=10.0.0.0",
    ],
    [
      "a variable in a resource",
      [{ ...allow, Resource: "arn:aws:s3:::lake/${aws:username}/*" }],
      {},
      ["context.aws:username"],
      "aws:username=db",
    ],
    [
      "a variable beside other text",
      [{ ...allow, Resource: "arn:aws:s3:::la${aws:username}/*" }],
      {},
      ["context.aws:username"],
      "aws:username=ke",
    ],
    [
      "a variable in a condition",
      [{ ...allow, Condition: { StringLike: { "s3:prefix": "home/${aws:username}/*" } } }],
      { context: { "s3:prefix": "home/me/x" } },
      ["context.aws:username"],
      "aws:username=me",
    ],
    [
      "a principal",
      [{ ...allow, Principal: { AWS: "arn:aws:iam::123456789012:role/r" } }],
      {},
      ["principal"],
      "principal=arn:aws:iam::123456789012:role/r",
    ],
    [
      "a principal that is not another",
      [{ ...allow, NotPrincipal: { AWS: "arn:aws:iam::123456789012:role/r" } }],
      {},
      ["principal"],
      "principal=",
    ],
  ])("refuses a denial that is due to %s", (_, Statement, more, paths, says) => {
    const fault = faultOf(() =>
      decideStrictly({ Version: "2012-10-17", Statement }, { ...get, ...more }),
    );
    expect([fault.code, fault.paths]).toEqual(["INVALID_REQUEST", paths]);
    expect(fault.message).toContain(says);
  });

  test.each<[string, object[], object?]>([
    ["lists without a prefix", [allow, denyIf({ StringNotLike: { "s3:prefix": "db/*" } })]],
    [
      "a key that is there",
      [allow, denyIf({ StringNotEquals: { "aws:SourceVpce": "a" } })],
      { context: { "aws:SourceVpce": "b" } },
    ],
    [
      "a key that is absent on purpose",
      [allow, denyIf({ StringNotEquals: { "aws:SourceVpce": "a" } })],
      { context: { "aws:SourceVpce": [] } },
    ],
    [
      "another principal",
      [{ ...allow, Principal: { AWS: "arn:aws:iam::123456789012:role/r" } }],
      { principal: "arn:aws:iam::123456789012:role/s" },
    ],
    ["another resource", [{ ...allow, Resource: "arn:aws:s3:::other/${aws:username}/*" }]],
    [
      "another user",
      [{ ...allow, Resource: "arn:aws:s3:::lake/${aws:username}/*" }],
      {
        context: { "aws:username": "you" },
      },
    ],
  ])("answers a denial of %s", (_, Statement, more = {}) => {
    const request = { ...get, ...more };
    const policy = { Version: "2012-10-17", Statement };
    expect(decideStrictly(policy, request)).toEqual(decide(policy, request));
  });

  test("reads the policy and the request once", () => {
    const reads: string[] = [];
    const once = <T extends object>(of: T): T =>
      new Proxy(of, {
        get: (target, name) => {
          reads.push(String(name));
          return Reflect.get(target, name);
        },
      });
    const policy = policyIf({ StringEquals: { "s3:prefix": "x" } });
    decideStrictly(once(policy), once({ ...get, context: {} }));
    for (const name of ["Statement", "action", "resource", "context"]) {
      expect(reads.filter((read) => read === name)).toHaveLength(1);
    }
  });

  test.each<[string, object, object?]>([
    ["s3:prefix, which lists may leave out", { StringLike: { "s3:prefix": "db/*" } }],
    ["a key that is there", { StringEquals: { "aws:SourceVpce": "a" } }, { "aws:SourceVpce": "b" }],
    [
      "one absent on purpose",
      { StringEquals: { "aws:SourceVpce": "a" } },
      { "AWS:sourcevpce": [] },
    ],
    ["a key that must be absent", { Null: { "aws:SourceVpce": "true", "s3:prefix": "false" } }],
    ["a condition that nothing meets", { StringEquals: { a: "1" }, StringNotEquals: { a: "1" } }],
  ])("answers where what stands between is %s", (_, condition, context = {}) => {
    const request = { ...get, context: context as Record<string, string> };
    expect(decideStrictly(policyIf(condition), request).decision).toBe("implicitlyDenied");
  });

  test("answers where a Deny would stand in the way all the same", () => {
    const condition = { StringEquals: { "aws:SourceVpce": "a" } };
    const deny = { Effect: "Deny", Action: "s3:*", Resource: "*" };
    expect(decideStrictly(policyIf(condition, [deny]), get).decision).toBe("explicitlyDenied");
  });

  test.each([
    ["s3:ListBucket", OBJECT, "a bucket"],
    ["s3:GetObject", "arn:aws:s3:::lake", "an object"],
    ["kms:Decrypt", OBJECT, "a key"],
    ["kms:Decrypt", "arn:aws:kms:us-west-2:123456789012:alias/lake", "a key"],
    ["sts:AssumeRole", OBJECT, "role"],
    ["s3:ListAllMyBuckets", OBJECT, "Write *"],
  ])("refuses %s on %s", (action, resource, says) => {
    const { code, paths, message } = faultOf(() =>
      decideStrictly(policyIf({}), { action, resource }),
    );
    expect({ code, paths }).toEqual({ code: "INVALID_REQUEST", paths: ["resource"] });
    expect(message).toContain(says);
  });

  test.each([
    ["s3:GetObject", "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/k"],
    ["s3:ListBucket", "arn:aws:s3:us-west-2:123456789012:accesspoint/a"],
    ["s3:getobject", "arn:ecs:s3:::lake/db/f"],
    ["kms:Decrypt", "arn:aws-cn:kms:cn-north-1:123456789012:key/k"],
    ["s3:ListAllMyBuckets", "*"],
    ["sqs:SendMessage", "arn:aws:sqs:us-west-2:123456789012:q"],
    ["sts:AssumeRole", "arn:aws:iam::123456789012:role/path/r"],
  ])("answers for %s on %s", (action, resource) => {
    expect(decideStrictly(policyIf({}), { action, resource }).decision).toBe("allowed");
  });

  test("answers as decide does, or names a context with which the policy allows the request", () => {
    const requests = fc.constantFrom(
      get,
      { action: "s3:ListBucket", resource: "arn:aws:s3:::b" },
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/ab" },
      { action: "kms:Decrypt", resource: KEY },
    );
    let refused = 0;
    fc.assert(
      fc.property(arbitraryPolicy, requests, (policy, request) => {
        const plain = decide(policy, request);
        let answer: object;
        try {
          answer = decideStrictly(policy, request);
        } catch (error) {
          refused++;
          const { issues } = error as { issues: { message: string }[] };
          const [, pairs = ""] =
            / with (.*) the policy allows/s.exec(issues[0]?.message ?? "") ?? [];
          const context = Object.fromEntries(
            pairs.split(" and ").map((pair) => [pair.slice(0, 1), pair.slice(2)]),
          );
          expect(allows(policy, request)).toBe(false);
          expect(allows(policy, { ...request, context })).toBe(true);
          return;
        }
        expect(answer).toEqual(plain);
      }),
      { numRuns },
    );
    expect(refused).toBeGreaterThan(numRuns / 100);
  }, 600_000);
});
