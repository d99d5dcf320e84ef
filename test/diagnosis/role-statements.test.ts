/** A denial by the role proposes the statement of the role's policy, so that one audit and one denial agree. */
import { describe, expect, test } from "vitest";
import { diagnoseAccessDenied, type Remedy } from "../../src/diagnosis/index.ts";
import { auditRole, rolePolicy } from "../../src/setup/index.ts";
import { allows } from "../support/iam.ts";

const key = (id: number) =>
  `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-44444444444${id}`;
const storageConfig = {
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  region: "us-west-2",
  allowedLocations: ["s3://lake/db", "s3://lake/raw", "s3://pond/x*", "s3://whole"],
  encryptionKeys: [key(1)],
  decryptionKeys: [key(2)],
};
const options = { objectVersions: true, abortMultipartUploads: true };
const whole = rolePolicy(storageConfig, options);

function denial(action: string, resource: string, by: string): string {
  return `User: arn:aws:sts::123456789012:assumed-role/polaris/s is not authorized to perform: ${action} on resource: "${resource}" because no ${by} policy allows the ${action} action`;
}

function statementsOf(remedy: Remedy | undefined): object[] {
  if (remedy === undefined) return [];
  return [remedy.statement ?? {}, ...statementsOf(remedy.also)];
}

const cases = [...new Set(whole.Statement.flatMap(({ Action }) => Action))].flatMap((action) => {
  if (action.startsWith("kms:")) return [{ action, resource: key(1) }];
  const isOfObjects = !/^s3:(?:List|GetBucket)/.test(action);
  return [{ action, resource: `arn:aws:s3:::lake${isOfObjects ? "/db/t/f" : ""}` }];
});

describe("a denial by the role's own policy", () => {
  test.each(cases)("proposes rolePolicy's statements for $action", ({ action, resource }) => {
    const text = denial(action, resource, "identity-based");
    const [diagnosis] = diagnoseAccessDenied(text, storageConfig, undefined, options);
    expect(diagnosis?.cause).toBe("role-policy");
    const added = statementsOf(diagnosis?.remedy);
    const Statement = whole.Statement.flatMap((statement) => {
      const Action = [statement.Action].flat().filter((one) => one !== action);
      return Action.length > 0 ? [{ ...statement, Action }] : [];
    });
    const audited = (statements: object[]) =>
      auditRole({
        storageConfig,
        policies: [{ Version: "2012-10-17", Statement: statements }],
        options,
      });
    expect(audited(Statement).missing.map(({ request }) => request.action)).toContain(action);
    expect(audited([...Statement, ...added])).toEqual({ missing: [], excess: [], unknown: [] });
    const context = {
      "kms:ViaService": "s3.us-west-2.amazonaws.com",
      ...(action === "s3:ListBucket" && { "s3:prefix": "db/t/" }),
    };
    const first = { Version: "2012-10-17", Statement: added.slice(0, 1) };
    expect(allows(first as never, { action, resource, context })).toBe(true);
  });

  test("proposes what the request needs where no session needs it, or the catalog is not known", () => {
    const own = { Effect: "Allow", Action: "s3:GetObjectAcl", Resource: "arn:aws:s3:::lake/db/f" };
    const text = denial(own.Action, own.Resource, "identity-based");
    expect(diagnoseAccessDenied(text, storageConfig)[0]?.remedy?.statement).toEqual(own);
    expect(diagnoseAccessDenied(text)[0]?.remedy?.statement).toEqual(own);
  });
});

test("a denial by a bucket's policy proposes the statement for that bucket only", () => {
  const text = denial("s3:GetObject", "arn:aws:s3:::lake/db/t/f", "resource-based");
  expect(diagnoseAccessDenied(text, storageConfig)[0]?.remedy?.statement).toMatchObject({
    Principal: { AWS: storageConfig.roleArn },
    Resource: ["arn:aws:s3:::lake/db/*", "arn:aws:s3:::lake/raw/*"],
  });
});
