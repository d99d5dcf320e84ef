/** Makes the empty corner of a table a cell: a heading without words is no heading to a screen reader. */
import type { MarkdownRenderer } from "vitepress";

export function emptyHeaders(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("empty-headers", ({ tokens }) => {
    for (const [i, token] of tokens.entries()) {
      const [content, end] = [tokens[i + 1], tokens[i + 2]];
      if (token.type !== "th_open" || content?.content !== "" || end === undefined) continue;
      token.tag = "td";
      end.tag = "td";
    }
  });
}
