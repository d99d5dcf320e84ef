/** The pages in the order of the tasks that readers come with. A page that is not named here comes last. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DOCS = fileURLToPath(new URL("../../", import.meta.url));

const GROUPS: readonly { text: string; pages: readonly string[] }[] = [
  { text: "First steps", pages: ["start", "vending-credentials"] },
  { text: "Keys and accesses", pages: ["kms-guide", "rotating-keys", "engines"] },
  { text: "Roles and key policies", pages: ["role-and-key-policies"] },
  { text: "When a request is denied", pages: ["troubleshooting"] },
  { text: "Tests", pages: ["testing-your-catalog", "least-privilege"] },
  { text: "Polaris' own policies", pages: ["polaris-compatibility"] },
  {
    text: "Reference",
    pages: ["options", "policy-reference", "security", "benchmarks", "changelog"],
  },
];

/** The commands have a page each. They fold away, so that the tasks stay in view. */
const COMMANDS = [
  "build",
  "assume-role",
  "plan",
  "diff",
  "check",
  "compare",
  "diagnose",
  "check-config",
  "audit",
  "role-policy",
  "trust-policy",
  "key-policy",
];

const present = readdirSync(DOCS)
  .filter((file) => file.endsWith(".md") && file !== "index.md")
  .map((file) => file.slice(0, -".md".length));

/** The words of a page's heading, without the marks of code. */
function title(page: string): string {
  const heading = /^# (.*)$/m.exec(readFileSync(`${DOCS}${page}.md`, "utf8"))?.[1];
  if (heading === undefined) throw new Error(`docs/${page}.md has no heading. Give it one.`);
  return heading.replaceAll("`", "");
}

const link = (page: string) => ({ text: title(page), link: `/${page}` });
const named = new Set([...GROUPS.flatMap(({ pages }) => pages), ...COMMANDS]);
const group = (text: string, pages: readonly string[]) => ({
  text,
  items: pages.filter((page) => present.includes(page)).map(link),
});

export const sidebar = [
  ...GROUPS.map(({ text, pages }) => group(text, pages)),
  { ...group("Commands", COMMANDS), collapsed: true },
  group(
    "More",
    present.filter((page) => !named.has(page)),
  ),
  { text: "API", items: [{ text: "All entries", link: "/reference/" }] },
].filter(({ items }) => items.length > 0);
