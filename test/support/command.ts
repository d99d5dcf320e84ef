/** Runs the command as a person does: the built program, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageJson = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { version: string; bin: Record<string, string>; scripts: Record<string, string> };
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BIN = join(ROOT, packageJson.bin["polaris-session-policy"] ?? "");
export const ON_TERMINAL = ["--import", "data:text/javascript,process.stdout.isTTY=true"];

export interface Result {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export function outcomeOf(child: ChildProcess, input: string | Buffer): Promise<Result> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += chunk));
  child.stderr?.on("data", (chunk) => (err += chunk));
  child.stdin?.on("error", () => {}); // it may have read enough
  child.stdin?.end(input);
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, out, err })));
}

interface Settings {
  readonly input?: string | Buffer;
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export function run(
  args: readonly string[],
  { input = "", node = [], env = {} }: Settings = {},
): Promise<Result> {
  const child = spawn(process.execPath, [...node, BIN, ...args], {
    env: { ...process.env, NO_COLOR: "", ...env },
  });
  return outcomeOf(child, input);
}
