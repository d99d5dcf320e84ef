/**
 * Links that leave docs/, which the site does not have: they lead to the repository that builds the site,
 * if its workflow names one, and else are words only. Links to the playground, which is no page of
 * VitePress', get the site's base.
 */
import type { MarkdownRenderer } from "vitepress";

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;

export function outsideLinks(markdown: MarkdownRenderer, base: string): void {
  markdown.core.ruler.push("outside-links", ({ tokens }) => {
    for (const { children } of tokens) {
      let isOutside = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const href = String(token.attrGet("href") ?? "");
          if (href === "/playground") token.attrSet("href", `${base}playground`);
          const path = /^\.\.\/(.*)$/.exec(href)?.[1];
          isOutside = path !== undefined;
          if (path === undefined) continue;
          if (GITHUB_SERVER_URL && GITHUB_REPOSITORY) {
            token.attrSet("href", `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/blob/HEAD/${path}`);
            isOutside = false;
          } else {
            token.type = "span_open";
            token.tag = "span";
            token.attrs = null;
          }
        } else if (token.type === "link_close" && isOutside) {
          token.type = "span_close";
          token.tag = "span";
          isOutside = false;
        }
      }
    }
  });
}
