/** What tests need of the machine they run on: Debian's packages, and a port. */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function has(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Whether this is a Debian or Ubuntu, and we are root there. */
export function mayInstall(): boolean {
  return has("apt-get") && process.getuid?.() === 0;
}

export function installPackages(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Test files run at the same time, and apt-get fails where another one holds its lock.
  const lock = join(tmpdir(), "polaris-session-policy.apt.lock");
  const apt = (...args: string[]) =>
    execFileSync("flock", [lock, "apt-get", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("There is no free port.");
  return address.port;
}
