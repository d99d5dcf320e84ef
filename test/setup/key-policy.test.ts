import { describe, expect, test } from "vitest";
import { keyPolicyStatements } from "../../src/setup/index.ts";
import { faultOf } from "../support/errors.ts";

const roleArn = "arn:aws:iam::123456789012:role/polaris";
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OLD = "arn:aws:kms:eu-west-1:210987654321:key/00000000-1111-2222-3333-444444444444";

describe("keyPolicyStatements", () => {
  test("lets the role encrypt with the current key, and decrypt with both, through S3", () => {
    const config = { roleArn, currentKmsKey: KEY, allowedKmsKeys: [OLD, KEY] };
    const via = (service: string) => ({ StringEquals: { "kms:ViaService": service } });
    expect(keyPolicyStatements(config)).toEqual([
      {
        Effect: "Allow",
        Principal: { AWS: roleArn },
        Action: "kms:Decrypt",
        Resource: OLD,
        Condition: via("s3.eu-west-1.amazonaws.com"),
      },
      {
        Effect: "Allow",
        Principal: { AWS: roleArn },
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: KEY,
        Condition: via("s3.us-west-2.amazonaws.com"),
      },
    ]);
  });

  test("has no condition where the name of S3 is not documented", () => {
    const endpoint = "https://minio.example.com";
    const [statement] = keyPolicyStatements({ roleArn, endpoint, currentKmsKey: KEY });
    expect(statement).not.toHaveProperty("Condition");
  });

  test("has nothing to say without keys, or without KMS", () => {
    expect(keyPolicyStatements({ roleArn })).toEqual([]);
    expect(keyPolicyStatements({ currentKmsKey: KEY, kmsUnavailable: true })).toEqual([]);
  });

  test("needs the role", () => {
    expect(faultOf(() => keyPolicyStatements({ currentKmsKey: KEY }))).toMatchObject({
      code: "INVALID_STORAGE_CONFIG",
      paths: ["roleArn"],
    });
  });
});
