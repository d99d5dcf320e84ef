/**
 * The packed package, installed in an empty folder, builds the demo's policy byte for byte the same in
 * every runtime. Where it runs in a browser or in workerd it is bundled, as it is there, and code from
 * strings is forbidden.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSessionPolicy, serializePolicy } from "../../src/index.ts";
import { freePort, has, installPackages, mayInstall } from "../support/machine.ts";

/** As much of playwright-core as is used here: its types are not installed when others are checked. */
interface BrowserType {
  launch(options: { executablePath: string; args: string[] }): Promise<{
    newPage(): Promise<Page>;
    close(): Promise<void>;
  }>;
}
interface Page {
  on(event: "pageerror", listen: (error: Error) => void): void;
  on(event: "console", listen: (message: { text(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  waitForFunction(code: string): Promise<unknown>;
  textContent(selector: string): Promise<string | null>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNTIMES = join(ROOT, "test/runtimes/node_modules");
const require = createRequire(join(RUNTIMES, "x"));
const esbuild: { buildSync(options: object): void } = require("esbuild");
const { chromium }: { chromium: BrowserType } = require("playwright-core");

const { storageConfigInfo: config } = JSON.parse(
  readFileSync(join(ROOT, "docs/examples/quickstart_catalog.json"), "utf8"),
);
const table = ["s3://polaris-quickstart/warehouse/ns/t1", "s3://polaris-quickstart/warehouse/売上"];
const locations = { read: table, list: table, write: table, delete: table };
const expected = serializePolicy(buildSessionPolicy(config, locations));

/** Uses every entry but those for tests; its result is the demo's policy. */
const PROGRAM = `
const policy = buildSessionPolicy(${JSON.stringify(config)}, ${JSON.stringify(locations)});
const asked = { action: "s3:GetObject", resource: "arn:aws:s3:::polaris-quickstart/warehouse/ns/t1/f" };
const denied = "User: x is not authorized to perform: " + asked.action + " on resource: " + asked.resource;
let error = "";
try {
  buildSessionPolicy({ currentKmsKey: "alias/x" }, {});
} catch (thrown) {
  error = thrown instanceof SessionPolicyError ? thrown.code : String(thrown);
}
const fine = isAllowed(policy, asked) && error === "INVALID_KMS_KEY" && diagnoseAccessDenied(denied).length === 1;
const result = fine ? serializePolicy(policy) : "not as expected: " + error;
`;
const NAMES = {
  "polaris-session-policy": ["buildSessionPolicy", "serializePolicy", "SessionPolicyError"],
  "polaris-session-policy/analysis": ["isAllowed"],
  "polaris-session-policy/diagnosis": ["diagnoseAccessDenied"],
};
const imports = Object.entries(NAMES).map(([from, names]) => `import { ${names} } from "${from}";`);
const requires = Object.entries(NAMES).map(
  ([from, names]) => `const { ${names} } = require("${from}");`,
);
const ESM = [...imports, PROGRAM].join("\n");
const CJS = [...requires, PROGRAM].join("\n");

let dir = "";
const at = (file: string) => join(dir, file);

/** Chromium as Debian has it, installed if that can be. */
function browser(): string {
  const names = ["chromium", "google-chrome"];
  if (!names.some(has)) {
    if (!mayInstall()) {
      throw new Error("The browser test needs Chromium: on Debian, apt-get install chromium.");
    }
    installPackages(["chromium"]);
  }
  const name = names.find(has) ?? "chromium";
  return String(execFileSync("sh", ["-c", `command -v ${name}`])).trim();
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "packed-"));
  const npm = (args: string[], cwd: string) =>
    String(execFileSync("npm", args, { cwd, stdio: ["ignore", "pipe", "pipe"] }));
  const [{ filename }] = JSON.parse(
    npm(["pack", "--json", "--ignore-scripts", "--pack-destination", dir], ROOT),
  );
  writeFileSync(at("package.json"), "{}");
  npm(["install", "--no-audit", "--no-fund", at(filename)], dir);
  writeFileSync(at("esm.mjs"), `${ESM}console.log(result);`);
  writeFileSync(at("cjs.cjs"), `${CJS}console.log(result);`);
  writeFileSync(
    at("page.mjs"),
    `${ESM}document.title = "done"; document.body.textContent = result;`,
  );
  writeFileSync(
    at("worker.mjs"),
    `${ESM}
let code = "allowed";
try { new Function("return 1")(); } catch { code = "forbidden"; }
export default { fetch: () => new Response(result, { headers: { code } }) };`,
  );
  mkdirSync(at("bundled"));
  esbuild.buildSync({
    entryPoints: [at("page.mjs"), at("worker.mjs")],
    outdir: at("bundled"),
    bundle: true,
    format: "esm",
    target: "es2022",
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const programs: Record<string, readonly [program: string, ...args: string[]]> = {
  "Node 20": [join(RUNTIMES, "node20/bin/node")],
  "Node 22": [join(RUNTIMES, "node22/bin/node")],
  "Node 24": [join(RUNTIMES, "node24/bin/node")],
  Deno: [join(RUNTIMES, "@deno/linux-x64-glibc/deno"), "run", "--no-remote", "--allow-read"],
  Bun: [join(RUNTIMES, "@oven/bun-linux-x64/bin/bun"), "run"],
};

describe.each(Object.entries(programs))("%s", (name, [program, ...args]) => {
  test.each(["esm.mjs", "cjs.cjs"])("%s", (file) => {
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
    const out = String(execFileSync(program, [...args, at(file)], { cwd: dir, env }));
    expect(out).toBe(`${expected}\n`);
  });

  if (name.startsWith("Node")) {
    test("forbids code from strings, and it does not matter", () => {
      const flag = "--disallow-code-generation-from-strings";
      expect(String(execFileSync(program, [flag, at("esm.mjs")]))).toBe(`${expected}\n`);
    });
    test("runs the command line", () => {
      const bin = at("node_modules/polaris-session-policy/dist/cli.js");
      const catalog = join(ROOT, "docs/examples/quickstart_catalog.json");
      const grants = Object.entries(locations).flatMap(([access, uris]) =>
        uris.flatMap((uri) => [`--${access}`, uri]),
      );
      const out = execFileSync(program, [bin, "build", "--config", catalog, ...grants]);
      expect(String(out)).toBe(`${expected}\n`);
    });
  }
});

test("jest: the entry for it extends its expect", () => {
  writeFileSync(
    at("policy.test.js"),
    `require("polaris-session-policy/testing/jest");
const { buildSessionPolicy } = require("polaris-session-policy");
const policy = buildSessionPolicy({}, { read: ["s3://lake/db"] });
test("a reader reads, and writes nothing", () => {
  expect(policy).toAllow({ action: "s3:GetObject", resource: "arn:aws:s3:::lake/db/f" });
  expect(policy).toDeny({ action: "s3:PutObject", resource: "arn:aws:s3:::lake/db/f" });
  expect(policy).toBeNoBroaderThan(buildSessionPolicy({}, { read: ["s3://lake"] }));
  expect(() => expect(policy).toBeNoBroaderThan({ Version: "2012-10-17", Statement: [] })).toThrow();
});`,
  );
  const jest = join(RUNTIMES, "jest/bin/jest.js");
  const out = execFileSync(process.execPath, [jest, "--rootDir", dir, "--ci", "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(JSON.parse(String(out))).toMatchObject({ success: true, numPassedTests: 1 });
});

test("a browser, under a content security policy without unsafe-eval", async () => {
  const script = readFileSync(at("bundled/page.js"));
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.setHeader("content-security-policy", "default-src 'none'; script-src 'self'");
    response.end(isScript ? script : '<body><script type="module" src="/page.js"></script></body>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const executablePath = browser();
  const chrome = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await chrome.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => faults.push(message.text()));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction("document.title === 'done'");
    expect(await page.textContent("body")).toBe(expected);
    // What zod tries once to find out whether it may; its answer is then the slower way.
    expect(
      faults.filter((fault) => !/unsafe-eval/.test(fault) && !/favicon|404/.test(fault)),
    ).toEqual([]);
  } finally {
    await chrome.close();
    server.close();
  }
});

test("Cloudflare's workerd, which forbids code from strings", async () => {
  const port = await freePort();
  writeFileSync(
    at("config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundled/worker.js")],
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ["disallow_eval_during_startup"],
);
`,
  );
  const workerd = join(RUNTIMES, "@cloudflare/workerd-linux-64/bin/workerd");
  const child = spawn(workerd, ["serve", at("config.capnp")], { stdio: "ignore" });
  try {
    let answer: Response | undefined;
    for (let i = 0; i < 60 && answer === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    }
    expect(answer?.headers.get("code")).toBe("forbidden");
    expect(await answer?.text()).toBe(expected);
  } finally {
    child.kill();
  }
});
