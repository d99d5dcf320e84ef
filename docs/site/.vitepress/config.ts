import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { actionReasons } from "../playground/action-reasons.js";
import { emptyHeaders } from "./empty-headers.ts";
import { inlinePicture } from "./inline-picture.ts";
import { sidebar } from "./navigation.ts";
import { outsideLinks } from "./outside-links.ts";
import { servePlayground } from "./serve-playground.ts";

const DOCS = fileURLToPath(new URL("../../", import.meta.url));
const HERE = fileURLToPath(new URL("../package.json", import.meta.url));
const base = process.env["BASE"] ?? "/";
const WITHOUT_API = process.env["WITHOUT_API"] !== undefined;

export default defineConfig({
  title: "polaris-session-policy",
  description: "Least-privilege AWS session policies for Apache Polaris",
  lang: "en",
  base,
  srcDir: DOCS,
  srcExclude: ["site/**", "api/**", "examples/**", ...(WITHOUT_API ? ["reference/**"] : [])],
  outDir: process.env["OUT"] ?? fileURLToPath(new URL("../../../site", import.meta.url)),
  // The playground is a document of its own, so that its Content-Security-Policy is.
  ignoreDeadLinks: [/^\/playground/, ...(WITHOUT_API ? [/^\/reference/] : [])],
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (markdown) => {
      emptyHeaders(markdown);
      outsideLinks(markdown, base);
      inlinePicture(markdown, (file) => readFileSync(`${DOCS}${file}`, "utf8"));
    },
  },
  transformPageData({ filePath, frontmatter }) {
    // A table of four columns or more needs the room of the outline beside it.
    const text = readFileSync(`${DOCS}${filePath}`, "utf8");
    if (/^\|(?: ?:?-+:? ?\|){4,}$/m.test(text)) frontmatter["aside"] = false;
  },
  vite: {
    plugins: [
      actionReasons(),
      servePlayground(base),
      {
        // Pages lie above the folder in which Vue is installed.
        name: "vue-of-the-site",
        enforce: "pre",
        resolveId(id, _importer, { ssr }) {
          if (!/^vue(?:\/|$)/.test(id)) return null;
          return ssr ? { id, external: true } : this.resolve(id, HERE, { skipSelf: true });
        },
      },
    ],
  },
  themeConfig: {
    nav: [
      { text: "Start", link: "/start" },
      { text: "Troubleshoot a 403", link: "/troubleshooting" },
      { text: "Playground", link: "/playground.html", target: "_self" },
      { text: "API", link: "/reference/" },
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: "local" },
    footer: {
      message:
        "Apache-2.0. Apache Polaris and Apache Iceberg are trademarks of the Apache Software Foundation; this project is not part of it.",
    },
  },
});
