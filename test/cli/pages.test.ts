/** The pages about commands, and the one for denials: what they show can be pasted into a shell, and prints what stands below. */

import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BIN, outcomeOf, ROOT, run } from "../support/command.ts";

const DOCS = join(ROOT, "docs");
const read = (page: string) => readFileSync(join(DOCS, page), "utf8");
/** Blocks for a shell, each with what it prints. */
const blocksOf = (page: string) =>
  [
    ...read(page).matchAll(/^```sh\n((?:(?!```).*\n)*?)```\n\n```text\n((?:(?!```).*\n)*?)```/gm),
  ].map(([, code = "", shown = ""]) => ({ code, shown }));
const pages = readdirSync(DOCS).filter(
  (file) => file.endsWith(".md") && /^# `[a-z-]+`: /m.test(read(file)),
);

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "pages-"));
  // npx finds the package where it is installed; here it is the one that was built.
  const npx = join(dir, "npx");
  writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(npx, 0o755);
});
afterAll(() => rmSync(dir, { recursive: true }));

test("there is a page for each command, and it shows the command's help", async () => {
  const { out } = await run(["--help"]);
  const [, list = ""] = /Commands:\n(.*?)\n\n/s.exec(out) ?? [];
  const commands = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
  expect(pages.toSorted()).toEqual(commands.map((name) => `${name}.md`).sort());
  for (const page of pages) {
    const last = blocksOf(page).at(-1);
    expect(last?.code).toBe(`npx polaris-session-policy ${page.slice(0, -3)} --help\n`);
  }
});

describe("what a page shows is what is printed, in an empty folder", () => {
  test.each([...pages, "troubleshooting.md"])("%s", async (page) => {
    const cwd = mkdtempSync(join(dir, "page-"));
    const PATH = `${dir}${delimiter}${process.env["PATH"]}`;
    for (const { code, shown } of blocksOf(page)) {
      const child = spawn("sh", ["-c", code], {
        cwd,
        env: { ...process.env, PATH, NO_COLOR: "1" },
      });
      const { out, err } = await outcomeOf(child, "");
      expect(out + err, code).toBe(shown);
    }
    expect(blocksOf(page).length).toBe(read(page).match(/^```sh$/gm)?.length);
  });
});
