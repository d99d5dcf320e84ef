import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";

const HERE = fileURLToPath(new URL("./", import.meta.url));

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

/** The playground beside the pages: one document, its scripts and its style as files. */
export const playground = {
  configFile: false,
  root: HERE,
  base: process.env.BASE ?? "/",
  publicDir: false,
  plugins: [vue(), actionReasons()],
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  logLevel: "warn",
  build: {
    outDir: fileURLToPath(new URL("../../../site", import.meta.url)),
    emptyOutDir: false,
    assetsDir: "assets/playground",
    // The polyfill fetches, which the page's Content-Security-Policy forbids.
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: {
      input: `${HERE}playground.html`,
      // Comments in zod's sources that are for another bundler.
      onwarn: (warning, warn) => {
        if (warning.code !== "INVALID_ANNOTATION") warn(warning);
      },
    },
  },
};
