/**
 * The slow judge of an audit: it asks the slow evaluator a pool of requests, each with every value of
 * the condition keys that nobody told, and says what a role lacks, has too much, and what is open.
 */
import { type AnyPolicy, allows, type Request } from "./iam.ts";

const KNOWN = { "aws:SecureTransport": "true", "aws:RequestedRegion": "us-west-2" };
const KEYS = ["11", "22"].map(
  (id) => `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-4444444444${id}`,
);
export const [KEY = "", OTHER_KEY = ""] = KEYS;

const objects = [
  ...["Get", "Put", "Delete"].map((verb) => `s3:${verb}Object`),
  ...["s3:GetObjectTagging", "s3:GetObjectVersion", "s3:PutObjectAcl"],
].flatMap((action) =>
  ["lake/db/t/f", "lake/other/f", "pond/db/f", "sea/f"].map((name) => ({
    action,
    resource: `arn:aws:s3:::${name}`,
  })),
);
const buckets = ["lake", "pond", "sea"].flatMap((bucket): Request[] => {
  const resource = `arn:aws:s3:::${bucket}`;
  return [
    ...["s3:GetBucketLocation", "s3:DeleteBucket", "s3:PutBucketPolicy"].map((action) => ({
      action,
      resource,
    })),
    ...[{}, { "s3:prefix": "db/t/" }, { "s3:prefix": "other/" }].map((context) => ({
      action: "s3:ListBucket",
      resource,
      context,
    })),
  ];
});
const keys = KEYS.flatMap((resource) =>
  ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ScheduleKeyDeletion"].flatMap(
    (action) =>
      [undefined, "us-west-2", "eu-west-1"].map((region) => ({
        action,
        resource,
        ...(region && { context: { "kms:ViaService": `s3.${region}.amazonaws.com` } }),
      })),
  ),
);

/** Requests of S3 and KMS, those that sessions make and others. */
export const REQUESTS: readonly Request[] = [
  ...objects,
  ...buckets,
  ...keys,
  { action: "s3:ListAllMyBuckets", resource: "*" },
];

/** The keys that nobody told, with values that the policies of the tests tell apart. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
  "aws:SourceVpce": ["vpce-1", "vpce-2"],
  "s3:ExistingObjectTag/team": ["lake", "other"],
};

/** Whether all policies allow a request, for each value of a key that nobody told. */
export function answersFor(
  layers: readonly AnyPolicy[],
  request: Request,
  key: string,
): readonly boolean[] {
  return (OPEN[key] ?? []).map((value) => {
    const told = Object.fromEntries(
      Object.entries(OPEN).map(([name, [first = ""]]) => [name, first]),
    );
    const context = { ...KNOWN, ...told, ...request.context, [key]: value };
    return layers.every((policy) => allows(policy, { ...request, context }));
  });
}

export interface Judged {
  readonly request: Request;
  /** The keys that change the answer. */
  readonly opens: readonly string[];
  readonly never: boolean;
}

/** What the policies together say of every request. */
export function judged(layers: readonly AnyPolicy[]): Judged[] {
  return REQUESTS.map((request) => {
    const answers = Object.keys(OPEN).map((key) => ({
      key,
      all: answersFor(layers, request, key),
    }));
    return {
      request,
      opens: answers.filter(({ all }) => new Set(all).size > 1).map(({ key }) => key),
      never: answers.every(({ all }) => all.every((one) => !one)),
    };
  });
}
