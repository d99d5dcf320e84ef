/** Charts of docs/benchmarks.json, which `npm run bench` writes. */
import { readFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { buildSessionPolicy, serializePolicy } from "polaris-session-policy";
import { ALONE } from "./svg.js";

const read = (file) => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));
const figures = read("benchmarks.json");
const { document } = new JSDOM().window;

function chart(label, options) {
  const drawn = Plot.plot({
    document,
    width: 760,
    style: {
      background: "none",
      color: "var(--ink)",
      fontSize: "14px",
      fontFamily: "system-ui, sans-serif",
    },
    ...options,
  });
  const svg = drawn.tagName.toLowerCase() === "svg" ? drawn : drawn.querySelector("svg");
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  // Colours and fonts stand in attributes: a page's Content-Security-Policy may forbid style elements.
  for (const style of svg.querySelectorAll("style")) style.remove();
  for (const group of svg.querySelectorAll("[aria-label]")) group.removeAttribute("aria-label");
  svg.setAttribute("fill", "var(--ink)");
  return `${svg.outerHTML.replace("<g", `${ALONE}<g`)}\n`;
}

/** Names of the benchmark's tasks that are drawn, and their colours. */
const DRAWN = new Map([
  ["JSON.stringify", "var(--line)"],
  ["prepared builder", "var(--ours)"],
  ["buildSessionPolicy", "var(--third)"],
  ["Polaris 1.7.0 (Java)", "var(--ink)"],
  ["AWS CDK, minimize", "var(--gone)"],
]);

export function chartTime() {
  const { shapes } = figures;
  const rows = shapes.flatMap(({ name, tasks }) =>
    Object.entries(tasks)
      .filter(([task]) => DRAWN.has(task))
      .map(([task, { microseconds }]) => ({ name, task, microseconds })),
  );
  const drawn = [...DRAWN.keys()].filter((task) => rows.some((row) => row.task === task));
  const words = rows
    .filter(({ task }) => task === "prepared builder")
    .map(({ name, microseconds }) => `${name}: ${microseconds} µs`);
  return chart(`Time of a prepared builder by kind of session. ${words.join("; ")}.`, {
    height: 120 + 34 * shapes.length,
    marginTop: 70,
    marginLeft: 290,
    marginBottom: 45,
    x: {
      type: "log",
      label: "median time, µs",
      labelOffset: 40,
      grid: true,
      tickFormat: (n) => (Math.log10(n) % 1 === 0 ? n.toLocaleString("en") : ""),
    },
    y: { axis: null, domain: shapes.map(({ name }) => name) },
    marks: [
      // Long names take two lines; the width is in ems.
      Plot.axisY({ label: null, tickSize: 0, lineWidth: 19 }),
      Plot.gridY({ strokeOpacity: 0.15 }),
      Plot.dot(rows, {
        x: "microseconds",
        y: "name",
        r: (row) => (row.task === "prepared builder" ? 6 : 4),
        fill: (row) => DRAWN.get(row.task),
      }),
      // What each colour means, in a row above.
      ...drawn.flatMap((task, i) => {
        const dx = drawn.slice(0, i).reduce((x, before) => x + 28 + 7 * before.length, -284);
        return [
          Plot.dot([task], { frameAnchor: "top-left", dx, dy: -45, r: 5, fill: DRAWN.get(task) }),
          Plot.text([task], { frameAnchor: "top-left", dx: dx + 11, dy: -45, textAnchor: "start" }),
        ];
      }),
    ],
  });
}

const COLOURS = { "this library": "var(--ours)", Polaris: "var(--line)" };

function bars(label, rows, { x, format = String }) {
  const named = rows.map((row) => ({ ...row, name: `${row.what}, ${row.who}` }));
  return chart(label, {
    height: 80 + 36 * named.length,
    marginBottom: 45,
    marginLeft: 210,
    marginRight: 60,
    x: { label: x, labelOffset: 40, ticks: 5, grid: true },
    y: { label: null, domain: named.map(({ name }) => name) },
    marks: [
      Plot.barX(named, { x: "value", y: "name", fill: (row) => COLOURS[row.who], rx: 3 }),
      Plot.text(named, {
        x: "value",
        y: "name",
        text: (row) => format(row.value),
        dx: 6,
        textAnchor: "start",
      }),
    ],
  });
}

/** How many tables Polaris' own policy holds, by its profile. */
function capacityOfPolaris(uri) {
  const config = {
    roleArn: "arn:aws:iam::123456789012:role/polaris",
    currentKmsKey: "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444",
  };
  for (let count = 1; ; count++) {
    const uris = Array.from({ length: count }, (_, i) => uri(String(i).padStart(2, "0")));
    const all = { read: uris, list: uris, write: uris, delete: uris };
    const policy = buildSessionPolicy(config, all, {
      profile: "polaris",
      maxLength: Number.POSITIVE_INFINITY,
    });
    if (serializePolicy(policy).length > 2048) return count - 1;
  }
}

export function chartTables() {
  const short = capacityOfPolaris((n) => `s3://wh-bucket/db/table_${n}`);
  const long = capacityOfPolaris(
    (n) =>
      `s3://acme-lakehouse-prod/warehouse/sales/orders-${n}-0f9e8d7c-5555-6666-7777-888888888888`,
  );
  const rows = [
    { what: "short names", who: "this library", value: figures.capacity.short },
    { what: "short names", who: "Polaris", value: short },
    { what: "long names", who: "this library", value: figures.capacity.long },
    { what: "long names", who: "Polaris", value: long },
  ];
  return bars(
    `Tables in one session: with short names ${figures.capacity.short}, Polaris ${short}; with long names ${figures.capacity.long}, Polaris ${long}.`,
    rows,
    { x: "tables that one session policy holds" },
  );
}

export function chartLength() {
  const median = Math.round(1000 * figures.lengthOfPolaris.median) / 10;
  return bars(
    `Length of a policy, median over ${figures.lengthOfPolaris.vectors} inputs: ours has ${median} % of the characters of Polaris' policy.`,
    [
      {
        what: "median length",
        who: "this library",
        value: median,
      },
      { what: "median length", who: "Polaris", value: 100 },
    ],
    { x: "length of the policy, % of Polaris'", format: (value) => `${value} %` },
  );
}
