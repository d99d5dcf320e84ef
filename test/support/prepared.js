/** Folders that git ignores, for what tests download: prepared once, until the pinned versions change. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/**
 * Prepares a folder once for each version of the file that pins what is in it.
 *
 * @param {string} path the folder, without the digest that ends its name.
 * @param {string} pinned the file that pins the versions.
 * @param {(dir: string) => void} prepare fills the folder.
 * @returns {string} the folder, with a slash at its end.
 */
export function prepared(path, pinned, prepare) {
  const digest = createHash("sha256").update(readFileSync(pinned)).digest("hex").slice(0, 16);
  const dir = `${path}-${digest}/`;
  if (existsSync(`${dir}done`)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  prepare(dir);
  writeFileSync(`${dir}done`, "");
  return dir;
}
