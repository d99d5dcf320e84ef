/** What every picture shares: its colours, also where it stands alone, and a few shapes. */
import { readFileSync } from "node:fs";

const colours = readFileSync(new URL("../.vitepress/theme/pictures.css", import.meta.url), "utf8");
const [light, dark] = [":root", ".dark"].map(
  (name) => colours.split(`${name} {`)[1]?.split("}")[0]?.replace(/\s+/g, " ").trim() ?? "",
);

/** The colours for a picture that stands alone, as in README. On the site the page's own count. */
export const ALONE = `<style>svg { ${light} } @media (prefers-color-scheme: dark) { svg { ${dark} } }</style>`;

export const escaped = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

export function picture(width, height, label, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escaped(label)}" viewBox="0 0 ${width} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="15" fill="var(--ink)">
${ALONE}
${content.join("\n")}
</svg>
`;
}

export function text(x, y, words, attributes = "") {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

export function box(x, y, width, height, title, lines = []) {
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="var(--card)" stroke="var(--line)"/>`,
    text(x + width / 2, y + 28, title, 'text-anchor="middle" font-weight="600"'),
    ...lines.map((line, i) =>
      text(
        x + width / 2,
        y + 50 + 19 * i,
        line,
        'text-anchor="middle" font-size="13" fill="var(--soft)"',
      ),
    ),
  ].join("\n");
}

const HEAD = 9;
/** A straight arrow with its number and words beside its middle. */
export function arrow([x1, y1], [x2, y2], number, words, [dx, dy] = [0, -12]) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - ux * HEAD, y2 - uy * HEAD];
  const [mx, my] = [(x1 + x2) / 2 + dx, (y1 + y2) / 2 + dy];
  const anchor = dx > 0 ? "start" : dx < 0 ? "end" : "middle";
  const lines = [].concat(words);
  return [
    `<line x1="${x1}" y1="${y1}" x2="${bx}" y2="${by}" stroke="var(--ours)" stroke-width="2"/>`,
    `<polygon points="${x2},${y2} ${bx - uy * 5},${by + ux * 5} ${bx + uy * 5},${by - ux * 5}" fill="var(--ours)"/>`,
    ...lines.map((line, i) =>
      text(
        mx,
        my + 17 * i,
        i === 0 ? `${number}. ${line}` : line,
        `text-anchor="${anchor}" font-size="13"`,
      ),
    ),
  ].join("\n");
}
