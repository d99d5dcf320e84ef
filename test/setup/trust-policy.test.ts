import { describe, expect, test } from "vitest";
import { trustPolicy } from "../../src/setup/index.ts";
import { faultOf } from "../support/errors.ts";

const SERVER = "arn:aws:iam::123456789012:role/polaris-server";
const config = { roleArn: "arn:aws:iam::123456789012:role/polaris", externalId: "ext-1" };

describe("trustPolicy", () => {
  test("lets the catalog server assume the role, with the external id", () => {
    expect(trustPolicy(config, { principal: SERVER })).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: SERVER },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "sts:ExternalId": "ext-1" } },
        },
      ],
    });
  });

  test("lets it pass Polaris' tags where sessions have them", () => {
    expect(trustPolicy(config, { principal: SERVER, tags: true }).Statement[1]).toEqual({
      Effect: "Allow",
      Principal: { AWS: SERVER },
      Action: "sts:TagSession",
      Condition: { "ForAllValues:StringLike": { "aws:TagKeys": "polaris:*" } },
    });
  });

  test("has no condition without an external id", () => {
    const { Statement } = trustPolicy({ roleArn: config.roleArn }, { principal: SERVER });
    expect(Statement[0]).not.toHaveProperty("Condition");
  });

  test.each([
    "123456789012",
    "arn:aws:iam::123456789012:root",
    "arn:aws-cn:iam::123456789012:user/path/server",
    "arn:aws:sts::123456789012:assumed-role/server/session",
  ])("takes %s as the server", (principal) => {
    expect(trustPolicy(config, { principal }).Statement[0]?.Principal).toEqual({ AWS: principal });
  });

  test.each([
    "*",
    "",
    "arn:aws:iam::123456789012:role/*",
    "arn:aws:iam::*:root",
    "arn:aws:s3:::lake",
    "arn:aws:iam::123456789012:policy/p",
    "polaris",
    1,
    undefined,
  ])("refuses %j as the server", (principal) => {
    expect(faultOf(() => trustPolicy(config, { principal } as never))).toMatchObject({
      code: "INVALID_OPTIONS",
      paths: ["principal"],
    });
  });

  test.each([
    [null, ""],
    [{ principal: SERVER, tags: "yes" }, "tags"],
    [{ principal: SERVER, tag: true }, "tag"],
  ])("refuses the options %j", (options, path) => {
    expect(faultOf(() => trustPolicy(config, options as never))).toMatchObject({
      code: "INVALID_OPTIONS",
      paths: [path],
    });
  });

  test("refuses an external id that STS refuses, without repeating it", () => {
    const fault = faultOf(() => trustPolicy({ externalId: "s3cret*" }, { principal: SERVER }));
    expect(fault).toMatchObject({ code: "INVALID_STORAGE_CONFIG", paths: ["externalId"] });
    expect(fault.message).not.toContain("s3cret");
  });
});
