/**
 * A throw-away S3 and STS server on loopback: Ceph's RADOS Gateway over one monitor and one storage
 * daemon in memory. Runs as vitest's global set-up; tests get its address by `inject("gateway")`.
 *
 * @see https://docs.ceph.com/en/pacific/radosgw/STS/
 * @see https://docs.ceph.com/en/pacific/install/manual-deployment/
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { freePort, has, installPackages, mayInstall } from "../support/machine.ts";

export interface Gateway {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly roleArn: string;
  /** The cluster's configuration file, for Ceph's own commands. */
  readonly conf: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    gateway: Gateway;
  }
}

const PACKAGES = ["radosgw", "ceph-mon", "ceph-osd", "ceph-mgr", "ceph-common"];
const COMMANDS = ["radosgw", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "ceph-authtool"];

/** Installs the server where that is possible; elsewhere says what is needed. */
function install(): void {
  if (COMMANDS.every(has)) return;
  const needed = `The server tests need Ceph's RADOS Gateway, version 16 or later: on Debian or Ubuntu, apt-get install ${PACKAGES.join(" ")}; there is none for macOS or Windows, where a container of Debian does.`;
  if (!mayInstall()) throw new Error(needed);
  try {
    installPackages(PACKAGES);
  } catch (error) {
    throw new Error(`${needed} Installing them failed.`, { cause: error });
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, seconds: number, isSo: () => boolean | Promise<boolean>) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(250)) {
    if (await isSo()) return;
  }
  throw new Error(`${what} was not ready within ${seconds} seconds.`);
}

const ACCESS_KEY = "adminkey";
const SECRET_KEY = "adminsecret";
const POOLS = "osd pool default";

function configuration(dir: string, fsid: string, monitor: number, port: number): string {
  return `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${monitor}
mon initial members = a
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
${POOLS} size = 1
${POOLS} min size = 1
${POOLS} pg num = 8
${POOLS} pgp num = 8
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail warn = 1
mon data avail crit = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
run dir = ${dir}
log file = ${dir}/$name.log
admin socket = ${dir}/$name.asok
mon data = ${dir}/mon
osd data = ${dir}/osd
keyring = ${dir}/keyring
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw s3 auth use sts = true
rgw sts key = 0123456789abcdef
rgw dns name = localhost
rgw enable usage log = false
`;
}

/** Starts the server; `stop` ends, by pid, the processes that were started here, and no other. */
async function start(dir: string): Promise<{ gateway: Gateway; stop: () => Promise<void> }> {
  const [monitor, port, fsid] = [await freePort(), await freePort(), randomUUID()];
  const conf = join(dir, "ceph.conf");
  writeFileSync(conf, configuration(dir, fsid, monitor, port));
  mkdirSync(join(dir, "osd"));
  const env = { ...process.env, CEPH_CONF: conf };
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const daemons: ChildProcess[] = [];
  const launch = (command: string, ...args: string[]) => {
    const log = openSync(join(dir, `${command}.out`), "a");
    daemons.push(spawn(command, ["-f", ...args], { env, stdio: ["ignore", log, log] }));
  };
  const ended = (daemon: ChildProcess) => daemon.exitCode !== null || daemon.signalCode !== null;
  const kill = (signal: NodeJS.Signals) => {
    for (const daemon of daemons.toReversed()) if (!ended(daemon)) daemon.kill(signal);
  };
  // Also if vitest itself is ended.
  const killAll = () => kill("SIGKILL");
  process.once("exit", killAll);
  const stop = async () => {
    kill("SIGTERM");
    for (let i = 0; i < 20 && !daemons.every(ended); i++) await pause(250);
    killAll();
    process.off("exit", killAll);
  };
  const answers = (test: () => unknown) => {
    if (daemons.some(ended)) throw new Error("A daemon ended.");
    try {
      return test() !== false;
    } catch {
      return false;
    }
  };
  try {
    run(
      "ceph-authtool",
      "--create-keyring",
      join(dir, "keyring"),
      "--gen-key",
      "-n",
      "mon.",
      "--cap",
      "mon",
      "allow *",
    );
    run(
      "monmaptool",
      "--create",
      "--fsid",
      fsid,
      "--addv",
      "a",
      `[v1:127.0.0.1:${monitor}]`,
      join(dir, "monmap"),
    );
    run(
      "ceph-mon",
      "--mkfs",
      "-i",
      "a",
      "--monmap",
      join(dir, "monmap"),
      "--keyring",
      join(dir, "keyring"),
    );
    launch("ceph-mon", "-i", "a");
    await until("The monitor", 60, () =>
      answers(() => run("ceph", "--connect-timeout", "5", "-s")),
    );
    const osd = randomUUID();
    run("ceph", "osd", "new", osd, "0");
    run("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", osd);
    // It gives up if it asks the monitor before it knows the cluster's id ("wrong fsid"), so again.
    for (let tries = 1; ; tries++) {
      launch("ceph-osd", "-i", "0");
      const osdDaemon = daemons.at(-1);
      const isUp = () =>
        (osdDaemon !== undefined && ended(osdDaemon)) ||
        answers(() => run("ceph", "osd", "stat").includes("1 up"));
      await until("The storage daemon", 60, isUp);
      if (osdDaemon !== undefined && !ended(osdDaemon)) break;
      if (tries === 5) throw new Error("The storage daemon ended five times.");
      daemons.pop();
    }
    launch("radosgw", "-n", "client.rgw");
    const endpoint = `http://127.0.0.1:${port}`;
    await until("The gateway", 120, async () => {
      if (daemons.some(ended)) throw new Error("A daemon ended.");
      return fetch(endpoint).then(
        () => true,
        () => false,
      );
    });
    const admin = (...args: string[]) => run("radosgw-admin", "-n", "client.rgw", ...args);
    const keys = [`--access-key=${ACCESS_KEY}`, `--secret=${SECRET_KEY}`];
    admin("user", "create", "--uid=admin", "--display-name=admin", ...keys);
    admin("caps", "add", "--uid=admin", "--caps=roles=*;user-policy=*");
    addRole(conf, "polaris", policyOf({ Action: ["s3:*"], Resource: "arn:aws:s3:::*" }));
    const gateway = {
      endpoint,
      accessKeyId: ACCESS_KEY,
      secretAccessKey: SECRET_KEY,
      roleArn: "arn:aws:iam:::role/polaris",
      conf,
    };
    return { gateway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const policyOf = (statement: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", ...statement }],
});

/** Creates a role that the catalog's user may assume. */
export function addRole(conf: string, name: string, policy: object): void {
  const admin = (...args: string[]) =>
    execFileSync("radosgw-admin", ["-n", "client.rgw", ...args, `--role-name=${name}`], {
      env: { ...process.env, CEPH_CONF: conf },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
  const Principal = { AWS: ["arn:aws:iam:::user/admin"] };
  const trust = policyOf({ Principal, Action: ["sts:AssumeRole"] });
  admin("role", "create", `--assume-role-policy-doc=${JSON.stringify(trust)}`);
  const document = `--policy-doc=${JSON.stringify(policy)}`;
  admin("role-policy", "put", "--policy-name=all", document);
}

/** The ends of the daemons' logs, for whoever has to find out why they did not start. */
function logsIn(dir: string): string {
  return ["ceph-mon", "ceph-osd", "radosgw"]
    .map((name) => {
      try {
        return `${name}:\n${readFileSync(join(dir, `${name}.out`), "utf8").slice(-2000)}`;
      } catch {
        return `${name}: not started`;
      }
    })
    .join("\n");
}

/** Starts a gateway in a folder of its own, which `stop` removes. */
export async function startGateway(): ReturnType<typeof start> {
  install();
  const dir = mkdtempSync(join(tmpdir(), "rgw-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    const { gateway, stop } = await start(dir);
    return { gateway, stop: () => stop().then(remove) };
  } catch (error) {
    const logs = logsIn(dir);
    remove();
    throw new Error(`The server did not start.\n${logs}`, { cause: error });
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { gateway, stop } = await startGateway();
  project.provide("gateway", gateway);
  return stop;
}
