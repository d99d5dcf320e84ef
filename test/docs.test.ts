/**
 * The code of README, docs and docstrings runs, against the built package, and does what it says: a
 * comment behind an expression is its value, a comment behind console.log is what is printed.
 * Comments that begin with "e.g." and other prose are not checked.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { format, inspect } from "node:util";
import ts from "typescript";
import { describe, expect, test, vi } from "vitest";
import { leastPrivilegeProperties } from "../src/testing/index.ts";
import { plantedFaults } from "./support/planted-faults.ts";

const ROOT = new URL("../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), "utf8");

interface Example {
  readonly where: string;
  readonly code: string;
}

function examplesIn(file: string): Example[] {
  const text = read(file).replace(/^ *\*(?: |$)/gm, "");
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""], i) => ({
    where: `${file} #${i + 1}`,
    code,
  }));
}

/** Comments that state a value; others are prose. */
const STATES = /^(?:[[{"'\d]|(?:true|false|undefined|null)$)/;

/** The code with `__value` and `__print` calls where it states a value or what is printed. */
function instrument(code: string): string {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ESNext, true);
  const edits: { start: number; end: number; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const comment = /^[ \t]*\n?[ \t]*\/\/ (.*)/.exec(code.slice(node.end))?.[1];
      const expression = node.expression.getText();
      if (comment !== undefined && expression.startsWith("console.log(")) {
        const call = expression.replace("console.log(", `__print(${JSON.stringify(comment)}, `);
        edits.push({ start: node.getStart(), end: node.end, text: `${call};` });
      } else if (comment !== undefined && STATES.test(comment)) {
        const text = `__value(${expression}, ${JSON.stringify(comment)}, (${comment}));`;
        edits.push({ start: node.getStart(), end: node.end, text });
      }
    }
    node.forEachChild(visit);
  };
  visit(source);
  let edited = code;
  for (const { start, end, text } of edits.reverse()) {
    edited = edited.slice(0, start) + text + edited.slice(end);
  }
  return edited;
}

/** Runs an example as a module of its own, in the package's folder so that its imports resolve. */
async function run({ where, code }: Example): Promise<{ exports: object; checked: number }> {
  let checked = 0;
  vi.stubGlobal("__value", (value: unknown, stated: string, expected: unknown) => {
    checked++;
    // A policy in a comment may be its text.
    const actual =
      typeof expected === "object" && typeof value === "string" ? JSON.parse(value) : value;
    expect(actual, `${where}: ${stated}, not ${inspect(value)}`).toEqual(expected);
  });
  vi.stubGlobal("__print", (stated: string, ...values: unknown[]) => {
    checked++;
    expect(format(...values), where).toBe(stated);
  });
  const { outputText } = ts.transpileModule(instrument(code), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const file = new URL(`.example-${where.replace(/\W+/g, "-")}.mjs`, ROOT);
  writeFileSync(file, outputText);
  try {
    return { exports: await import(/* @vite-ignore */ file.href), checked };
  } finally {
    rmSync(file);
  }
}

const pages = [
  "README.md",
  ...readdirSync(new URL("docs/", ROOT))
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];
const sources = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `src/${file}`);

describe("examples run and give what they state", () => {
  for (const example of [...pages, ...sources].flatMap(examplesIn)) {
    test(example.where, async () => {
      const { checked } = await run(example);
      const states = / \/\/ |^\/\/ /m.test(example.code) && instrument(example.code).includes("__");
      expect(checked > 0, "what it states was checked").toBe(states);
    });
  }
});

test("README shows what its example prints", async () => {
  const [, code = "", output = ""] =
    /^```ts\n(.*?)^```\n\n```json\n(.*?)^```/ms.exec(read("README.md")) ?? [];
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await run({ where: "README.md output", code });
    expect(log.mock.calls.map(([line]) => `${line}\n`).join("")).toBe(output);
  } finally {
    log.mockRestore();
  }
});

describe("README's commands print what stands below them", () => {
  const blocks = [
    ...read("README.md").matchAll(/^```sh\n((?:(?!```)[^\n]*\n)*)```\n\n```text\n(.*?)^```/gms),
  ];
  test.each(blocks.map(([, command = "", output = ""]) => ({ command, output })))(
    "$command",
    ({ command, output }) => {
      const cwd = fileURLToPath(ROOT);
      expect(String(execFileSync("sh", ["-c", command], { cwd }))).toBe(output);
    },
  );
  test("there is one", () => expect(blocks.length).toBeGreaterThan(0));
});

test("the AssumeRole call of docs/start.md sends role, name and policy to STS", async () => {
  const [, example] = examplesIn("docs/start.md");
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      bodies.push(body);
      response.end(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  vi.stubEnv("AWS_ENDPOINT_URL_STS", `http://127.0.0.1:${port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "example");
  try {
    const { exports } = await run(example ?? { where: "docs/start.md", code: "" });
    const { credentialsFor } = exports as {
      credentialsFor: (table: string[]) => Promise<{ Credentials?: { SessionToken?: string } }>;
    };
    const { Credentials } = await credentialsFor(["s3://wh-bucket/db/t"]);
    expect(Credentials?.SessionToken).toBe("t");
    const sent = new URLSearchParams(bodies[0]);
    expect(sent.get("RoleArn")).toBe("arn:aws:iam::123456789012:role/polaris");
    expect(JSON.parse(sent.get("Policy") ?? "").Statement).toHaveLength(3);
  } finally {
    vi.unstubAllEnvs();
    server.close();
  }
});

test("pages show files as they are", () => {
  let shown = 0;
  for (const page of pages) {
    for (const [, file = "", code] of read(page).matchAll(/^```ts (\S+)\n(.*?)^```/gms)) {
      expect(code, `${page}: ${file}`).toBe(read(file));
      shown++;
    }
  }
  expect(shown).toBeGreaterThan(0);
});

test("the faults of docs/testing-your-catalog.md are those that are planted", () => {
  const rows = read("docs/testing-your-catalog.md").matchAll(/^\| (.*?) \| `([a-z-]+)` \|$/gm);
  expect([...rows].map(([, fault, caughtBy]) => ({ fault, caughtBy }))).toEqual(
    plantedFaults.map(({ fault, caughtBy }) => ({
      fault: fault.replace(/(\*)/g, "\\$1"),
      caughtBy,
    })),
  );
});

// Links that begin with a slash lead to what only the built site has; its own tests follow them.
test("links between pages lead somewhere", () => {
  for (const page of pages) {
    for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:|\/)([^)#]+)(?:#[^)]*)?\)/g)) {
      expect(
        () => readFileSync(new URL(target, new URL(page, ROOT))),
        `${page}: ${target}`,
      ).not.toThrow();
    }
  }
});

test("files that pages name are there", () => {
  const named = [...pages, "CONTRIBUTING.md", "SECURITY.md"].flatMap((page) =>
    [...read(page).matchAll(/`((?:src|test|docs|examples|scripts|\.ci)\/[\w./-]*)`/g)].map(
      ([, file = ""]) => ({ page, file }),
    ),
  );
  expect(named.filter(({ file }) => !existsSync(new URL(file, ROOT)))).toEqual([]);
  expect(named.length).toBeGreaterThan(20);
});

test("each promise of docs/security.md names a property of the kit, a test and a command that are there", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const [, table = ""] = read("docs/security.md").split("## Promises, and how each is checked\n");
  const [promises = ""] = table.split("\n## ");
  const rows = [...promises.matchAll(/^\| (.+) \| (.+) \| (.+) \| (.+) \|$/gm)].slice(2);
  expect(rows.length).toBeGreaterThan(10);
  const names = new Set(leastPrivilegeProperties.map(({ name }) => name));
  const unknown = rows.flatMap(([, promise, check = "", tests = "", command = ""]) => {
    const missing = [
      ...[...check.matchAll(/`([^`]+)`/g)].filter(([, name = ""]) => !names.has(name)),
      ...[...tests.matchAll(/`([^`]+)`/g)].filter(
        ([, file = ""]) => !existsSync(new URL(file, ROOT)),
      ),
    ].map(([, name]) => name);
    const run = /^(?:npx vitest run (?<file>\S+)|npm run (?<script>[\w:]+)(?: -- \d+)?)$/.exec(
      command.replaceAll("`", ""),
    );
    const { file, script } = run?.groups ?? {};
    const isThere =
      command === "the same" ||
      (file !== undefined && existsSync(new URL(file, ROOT))) ||
      (script !== undefined && script in scripts);
    return [...missing, ...(isThere ? [] : [command])].map((name) => `${promise}: ${name}`);
  });
  expect(unknown).toEqual([]);
});
