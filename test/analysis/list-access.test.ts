import { describe, expect, test } from "vitest";
import { type AccessRow, listAccess } from "../../src/analysis/index.ts";
import { buildSessionPolicy } from "../../src/index.ts";
import { faultOf } from "../support/errors.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const policyOf = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...(Condition && { Condition }),
});
const only = (...statements: object[]): AccessRow | undefined =>
  listAccess(policyOf(...statements))[0];

describe("listAccess", () => {
  test("has a row for each resource, with the actions that apply to it", () => {
    const table = ["s3://lake/db/t"];
    const policy = buildSessionPolicy(
      { currentKmsKey: KEY },
      { read: table, list: table, write: table },
    );
    expect(listAccess(policy)).toStrictEqual([
      {
        statement: 0,
        effect: "Allow",
        actions: ["s3:GetBucketLocation"],
        resource: "arn:aws:s3:::lake",
        bucket: "lake",
        condition: "",
      },
      {
        statement: 0,
        effect: "Allow",
        actions: ["s3:GetObject", "s3:PutObject"],
        resource: "arn:aws:s3:::lake/db/t/*",
        bucket: "lake",
        objects: "db/t/*",
        condition: "",
      },
      {
        statement: 1,
        effect: "Allow",
        actions: ["s3:ListBucket"],
        resource: "arn:aws:s3:::lake",
        bucket: "lake",
        condition: 's3:prefix is like "db/t/*"',
      },
      {
        statement: 2,
        effect: "Allow",
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        resource: KEY,
        key: KEY,
        condition: 'kms:ViaService is "s3.us-west-2.amazonaws.com"',
      },
    ]);
  });

  test("shows a Deny of everything as it is", () => {
    expect(listAccess(buildSessionPolicy({}, {}))).toStrictEqual([
      { statement: 0, effect: "Deny", actions: ["*"], resource: "*", condition: "" },
    ]);
  });

  test.each<[object, string]>([
    [{ StringEquals: { k: "a" } }, 'k is "a"'],
    [{ StringNotEquals: { k: ["a", "b"] } }, 'k is not "a" or "b"'],
    [{ StringLike: { k: "a*" } }, 'k is like "a*"'],
    [{ StringNotLike: { k: "a*" } }, 'k is not like "a*"'],
    [{ StringLikeIfExists: { k: "a*" } }, 'k is like "a*", if it is present'],
    [{ Null: { k: "true" } }, "k is absent"],
    [{ Null: { k: false } }, "k is present"],
    [{ Null: { k: ["true", "false", "true"] } }, "k is absent or present"],
    [{ StringEquals: { k: "a", j: "b" } }, 'k is "a", and j is "b"'],
  ])("says %j in words", (condition, words) => {
    expect(only(allow("s3:GetObject", "*", condition))?.condition).toBe(words);
  });

  test("leaves out resources that no action applies to", () => {
    expect(listAccess(policyOf(allow("s3:GetObject", "arn:aws:s3:::lake")))).toStrictEqual([]);
    expect(
      listAccess(policyOf(allow("s3:ListBucket", ["arn:aws:s3:::lake/*", KEY]))),
    ).toStrictEqual([]);
    expect(listAccess(policyOf(allow("kms:Decrypt", "arn:aws:s3:::lake/*")))).toStrictEqual([]);
  });

  test("shows actions that it does not know for any resource, and all on others' resources", () => {
    expect(
      only(allow(["s3:GetObject", "s3:PutBucketPolicy"], "arn:aws:s3:::lake"))?.actions,
    ).toStrictEqual(["s3:PutBucketPolicy"]);
    expect(
      only(allow(["s3:GetObject", "kms:Decrypt"], "arn:aws:sqs:us-west-2:1:queue")),
    ).toMatchObject({
      actions: ["s3:GetObject", "kms:Decrypt"],
    });
  });

  test("knows that a bucket with a wildcard may stand for objects", () => {
    const actions = ["s3:GetObject", "s3:ListBucket", "kms:Decrypt"];
    expect(only(allow(actions, "arn:aws:s3:::lake*"))?.actions).toStrictEqual([
      "s3:GetObject",
      "s3:ListBucket",
    ]);
    expect(only(allow(actions, "arn:aws:s3:::lak?"))?.actions).toStrictEqual(["s3:ListBucket"]);
    expect(only(allow(actions, "arn:aws:s3:::lake*/x"))?.actions).toStrictEqual(["s3:GetObject"]);
  });

  test("finds buckets only where an ARN begins", () => {
    const wild = only(
      allow("s3:GetObject", "arn:aws:s3:*:*:accesspoint/a/object/arn:aws:s3:::b/*"),
    );
    expect([wild?.bucket, wild?.objects]).toStrictEqual([undefined, undefined]);
    const lines = only(allow("s3:GetObject", "arn:aws:s3:::lake/db\n/*"));
    expect([lines?.bucket, lines?.objects]).toStrictEqual(["lake", "db\n/*"]);
  });

  test("refuses what it does not support", () => {
    expect(
      faultOf(() => listAccess(policyOf({ ...allow("a", "b"), NotAction: "c" }))),
    ).toMatchObject({
      code: "UNSUPPORTED_POLICY",
      paths: ["Statement.0.NotAction"],
    });
  });
});
