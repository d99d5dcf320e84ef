/** Input that is huge, deep or odd is answered like any other: no stack trace, and no waiting. */
import { expect, test } from "vitest";
import { buildSessionPolicy } from "../../src/index.ts";
import { run } from "../support/command.ts";
import { temporaryFiles } from "../support/files.ts";

const { file } = temporaryFiles();

const nested = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
const request = ["--action", "s3:GetObject", "--resource", "arn:aws:s3:::lake/k"];
const reading = JSON.stringify(buildSessionPolicy({}, { read: ["s3://lake"] }));

test.each([
  ["a configuration", ["build", "--config", "-"]],
  ["a policy", ["check", "-", ...request]],
])("%s that is nested 20,000 deep is refused", async (_, args) => {
  const { status, out, err } = await run(args, { input: nested });
  expect([status, out]).toEqual([2, ""]);
  expect(err).toMatch(/^polaris-session-policy: The JSON is nested deeper than 100 levels\. Give /);
});

test("a table of 140,000 keys is printed", async () => {
  const allowedKmsKeys = Array.from(
    { length: 140_000 },
    (_, i) =>
      `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-${String(i).padStart(12, "0")}`,
  );
  const config = file("keys.json", { allowedKmsKeys });
  const args = ["build", "--config", config, "--read", "s3://lake", "--max-length", "Infinity"];
  const { status, out, err } = await run([...args, "--explain"]);
  expect([status, err]).toEqual([0, ""]);
  expect(out.match(/^Allow {3}kms:Decrypt /gm)).toHaveLength(140_000);
});

test("60,000 values of condition keys are read at once", async () => {
  const context = Array.from({ length: 30_000 }, (_, i) => [
    `--context=a${i}=v`,
    `--context=k=${i}`,
  ]);
  const began = performance.now();
  const { status, out, err } = await run(["check", "-", ...request, ...context.flat()], {
    input: reading,
  });
  expect([status, out, err]).toEqual([0, "allowed by statement 0\n", ""]);
  expect(performance.now() - began).toBeLessThan(10_000);
});

const FILES: Readonly<Record<string, unknown>> = {
  "config.json": {
    roleArn: "arn:aws:iam::123456789012:role/polaris",
    allowedLocations: ["s3://lake/db"],
  },
  "policy.json": reading,
  "nothing.json": "",
  "half.json": '{"Statement":',
};

/** Whatever is wrong with arguments or files is told in one sentence, with exit status 2. */
test.each<[string, string[], string]>([
  ["no command", [], "No command is given."],
  ["a command of every object", ["constructor"], 'Unknown command "constructor".'],
  ["a switch with a value", ["build", "--no-kms=true"], "--no-kms takes no value."],
  ["no value", ["build", "--read", "--write", "s3://lake/db"], "--read has no value."],
  ["a value given twice", ["build", "--region=a", "--region", "b"], "--region is given twice."],
  ["an option nearly right", ["build", "--confg", "x"], 'Did you mean "--config"?'],
  ["an option of every object", ["build", "--__proto__=x"], 'Unknown option "--__proto__".'],
  ["options behind --", ["build", "--", "--config"], "build takes no files."],
  ["no file's name", ["build", "--config="], "A file without a name can't be read (ENOENT)."],
  [
    "a missing file",
    ["compare", "policy.json", "missing.json"],
    "missing.json can't be read (ENOENT).",
  ],
  ["a directory", ["compare", "policy.json", "."], ". can't be read (EISDIR)."],
  ["an empty file", ["compare", "policy.json", "nothing.json"], "nothing.json is not JSON."],
  ["half a file", ["check-config", "half.json"], "half.json is not JSON."],
  ["an empty input", ["check", "-", ...request], "Standard input is not JSON."],
  [
    "one input twice",
    ["audit", "--config=-", "--role-policy", "-"],
    "Only one of the files can be",
  ],
  [
    "a context without a value",
    ["check", "policy.json", ...request, "--context", "k"],
    "--context needs a key and a value.",
  ],
  [
    "a configuration for a policy",
    ["compare", "policy.json", "config.json"],
    "roleArn: is not a supported element. Use Version, Id, Statement.",
  ],
  [
    "a policy for a configuration",
    ["check", "policy.json", "--action", "", "--resource", ""],
    "action: is not an action.",
  ],
])("%s is refused in a sentence", async (_, args, says) => {
  const pathOf = (arg: string) => (Object.hasOwn(FILES, arg) ? file(arg, FILES[arg]) : arg);
  const { status, out, err } = await run(args.map(pathOf));
  expect([status, out]).toEqual([2, ""]);
  expect(err).toContain(says);
  expect(err).not.toMatch(/^\s+at |node:|Error\b/m);
  expect(err.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
});

test("what Polaris would allow beyond a thousand locations is told at once", async () => {
  const locations = Array.from({ length: 1000 }, (_, i) => [
    `--read=s3://lake/db/t${i}`,
    `--list=s3://lake/db/t${i}`,
  ]);
  const args = ["build", "--vs-polaris", "--max-length", "Infinity", ...locations.flat()];
  const began = performance.now();
  const { status, out, err } = await run(args);
  expect([status, err]).toEqual([0, ""]);
  expect(out.match(/s3:GetObjectVersion/g)).toHaveLength(1000);
  expect(performance.now() - began).toBeLessThan(10_000);
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "%s is a condition key like another",
  async (key) => {
    const policy = {
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: "*",
        Condition: JSON.parse(`{"StringEquals":{"${key}":"v"}}`),
      },
    };
    const check = (...context: string[]) =>
      run(["check", "-", ...request, ...context], { input: JSON.stringify(policy) });
    expect((await check("--context", `${key}=v`)).out).toBe("allowed by statement 0\n");
    expect((await check("--context", `${key}=w`)).status).toBe(1);
  },
);

test("no character of a key that turns a terminal's lines around reaches it", async () => {
  const args = ["build", "--read", "s3://lake/a\u202eb\u2028c", "--explain", "--compact"];
  const { status, out } = await run(args);
  expect(status).toBe(0);
  expect(out).toContain("lake/a\ufffdb\ufffdc/*");
  expect(out).not.toMatch(/[\u202e\u2028]/u);
});

test.each([["build", "--re\u001b[2Jd"], ["\u001b[2J"], ["check", "a\u001b[2J", ...request]])(
  "nor do those of an argument: %j",
  async (...args) => {
    const { status, err } = await run(args);
    expect(status).toBe(2);
    expect(err).toContain("\ufffd[2J");
    expect(err.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  },
);
