/** The pages that `npm run docs` built: their links, their pictures, and what a browser says of them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Parser } from "htmlparser2";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileOf, launch, SITE, serveSite } from "./browser.ts";

const pages = readdirSync(SITE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".html") && file !== "404.html")
  .sort();
const ofReference = (page: string) => page.startsWith("reference/");
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Found {
  readonly links: readonly string[];
  readonly ids: ReadonlySet<string>;
  readonly images: readonly { alt: string | undefined; src: string }[];
  readonly svgs: readonly { label: string | undefined }[];
}

function read(page: string): Found {
  const links: string[] = [];
  const ids = new Set<string>();
  const images: { alt: string | undefined; src: string }[] = [];
  const svgs: { label: string | undefined }[] = [];
  const parser = new Parser({
    onopentag(name, attributes) {
      if (attributes["id"] !== undefined) ids.add(attributes["id"]);
      if (name === "a" && attributes["href"] !== undefined) links.push(attributes["href"]);
      if (name === "img") images.push({ alt: attributes["alt"], src: attributes["src"] ?? "" });
      if (name === "svg" && attributes["role"] === "img") {
        svgs.push({ label: attributes["aria-label"] });
      }
    },
  });
  parser.write(readFileSync(`${SITE}${page}`, "utf8"));
  parser.end();
  return { links, ids, images, svgs };
}

const found = new Map(pages.map((page) => [page, read(page)]));

test("every link leads to a page that is there, and to an anchor on it", () => {
  const broken: string[] = [];
  for (const [page, { links }] of found) {
    for (const link of links) {
      const url = new URL(link, `http://site/${page}`);
      if (url.host !== "site") continue;
      const file = fileOf(decodeURIComponent(url.pathname));
      const target = file?.slice(SITE.length).replace(/^\//, "");
      const anchor = decodeURIComponent(url.hash.slice(1));
      const isThere =
        target !== undefined &&
        (anchor === "" || !target.endsWith(".html") || found.get(target)?.ids.has(anchor));
      if (!isThere) broken.push(`${page}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
  expect([...found.values()].flatMap(({ links }) => links).length).toBeGreaterThan(500);
});

test("every picture has words", () => {
  const all = [...found.values()];
  const pictures = all.flatMap(({ svgs }) => svgs);
  expect(pictures.length).toBeGreaterThanOrEqual(6);
  expect(pictures.filter(({ label }) => (label ?? "").split(" ").length < 4)).toEqual([]);
  expect(all.flatMap(({ images }) => images).filter(({ alt }) => !alt)).toEqual([]);
});

test("every page of docs/ stands in the order of pages", () => {
  const written = readdirSync(new URL("../../", import.meta.url))
    .filter((file) => file.endsWith(".md") && file !== "index.md")
    .map((file) => file.replace(/\.md$/, ".html"));
  const linked = found.get("start.html")?.links.map((link) => link.replace(/^\//, ""));
  expect(written.filter((page) => !linked?.includes(page))).toEqual([]);
});

/** What a page logs as wrong, and the requests that fail. */
function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A browser asks the host's root for it by itself, until a page names another icon.
    if (message.location().url.endsWith("/favicon.ico")) return;
    if (["error", "warning"].includes(message.type()))
      faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // Pages ahead of the reader are fetched in idle time, which going on ends.
    if (reason !== "net::ERR_ABORTED") faults.push(`${page.url()}: ${request.url()} ${reason}`);
  });
  return faults;
}

describe("in a browser", () => {
  let browser: Browser;
  let site: { url: string; close: () => void };
  beforeAll(async () => {
    site = await serveSite();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    site.close();
  });

  // Of the API's pages, which are all made alike, every tenth.
  const some = pages.filter((name, i) => !ofReference(name) || i % 10 === 0);
  test("no page logs an error", { timeout: 240_000 }, async () => {
    const page = await browser.newPage();
    const faults = faultsOf(page);
    for (const name of some) {
      await page.goto(`${site.url}/${name}`);
      await page.waitForSelector("main h1, .VPHome, #playground h1");
    }
    expect(faults).toEqual([]);
    await page.close();
  });

  test.each(["light", "dark"] as const)("axe finds nothing, %s", async (colorScheme) => {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    for (const name of [
      "index.html",
      "start.html",
      "engines.html",
      "benchmarks.html",
      "security.html",
      "policy-reference.html",
      "troubleshooting.html",
    ]) {
      await page.goto(`${site.url}/${name}`);
      await page.waitForSelector(".VPContent");
      await page.addScriptTag({ path: axe });
      const violations = await page.evaluate(`axe.run(".VPContent", {
        // VitePress' own parts: its tables scroll, its links to headings are hidden, its code is coloured.
        rules: { "scrollable-region-focusable": { enabled: false }, "color-contrast": { enabled: true } },
        resultTypes: ["violations"],
      }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200)))`);
      expect(violations, name).toEqual([]);
    }
    await context.close();
  });

  test("pictures follow the switch for dark mode", async () => {
    const page = await browser.newPage();
    await page.goto(`${site.url}/start.html`);
    const ink = () =>
      page.$eval(".picture svg text", (text) => getComputedStyle(text).getPropertyValue("fill"));
    const light = await ink();
    await page.evaluate(() => document.documentElement.classList.add("dark"));
    expect(await ink()).not.toBe(light);
    await page.close();
  });

  test("each picture is an image by itself, as README and GitHub show it", async () => {
    const folder = new URL("../../pictures/", import.meta.url);
    const page = await browser.newPage();
    const broken: string[] = [];
    for (const name of readdirSync(folder)) {
      const source = `data:image/svg+xml;base64,${readFileSync(new URL(name, folder), "base64")}`;
      const isShown = await page.evaluate(async (src) => {
        const image = new Image();
        image.src = src;
        return image.decode().then(
          () => true,
          () => false,
        );
      }, source);
      if (!isShown) broken.push(name);
    }
    expect(broken).toEqual([]);
    await page.close();
  });

  test("a search finds a page", async () => {
    const page = await browser.newPage();
    await page.goto(`${site.url}/start.html`);
    // The page answers to the key once its scripts ran.
    await expect
      .poll(
        async () => {
          await page.keyboard.press("Control+k");
          return page.getByPlaceholder("Search").isVisible();
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true);
    await page.getByPlaceholder("Search").fill("kms:ViaService");
    await page.locator(".result").first().waitFor();
    await page.close();
  });

  test("a page fits a phone", async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    for (const name of pages.filter((page) => !ofReference(page))) {
      await page.goto(`${site.url}/${name}`);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, name).toBeLessThanOrEqual(390);
    }
    await context.close();
  });

  describe("below a path of a host, as BASE says,", () => {
    const BASE = "/lake/";
    const build = fileURLToPath(new URL("../build.js", import.meta.url));
    const start = (words: string[], more: object = {}) =>
      spawn(process.execPath, [build, ...words, "prepared"], {
        // CI has colours, and Vite would put them into the address that it prints.
        env: { ...process.env, BASE, NO_COLOR: "1", ...more },
        stdio: ["ignore", "pipe", "inherit"],
        timeout: 280_000,
      });
    const visit = async (url: string) => {
      const page = await browser.newPage();
      const faults = faultsOf(page);
      await page.goto(`${url}/start.html`);
      await page.getByRole("link", { name: "Vending credentials" }).first().click();
      await page.getByRole("heading", { name: "Vending credentials" }).waitFor();
      await page.getByRole("link", { name: "Playground" }).first().click();
      await page
        .getByRole("region", { name: "Session policy" })
        .getByText("s3:GetObject")
        .first()
        .waitFor();
      expect(new URL(page.url()).pathname).toMatch(/^\/lake\/playground/);
      await page.getByRole("link", { name: "Start" }).click();
      await page.getByRole("heading", { name: "Start", level: 1 }).waitFor();
      await page.close();
      return faults;
    };

    test("the built site works, its links too", { timeout: 300_000 }, async () => {
      const OUT = mkdtempSync(join(tmpdir(), "site-"));
      try {
        const [code] = await once(start([], { OUT, WITHOUT_API: "1" }), "exit");
        expect(code).toBe(0);
        const outside = [
          ...readFileSync(join(OUT, "start.html"), "utf8").matchAll(/(?:href|src)="(\/[^"]*)"/g),
        ]
          .map(([, link = ""]) => link)
          .filter((link) => !link.startsWith(BASE));
        expect(outside).toEqual([]);
        const based = await serveSite(`${OUT}/`, BASE);
        expect(await visit(based.url)).toEqual([]);
        based.close();
      } finally {
        rmSync(OUT, { recursive: true });
      }
    });

    test("docs:dev serves it while it is written", { timeout: 300_000 }, async () => {
      const server = start(["dev"]);
      try {
        const url = await new Promise<string>((resolve, reject) => {
          let said = "";
          server.on("exit", () => reject(new Error(said)));
          server.stdout.on("data", (part) => {
            said += part;
            const at = /http:\S+\/lake(?=\/)/.exec(said)?.[0];
            if (at !== undefined) resolve(at);
          });
        });
        expect(await visit(url)).toEqual([]);
      } finally {
        server.kill();
      }
    });
  });
});
