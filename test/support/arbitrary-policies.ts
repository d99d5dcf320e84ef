/** Policies and requests over a small alphabet, so that they meet often. */
import fc, { type Arbitrary } from "fast-check";
import type { Request } from "./iam.ts";

export interface ArbitraryPolicy {
  readonly Version: "2012-10-17" | "2008-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow" | "Deny";
    readonly Action?: string | string[];
    readonly NotAction?: string | string[];
    readonly Resource?: string | string[];
    readonly NotResource?: string | string[];
    readonly Condition?: Record<string, Record<string, string | string[]>>;
  }[];
}

const oneOrMany = <T>(value: Arbitrary<T>): Arbitrary<T | T[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
const text = (...parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 4 }).map((all) => all.join(""));

const pattern = text("a", "b", "/", "*", "?", "${*}", "${?}", "${$}");
const literal = text("a", "b", "/", "*", "?", "$", "A");
const action = fc.constantFrom(
  "*",
  "s3:*",
  "s3:Get*",
  "S3:getobject",
  "s3:GetObject",
  "s3:?etObject",
  "s3:ListBucket",
  "s3:*Job",
  "s3:*AccessGrant*",
  "s3:*StorageLens*",
  "s3:*MultiRegion*",
  "s3:*ObjectLambda",
  "sts:*",
  "s3-outposts:*",
  "kms:Decrypt",
  "kms:*",
  "sqs:Send*",
);

/** The beginnings of ARNs of every type of resource that the actions above are about. */
export const HEADS = [
  "arn:aws:s3:::",
  "arn:aws:s3:::b/",
  "arn:aws-cn:s3:::b/",
  "arn:aws:s3:us-west-2:123456789012:accesspoint/a",
  "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/",
  "arn:aws:s3:eu-west-1:123456789012:job/",
  "arn:aws:kms:us-west-2:123456789012:key/",
  "arn:aws:kms:us-west-2:123456789012:alias/",
  "arn:aws:s3::123456789012:accesspoint/a",
  "arn:aws:s3::123456789012:accesspoint/a/object/",
  "arn:aws:s3:us-west-2:123456789012:async-request/mrap/a/",
  "arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/",
  "arn:aws:s3:us-west-2:123456789012:storage-lens/",
  "arn:aws:s3:us-west-2:123456789012:storage-lens-group/",
  "arn:aws:s3:us-west-2:123456789012:access-grants/default",
  "arn:aws:s3:us-west-2:123456789012:access-grants/default/location/",
  "arn:aws:s3:us-west-2:123456789012:access-grants/default/grant/",
  "arn:aws:s3-outposts:us-west-2:123456789012:outpost/a/bucket/",
  "arn:aws:iam::123456789012:role/",
] as const;
const resource = fc.oneof(
  fc.constant("*"),
  fc.tuple(fc.constantFrom(...HEADS), pattern).map(([head, tail]) => head + tail || "*"),
  fc
    .tuple(
      fc.constantFrom(
        "arn:*:s3:::",
        "arn:aws*:s3:::b*",
        "arn:aws:s3:*b/",
        "arn:aws:s3:*:*:access*",
        "arn:aws:s3:us-*-2:1*2:accesspoint/",
        "arn:aws:kms:us-w*2:key/",
        "arn:aws:kms:*:key/",
        "arn:aws:kms:us-????-2:*:key/",
        "arn:aws:s3:*",
        "arn:aws:s3:*:*:storage-lens*",
        "arn:aws:s3::*:accesspoint/",
        "arn:aws:s3:us-w*:*:access-grants/*/",
        "arn:aws:s3-object-lambda:*:*:",
        "arn:aws:iam::*:r",
      ),
      pattern,
    )
    .map((parts) => parts.join("")),
);
const operator = fc.constantFrom(
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "StringEqualsIfExists",
  "StringNotEqualsIfExists",
  "StringLikeIfExists",
  "StringNotLikeIfExists",
);
const key = fc.constantFrom("k", "K", "j");
const block = fc.dictionary(key, oneOrMany(pattern), {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
});
const nullBlock = fc.dictionary(key, oneOrMany(fc.constantFrom("true", "false")), {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
});
const condition = fc
  .tuple(
    fc.dictionary(operator, block, { maxKeys: 2, noNullPrototype: true }),
    fc.option(nullBlock, { nil: undefined }),
  )
  .map(([operators, Null]) => ({ ...operators, ...(Null && { Null }) }));

/** An element, or its opposite. */
const eitherOf = <T>(element: string, value: Arbitrary<T>) =>
  fc
    .tuple(fc.constantFrom(element, element, element, `Not${element}`), oneOrMany(value))
    .map(([name, values]) => ({ [name]: values }));

export const arbitraryPolicy: Arbitrary<ArbitraryPolicy> = fc.record({
  Version: fc.constantFrom("2012-10-17" as const, "2012-10-17" as const, "2008-10-17" as const),
  Statement: fc.array(
    fc
      .tuple(
        fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const),
        eitherOf("Action", action),
        eitherOf("Resource", resource),
        fc.option(condition, { nil: undefined }),
      )
      .map(([Effect, actions, resources, Condition]) => ({
        Effect,
        ...actions,
        ...resources,
        ...(Condition && { Condition }),
      })),
    { minLength: 1, maxLength: 3 },
  ),
});

/** Actions of every type of resource, and one of a service that is not known. */
export const ACTIONS = [
  "s3:GetObject",
  "s3:ListBucket",
  "s3:GetBucketLocation",
  "s3:DescribeJob",
  "s3:GetAccessPoint",
  "s3:ListAllMyBuckets",
  "kms:Decrypt",
  "kms:CreateAlias",
  "sqs:SendMessage",
  "s3:GetMultiRegionAccessPoint",
  "s3:DescribeMultiRegionAccessPointOperation",
  "s3:GetAccessPointPolicy",
  "s3:GetAccessPointForObjectLambda",
  "s3:GetStorageLensConfiguration",
  "s3:GetStorageLensGroup",
  "s3:GetAccessGrantsInstance",
  "s3:GetAccessGrantsLocation",
  "s3:GetAccessGrant",
  "s3-outposts:GetObject",
  "sts:AssumeRole",
  "sts:SetContext",
  "sts:AssumeRoot",
] as const;

export const arbitraryRequest: Arbitrary<Request> = fc.record(
  {
    action: fc.constantFrom(...ACTIONS, "S3:GETOBJECT"),
    resource: fc.tuple(fc.constantFrom(...HEADS), literal).map(([head, tail]) => `${head}x${tail}`),
    context: fc.dictionary(key, oneOrMany(literal), { maxKeys: 2, noNullPrototype: true }),
  },
  { requiredKeys: ["action", "resource"] },
);
