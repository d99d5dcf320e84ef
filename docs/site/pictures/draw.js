/** Writes every picture of the pages into docs/pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { accessGrid } from "./access-grid.js";
import { besidePolaris } from "./beside-polaris.js";
import { chartLength, chartTables, chartTime } from "./charts.js";
import { intersection, request } from "./diagrams.js";

const pictures = {
  intersection: intersection(),
  request: request(),
  "beside-polaris": besidePolaris(),
  "access-grid": accessGrid(),
  "chart-tables": chartTables(),
  "chart-length": chartLength(),
  "chart-time": chartTime(),
};
const folder = new URL("../../pictures/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, svg] of Object.entries(pictures))
  writeFileSync(new URL(`${name}.svg`, folder), svg);
