import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAwsPartition, parseEndpoint, parseKmsKeyArn, parseRoleArn } from "../src/arn.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 1000);

/** Polaris' own pattern. It is Java, whose `.` also stops at U+0085; and slow where colons abound. */
function polarisReading(arn: string): { partition: string; account: string } | undefined {
  if (arn.includes("\u0085")) return undefined;
  const [match, partition = "", account = ""] = /^.+:(.*):.+:.*:(.*):.+$/.exec(arn) ?? [];
  return match === undefined ? undefined : { partition, account };
}

describe("a role ARN", () => {
  test("is read by Polaris' pattern, whatever it is", () => {
    const pieces = fc.constantFrom(
      ":",
      ":",
      ":",
      "a",
      "arn",
      "aws",
      "iam",
      "::",
      "role/x",
      "/",
      "\n",
      "\u2028",
      "\u0085",
      "1",
    );
    const usual = fc
      .tuple(
        fc.constantFrom("arn", "urn", ""),
        fc.constantFrom("aws", "aws-cn", "", "a*"),
        fc.constantFrom("iam", "sts", ""),
        fc.constantFrom("", "us-east-1"),
        fc.constantFrom("123456789012", "", "ns1"),
        fc.constantFrom("role/x", "role/a:b/x", "role/a:b:c/x", "root", ""),
      )
      .map((parts) => parts.join(":"));
    const any = fc.array(pieces, { maxLength: 14 }).map((all) => all.join(""));
    fc.assert(
      fc.property(fc.oneof(usual, any), (arn) => {
        expect(parseRoleArn(arn)?.polaris).toEqual(polarisReading(arn));
      }),
      { numRuns: numRuns * 5 },
    );
  });

  test.each([
    ["arn:aws:iam::123456789012:role/x", "aws", "aws", "123456789012"],
    ["arn:aws:iam::123456789012:role/team:lake/x", "aws", "iam", "role/team"],
    ["arn:aws:iam::123456789012:role/a:b:c/x", "aws", "", "b"],
    ["urn:ecs:iam::ns1:role/x", "ecs", "ecs", "ns1"],
    ["arn:minio:iam:::role/x", "minio", "minio", ""],
  ])("%s lies in %s, in Polaris' reading in %j, account %j", (arn, partition, theirs, account) => {
    const read = parseRoleArn(arn);
    expect(read?.partition).toBe(partition);
    expect(read?.polaris.account).toBe(account);
    if (arn.split(":").length === 7) return;
    expect(read?.polaris.partition).toBe(theirs);
  });
});

describe("a key ARN", () => {
  test.each([
    ["arn:aws:kms:us-west-2:123456789012:key/1-a", true, "aws", "us-west-2"],
    [
      "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1",
      true,
      "aws-us-gov",
      "us-gov-west-1",
    ],
    ["arn:Minio:kms:::key/lake", false, "Minio", ""],
    ["arn:minio:kms:local:ns-1:key/lake.2_x", false, "minio", "local"],
    ["arn:aws:kms:us-west-2:123456789012:key/1", false, "aws", "us-west-2"],
  ])("%s, on AWS: %s, is of partition %s and region %j", (arn, onAws, partition, region) => {
    expect(parseKmsKeyArn(arn, onAws)).toEqual({ arn, partition, region });
  });

  test.each([
    ["arn:Minio:kms:::key/lake", true],
    ["arn:a b:kms:us-west-2:123456789012:key/1", true],
    ["arn:aws:kms:US-WEST-2:123456789012:key/1", true],
    ["arn:minio:kms:us-west-2:123456789012:key/1", true],
    ["arn:aws-CN:kms:cn-north-1:123456789012:key/1", true],
    ["arn:aws:kms:us-west-2:1234567890123:key/1", true],
    ["arn:aws:kms:us-west-2:12345678901x:key/1", true],
    ["arn:aws:kms:us-west-2:123456789012:key/1 ", true],
    ["arn:aws:kms:us-west-2:123456789012:keys/1", true],
    ["arn:aws:kms:us-west-2:123456789012:x:key/1", true],
    ["xarn:aws:kms:us-west-2:123456789012:key/1", true],
    ["arn:minio:kms:a b::key/1", false],
    ["arn:minio:kms::a/b:key/1", false],
    ["arn::kms:::key/1", false],
    ["xarn:minio:kms:::key/1", false],
    ["arn:minio:kms:::key/1 ", false],
    ["arn:minio:kms:::key/", false],
  ])("%j, on AWS: %s, is none, and a sentence says what to configure", (arn, onAws) => {
    expect(parseKmsKeyArn(arn, onAws)).toMatch(
      /Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key\/ID.*\.$/,
    );
  });
});

test.each([
  ["arn:aws:kms:us-west-2:123456789012:xkey/1", "does not name a key"],
  ["arn:aws:kms:US west-2:12345:key/1", "lacks the region"],
  ["arn:aws:kms:us-west-2:12345:key/1", "lacks the 12-digit account"],
  ["arn:aws:kms:us-west-2:x123456789012:key/1", "lacks the 12-digit account"],
])("of the key ARN %j it is said that it %s", (arn, what) => {
  expect(parseKmsKeyArn(arn, true)).toContain(what);
});

describe("an endpoint", () => {
  test.each([
    ["https://s3.us-west-2.amazonaws.com", true, true],
    ["HTTPS://S3.US-WEST-2.AMAZONAWS.COM/", true, true],
    ["https://s3.cn-north-1.amazonaws.com.cn:443", true, true],
    ["https://s3.eusc-de-east-1.amazonaws.eu", true, true],
    ["https://s3.us-west-2.api.aws", true, true],
    ["https://s3.cn-north-1.api.amazonwebservices.com.cn", true, true],
    ["https://s3.us-iso-east-1.c2s.ic.gov", true, true],
    ["https://s3.us-isob-east-1.sc2s.sgov.gov", true, true],
    ["https://s3.eu-isoe-west-1.cloud.adc-e.uk", true, true],
    ["https://s3.us-isof-south-1.csp.hci.ic.gov", true, true],
    ["https://s3.us-west-2.amazonaws.com.", true, true],
    ["https://user:pw@s3.us-west-2.amazonaws.com", true, true],
    ["https://amazonaws.com.evil.example", true, false],
    ["https://notamazonaws.com", true, false],
    ["https://amazonaws.com", true, true],
    ["https://s3.amazonaws.com.cn.evil", true, false],
    ["http://minio:9000", true, false],
    ["http://10.0.0.1:9000/path", true, false],
    ["http://[fe80::1]:9000", true, false],
    ["minio:9000", false, false],
    ["localhost", false, false],
    ["s3.us-west-2.amazonaws.com", false, true],
    ["s3.us-west-2.amazonaws.com:443/path", false, true],
    ["s3.us-west-2.amazonaws.com@evil.example", false, false],
    ["", false, true],
  ])("%j has a scheme: %s; is AWS' own: %s", (endpoint, hasScheme, onAws) => {
    expect(parseEndpoint(endpoint)).toEqual({ hasScheme, onAws });
  });

  test.each([
    "https://",
    "https:///path",
    "https://evil.example\\@s3.us-west-2.amazonaws.com",
    "https://a b.amazonaws.com",
    "a b.amazonaws.com",
    "//s3.us-west-2.amazonaws.com",
    " https://s3.us-west-2.amazonaws.com",
    "::::",
    "minio:port",
  ])("%j holds no host", (endpoint) => {
    expect(parseEndpoint(endpoint)).toBeUndefined();
  });
});

test.each([
  ["aws", true],
  ["aws-cn", true],
  ["aws-us-gov", true],
  ["aws-iso-b", true],
  ["", false],
  ["AWS", false],
  ["aws-", false],
  ["aws-cn2", false],
  ["awsx", false],
  ["minio", false],
  ["aws\u0000", false],
  ["aws-a,b", false],
  ['aws-"', false],
])("partition %j is AWS' own: %s", (partition, own) => {
  expect(isAwsPartition(partition)).toBe(own);
});
