/** The table of docs/engines.md as a grid: which engine's operation needs which access. */
import { readFileSync } from "node:fs";
import { picture, text } from "./svg.js";

const ACCESSES = ["read", "list", "write", "delete"];

/** Rows in an engine's own section begin with the operation; the others name their engine first. */
function rows() {
  const page = readFileSync(new URL("../../engines.md", import.meta.url), "utf8");
  let section;
  const found = page.split("\n").flatMap((line) => {
    if (line.startsWith("#")) section = /^### (.+)/.exec(line)?.[1];
    const cells = line
      .split("|")
      .slice(1)
      .map((cell) => cell.replaceAll("`", "").trim());
    const [engine, operation, needs] = section === undefined ? cells : [section, ...cells];
    const accesses = needs?.split(", ") ?? [""];
    return accesses.every((access) => ACCESSES.includes(access))
      ? [{ engine, operation, accesses }]
      : [];
  });
  if (found.length === 0)
    throw new Error("docs/engines.md has no row of engine, operation, needs.");
  return found;
}

export function accessGrid() {
  const all = rows();
  const columns = ACCESSES.map((access, i) => ({ access, x: 450 + 82 * i }));
  const content = columns.map(({ access, x }) =>
    text(x, 28, access, 'text-anchor="middle" font-weight="600"'),
  );
  let y = 40;
  let engine = "";
  for (const row of all) {
    if (row.engine !== engine) {
      engine = row.engine;
      content.push(text(16, y + 24, engine, 'font-weight="700"'));
      y += 32;
    }
    content.push(
      `<rect x="8" y="${y}" width="744" height="26" rx="5" fill="var(--card)"/>`,
      text(28, y + 18, row.operation, 'font-size="14"'),
    );
    for (const { access, x } of columns) {
      const needed = row.accesses.includes(access);
      content.push(
        needed
          ? `<rect x="${x - 26}" y="${y + 4}" width="52" height="18" rx="9" fill="var(--${access === "delete" ? "gone" : "ours"})"/>`
          : `<circle cx="${x}" cy="${y + 13}" r="2.5" fill="var(--line)"/>`,
      );
    }
    y += 30;
  }
  const label = `Which accesses operations need. ${all.map(({ engine, operation, accesses }) => `${engine}, ${operation}: ${accesses.join(", ")}`).join(". ")}.`;
  return picture(760, y + 8, label, content);
}
