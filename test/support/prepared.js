/** Folders that git ignores, for what tests download: prepared once, until the pinned versions change. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/**
 * Prepares a folder once for each version of the files that pin what is in it.
 *
 * @param {string} path the folder, without the digest that ends its name.
 * @param {readonly string[]} pinned the files that pin the versions.
 * @param {(dir: string) => void} prepare fills the folder.
 * @returns {string} the folder, with a slash at its end.
 */
export function prepared(path, pinned, prepare) {
  const hash = createHash("sha256");
  for (const file of pinned) hash.update(readFileSync(file));
  const dir = `${path}-${hash.digest("hex").slice(0, 16)}/`;
  if (existsSync(`${dir}done`)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  prepare(dir);
  writeFileSync(`${dir}done`, "");
  return dir;
}
