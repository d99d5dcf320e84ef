/** Chromium as Debian has it, and the built site on a port of this machine. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { has, installPackages, mayInstall } from "../../../test/support/machine.ts";

export const SITE = fileURLToPath(new URL("../../../site/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** The file that a path names: itself, a page, or a folder's index. */
export function fileOf(path: string, folder = SITE): string | undefined {
  const found = [path, `${path}.html`, `${path.replace(/\/$/, "")}/index.html`].find((name) =>
    statSync(`${folder}${name}`, { throwIfNoEntry: false })?.isFile(),
  );
  return found === undefined ? undefined : `${folder}${found}`;
}

/** Serves a built site below a path, and nothing beside it. */
export async function serveSite(
  folder = SITE,
  base = "/",
): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname);
    const file = path.startsWith(base) ? fileOf(path.slice(base.length), folder) : undefined;
    if (file === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    // As hosts do: these files have a digest in their names.
    if (path.includes("/assets/")) response.setHeader("cache-control", "max-age=3600");
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return {
    url: `http://127.0.0.1:${address.port}${base.slice(0, -1)}`,
    close: () => server.close(),
  };
}

export async function launch(): Promise<Browser> {
  const names = ["chromium", "google-chrome"];
  if (!names.some(has)) {
    if (!mayInstall()) {
      throw new Error("The site's tests need Chromium: on Debian, apt-get install chromium.");
    }
    installPackages(["chromium"]);
  }
  const name = names.find(has) ?? "chromium";
  const executablePath = String(execFileSync("sh", ["-c", `command -v ${name}`])).trim();
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
