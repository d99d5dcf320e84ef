import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ACTIONS } from "../src/actions.ts";

const page = readFileSync(new URL("../docs/policy-reference.md", import.meta.url), "utf8");

/** The rows of the page's tables of actions: the action, and for which accesses and options. */
const documented = [...page.matchAll(/^\| `(\w+:\w+)` \| .*? \| (.*?) \|/gm)].map(
  ([, action, needed]) => ({ action, needed: needed ?? "" }),
);

test.each(ACTIONS)("the policy reference says when $action is granted ($resource)", (row) => {
  const rows = documented.filter(({ action }) => action === row.action);
  const accesses = row.access.length === 4 ? ["every access"] : row.access;
  for (const access of accesses) {
    const option = row.option === undefined ? "" : `, with \`${row.option}\``;
    const where = row.resource === "wholeBucket" ? ", of a whole bucket" : "";
    expect(rows.map(({ needed }) => needed)).toContain(`${access}${where}${option}`);
  }
});

test("the policy reference names no action that is never granted", () => {
  const granted = ACTIONS.map(({ action }) => action);
  expect(documented.length).toBeGreaterThan(10);
  for (const { action } of documented) expect(granted).toContain(action);
});

test("each action names the page of AWS that says who needs it", () => {
  for (const { source } of ACTIONS) expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
});
