import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, isAllowed } from "../../src/analysis/index.ts";
import { arbitraryPolicy, arbitraryRequest } from "../support/arbitrary-policies.ts";
import { faultOf } from "../support/errors.ts";
import { type AnyPolicy, evaluate } from "../support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 5000);

test("decide answers as the slow evaluator does, for any policy and request", () => {
  fc.assert(
    fc.property(arbitraryPolicy, arbitraryRequest, (policy, request) => {
      expect(decide(policy, request).decision).toBe(evaluate(policy, request));
    }),
    { numRuns },
  );
}, 3_600_000);

test("the statements that decide are those that decide alike alone", () => {
  fc.assert(
    fc.property(arbitraryPolicy, arbitraryRequest, (policy, request) => {
      const { decision, statements } = decide(policy, request);
      const alone = policy.Statement.flatMap((Statement, i) =>
        evaluate({ ...policy, Statement }, request) === decision ? [i] : [],
      );
      expect(statements).toEqual(decision === "implicitlyDenied" ? [] : alone);
    }),
    { numRuns },
  );
}, 3_600_000);

const allow = (Resource: string | string[], Condition?: object): AnyPolicy =>
  ({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource,
      ...(Condition && { Condition }),
    },
  }) as AnyPolicy;
const S3 = "arn:aws:s3:::";
const OBJECT = "arn:aws:s3:::lake/db/f";
const USER_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide";
const S3_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide";

/** What AWS' pages say of patterns, each with its page. */
const DOCUMENTED: [
  page: string,
  policy: AnyPolicy,
  resource: string,
  context: object,
  allowed: boolean,
][] = [
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*"),
    "arn:aws:s3:::amzn-s3-demo-bucket/1/test/object.jpg",
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*"),
    "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/3/object.jpg",
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*"),
    "arn:aws:s3:::amzn-s3-demo-bucket/1-test/object.jpg",
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*"),
    "arn:aws:s3:::amzn-s3-demo-bucket/test/object.jpg",
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/???/x"),
    "arn:aws:s3:::amzn-s3-demo-bucket/abc/x",
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards`,
    allow("arn:aws:s3:::amzn-s3-demo-bucket/???/x"),
    "arn:aws:s3:::amzn-s3-demo-bucket/ab/x",
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_variables.html#policy-vars-specialchars`,
    allow("arn:aws:s3:::b/${*}"),
    "arn:aws:s3:::b/*",
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_variables.html#policy-vars-specialchars`,
    allow("arn:aws:s3:::b/${*}"),
    "arn:aws:s3:::b/x",
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_variables.html#policy-vars-specialchars`,
    allow("arn:aws:s3:::b/${?}${$}"),
    "arn:aws:s3:::b/?$",
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_variables.html#policy-vars-specialchars`,
    allow("arn:aws:s3:::b/${?}"),
    "arn:aws:s3:::b/x",
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringLike: { "s3:prefix": ["", "home/", "home/*"] } }),
    OBJECT,
    { "s3:prefix": "home/David/" },
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringLike: { "s3:prefix": ["", "home/", "home/*"] } }),
    OBJECT,
    { "S3:Prefix": "" },
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringLike: { "s3:prefix": ["", "home/", "home/*"] } }),
    OBJECT,
    { "s3:prefix": "homes" },
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringLike: { "s3:prefix": "*" } }),
    OBJECT,
    {},
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringEquals: { "aws:PrincipalTag/job": "iamuser-admin" } }),
    OBJECT,
    { "aws:principaltag/job": "iamuser-admin" },
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringEquals: { "aws:PrincipalTag/job": "iamuser-admin" } }),
    OBJECT,
    { "aws:principaltag/job": "IAMUser-admin" },
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_IfExists`,
    allow("*", { StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*"] } }),
    OBJECT,
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_IfExists`,
    allow("*", { StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*"] } }),
    OBJECT,
    { "ec2:InstanceType": "m5.large" },
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_Null`,
    allow("*", { Null: { "aws:TokenIssueTime": "true" } }),
    OBJECT,
    {},
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_Null`,
    allow("*", { Null: { "aws:TokenIssueTime": "true" } }),
    OBJECT,
    { "aws:TokenIssueTime": "now" },
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_Null`,
    allow("*", { Null: { "aws:TokenIssueTime": false } }),
    OBJECT,
    { "aws:TokenIssueTime": "now" },
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_elements_condition_operators.html#Conditions_String`,
    allow("*", { StringNotEquals: { "aws:PrincipalTag/job": "admin" } }),
    OBJECT,
    {},
    true,
  ],
  [
    `${S3_GUIDE}/amazon-s3-policy-keys.html#condition-key-bucket-ops-2`,
    allow("*", { StringEquals: { "s3:prefix": "finance" } }),
    OBJECT,
    { "s3:prefix": "finance" },
    true,
  ],
  [
    `${S3_GUIDE}/amazon-s3-policy-keys.html#condition-key-bucket-ops-2`,
    allow("*", { StringEquals: { "s3:prefix": "finance" } }),
    OBJECT,
    { "s3:prefix": "finance/x" },
    false,
  ],
  [
    `${USER_GUIDE}/reference_policies_multi-value-conditions.html`,
    allow("*", { StringLike: { a: ["1", "2"], b: "3" }, StringEquals: { c: "4" } }),
    OBJECT,
    { a: "2", b: "3", c: "4" },
    true,
  ],
  [
    `${USER_GUIDE}/reference_policies_multi-value-conditions.html`,
    allow("*", { StringLike: { a: ["1", "2"], b: "3" }, StringEquals: { c: "4" } }),
    OBJECT,
    { a: "2", b: "3" },
    false,
  ],
];

describe("as AWS documents it,", () => {
  for (const [page, policy, resource, context, allowed] of DOCUMENTED) {
    const { Resource, Condition } = policy.Statement as { Resource: string; Condition?: object };
    const what = JSON.stringify(Condition ?? Resource);
    test(`${what} ${allowed ? "matches" : "does not match"} ${resource} ${JSON.stringify(context)}: ${page}`, () => {
      const request = {
        action: "S3:getobject",
        resource,
        context: context as Record<string, string>,
      };
      expect(isAllowed(policy, request)).toBe(allowed);
      expect(evaluate(policy, request) === "allowed").toBe(allowed);
    });
  }

  test("an explicit Deny wins", () => {
    const policy = {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "s3:*", Resource: "*" },
        { Effect: "Deny", Action: "s3:Delete*", Resource: "*" },
      ],
    };
    const request = (action: string) => decide(policy, { action, resource: "arn:aws:s3:::b/k" });
    expect(request("s3:GetObject")).toEqual({ decision: "allowed", statements: [0] });
    expect(request("s3:DeleteObject")).toEqual({ decision: "explicitlyDenied", statements: [1] });
    expect(request("kms:Decrypt")).toEqual({ decision: "implicitlyDenied", statements: [] });
  });

  test("Sid and Id say nothing", () => {
    const policy = {
      Version: "2012-10-17",
      Id: "x",
      Statement: [{ Sid: "y", Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
    };
    expect(isAllowed(policy, { action: "s3:GetObject", resource: OBJECT })).toBe(true);
  });

  test("to StringEquals, wildcards are characters, each one of them", () => {
    const equals = allow("*", { StringEquals: { k: "**" } });
    const ask = (k: string) =>
      isAllowed(equals, { action: "s3:GetObject", resource: OBJECT, context: { k } });
    expect([ask("**"), ask("*"), ask("ab")]).toEqual([true, false, false]);
  });

  test("a context key without values is absent, and keys that differ in case are one", () => {
    const like = allow("*", { StringLike: { "s3:prefix": "a*" } });
    const ask = (context: Record<string, string | string[]>) =>
      isAllowed(like, { action: "s3:GetObject", resource: OBJECT, context });
    expect(ask({ "s3:prefix": [] })).toBe(false);
    expect(ask({ "s3:prefix": "b", "S3:PREFIX": ["c", "ab"] })).toBe(true);
  });
});

describe("what is not supported is refused, never guessed:", () => {
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
  const policyOf = (changes: object) => ({
    Version: "2012-10-17",
    Statement: [statement, { ...statement, ...changes }],
  });
  test.each<[string, unknown, string]>([
    ["no policy", null, ""],
    ["a text that is not JSON", "{", ""],
    ["another version", { Version: "2020-01-01", Statement: statement }, "Version"],
    ["no statement", { Version: "2012-10-17", Statement: [] }, "Statement"],
    ["another element", { Version: "2012-10-17", Statement: statement, Rules: 1 }, "Rules"],
    ["a statement that is none", { Version: "2012-10-17", Statement: "x" }, "Statement"],
    ["NotAction beside Action", policyOf({ NotAction: "s3:*" }), "Statement.1.NotAction"],
    ["NotResource beside Resource", policyOf({ NotResource: "*" }), "Statement.1.NotResource"],
    [
      "a principal with a wildcard",
      policyOf({ Principal: { AWS: "arn:aws:iam::*:root" } }),
      "Statement.1.Principal.AWS",
    ],
    [
      "a kind of principal that is none",
      policyOf({ Principal: { Aws: "*" } }),
      "Statement.1.Principal.Aws",
    ],
    [
      "Principal beside NotPrincipal",
      policyOf({ Principal: "*", NotPrincipal: "*" }),
      "Statement.1.NotPrincipal",
    ],
    ["a numeric Sid", policyOf({ Sid: 1 }), "Statement.1.Sid"],
    ["a service without an action", policyOf({ Action: "s3*" }), "Statement.1.Action"],
    ["an action without a service", policyOf({ Action: "GetObject" }), "Statement.1.Action"],
    ["a wildcard for the service", policyOf({ Action: "*:GetObject" }), "Statement.1.Action"],
    ["the Kelvin sign for a k", policyOf({ Action: "\u212Ams:Decrypt" }), "Statement.1.Action"],
    ["a resource that is no ARN", policyOf({ Resource: "lake/*" }), "Statement.1.Resource"],
    ["a URI for a resource", policyOf({ Resource: "s3://lake/*" }), "Statement.1.Resource"],
    [
      "a wildcard in the service segment",
      policyOf({ Resource: "arn:aws:s*:::lake" }),
      "Statement.1.Resource",
    ],
    ["an ARN that ends early", policyOf({ Resource: "arn:aws:s3:lake" }), "Statement.1.Resource"],
    ["an effect that is none", policyOf({ Effect: "allow" }), "Statement.1.Effect"],
    ["an empty list", policyOf({ Action: [] }), "Statement.1.Action"],
    ["a number", policyOf({ Resource: ["*", 1] }), "Statement.1.Resource"],
    [
      "the beginning of a variable",
      policyOf({ Resource: "arn:aws:s3:::b/${" }),
      "Statement.1.Resource",
    ],
    ["a variable in an action", policyOf({ Action: "s3:${*}" }), "Statement.1.Action"],
    [
      "an operator",
      policyOf({ Condition: { StringLikes: { k: "v" } } }),
      "Statement.1.Condition.StringLikes",
    ],
    [
      "an operator in another case",
      policyOf({ Condition: { stringlike: { k: "v" } } }),
      "Statement.1.Condition.stringlike",
    ],
    [
      "a variable in a condition",
      policyOf({ Condition: { StringLike: { k: "${userid}" } } }),
      "Statement.1.Condition.StringLike.k",
    ],
    [
      "a null in a condition",
      policyOf({ Condition: { StringEquals: { k: null } } }),
      "Statement.1.Condition.StringEquals.k",
    ],
    [
      "an empty condition list",
      policyOf({ Condition: { StringEquals: { k: [] } } }),
      "Statement.1.Condition.StringEquals.k",
    ],
    ["an empty Null", policyOf({ Condition: { Null: { k: [] } } }), "Statement.1.Condition.Null.k"],
    [
      "a Null that is neither",
      policyOf({ Condition: { Null: { k: "yes" } } }),
      "Statement.1.Condition.Null.k",
    ],
    ["a condition that is none", policyOf({ Condition: [] }), "Statement.1.Condition"],
    [
      "a block that is none",
      policyOf({ Condition: { StringLike: "x" } }),
      "Statement.1.Condition.StringLike",
    ],
  ])("%s", (_, policy, path) => {
    const ask = () => decide(policy as AnyPolicy, { action: "s3:GetObject", resource: OBJECT });
    const { message, ...fault } = faultOf(ask);
    expect(fault).toEqual({ code: "UNSUPPORTED_POLICY", paths: [path] });
    expect(message).toMatch(/(must|is not|could not be read).*\.$/);
  });

  test("a request that is none is INVALID_REQUEST", () => {
    const ask = (request: unknown) =>
      faultOf(() => decide(allow("*"), request as { action: string; resource: string }));
    expect(ask(null).code).toBe("INVALID_REQUEST");
    expect(ask({ action: 1, resource: OBJECT })).toMatchObject({
      code: "INVALID_REQUEST",
      paths: ["action"],
    });
    expect(ask({ action: "s3:GetObject" })).toMatchObject({
      code: "INVALID_REQUEST",
      paths: ["resource"],
    });
    expect(ask({ action: "s3:GetObject", resource: OBJECT, context: { k: 1 } }).paths).toEqual([
      "context.k",
    ]);
  });
});

test("patterns and resources far longer than ARNs are refused, rather than matched for hours", () => {
  const Statement = {
    Effect: "Allow",
    Action: "sqs:SendMessage",
    Resource: `${S3}*${"a".repeat(500_000)}b`,
  };
  const request = { action: "sqs:SendMessage", resource: S3 + "a".repeat(1_000_000) };
  expect(faultOf(() => decide({ Version: "2012-10-17", Statement }, request)).code).toBe(
    "UNSUPPORTED_POLICY",
  );
  // As long as ARNs may be, they are matched whatever the pattern.
  const worst = { ...Statement, Resource: `${S3}*${"a".repeat(1000)}b` };
  const longest = { ...request, resource: S3 + "a".repeat(2048) };
  expect(decide({ Version: "2012-10-17", Statement: worst }, longest).decision).toBe(
    "implicitlyDenied",
  );
});

test.each(["s3:prefix", ["s3:prefix"], null, 1])("a context of %j is none", (context) => {
  const policy = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*" },
  };
  const request = { action: "sqs:SendMessage", resource: OBJECT, context: context as never };
  expect(faultOf(() => decide(policy, request))).toMatchObject({
    code: "INVALID_REQUEST",
    paths: ["context"],
  });
});

test("a context key with no values is absent", () => {
  const policyOf = (Condition: object): AnyPolicy => ({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: Condition as never },
  });
  const request = { action: "sqs:SendMessage", resource: OBJECT, context: { k: [] } };
  expect(isAllowed(policyOf({ Null: { k: "true" } }), request)).toBe(true);
  expect(isAllowed(policyOf({ Null: { k: "false" } }), request)).toBe(false);
  expect(isAllowed(policyOf({ StringLike: { k: "*" } }), request)).toBe(false);
});

test.each<[unknown, unknown, boolean]>([
  [true, "true", true],
  ["true", true, true],
  ["false", false, false],
  [[true], ["true"], true],
  [[false], ["false"], false],
])("Null takes %j as it takes %j, for a key that is absent", (one, other, allowed) => {
  const request = { action: "sqs:SendMessage", resource: OBJECT };
  for (const k of [one, other]) {
    const Statement = {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { Null: { k: k as never } },
    };
    const policy: AnyPolicy = { Version: "2012-10-17", Statement };
    expect(isAllowed(policy, request)).toBe(allowed);
    expect(isAllowed(policy, { ...request, context: { k: "v" } })).toBe(!allowed);
  }
});

test("a long text is matched in few steps where it takes few", () => {
  const Statement = { Effect: "Allow", Action: "sqs:SendMessage", Resource: `${S3}*z` };
  const policy: AnyPolicy = { Version: "2012-10-17", Statement };
  const resource = `${S3}${"a".repeat(10_000)}z`;
  expect(isAllowed(policy, { action: "sqs:SendMessage", resource })).toBe(true);
});

test("a context key twice, in two cases, has the values of both", () => {
  const policy: AnyPolicy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { StringEquals: { k: "b" } },
    },
  };
  const request = { action: "sqs:SendMessage", resource: OBJECT };
  expect(isAllowed(policy, { ...request, context: { K: "a", k: "b" } })).toBe(true);
  expect(isAllowed(policy, { ...request, context: { K: "a", k: "c" } })).toBe(false);
});
