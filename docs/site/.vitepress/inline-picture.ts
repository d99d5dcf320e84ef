/**
 * Puts the SVG itself in the place of `![words](pictures/name.svg)`, with the words as its label: colours
 * then follow the switch for dark mode, which an `img` does not see.
 */
import type { MarkdownRenderer } from "vitepress";

export function inlinePicture(markdown: MarkdownRenderer, read: (file: string) => string): void {
  const image = markdown.renderer.rules.image;
  markdown.renderer.rules.image = (tokens, index, options, env, self) => {
    const token = tokens[index];
    const source = String(token?.attrGet("src") ?? "");
    const file = /(?:^|\/)(pictures\/[\w-]+\.svg)$/.exec(source)?.[1];
    if (token === undefined || file === undefined) {
      return image?.(tokens, index, options, env, self) ?? "";
    }
    const label = markdown.utils.escapeHtml(token.content);
    const svg = read(file)
      .replace(/<style>.*?<\/style>/s, "")
      .replace(/ aria-label="[^"]*"/, "")
      .replace("<svg ", `<svg aria-label="${label}" `);
    return `<span class="picture" v-pre>${svg.trim().replace(/\n\s*/g, "\n")}</span>`;
  };
}
