/** What stands behind a session, from the command line: each format is read by a parser of others. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseHcl } from "@cdktf/hcl2json";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { keyPolicyStatements, rolePolicy, trustPolicy } from "../../src/setup/index.ts";
import { ROOT, run } from "../support/command.ts";
import { temporaryFiles } from "../support/files.ts";

const CATALOG = join(ROOT, "docs/examples/quickstart_catalog.json");
const catalog = JSON.parse(readFileSync(CATALOG, "utf8"));
const config = catalog.storageConfigInfo;
const principal = "arn:aws:iam::123456789012:role/polaris-server";
/** Locations that are hard to quote: a policy's escapes, Terraform's templates, quotes. */
const odd = {
  ...config,
  allowedLocations: [
    "s3://polaris-quickstart/warehouse",
    's3://lake/${a}/%{b}/"c"/*',
    "s3://lake/é売\\n",
  ],
};

const { file } = temporaryFiles();

interface TerraformStatement {
  readonly effect: string;
  readonly actions: string[];
  readonly resources?: string[];
  readonly principals?: [{ type: string; identifiers: string[] }];
  readonly condition?: { test: string; variable: string; values: string[] }[];
}

/** The statements of all data sources, as the policy of `json` would have them. */
async function statementsInTerraform(text: string): Promise<object[]> {
  const { data } = (await parseHcl("policy.tf", text)) as {
    data: { aws_iam_policy_document: Record<string, [{ statement: TerraformStatement[] }]> };
  };
  // The parser leaves the escapes of templates as they are written.
  const plain = (text: string) => text.replaceAll("$${", "${").replaceAll("%%{", "%{");
  return Object.values(data.aws_iam_policy_document).flatMap(([{ statement }]) =>
    statement.map(({ effect, actions, resources, principals, condition }) => ({
      Effect: effect,
      Action: actions,
      ...(resources && { Resource: resources.map(plain) }),
      ...(principals && { Principal: { [principals[0].type]: principals[0].identifiers } }),
      ...(condition && {
        Condition: condition.map(({ test, variable, values }) => [
          test,
          variable,
          values.map(plain),
        ]),
      }),
    })),
  );
}

/** A statement with lists everywhere, and its conditions a row each. */
function listed(statement: object): object {
  const { Action, Resource, Principal, Condition, ...rest } = statement as Record<string, unknown>;
  const rows = Object.entries((Condition ?? {}) as Record<string, Record<string, unknown>>).flatMap(
    ([test, keys]) => Object.entries(keys).map(([key, values]) => [test, key, [values].flat()]),
  );
  return {
    ...rest,
    Action: [Action].flat(),
    ...(Resource === undefined ? {} : { Resource: [Resource].flat() }),
    ...(Principal === undefined
      ? {}
      : { Principal: { AWS: [(Principal as never)["AWS"]].flat() } }),
    ...(rows.length === 0 ? {} : { Condition: rows }),
  };
}

describe.each([
  ["the guide's catalog", catalog, config],
  ["a catalog whose locations are hard to quote", { ...catalog, storageConfigInfo: odd }, odd],
])("of %s", (name, document, fields) => {
  const role = rolePolicy(fields);
  const trust = trustPolicy(fields, { principal, tags: true });
  const keys = keyPolicyStatements(fields);
  const commands = [
    ["role-policy", [], role.Statement, role],
    ["trust-policy", ["--principal", principal, "--tags"], trust.Statement, trust],
    ["key-policy", [], keys, keys],
  ] as const;

  test.each(commands)("%s prints the library's JSON", async (command, args, _, expected) => {
    const { status, out } = await run([
      command,
      "--config",
      file(`${name}.json`, document),
      ...args,
    ]);
    expect([status, JSON.parse(out)]).toEqual([0, expected]);
  });

  test.each(commands)(
    "%s prints Terraform with the same statements",
    async (command, args, all) => {
      const path = file(`${name}.json`, document);
      const { out } = await run([command, "--config", path, ...args, "--format", "terraform"]);
      expect(await statementsInTerraform(out)).toEqual(all.map(listed));
    },
  );

  test.each(commands)("%s prints CloudFormation with the same", async (command, args, all) => {
    const path = file(`${name}.json`, document);
    const { out } = await run([command, "--config", path, ...args, "--format", "cloudformation"]);
    const template = parseYaml(out) as {
      AWSTemplateFormatVersion: string;
      Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
    };
    expect(template.AWSTemplateFormatVersion).toBe("2010-09-09");
    const policies = Object.values(template.Resources).map(
      ({ Properties }) =>
        (Properties["PolicyDocument"] ??
          Properties["AssumeRolePolicyDocument"] ??
          Properties["KeyPolicy"]) as { Statement: object[] },
    );
    expect(policies.flatMap(({ Statement }) => Statement)).toEqual(all);
  });
});

test("CloudFormation attaches the role's policy to the role", async () => {
  const args = ["role-policy", "--config", CATALOG, "--format", "cloudformation"];
  const { Resources } = parseYaml((await run(args)).out);
  expect(Resources.PolarisRolePolicy).toMatchObject({
    Type: "AWS::IAM::ManagedPolicy",
    Properties: { Roles: ["polaris"] },
  });
});

test("trust-policy trusts the configuration's user if no principal is given", async () => {
  const userArn = "arn:aws:iam::123456789012:user/polaris";
  const { out } = await run(["trust-policy", "--config", CATALOG, "--user-arn", userArn]);
  expect(JSON.parse(out)).toEqual(trustPolicy(config, { principal: userArn }));
});

test("a format that there isn't is refused", async () => {
  const { status, err } = await run(["role-policy", "--config", CATALOG, "--format", "yaml"]);
  expect([status, err]).toEqual([2, expect.stringContaining("Use json, terraform or cloudform")]);
});

describe("check-config", () => {
  const unsafe = { ...catalog, name: "unsafe", storageConfigInfo: { ...config, externalId: null } };
  const wrong = { ...catalog, name: "wrong", storageConfigInfo: { ...config, roleArn: "role" } };

  test("finds nothing in a sound catalog", async () => {
    expect(await run(["check-config", CATALOG])).toEqual({
      status: 0,
      out: "quickstart_catalog: no findings\n",
      err: "",
    });
  });

  test("tells what is wrong with each catalog of a list, and fails for errors", async () => {
    const lines = [catalog, unsafe, wrong].map((one) => JSON.stringify(one)).join("\n");
    const path = file("catalogs.json", lines);
    const { status, out } = await run(["check-config", path]);
    expect(status).toBe(1);
    expect(out).toMatch(/^quickstart_catalog: no findings\n\nunsafe:\n {2}warning NO_EXTERNAL_ID/);
    expect(out).toMatch(
      /\nwrong:\n {2}error INVALID_STORAGE_CONFIG at storageConfigInfo\.roleArn\n/,
    );
    const json = JSON.parse((await run(["check-config", path, "--json"])).out);
    expect(json).toMatchObject([
      { catalog: "quickstart_catalog", findings: [] },
      { file: path, catalog: "unsafe", findings: [{ code: "NO_EXTERNAL_ID" }] },
      {
        catalog: "wrong",
        findings: [{ severity: "error", path: ["storageConfigInfo", "roleArn"] }],
      },
    ]);
  });

  test("fails for a warning only with --strict", async () => {
    const path = file("unsafe.json", unsafe);
    expect((await run(["check-config", path])).status).toBe(0);
    expect((await run(["check-config", path, "--strict"])).status).toBe(1);
    const both = await run(["check-config", path, CATALOG, "--strict"]);
    expect(both.status).toBe(1);
  });
});

describe("diff", () => {
  const after = {
    ...catalog,
    properties: { "default-base-location": "s3://polaris-quickstart/warehouse/db" },
    storageConfigInfo: { ...config, allowedLocations: ["s3://polaris-quickstart/warehouse/db"] },
  };

  test("shows what a change of the catalog loses", async () => {
    const { status, out } = await run(["diff", CATALOG, file("after.json", after)]);
    expect(status).toBe(1);
    expect(out).toMatch(/^Nothing is gained\.\n\nLost:\nEFFECT/);
    expect(out).toMatch(/^Allow +s3:DeleteObject +polaris-quickstart\/warehouse\/\*$/m);
    // Every session may still ask for the bucket's region, and keys are the same.
    expect(out).not.toMatch(/GetBucketLocation|kms:/);
  });

  test("shows what it gains, the other way round", async () => {
    const { status, out } = await run(["diff", file("after.json", after), CATALOG, "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      gained: [{ objects: "warehouse/*" }, { actions: ["s3:ListBucket"] }],
      lost: [],
    });
  });

  test("compares a catalog with itself as flags change it", async () => {
    const { out } = await run(["diff", CATALOG, "--no-kms"]);
    expect(out).toMatch(/^Nothing is gained\.\n\nLost:\n/);
    expect(out.match(/kms:Decrypt/g)).toHaveLength(3);
    expect(await run(["diff", CATALOG])).toMatchObject({
      status: 0,
      out: "Nothing is gained.\n\nNothing is lost.\n",
    });
  });

  test("compares two catalogs of a list, and one session of both", async () => {
    const list = file("two.json", [catalog, { ...after, name: "after" }]);
    const names = ["--catalog", "quickstart_catalog", "--catalog", "after"];
    const table = "s3://polaris-quickstart/warehouse/db/t";
    expect((await run(["diff", list, list, ...names])).status).toBe(1);
    expect((await run(["diff", list, list, ...names, "--read", table])).status).toBe(0);
  });
});
