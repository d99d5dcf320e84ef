import { readFileSync } from "node:fs";

/**
 * The reason and the source of each action, read from the tables of docs/policy-reference.md, so that
 * they stand in one place.
 */
export function actionReasons() {
  return {
    name: "action-reasons",
    resolveId: (id) => (id === "virtual:action-reasons" ? `\0${id}` : undefined),
    load(id) {
      if (id !== "\0virtual:action-reasons") return undefined;
      const page = readFileSync(new URL("../../policy-reference.md", import.meta.url), "utf8");
      const reasons = [];
      let columns = [];
      let link = "";
      for (const line of page.split("\n")) {
        if (!line.startsWith("|")) continue;
        const cells = line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim());
        if (cells[0] === "action") columns = cells;
        const action = /^`((?:s3|kms):\w+)`/.exec(cells[0] ?? "")?.[1];
        const cell = (name) => cells[columns.indexOf(name)] ?? "";
        if (action === undefined || columns.length === 0) continue;
        // "same" in the column of sources means the row above.
        link = /\((https:[^)]*)\)/.exec(cell("source"))?.[1] ?? link;
        const why = cell("why")
          .replace(/`/g, "")
          .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
        reasons.push({ action, access: cell("for"), why, link });
      }
      if (reasons.length === 0) this.error("docs/policy-reference.md has no table of actions.");
      return `export const REASONS = ${JSON.stringify(reasons)};`;
    },
  };
}
