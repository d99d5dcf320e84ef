/**
 * The actions that an access needs, one row each. Grants, the analysis' known actions, the diagnosis'
 * questions and the policy reference all read this table. The model of the testing kit does not read
 * it, because the model judges.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @module
 */
import type { Access } from "./locations.ts";
import type { Addition } from "./options.ts";

/**
 * What an action applies to: the objects of a location, its bucket, its bucket under the location's
 * prefix, its bucket if the location is the whole of it, the keys that encrypt new data, or the keys
 * with which only older data is encrypted.
 */
export type ActionResource =
  | "object"
  | "bucket"
  | "prefix"
  | "wholeBucket"
  | "encryptionKey"
  | "decryptionKey";

/** An action that a session may need. */
export interface Action {
  readonly action: string;
  readonly access: readonly Access[];
  readonly resource: ActionResource;
  /** The option that grants it; without one, it is always granted. */
  readonly option?: Addition;
  /** The page of AWS that the row is read from. */
  readonly source: string;
}

const S3_ACTIONS =
  "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html";
const SSE_KMS =
  "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms";
const MULTIPART =
  "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions";
const EVERY: readonly Access[] = ["read", "list", "write", "delete"];

/** The table. A new action is a new row. */
export const ACTIONS: readonly Action[] = [
  { action: "s3:GetObject", access: ["read"], resource: "object", source: S3_ACTIONS },
  {
    action: "s3:GetObjectVersion",
    access: ["read"],
    resource: "object",
    option: "objectVersions",
    source: S3_ACTIONS,
  },
  {
    action: "s3:GetObjectTagging",
    access: ["read"],
    resource: "object",
    option: "objectTags",
    source: S3_ACTIONS,
  },
  { action: "s3:PutObject", access: ["write"], resource: "object", source: S3_ACTIONS },
  {
    action: "s3:AbortMultipartUpload",
    access: ["write"],
    resource: "object",
    option: "abortMultipartUploads",
    source: MULTIPART,
  },
  {
    action: "s3:ListMultipartUploadParts",
    access: ["write"],
    resource: "object",
    option: "listMultipartUploads",
    source: MULTIPART,
  },
  {
    action: "s3:PutObjectAcl",
    access: ["write"],
    resource: "object",
    option: "objectAcls",
    source: S3_ACTIONS,
  },
  {
    action: "s3:PutObjectTagging",
    access: ["write"],
    resource: "object",
    option: "objectTags",
    source: S3_ACTIONS,
  },
  { action: "s3:DeleteObject", access: ["delete"], resource: "object", source: S3_ACTIONS },
  { action: "s3:GetBucketLocation", access: EVERY, resource: "bucket", source: S3_ACTIONS },
  { action: "s3:ListBucket", access: ["list"], resource: "prefix", source: S3_ACTIONS },
  // It knows no s3:prefix, so a location that is not a whole bucket can't have it.
  {
    action: "s3:ListBucketMultipartUploads",
    access: ["write"],
    resource: "wholeBucket",
    option: "listMultipartUploads",
    source: MULTIPART,
  },
  // Writing decrypts as well: S3 reads the parts of a multipart upload back to complete it.
  { action: "kms:Decrypt", access: ["read", "write"], resource: "encryptionKey", source: SSE_KMS },
  { action: "kms:Decrypt", access: ["read"], resource: "decryptionKey", source: SSE_KMS },
  { action: "kms:GenerateDataKey", access: ["write"], resource: "encryptionKey", source: SSE_KMS },
];
