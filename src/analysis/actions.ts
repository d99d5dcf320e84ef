/**
 * The kind of resource that an action applies to. Actions that are not listed are taken to apply to
 * any resource, which finds more differences between policies than there are, never fewer.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 * @module
 */
export type ResourceKind = "object" | "bucket" | "key";

const KINDS: Readonly<Record<ResourceKind, readonly string[]>> = {
  object: [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:DeleteObjectVersion",
    "s3:GetObjectAcl",
    "s3:PutObjectAcl",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
    "s3:RestoreObject",
  ],
  bucket: [
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:DeleteBucket",
  ],
  key: [
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:Encrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:CreateGrant",
  ],
};

/** Actions whose resources we know, as AWS spells them. */
export const KNOWN_ACTIONS: readonly string[] = Object.values(KINDS).flat();

/** Patterns that tell the kind of an ARN. */
export const KIND_PATTERNS: readonly string[] = ["arn:*:s3:::*/*", "arn:*:s3:::*", "arn:*:kms:*"];

/** The kinds of resource that an ARN is: none, one, or for a contrived ARN two. */
export function kindsOf(arn: string): ReadonlySet<ResourceKind> {
  const kinds = new Set<ResourceKind>();
  if (/^arn:.*:s3:::.*\//s.test(arn)) kinds.add("object");
  else if (/^arn:.*:s3:::/s.test(arn)) kinds.add("bucket");
  if (/^arn:.*:kms:/s.test(arn)) kinds.add("key");
  return kinds;
}

/** The kind of resource that an action, in any case, applies to; undefined for any. */
export function resourceKindOf(action: string): ResourceKind | undefined {
  const wanted = action.toLowerCase();
  for (const kind of ["object", "bucket", "key"] as const) {
    if (KINDS[kind].some((known) => known.toLowerCase() === wanted)) return kind;
  }
  return undefined;
}
