/** Serves the playground beside the pages while they are written; the build makes it a document of its own. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vitepress";

const FOLDER = fileURLToPath(new URL("../playground/", import.meta.url));

export function servePlayground(base: string): Plugin {
  return {
    name: "serve-playground",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const { pathname } = new URL(request.url ?? "/", "http://site");
        const page = pathname.startsWith(base) ? pathname.slice(base.length) : undefined;
        if (!["playground", "playground/", "playground.html"].includes(page ?? "")) return next();
        const html = readFileSync(`${FOLDER}playground.html`, "utf8")
          // Reloading while one edits needs a connection, which the page's own policy forbids.
          .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "")
          .replace('src="./main.ts"', `src="/@fs${FOLDER}main.ts"`)
          // Vite puts the base before each path that begins with a slash.
          .replace("%BASE_URL%", "/");
        response.setHeader("content-type", "text/html");
        response.end(await server.transformIndexHtml(request.url ?? "/", html));
      });
    },
  };
}
