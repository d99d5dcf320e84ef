/** The role behind the sessions of a catalog, judged from the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditRole, keyPolicyStatements, rolePolicy, trustPolicy } from "../../src/setup/index.ts";
import { ROOT, run } from "../support/command.ts";
import { temporaryFiles } from "../support/files.ts";

const CATALOG = join(ROOT, "docs/examples/quickstart_catalog.json");
const config = JSON.parse(readFileSync(CATALOG, "utf8")).storageConfigInfo;
const OLD_KEY = "arn:aws:kms:us-west-2:123456789012:key/00000000-1111-2222-3333-444444444444";
const own = rolePolicy(config);
const policyOf = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const withoutKeys = policyOf(...own.Statement.filter((_, i) => i < 2));
const everything = policyOf({ Effect: "Allow", Action: "*", Resource: "*" });
const principal = "arn:aws:iam::123456789012:role/polaris-server";

const { file } = temporaryFiles();

const audit = (...args: string[]) => run(["audit", "--config", CATALOG, ...args]);

describe("audit", () => {
  test("finds nothing in what role-policy prints, from standard input", async () => {
    const { out } = await run(["role-policy", "--config", CATALOG]);
    const args = ["audit", "--config", CATALOG, "--role-policy", "-", "--strict"];
    expect(await run(args, { input: out })).toEqual({
      status: 0,
      out: "Nothing is missing.\n\nNothing is in excess.\n\nNothing is unknown.\n",
      err: "",
    });
  });

  test("prints what the library finds, and its status is whether something is missing", async () => {
    const path = file("without-keys.json", withoutKeys);
    const { status, out } = await audit("--role-policy", path);
    expect(status).toBe(1);
    expect(out).toMatch(/^Missing:\n {2}kms:Decrypt on arn:aws:kms:/);
    expect(out).toContain(`    add to the role's policies: {"Effect":"Allow","Action":"kms:`);
    const json = JSON.parse((await audit("--role-policy", path, "--json")).out);
    expect(json).toEqual(auditRole({ storageConfig: config, policies: [withoutKeys] }));
  });

  test("takes several files after one flag, and the flag several times", async () => {
    const [first, second, third] = own.Statement.map((statement, i) =>
      file(`part-${i}.json`, policyOf(statement)),
    ) as [string, string, string];
    const rest = own.Statement.slice(3).map((statement, i) =>
      file(`r${i}.json`, policyOf(statement)),
    );
    const once = await audit("--role-policy", first, second, third, ...rest, "--strict");
    expect([once.status, once.err]).toEqual([0, ""]);
    const args = ["--role-policy", first, second, "--role-policy", third, ...rest];
    expect((await audit(...args, "--strict")).status).toBe(0);
    expect((await audit("--role-policy", first)).status).toBe(1);
  });

  test("fails for excess and unknown only with --strict", async () => {
    const broad = file("everything.json", everything);
    const { status, out } = await audit("--role-policy", broad);
    expect(status).toBe(0);
    expect(out).toMatch(/\nIn excess:\nEFFECT +ACTIONS +ON +IF\nAllow +\* +\*\n/);
    expect(out).toContain("\nOf other services: 1 action, not judged.\n");
    expect((await audit("--role-policy", broad, "--strict")).status).toBe(1);
    const Condition = { StringNotEquals: { "aws:SourceVpce": "vpce-1" } };
    const deny = { Effect: "Deny", Action: "s3:*", Resource: "*", Condition };
    const open = file("open.json", policyOf(...own.Statement, deny));
    const unknown = await audit("--role-policy", open);
    expect(unknown.status).toBe(0);
    expect(unknown.out).toMatch(
      /condition keys:\n {2}aws:SourceVpce decides s3:\w+ on arn:aws:s3:::/,
    );
    expect((await audit("--role-policy", open, "--strict")).status).toBe(1);
  });

  test("asks boundary and trust, and for sts:TagSession with --tags", async () => {
    const role = file("role.json", own);
    const boundary = file("boundary.json", withoutKeys);
    const bounded = await audit("--role-policy", role, "--boundary", boundary);
    expect([bounded.status, bounded.out]).toEqual([
      1,
      expect.stringContaining("to the boundary: {"),
    ]);
    const trust = file("trust.json", {
      Role: { AssumeRolePolicyDocument: trustPolicy(config, { principal }) },
    });
    const args = ["--role-policy", role, "--trust", trust, "--user-arn", principal];
    expect((await audit(...args)).status).toBe(0);
    const tagged = await audit(...args, "--tags");
    expect([tagged.status, tagged.out]).toEqual([
      1,
      expect.stringContaining("sts:TagSession on arn"),
    ]);
    const other = await audit(...args.slice(0, 4), "--external-id", "another");
    expect(other.out).toContain("add to the trust policy:");
  });

  test("asks the policies of keys, each that of its key", async () => {
    const role = file("role.json", own);
    const statements = keyPolicyStatements(config);
    const paths = statements.map((one, i) =>
      file(`key-${i}.json`, { Policy: JSON.stringify(policyOf(one)) }),
    );
    expect((await audit("--role-policy", role, "--key-policy", ...paths)).status).toBe(0);
    expect((await audit("--role-policy", role, "--key-policy", paths[0] ?? "")).status).toBe(1);
    const named = statements.map(({ Resource }, i) => `${Resource}=${paths[i]}`);
    expect((await audit("--role-policy", role, "--key-policy", ...named)).status).toBe(0);
    const mixed = await audit(
      "--role-policy",
      role,
      "--key-policy",
      named[0] ?? "",
      paths[1] ?? "",
    );
    expect([mixed.status, mixed.err]).toEqual([2, expect.stringContaining("Write KEY_ARN=FILE")]);
    const keys = ["--encryption-key", OLD_KEY];
    const missing = await audit("--role-policy", role, "--key-policy", ...paths, ...keys);
    expect(missing.out).toContain("add to the key's policy:");
  });

  test("takes the options that sessions have", async () => {
    const role = file("role.json", own);
    const { status, out } = await audit("--role-policy", role, "--object-tags");
    expect([status, out]).toEqual([1, expect.stringContaining("s3:GetObjectTagging")]);
  });

  test.each([
    ["no policy", [], /no policy\. Give those of the role with --role-policy/],
    ["a flag without files", ["--role-policy", "--tags"], /--role-policy has no value/],
    ["a file beside the flags", ["x"], /audit takes no files/],
    ["standard input twice", ["--role-policy", "-", "--trust", "-"], /Only one/],
    ["no JSON", ["--role-policy", "-"], /Standard input is not JSON/],
  ])("refuses %s", async (_, args, says) => {
    const { status, out, err } = await audit(...args);
    expect([status, out, err]).toEqual([2, "", expect.stringMatching(says)]);
  });

  test("reads URL-encoded policies, and strings of JSON", async () => {
    for (const input of [
      encodeURIComponent(JSON.stringify(own)),
      JSON.stringify(JSON.stringify(own)),
    ]) {
      const args = ["audit", "--config", CATALOG, "--role-policy", "-"];
      expect((await run(args, { input })).status).toBe(0);
    }
  });
});
