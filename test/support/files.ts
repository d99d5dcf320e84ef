/** Files that a test file writes for the command to read, in a folder that goes when it ends. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

export function temporaryFiles(): {
  readonly folder: () => string;
  /** Writes a text and bytes as they are and all else as JSON, and returns the path. */
  readonly file: (name: string, content: unknown) => string;
} {
  let dir = "";
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "cli-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  return {
    folder: () => dir,
    file: (name, content) => {
      const path = join(dir, name);
      const isPlain = typeof content === "string" || content instanceof Uint8Array;
      writeFileSync(path, isPlain ? content : JSON.stringify(content));
      return path;
    },
  };
}
