/** Sessions on the server: the clients that a catalog and an engine have. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from "@aws-sdk/client-sts";
import { inject } from "vitest";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  type SessionPolicyOptions,
  serializePolicy,
} from "../../src/index.ts";
import { addRole } from "./gateway.ts";

const gateway = inject("gateway");
const { accessKeyId, secretAccessKey, endpoint } = gateway;
const common = { endpoint, region: "us-east-1", maxAttempts: 1 } as const;

/** The gateway refuses policies with KMS statements, and keys are not what is tested here. */
export const storageConfig: AwsStorageConfig = {
  roleArn: gateway.roleArn,
  endpoint,
  kmsUnavailable: true,
};

/** May do everything; for what tests need to be there. */
export const admin = new S3Client({
  ...common,
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
const sts = new STSClient({ ...common, credentials: { accessKeyId, secretAccessKey } });

/** Assumes the role with a policy, as a catalog does, and gives the client that an engine gets. */
export function sessionWith(policy: PolicyDocument): Promise<S3Client> {
  return assume({
    RoleArn: gateway.roleArn,
    RoleSessionName: "PolarisAwsCredentialsStorageIntegration",
    Policy: serializePolicy(policy),
  });
}

/** Sends an AssumeRole request, such as `buildAssumeRoleRequest` makes. */
export async function assume(request: AssumeRoleCommandInput): Promise<S3Client> {
  const { Credentials } = await sts.send(new AssumeRoleCommand(request)).catch((error: unknown) => {
    throw told(`AssumeRole with ${request.Policy}`, error);
  });
  return new S3Client({
    ...common,
    forcePathStyle: true,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    },
  });
}

/** Creates a role with this policy. Returns its ARN. */
export function createRole(name: string, policy: PolicyDocument): string {
  addRole(gateway.conf, name, policy);
  return `arn:aws:iam:::role/${name}`;
}

export function sessionFor(
  locations: Locations,
  options?: SessionPolicyOptions,
): Promise<S3Client> {
  return sessionWith(buildSessionPolicy(storageConfig, locations, options));
}

export async function createBuckets(...buckets: readonly string[]): Promise<void> {
  for (const Bucket of buckets) await admin.send(new CreateBucketCommand({ Bucket }));
}

/** What a request to S3 does, as its operation and the object, or the prefix, that it is about. */
export type Operation =
  | "HeadObject"
  | "GetObject"
  | "GetRange"
  | "PutObject"
  | "MultipartUpload"
  | "AbortedUpload"
  | "DeleteObject"
  | "DeleteObjects"
  | "ListObjects"
  | "ListFolders"
  | "ListEverything"
  | "GetBucketLocation";

export async function put(Bucket: string, Key: string): Promise<void> {
  await admin.send(new PutObjectCommand({ Bucket, Key, Body: "content" }));
}

/** Whether the server lets a client do this. Anything but success and 403 is an error of the test. */
export async function isLet(
  client: S3Client,
  operation: Operation,
  Bucket: string,
  key: string,
): Promise<boolean> {
  try {
    await send(client, operation, Bucket, key);
    return true;
  } catch (error) {
    if (error instanceof Denied || statusOf(error) === 403) return false;
    throw told(`${operation} ${Bucket}/${key}`, error);
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** The SDK's errors hold the whole connection, which no report should print. */
function told(what: string, error: unknown): Error {
  return new Error(`${what}: ${(error as Error).name} (HTTP ${statusOf(error)})`);
}

/** A batch is answered with 200, and each of its keys with an answer of its own. */
class Denied extends Error {}

async function send(client: S3Client, operation: Operation, Bucket: string, Key: string) {
  const at = { Bucket, Key };
  switch (operation) {
    case "HeadObject":
      return client.send(new HeadObjectCommand(at));
    case "GetObject":
    case "GetRange": {
      const Range = operation === "GetRange" ? { Range: "bytes=0-3" } : {};
      const { Body } = await client.send(new GetObjectCommand({ ...at, ...Range }));
      const text = await Body?.transformToString();
      const expected = operation === "GetRange" ? "cont" : "content";
      if (text !== expected) throw new Error(`The object holds ${text}.`);
      return;
    }
    case "PutObject":
      return client.send(new PutObjectCommand({ ...at, Body: "content" }));
    case "MultipartUpload":
    case "AbortedUpload": {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      const upload = { ...at, UploadId };
      const part = new UploadPartCommand({ ...upload, PartNumber: 1, Body: "content" });
      const { ETag } = await client.send(part);
      const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
      return operation === "AbortedUpload"
        ? client.send(new AbortMultipartUploadCommand(upload))
        : client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    }
    case "DeleteObject":
      return client.send(new DeleteObjectCommand(at));
    case "DeleteObjects": {
      const Delete = { Objects: [{ Key }], Quiet: true };
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
      if (Errors.some(({ Code }) => Code === "AccessDenied")) throw new Denied();
      if (Errors.length > 0) throw new Error(`A batch failed: ${Errors[0]?.Code}`);
      return;
    }
    case "ListObjects":
      return client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
    case "ListFolders":
      return client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, Delimiter: "/" }));
    case "ListEverything":
      return client.send(new ListObjectsV2Command({ Bucket }));
    case "GetBucketLocation":
      return client.send(new GetBucketLocationCommand({ Bucket }));
  }
}
