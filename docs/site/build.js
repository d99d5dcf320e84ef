/**
 * Builds the site: 1. packs the library and unpacks it here, as npm would install it; 2. writes the pages
 * of the API; 3. draws the pictures; 4. builds the pages; 5. builds the playground beside them.
 * With "dev" as argument it serves the pages instead of 4 and 5; with "prepared" it leaves out 1 to 3.
 * Pages are made for the root of a host, or for the path in BASE, as in BASE=/polaris-session-policy/.
 * They are written to site/, or to the folder in OUT. With WITHOUT_API the pages of the API are left
 * out, which takes a third of the time.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build as buildPages, createServer } from "vitepress";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = (program, ...args) =>
  execFileSync(program, args, { cwd: HERE, stdio: ["ignore", "pipe", "inherit"] }).toString();

const OUT = process.env.OUT ?? `${ROOT}site`;
const words = process.argv.slice(2);

function prepare() {
  const installed = `${HERE}node_modules/polaris-session-policy`;
  const [{ filename }] = JSON.parse(
    run("npm", "pack", "--json", "--ignore-scripts", "--pack-destination", HERE, ROOT),
  );
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  run("tar", "-xzf", filename, "-C", installed, "--strip-components=1");
  rmSync(`${HERE}${filename}`);

  // Each entry of the package has its sources in the folder or the file of the same name.
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  const entries = Object.keys(exports)
    .filter((entry) => !entry.endsWith(".json"))
    .map((entry) => `${ROOT}src/${entry.slice("./".length)}`)
    .map((path) => (existsSync(`${path}.ts`) ? `${path}.ts` : `${path}/index.ts`));
  run("node_modules/.bin/typedoc", ...entries.flatMap((entry) => ["--entryPoints", entry]));
  run("node", "pictures/draw.js");
}

if (!words.includes("prepared")) prepare();
if (words.includes("dev")) {
  const server = await createServer(HERE);
  await server.listen();
  server.printUrls();
} else {
  await buildPages(HERE);
  // Loaded only now: Vue must be loaded first by VitePress, which sets it to production.
  const { build: buildPage } = await import("vite");
  const { playground } = await import("./playground/bundle.js");
  await buildPage(playground);
  // Hosts differ in which of the two they serve for /playground.
  mkdirSync(`${OUT}/playground`, { recursive: true });
  cpSync(`${OUT}/playground.html`, `${OUT}/playground/index.html`);
}
