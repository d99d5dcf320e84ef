/** The pages in the order of the tasks that readers come with. A page that is not named here comes last. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DOCS = fileURLToPath(new URL("../../", import.meta.url));

const GROUPS: readonly { text: string; pages: readonly string[] }[] = [
  { text: "Start", pages: ["start", "vending-credentials"] },
  {
    text: "Keys and accesses",
    pages: ["kms-keys", "kms-guide", "rotating-keys", "engines"],
  },
  { text: "Role, trust and key policies", pages: ["role-and-key-policies"] },
  { text: "When a request is denied", pages: ["troubleshooting"] },
  { text: "Tests", pages: ["testing-your-catalog", "least-privilege"] },
  { text: "Polaris' own policies", pages: ["polaris-compatibility"] },
  {
    text: "Reference",
    pages: ["options", "policy-reference", "security", "benchmarks", "changelog"],
  },
];

/** The command line has a page for each command: they fold away, with the page about all of them first. */
const isOfCommandLine = (page: string) => page.startsWith("command-line");

const pagesIn = (folder: string) =>
  readdirSync(`${DOCS}${folder}`)
    .filter((file) => file.endsWith(".md") && `${folder}${file}` !== "index.md")
    .map((file) => `${folder}${file.slice(0, -".md".length)}`)
    .sort();
const present = [
  ...pagesIn(""),
  ...(existsSync(`${DOCS}command-line`) ? pagesIn("command-line/") : []),
];

/** The words of a page's heading, without the marks of code. */
function title(page: string): string {
  const heading = /^# (.*)$/m.exec(readFileSync(`${DOCS}${page}.md`, "utf8"))?.[1];
  if (heading === undefined) throw new Error(`docs/${page}.md has no heading. Give it one.`);
  return heading.replaceAll("`", "");
}

const link = (page: string) => ({ text: title(page), link: `/${page}` });
const named = new Set(GROUPS.flatMap(({ pages }) => pages));
const others = present.filter((page) => !named.has(page) && !isOfCommandLine(page));

export const sidebar = [
  ...GROUPS.map(({ text, pages }) => ({
    text,
    items: pages.filter((page) => present.includes(page)).map(link),
  })),
  { text: "Command line", items: present.filter(isOfCommandLine).map(link), collapsed: true },
  { text: "More", items: others.map(link) },
  { text: "API", items: [{ text: "All entries", link: "/reference/" }] },
].filter(({ items }) => items.length > 0);
