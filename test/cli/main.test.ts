/** The command line as a person runs it: the built program, in a process of its own. */
import { spawn } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildAssumeRoleRequest, buildSessionPolicy, serializePolicy } from "../../src/index.ts";
import { BIN, ON_TERMINAL, outcomeOf, packageJson, ROOT, run } from "../support/command.ts";
import { temporaryFiles } from "../support/files.ts";

const CATALOG = join(ROOT, "docs/examples/quickstart_catalog.json");
const TABLE = "s3://polaris-quickstart/warehouse/ns/t1";
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";

const { folder, file } = temporaryFiles();
beforeAll(() => {
  chmodSync(BIN, 0o755);
  symlinkSync(BIN, join(folder(), "polaris-session-policy"));
});

const catalog = JSON.parse(readFileSync(CATALOG, "utf8"));
const config = catalog.storageConfigInfo;
const read = ["--config", CATALOG, "--read", TABLE];

describe("build", () => {
  const policy = buildSessionPolicy(config, { read: [TABLE] });

  test("prints the library's policy, minified, into a pipe", async () => {
    expect(await run(["build", ...read])).toEqual({
      status: 0,
      out: `${serializePolicy(policy)}\n`,
      err: "",
    });
  });

  test("prints it readable on a terminal, and either way when asked", async () => {
    const pretty = `${JSON.stringify(policy, null, 2)}\n`;
    const [terminal, compact, forced] = await Promise.all([
      run(["build", ...read], { node: ON_TERMINAL }),
      run(["build", ...read, "--compact"], { node: ON_TERMINAL }),
      run(["build", ...read, "--pretty"]),
    ]);
    expect(terminal.out).toBe(pretty);
    expect(compact.out).toBe(`${serializePolicy(policy)}\n`);
    expect(forced.out).toBe(pretty);
  });

  test("escapes what STS refuses, and where a person reads it all that is not ASCII", async () => {
    const args = ["build", "--read", "s3://lake/売/é"];
    const [compact, pretty] = await Promise.all([run(args), run([...args, "--pretty"])]);
    expect(compact.out).toContain("\\u58f2/é/*");
    expect(pretty.out).toContain("\\u58f2/\\u00e9/*");
    for (const { out } of [compact, pretty]) {
      expect(JSON.parse(out)).toEqual(buildSessionPolicy({}, { read: ["s3://lake/売/é"] }));
    }
  });

  test.each([
    ["a storage configuration", config],
    ["a catalog", catalog],
    ["a request to create a catalog", { catalog }],
    ["a list of one catalog", { catalogs: [catalog] }],
  ])("reads %s from standard input", async (_, document) => {
    const input = JSON.stringify(document);
    const { out } = await run(["build", "--config", "-", "--read", TABLE], { input });
    expect(JSON.parse(out)).toEqual(policy);
  });

  test("takes Polaris' flags, which go before the file", async () => {
    const flags = [
      ...["--role-arn", "arn:aws-cn:iam::123456789012:role/r", "--region", "cn-north-1"],
      ...["--storage-type", "s3", "--external-id", "x1", "--default-base-location", "s3://lake/wh"],
      ...["--current-kms-key", KEY.replace("aws", "aws-cn"), "--no-sts"],
    ];
    const session = ["--read", "s3://lake/wh/t", "--list", "s3://lake/wh/t"];
    const expected = buildSessionPolicy(
      { region: "cn-north-1", currentKmsKey: KEY.replace("aws", "aws-cn") },
      { read: ["s3://lake/wh/t"], list: ["s3://lake/wh/t"] },
    );
    expect(JSON.parse((await run(["build", ...flags, ...session])).out)).toEqual(expected);
    const outside = await run(["build", ...flags, "--read", "s3://lake/other"]);
    expect([outside.status, outside.err]).toEqual([
      2,
      expect.stringMatching(/LOCATION_NOT_ALLOWED/),
    ]);
    const overridden = await run(["build", ...read, "--no-kms", "--compact"]);
    expect(overridden.out).not.toContain("kms:");
  });

  test("takes the base location by Polaris' rules", async () => {
    const args = ["build", "--read", "s3://lake/wh/t"];
    const base = ["--default-base-location", "s3://lake/wh"];
    const only = await run([...args, ...base]);
    expect(JSON.parse(only.out)).toEqual(buildSessionPolicy({}, { read: ["s3://lake/wh/t"] }));
    const outside = await run([...args, ...base, "--allowed-location", "s3://lake/other"]);
    expect([outside.status, outside.err]).toEqual([
      2,
      expect.stringMatching(
        /INVALID_STORAGE_CONFIG\n {2}properties\.default-base-location: lies outside/,
      ),
    ]);
  });

  test("takes a catalog a line, and the one that --catalog names", async () => {
    const lines = [catalog, { ...catalog, name: "other" }].map((one) => JSON.stringify(one));
    const args = ["build", "--config", "-", "--read", TABLE];
    const input = `${lines.join("\n")}\n`;
    const named = await run([...args, "--catalog", "other"], { input });
    expect(JSON.parse(named.out)).toEqual(policy);
    const neither = await run([...args, "--catalog", "third"], { input });
    expect([neither.status, neither.err]).toEqual([
      2,
      expect.stringContaining("no catalog of that"),
    ]);
    const any = await run(args, { input });
    expect([any.status, any.err]).toEqual([
      2,
      expect.stringContaining("Choose one with --catalog"),
    ]);
  });

  test("refuses an object that is no configuration", async () => {
    const { status, err } = await run(["build", "--config", "-"], { input: '{"foo":1}' });
    expect([status, err]).toEqual([2, expect.stringContaining("INVALID_STORAGE_CONFIG")]);
  });

  test("takes every option of the library", async () => {
    const args = ["--read", TABLE, "--write", TABLE, "--current-kms-key", KEY];
    const options = [
      ...["--object-versions", "--abort-multipart-uploads", "--no-kms-via-service"],
      ...["--list-multipart-uploads", "--object-tags", "--object-acls", "--bare-paths"],
    ];
    const { out } = await run(["build", ...args, ...options, "--max-length", "5000"]);
    const locations = { read: [TABLE], write: [TABLE] };
    expect(JSON.parse(out)).toEqual(
      buildSessionPolicy({ currentKmsKey: KEY }, locations, {
        objectVersions: true,
        abortMultipartUploads: true,
        kmsViaService: false,
        listMultipartUploads: true,
        objectTags: true,
        objectAcls: true,
        barePaths: true,
      }),
    );
    const polaris = await run(["build", ...args, "--profile", "polaris"]);
    expect(JSON.parse(polaris.out)).toEqual(
      buildSessionPolicy({ currentKmsKey: KEY }, locations, { profile: "polaris" }),
    );
    const short = await run(["build", ...args, "--max-length", "99"]);
    expect([short.status, short.out, short.err]).toEqual([
      2,
      "",
      expect.stringMatching(/^polaris-session-policy: POLICY_TOO_LARGE\n {2}/),
    ]);
  });

  test("--json tells the length and what is allowed, too", async () => {
    const { out } = await run(["build", ...read, "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      policy,
      length: serializePolicy(policy).length,
      maxLength: 2048,
      access: [{ actions: ["s3:GetBucketLocation"], bucket: "polaris-quickstart" }, {}, {}, {}, {}],
    });
  });
});

test("assume-role prints what the AWS CLI takes", async () => {
  const flags = ["--table", "t1", "--name-field", "table", "--tag-field", "roles", "--role", "a"];
  const { out } = await run(["assume-role", ...read, ...flags, "--role", "b", "--duration", "900"]);
  expect(JSON.parse(out)).toEqual(
    buildAssumeRoleRequest(
      config,
      { read: [TABLE] },
      {
        context: { table: "t1", roles: ["a", "b"] },
        nameFields: ["table"],
        tagFields: ["roles"],
        durationSeconds: 900,
      },
    ),
  );
});

test("each option of its own changes the policy as the library does", async () => {
  const locations = { read: [TABLE], write: [TABLE] };
  const flags = {
    "--bare-paths": { barePaths: true },
    "--object-tags": { objectTags: true },
    "--object-acls": { objectAcls: true },
    "--list-multipart-uploads": { listMultipartUploads: true },
  };
  const plain = buildSessionPolicy({}, locations);
  for (const [flag, options] of Object.entries(flags)) {
    const policy = buildSessionPolicy({}, locations, options);
    expect(policy).not.toEqual(plain);
    const { out } = await run(["build", "--read", TABLE, "--write", TABLE, flag]);
    expect(JSON.parse(out)).toEqual(policy);
  }
});

test("assume-role needs no role outside AWS, as MinIO's STS takes none", async () => {
  const endpoint = "https://minio.example.com";
  const args = ["assume-role", "--endpoint", endpoint, "--no-kms", "--read", TABLE];
  const { status, out } = await run(args);
  expect([status, JSON.parse(out)]).toEqual([
    0,
    buildAssumeRoleRequest({ endpoint, kmsUnavailable: true }, { read: [TABLE] }),
  ]);
  expect(JSON.parse(out)).not.toHaveProperty("RoleArn");
});

describe("diagnose", () => {
  const log = readFileSync(join(ROOT, "test/logs/spark-select.txt"), "utf8");

  test("explains a log from standard input, and says so by its status", async () => {
    const { status, out } = await run(["diagnose", "--region", "us-west-2"], { input: log });
    expect(status).toBe(1);
    expect(out).toContain("this is why");
    expect(out).toContain(`--current-kms-key ${KEY}`);
  });

  test("reads a file, with the catalog from standard input", async () => {
    const args = ["diagnose", file("spark.log", log), "--config", "-", "--json"];
    const { out } = await run(args, { input: JSON.stringify(catalog) });
    expect(JSON.parse(out)).toMatchObject([{ cause: "session-outdated", resource: KEY }]);
  });

  test("prints all that the library knows: every object, and how to make the change", async () => {
    const denied = (name: string) =>
      `User: arn:aws:sts::123456789012:assumed-role/polaris/s is not authorized to perform: s3:DeleteObject on resource: "arn:aws:s3:::polaris-quickstart/warehouse/ns/t1/${name}" because no session policy allows the s3:DeleteObject action`;
    const input = [denied("a"), denied("b"), denied("c")].join("\n");
    const { out } = await run(["diagnose", ...read], { input });
    expect(out).toMatch(/\n {2}request .*t1\/a\n/);
    for (const name of ["b", "c"]) expect(out).toMatch(new RegExp(`\n {2}also on .*t1/${name}\n`));
    expect(out).toMatch(/\n {2}how {7}In Polaris, grant the principal's catalog role/);
  });

  test("reads several files and standard input, each in its encoding, and names them", async () => {
    const wide = (text: string) => Buffer.from(text, "utf16le");
    const mark = "\ufeff";
    const bytes = {
      "utf8.log": Buffer.from(mark + log),
      "le.log": wide(log),
      "le-bom.log": wide(mark + log),
      "be.log": wide(log).swap16(),
      "be-bom.log": wide(mark + log).swap16(),
    };
    const files = Object.entries(bytes).map(([name, content]) => file(name, content));
    const args = ["diagnose", ...files, "-", "--region", "us-west-2"];
    const { status, out } = await run([...args, "--json"], { input: log });
    const found = JSON.parse(out);
    expect(status).toBe(1);
    expect(found.map((one: { file: string }) => one.file)).toEqual([...files, "-"]);
    for (const one of found) expect(one).toEqual({ ...found[0], file: one.file });
    const text = await run(args, { input: "all is well" });
    for (const name of files) expect(text.out).toContain(`  at        ${name}, line 2\n`);
  });

  test("reads letters beyond ASCII in UTF-16 of either order", async () => {
    const input = `User: arn:aws:sts::123456789012:assumed-role/polaris/s is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/größe/f" because no session policy allows the s3:GetObject action`;
    const wide = Buffer.from(input, "utf16le");
    for (const content of [Buffer.from(wide), Buffer.from(wide).swap16()]) {
      const { out } = await run(["diagnose", file("wide.log", content), "--json"]);
      expect(out).toContain("b/größe/f");
    }
  });

  test("finds nothing in a log without such messages", async () => {
    const { status, out } = await run(["diagnose"], { input: "all is well" });
    expect([status, out]).toEqual([
      0,
      expect.stringMatching(
        /^No refused request was found in this text\. Looked for access denied by S3/,
      ),
    ]);
  });

  test("lets no control character of a log through to the terminal", async () => {
    const input = `${log} User: x is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b\u0008[2J/k because no session policy allows the s3:GetObject action`;
    const { out } = await run(["diagnose"], { input });
    expect(out).toContain("b\ufffd[2J/k");
    expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("is bold on a terminal, unless NO_COLOR says otherwise", async () => {
    const [bold, plain] = await Promise.all([
      run(["diagnose"], { input: log, node: ON_TERMINAL }),
      run(["diagnose"], { input: log, node: ON_TERMINAL, env: { NO_COLOR: "1" } }),
    ]);
    expect(bold.out).toContain("\u001b[1mkms-key-not-configured\u001b[22m\n");
    expect(plain.out).toMatch(/^kms-key-not-configured\n/);
  });
});

test("check decides, and its status is the decision", async () => {
  const policy = file("policy.json", buildSessionPolicy({}, { list: [TABLE] }));
  const ask = ["check", policy, "--action", "s3:ListBucket", "--resource"];
  const bucket = "arn:aws:s3:::polaris-quickstart";
  const [allowed, denied, json] = await Promise.all([
    run([...ask, bucket, "--context", "s3:prefix=warehouse/ns/t1/"]),
    run([...ask, bucket]),
    run([...ask, bucket, "--json"]),
  ]);
  expect([allowed.status, allowed.out]).toEqual([0, "allowed by statement 1\n"]);
  expect([denied.status, denied.out]).toEqual([1, "denied: no statement allows it\n"]);
  expect(JSON.parse(json.out)).toEqual({ decision: "implicitlyDenied", statements: [] });
  const deny = await run(
    ["check", "-", "--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"],
    {
      input: JSON.stringify(buildSessionPolicy({}, {})),
    },
  );
  expect([deny.status, deny.out]).toEqual([1, "denied by statement 0\n"]);
});

test("check refuses a question whose denial would prove nothing", async () => {
  const policy = file("reader.json", buildSessionPolicy({ currentKmsKey: KEY }, { read: [TABLE] }));
  const ask = (...args: string[]) => run(["check", policy, "--action", ...args]);
  const [forgotten, given, elsewhere, mistaken] = await Promise.all([
    ask("kms:Decrypt", "--resource", KEY, "--json"),
    ask("kms:Decrypt", "--resource", KEY, "--context", "kms:ViaService=s3.us-west-2.amazonaws.com"),
    ask(
      "kms:Decrypt",
      "--resource",
      KEY,
      "--context",
      "kms:ViaService=ec2.us-west-2.amazonaws.com",
    ),
    ask("s3:ListBucket", "--resource", "arn:aws:s3:::polaris-quickstart/warehouse"),
  ]);
  expect([forgotten.status, forgotten.out, forgotten.err]).toEqual([
    2,
    "",
    expect.stringMatching(
      /INVALID_REQUEST\n {2}context\.kms:ViaService: is absent, and with kms:ViaService=s3\.us-west-2\.amazonaws\.com the policy allows/,
    ),
  ]);
  expect([given.status, elsewhere.status]).toEqual([0, 1]);
  expect([mistaken.status, mistaken.err]).toEqual([
    2,
    expect.stringContaining("resource: is of a type that this action does not apply to"),
  ]);
});

test("compare tells which policy allows more, with a request that shows it", async () => {
  const a = file("a.json", buildSessionPolicy({}, { read: [TABLE] }));
  const b = file("b.json", buildSessionPolicy({}, { read: [TABLE], delete: [TABLE] }));
  const [narrower, broader, equal] = await Promise.all([
    run(["compare", a, b, "--json"]),
    run(["compare", b, a]),
    run(["compare", a, "-"], { input: readFileSync(a) }),
  ]);
  expect([narrower.status, JSON.parse(narrower.out).relation]).toEqual([0, "narrower"]);
  expect([broader.status, broader.out]).toEqual([1, expect.stringContaining("s3:DeleteObject")]);
  expect([equal.status, equal.out]).toEqual([0, `${a} is equal to -\n`]);
});

describe("what is wrong is told in one block on standard error, with status 2:", () => {
  const bad: Record<string, { args: string[]; input?: string; says: RegExp }> = {
    "no command": { args: [], says: /No command is given\. Use one of build, / },
    "an unknown command": {
      args: ["biuld"],
      says: /Unknown command "biuld"\. Did you mean "build"\?/,
    },
    "a command that no name is near to": {
      args: ["toString"],
      says: /Unknown command "toString"\. Use build, assume-role, .* or audit\./,
    },
    "an unknown option": {
      args: ["build", "--reed", "x"],
      says: /Unknown option "--reed"\. Did you mean "--read"\?/,
    },
    "an option of one letter": { args: ["build", "-r"], says: /Unknown option "-r"\. Use --/ },
    "an option without its value": {
      args: ["build", "--read"],
      says: /--read has no value\. Write --read URI\./,
    },
    "an option in place of a value": {
      args: ["build", "--read", "--list", "x"],
      says: /--read has no value/,
    },
    "a value for a switch": { args: ["build", "--no-kms=yes"], says: /--no-kms takes no value/ },
    "two values for one field": {
      args: ["build", "--region", "us-west-2", "--region", "us-east-1"],
      says: /--region is given twice\. Give it once\./,
    },
    "a file where none is taken": { args: ["build", "x"], says: /build takes no files/ },
    "a file that is not there": {
      args: ["build", "--config", "/none"],
      says: /\/none can't be read \(ENOENT\)/,
    },
    "a folder": { args: ["check", ROOT, "--action", "a:b", "--resource", "x"], says: /EISDIR/ },
    "no JSON": {
      args: ["build", "--config", "-"],
      input: "secret",
      says: /Standard input is not JSON/,
    },
    "no catalog": { args: ["build", "--config", "-"], input: "[]", says: /holds no catalog/ },
    "no object": { args: ["build", "--config", "-"], input: "[1]", says: /must hold JSON objects/ },
    "several catalogs": {
      args: ["build", "--config", "-"],
      input: '{"catalogs":[{},{}]}',
      says: /holds 2 catalogs\. Choose one with --catalog NAME\./,
    },
    "a configuration of another store": {
      args: ["build", "--storage-type", "gcs"],
      says: /INVALID_STORAGE_CONFIG\n {2}storageType: /,
    },
    "two forms": { args: ["build", "--pretty", "--compact"], says: /exclude each other/ },
    "no number": { args: ["build", "--max-length", "1e3"], says: /--max-length is not a number/ },
    "no role": { args: ["assume-role", "--read", TABLE], says: /roleArn: is needed/ },
    "no resource": { args: ["check", "-", "--action", "s3:GetObject"], says: /--resource/ },
    "no pair": {
      args: ["check", "-", "--action", "a:b", "--resource", "x", "--context", "y"],
      says: /KEY=VALUE/,
    },
    "no policy": { args: ["compare", CATALOG, CATALOG], says: /UNSUPPORTED_POLICY/ },
    "one policy": { args: ["compare", "-"], says: /compare got 1 file\. Write compare A B\./ },
    "standard input twice": { args: ["compare", "-", "-"], says: /Only one/ },
    "standard input twice for diagnose": {
      args: ["diagnose", "-", "--config", "-"],
      says: /Only one/,
    },
  };
  test.each(Object.entries(bad))("%s", async (_, { args, input = "", says }) => {
    const { status, out, err } = await run(args, { input });
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(says);
    expect(err).toMatch(/^polaris-session-policy: /);
    expect(err).not.toMatch(/secret|\n\s+at |node:internal/);
  });

  test("more input than 64 MiB", async () => {
    const { status, err } = await run(["diagnose"], { input: Buffer.alloc(65 * 1024 * 1024, 97) });
    expect([status, err]).toEqual([2, expect.stringContaining("longer than 64 MiB")]);
  });
});

test("a reader that has seen enough is no error", async () => {
  const uris = Array.from({ length: 4000 }, (_, i) => ["--read", `s3://lake/warehouse/t${i}`]);
  const args = [process.execPath, BIN, "build", "--max-length", "Infinity", ...uris.flat()];
  const child = spawn("sh", ["-c", '"$@" | head -c 10', "sh", ...args]);
  expect(await outcomeOf(child, "")).toEqual({ status: 0, out: '{"Version"', err: "" });
});

const commands = [
  ...["build", "assume-role", "plan", "diagnose", "check", "compare", "diff", "check-config"],
  ...["role-policy", "trust-policy", "key-policy", "audit"],
];

describe("--help", () => {
  test("lists the commands, with an example of each", async () => {
    const { status, out } = await run(["--help"]);
    expect(status).toBe(0);
    for (const command of commands) {
      expect(out).toMatch(new RegExp(`^ {2}${command} `, "m"));
      expect(out).toMatch(new RegExp(`^ {2}polaris-session-policy ${command} `, "m"));
    }
    expect((await run(["--version"])).out).toBe(`${packageJson.version}\n`);
  });

  test.each(commands)("of %s names every option that it takes", async (command) => {
    const { out } = await run([command, "--help"]);
    const named = [...out.matchAll(/^ {2}(--[a-z-]+)(?: ([A-Z]\S*))? {2}/gm)];
    const taken = named.filter(([, name]) => name !== "--help");
    expect(taken.length).toBeGreaterThan(0);
    // With an option that there isn't, the first fault would be one of those before it.
    const given = taken.map(([, name = "", value]) => (value === undefined ? name : `${name}=1`));
    const { err } = await run([command, ...given, "--unknown-one"]);
    expect(err).toContain('Unknown option "--unknown-one"');
    expect(out).toContain("Example:");
  });
});

test("the demo prints the policy of the guide's catalog, and its length", async () => {
  const command = packageJson.scripts["demo"]?.split("&& ").at(-1) ?? "";
  const child = spawn("sh", ["-c", command], { cwd: ROOT });
  expect((await outcomeOf(child, "")).out).toMatch(
    /^\{\n.*"kms:GenerateDataKey".*\nEFFECT .*\n\n\d{3} of 2,048 characters\n$/s,
  );
});

test("nothing of the command line reaches the library", () => {
  for (const entry of ["index", "analysis", "diagnosis", "testing"]) {
    for (const form of ["js", "cjs"]) {
      expect(readFileSync(join(ROOT, `dist/${entry}.${form}`), "utf8")).not.toMatch(
        /["'](?:node:|[^"']*\/cli)/,
      );
    }
  }
});
