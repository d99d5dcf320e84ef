/** The example catalog as a process of its own, started and ended here. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const SERVER = "examples/catalog-server";

export interface RunningCatalog {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts the server and waits for the line with its address. */
export async function startCatalog(
  config: string,
  env: Readonly<Record<string, string>>,
): Promise<RunningCatalog> {
  const args = ["--import", `${process.cwd()}/${SERVER}/node_modules/tsx/dist/loader.mjs`];
  args.push(`${SERVER}/src/main.ts`, "--config", config, "--port", "0");
  const child: ChildProcess = spawn(process.execPath, args, {
    // It says with every start that it will need Node 22 some day.
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  if (child.stdout === null) throw new Error("The catalog has no output.");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    const stop = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    };
    return { url, stop };
  }
  throw new Error("The catalog ended before it was ready.");
}
