/** What the release workflow makes of the package, run in a copy: npm must take it as it is. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SCRIPT = join(ROOT, "scripts/prepare-release.js");
const context = {
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "somebody/polaris-session-policy",
  GITHUB_REF_NAME: "v1.2.3",
};
const FILES = ["package.json", "README.md", "dist", "CHANGELOG.md", "SECURITY.md", "LICENSE"];

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "release-"));
  for (const file of FILES) cpSync(join(ROOT, file), join(dir, file), { recursive: true });
  execFileSync(process.execPath, [SCRIPT], { cwd: dir, env: { ...process.env, ...context } });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the repository is the one that builds the package, which provenance demands", () => {
  const { repository } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  expect(repository).toEqual({
    type: "git",
    url: "git+https://github.com/somebody/polaris-session-policy.git",
  });
});

test("README has no link that needs the repository around it", () => {
  const readme = readFileSync(join(dir, "README.md"), "utf8");
  expect([...readme.matchAll(/\]\((?!https:)[^)]*\)/g)].map(([link]) => link)).toEqual([]);
  const files = "https://github.com/somebody/polaris-session-policy";
  expect(readme).toContain(`](${files}/blob/v1.2.3/docs/start.md)`);
  expect(readme).toContain(`](${files}/raw/v1.2.3/docs/pictures/beside-polaris.svg)`);
});

test("npm has nothing to correct in the manifest", () => {
  const warnings = execFileSync(
    "sh",
    ["-c", "npm publish --dry-run --ignore-scripts --offline 2>&1 || true"],
    {
      cwd: dir,
    },
  );
  expect(String(warnings)).not.toMatch(/auto-corrected|errors corrected|bin\[/);
  expect(String(warnings)).toContain("README.md");
});

test("without the workflow's context the script changes nothing and says why", () => {
  const env = { PATH: process.env["PATH"] };
  expect(() => execFileSync(process.execPath, [SCRIPT], { cwd: dir, env, stdio: "pipe" })).toThrow(
    /release workflow/,
  );
});

test("the job that may publish runs no code but npm's, and every action is named by its commit", () => {
  const workflows = ["release.yml", "test.yml"].map((file) =>
    readFileSync(join(ROOT, ".github/workflows", file), "utf8"),
  );
  const actions = workflows.flatMap((text) => [...text.matchAll(/uses: (\S+)/g)]);
  expect(actions.length).toBeGreaterThan(5);
  expect(actions.filter(([, action]) => !/@[\da-f]{40}$/.test(action ?? ""))).toEqual([]);
  const { jobs } = parse(workflows[0] ?? "") as {
    jobs: Record<string, { permissions: object; steps: { run?: string }[] }>;
  };
  const signing = Object.values(jobs).filter(({ permissions }) => "id-token" in permissions);
  expect(signing).toHaveLength(1);
  expect(signing[0]?.permissions).toEqual({ "id-token": "write" });
  const commands = signing[0]?.steps.flatMap(({ run }) => run ?? []);
  expect(commands).toEqual([expect.stringMatching(/^npm publish \S+\.tgz .*--ignore-scripts$/)]);
});
