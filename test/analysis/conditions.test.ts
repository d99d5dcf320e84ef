/**
 * Policies as people have them, as AWS documents each element; the slow evaluator must agree.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
import { describe, expect, test } from "vitest";
import { decide, isAllowed } from "../../src/analysis/index.ts";
import { type AnyPolicy, evaluate, type Request } from "../support/iam.ts";

const OBJECT = "arn:aws:s3:::lake/db/f";
const policyOf = (statement: object, Version = "2012-10-17"): AnyPolicy => ({
  Version,
  Statement: [{ Effect: "Allow", Action: "s3:GetObject", ...statement }] as never,
});
const ask = (more: object = {}): Request => ({ action: "s3:GetObject", resource: OBJECT, ...more });

function bothSay(policy: AnyPolicy, request: Request, allowed: boolean) {
  expect(evaluate(policy, request) === "allowed", "the slow evaluator").toBe(allowed);
  expect(isAllowed(policy, request)).toBe(allowed);
}

type Values = string | string[];
test.each<[string, Values, Values | undefined, boolean]>([
  ["StringEqualsIgnoreCase", "Admin", "aDMIN", true],
  ["StringNotEqualsIgnoreCase", "Admin", "aDMIN", false],
  ["NumericLessThanEquals", "10", "10", true],
  ["NumericLessThan", "10", "10", false],
  ["NumericGreaterThan", "9.5", "10", true],
  ["NumericEquals", "10", "10.0", true],
  ["NumericNotEquals", "10", "11", true],
  ["DateGreaterThan", "2020-04-01T00:00:00Z", "2020-04-01T00:00:01Z", true],
  ["DateGreaterThan", "2020-04-01T00:00:00Z", "2020-03-31T23:59:59Z", false],
  ["DateLessThan", "2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z", true],
  ["DateLessThanEquals", "2023-07-31T00:00:00+02:00", "2023-07-30T22:00:00Z", true],
  ["DateEquals", "2020-04-01", "1585699200", true],
  ["Bool", "true", "TRUE", true],
  ["Bool", "false", "true", false],
  ["Bool", "false", undefined, false],
  ["BoolIfExists", "false", undefined, true],
  ["BinaryEquals", "QmluYXJ5", "QmluYXJ5", true],
  ["IpAddress", "203.0.113.0/24", "203.0.113.255", true],
  ["IpAddress", "203.0.113.0/24", "203.0.114.0", false],
  ["NotIpAddress", "203.0.113.0/25", "203.0.113.200", true],
  ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::abcd", true],
  ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::abcd", false],
  ["IpAddress", "203.0.113.5", "203.0.113.5", true],
  ["ArnLike", "arn:aws:s3:::lake*", "arn:aws:s3:::lake-2", true],
  ["ArnLike", "arn:aws:iam::*:role/a*", "arn:aws:iam::1:role/x", false],
  ["ArnEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:eu-west-1:1:t", true],
  ["ArnNotEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:eu-west-1:1:t", false],
  ["ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], true],
  ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
  ["ForAllValues:StringEquals", ["a", "b"], undefined, true],
  ["ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], true],
  ["ForAnyValue:StringEquals", ["a", "b"], ["c"], false],
  ["ForAnyValue:StringEquals", ["a", "b"], undefined, false],
  ["ForAllValues:StringNotLike", ["a*"], ["b", "c"], true],
  ["ForAllValues:StringNotLike", ["a*"], ["b", "ab"], false],
  ["ForAnyValue:StringNotLike", ["a*"], ["b", "ab"], true],
])("%s %j with %j", (operator, wanted, value, allowed) => {
  const policy = policyOf({ Resource: "*", Condition: { [operator]: { k: wanted } } });
  bothSay(policy, ask(value === undefined ? {} : { context: { k: value } }), allowed);
});

test.each<[string, string, object, boolean]>([
  ["arn:aws:s3:::lake/${aws:username}/*", "2012-10-17", { "aws:username": "db" }, true],
  ["arn:aws:s3:::lake/${aws:username}/*", "2012-10-17", { "aws:username": "*" }, false],
  ["arn:aws:s3:::lake/${aws:username}/*", "2012-10-17", {}, false],
  ["arn:aws:s3:::lake/${aws:username, 'db'}/*", "2012-10-17", {}, true],
  ["arn:aws:s3:::lake/${aws:username}/*", "2008-10-17", { "aws:username": "db" }, false],
  ["arn:aws:s3:*lake/*", "2012-10-17", {}, false],
  ["arn:aws:s3:*", "2012-10-17", {}, true],
  ["arn:*:s3:::lake/*", "2012-10-17", {}, true],
])("the resource %s of version %s with %j", (Resource, version, context, allowed) => {
  bothSay(policyOf({ Resource }, version), ask({ context }), allowed);
});

test.each([
  ["arn:aws:kms:us-w*2:key/ID", false],
  ["arn:aws:kms:us-w*2:*:key/ID", true],
  ["arn:aws:kms:*:key/ID", true],
  ["arn:aws:kms:us-west-?:123456789012:key/*", true],
])("a wildcard of %s stays within its segment", (Resource, allowed) => {
  const policy = policyOf({ Action: "kms:Decrypt", Resource });
  const resource = "arn:aws:kms:us-west-2:123456789012:key/ID";
  bothSay(policy, { action: "kms:Decrypt", resource }, allowed);
});

const ROLE = "arn:aws:iam::123456789012:role/path/polaris";
const SESSION = "arn:aws:sts::123456789012:assumed-role/polaris/session";
test.each<[object, string | undefined, boolean]>([
  [{ Principal: "*" }, undefined, true],
  [{ Principal: { AWS: "*" } }, ROLE, true],
  [{ Principal: { AWS: ROLE } }, ROLE, true],
  [{ Principal: { AWS: ROLE } }, SESSION, true],
  [{ Principal: { AWS: ROLE } }, "arn:aws:sts::123456789012:assumed-role/polaris2/s", false],
  [{ Principal: { AWS: ROLE } }, undefined, false],
  [{ Principal: { AWS: "arn:aws:iam::123456789012:root" } }, SESSION, true],
  [{ Principal: { AWS: "123456789012" } }, ROLE, true],
  [{ Principal: { AWS: "210987654321" } }, ROLE, false],
  [{ Principal: { Service: "s3.amazonaws.com" } }, "s3.amazonaws.com", true],
  [{ NotPrincipal: { AWS: ROLE } }, ROLE, false],
  [{ NotPrincipal: { AWS: ROLE } }, "arn:aws:iam::123456789012:role/other", true],
])("%j, asked by %s", (principals, principal, allowed) => {
  bothSay(policyOf({ ...principals, Resource: "*" }), ask(principal ? { principal } : {}), allowed);
});

describe("with a context that is not complete,", () => {
  const partial = (statements: object[], context: Record<string, string | string[]> = {}) =>
    decide({ Version: "2012-10-17", Statement: statements }, ask({ context }) as never, {
      partial: true,
    });
  const allow = { Effect: "Allow", Action: "s3:*", Resource: "*" };
  const onlyVpc = {
    Effect: "Deny",
    Action: "s3:*",
    Resource: "*",
    Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-1" } },
  };

  test("the answer is unknown, with the keys that it hangs on", () => {
    const unknown = { decision: "unknown", statements: [1], keys: ["aws:SourceVpce"] };
    expect(partial([allow, onlyVpc])).toEqual(unknown);
    expect(partial([allow, onlyVpc], { "aws:SourceVpce": "vpce-1" }).decision).toBe("allowed");
    expect(partial([allow, onlyVpc], { "aws:SourceVpce": [] }).decision).toBe("explicitlyDenied");
  });

  test("what no value could change is decided", () => {
    expect(partial([onlyVpc]).decision).toBe("implicitlyDenied");
    expect(partial([allow, { ...onlyVpc, Action: "s3:DeleteObject" }]).decision).toBe("allowed");
    expect(partial([allow, onlyVpc, { ...allow, Effect: "Deny" }]).decision).toBe(
      "explicitlyDenied",
    );
  });
});

const DOCUMENT = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
};
const TEXT = JSON.stringify(DOCUMENT);
test.each<[string, unknown]>([
  ["JSON text", TEXT],
  ["URL-encoded text", encodeURIComponent(TEXT)],
  ["an AssumeRole request", { RoleArn: ROLE, Policy: TEXT }],
  ["aws kms get-key-policy", { PolicyName: "default", Policy: TEXT }],
  ["aws iam get-role-policy", { RoleName: "r", PolicyName: "p", PolicyDocument: DOCUMENT }],
  ["aws iam get-policy-version", { PolicyVersion: { VersionId: "v1", Document: DOCUMENT } }],
  ["aws iam get-role", { Role: { RoleName: "r", AssumeRolePolicyDocument: DOCUMENT } }],
  ["encoded documents", JSON.stringify({ PolicyDocument: encodeURIComponent(TEXT) })],
])("%s is unwrapped", (_, policy) => {
  expect(isAllowed(policy as string, { action: "s3:GetObject", resource: OBJECT })).toBe(true);
});

test.each(["s3:PutObjekt", "kms:Decript", "GetObject", "s3:", "s3:Get*"])(
  "the action %s is refused in a request",
  (action) => {
    expect(() => isAllowed(DOCUMENT, { action, resource: OBJECT })).toThrow(
      /^action: is not an action/,
    );
  },
);

test.each(["s3://lake/db/f", "lake/db/f", "*", "arn:aws:s3", "arn:aws:s3:*:*:x"])(
  "the resource %s is refused in a request",
  (resource) => {
    expect(() => isAllowed(DOCUMENT, { action: "s3:GetObject", resource })).toThrow(
      /^resource: is not an ARN/,
    );
  },
);
