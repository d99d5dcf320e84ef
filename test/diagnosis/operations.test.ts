/** Whatever prints it, an operation that was refused is answered with the access that its session lacks. */
import { expect, test } from "vitest";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";

type Access = (typeof ACCESSES)[number];

const ACCESSES = ["read", "list", "write", "delete"] as const;
const TABLE = "s3://lake-x/db/orders";
const KEY = "db/orders/data/f.parquet";
const OPERATIONS: Readonly<Record<string, Access>> = {
  HeadObject: "read",
  GetObject: "read",
  PutObject: "write",
  CreateMultipartUpload: "write",
  UploadPart: "write",
  CompleteMultipartUpload: "write",
  CopyObject: "write",
  UploadPartCopy: "write",
  DeleteObject: "delete",
  DeleteObjects: "delete",
  ListObjectsV2: "list",
  ListObjects: "list",
};
const VERBS = { read: "GET", write: "PUT", delete: "DELETE", list: "GET" } as const;

const snake = (name: string) =>
  name
    .replace(/V2$/, "_v2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
const camel = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

const FORMS: Readonly<Record<string, (operation: string, access: Access) => string | undefined>> = {
  boto3: (op) =>
    `botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ${op} operation: Unknown`,
  s3fs: (op) =>
    `  File "s3fs/core.py", line 300, in _call_s3\n    "${snake(op)}", bucket\nbotocore.exceptions.ClientError: An error occurred (403) when calling the ${op} operation: Forbidden\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File "a.py", line 1\nPermissionError: Forbidden`,
  Arrow: (op) =>
    `OSError: When doing something for key '${KEY}' in bucket 'lake-x': AWS Error ACCESS_DENIED during ${op} operation: No response body.`,
  "Arrow, of another store": (op) =>
    `OSError: When x for key '${KEY}' in bucket 'lake-x': AWS Error UNKNOWN (HTTP status 403) during ${op} operation: No response body.`,
  "Java 2": (op) =>
    `java.io.UncheckedIOException: Failed\nCaused by: software.amazon.awssdk.services.s3.model.S3Exception: Access Denied (Service: S3, Status Code: 403, Request ID: X)\n\tat software.amazon.awssdk.core.internal.http.X(X.java:1)\n\tat software.amazon.awssdk.services.s3.DefaultS3Client.${camel(op)}(DefaultS3Client.java:1)`,
  "Java, a bare Forbidden": (op) =>
    `software.amazon.awssdk.services.s3.model.S3Exception: Forbidden (Service: S3, Status Code: 403, Request ID: X)\n\tat software.amazon.awssdk.services.s3.DefaultS3AsyncClient.${camel(op)}(X.java:1)\n\tat x.y(s3://lake-x/${KEY})`,
  "Java 1": (op) =>
    op.endsWith("V2") || op === "HeadObject" || /Part|Create|Complete/.test(op)
      ? undefined
      : `com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X)\n\tat com.amazonaws.services.s3.AmazonS3Client.${camel(op)}(AmazonS3Client.java:1)`,
  "Java 1, by other names": (op) =>
    op === "HeadObject"
      ? `com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden (Service: Amazon S3; Status Code: 403; Error Code: 403 Forbidden; Request ID: X)\n\tat com.amazonaws.services.s3.AmazonS3Client.getObjectMetadata(AmazonS3Client.java:1)`
      : op === "CreateMultipartUpload"
        ? `AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)\n\tat com.amazonaws.services.s3.AmazonS3Client.initiateMultipartUpload(A.java:1)`
        : undefined,
  Go: (op) =>
    `operation error S3: ${op}, https response error StatusCode: 403, RequestID: X, HostID: Y, api error AccessDenied: Access Denied`,
  JavaScript: (op) =>
    `AccessDenied: Access Denied\n    at throwDefaultError (x.js:1)\n    at de_${op}CommandError (x.js:1) {\n  '$fault': 'client',\n  '$metadata': { httpStatusCode: 403, requestId: 'X' } }`,
  "JavaScript, by its command": (op) =>
    `AccessDenied: Access Denied\n    at ProtocolLib.getErrorSchemaOrThrowBaseException (x.js)\n    at async S3Client.send\n    at async ${camel(op)} (app.js:1) {\n  '$metadata': { httpStatusCode: 403 } , Code: 'AccessDenied' } new ${op}Command({ Bucket: 'lake-x', Key: '${KEY}' })`,
  PHP: (op) =>
    `Error executing "${op}" on "https://lake-x.s3.eu-west-1.amazonaws.com/${op.startsWith("List") ? "?list-type=2&prefix=db%2Forders%2F" : KEY}"; AWS HTTP error: Client error: 403 AccessDenied (client): Access Denied - <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`,
  "AWS CLI": (op) =>
    `aws: [ERROR]: An error occurred (AccessDenied) when calling the ${op} operation: Access Denied`,
  OpenDAL: (_, access) =>
    `PermissionDenied (permanent) at ${access}, context: { uri: https://s3.eu-west-1.amazonaws.com/lake-x/${access === "list" ? "?list-type=2&prefix=db/orders/" : KEY}, service: s3, path: ${access === "list" ? "db/orders/" : KEY} } => S3Error { code: "AccessDenied", message: "Access Denied", resource: "", request_id: "X" }`,
  object_store: (_, access) =>
    access === "list"
      ? `Generic S3 error: Error performing list request: Error performing GET https://s3.eu-west-1.amazonaws.com/lake-x?list-type=2&prefix=db%2Forders%2F in 1ms - Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code></Error>`
      : `The operation lacked the necessary privileges to complete for path ${KEY}: Error performing ${VERBS[access]} https://s3.eu-west-1.amazonaws.com/lake-x/${KEY} in 1ms - Server returned non-2xx status code: 403 Forbidden: `,
  CloudTrail: (op, access) =>
    JSON.stringify({
      eventSource: "s3.amazonaws.com",
      eventName: op,
      errorCode: "AccessDenied",
      errorMessage: "Access Denied",
      requestParameters: {
        bucketName: "lake-x",
        ...(access === "list" ? { prefix: "db/orders/" } : { key: KEY }),
      },
    }),
  Rust: (op) =>
    `thread 'main' panicked: ServiceError(ServiceError { source: Unhandled(Unhandled { source: ErrorMetadata { code: Some("AccessDenied"), message: Some("Access Denied") } }) }) aws_sdk_s3::operation::${snake(op)}::${op}Error`,
  "access log": (op, access) =>
    access === "list"
      ? undefined
      : `79a59df900b949e55d lake-x [06/Feb/2025:00:00:38 +0000] 192.0.2.3 - 3E57 REST.${op === "HeadObject" ? "HEAD" : VERBS[access]}.OBJECT ${KEY} "${VERBS[access]} /lake-x/${KEY} HTTP/1.1" 403 AccessDenied 243 - 7 - "-" "-" -`,
  Terraform: (op) =>
    `Error: uploading S3 Object (${KEY}) to Bucket (lake-x): operation error S3: ${op}, https response error StatusCode: 403, RequestID: X, HostID: Y, api error AccessDenied: Access Denied`,
};

test.each(Object.entries(FORMS))("%s", (_, textOf) => {
  let tried = 0;
  for (const [operation, access] of Object.entries(OPERATIONS)) {
    const text = textOf(operation, access);
    if (text === undefined) continue;
    tried++;
    const held = ACCESSES.filter((other) => other !== access).map((other) => [other, [TABLE]]);
    const [found] = diagnoseAccessDenied(
      text,
      { roleArn: "arn:aws:iam::123456789012:role/polaris", kmsUnavailable: true },
      Object.fromEntries(held),
    );
    const changes = [found?.remedy, ...(found?.alternatives ?? [])];
    expect(changes, operation).toContainEqual(
      expect.objectContaining({ cliFlag: `--${access}`, value: TABLE }),
    );
  }
  expect(tried).toBeGreaterThan(1);
});
