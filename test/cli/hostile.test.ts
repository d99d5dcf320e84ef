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
