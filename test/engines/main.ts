/**
 * Runs engines on sessions of this library: `npm run test:engines [ENGINE…] [OPERATION…]`.
 *
 * 1. Prepare the engines, start the gateway, the proxy in front of it, and the example catalog.
 * 2. Run each operation with the accesses that it needs: it must succeed, and no request may be refused.
 * 3. Run it with each of them left out: it must fail, or go on, as test/engines/engines.ts says.
 * 4. Run readers and writers of each engine with the policy of a sibling: they must fail.
 * 5. Write the requests to traces.json, from which docs/engines.md has its table.
 *
 * With KEEP_TEXTS=FOLDER, what engines print when they are refused goes to that folder.
 *
 * For example `pyiceberg read` runs `read` with a session that may read, where the trace is
 * HEAD, GET manifest list, GET manifest, GET data; and again with one that may do nothing, which fails.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type AwsStorageConfig, buildSessionPolicy } from "../../src/index.ts";
import { startGateway } from "../server/gateway.ts";
import { type AnyPolicy, allows, type Request } from "../support/iam.ts";
import { HERE, java, lacksJava, python } from "./cache.ts";
import {
  ACCESSES,
  type Access,
  type EngineOperation,
  engineOperations,
  engines,
  type Outcome,
} from "./engines.ts";
import { type GuideResult, guidedEngines, guides, plantedFaults, runGuide } from "./kms-guide.ts";
import { startProxy, type TracedRequest } from "./proxy.ts";
import { startCatalog } from "./server-process.ts";
import { withGuide, withTables } from "./table.ts";
import { shapeOf, type Trace } from "./traces.ts";

const TRACES = `${HERE}traces.json`;
const PAGE = `${HERE}../../docs/engines.md`;
const GUIDE = `${HERE}kms-guide.json`;
const GUIDE_PAGE = `${HERE}../../docs/kms-guide.md`;
const AT_ONCE = 2;
const SECONDS_OF_A_HANG = 60;
const print = (line: string) => process.stdout.write(`${line}\n`);

const names = process.argv.slice(2);
const known = new Set([...Object.keys(engines), ...Object.keys(guides)]);
const wantedEngines = names.filter((name) => known.has(name));
const wantedOperations = names.filter((name) => !known.has(name));
const unknown = wantedOperations.filter(
  (name) => !engineOperations.some((o) => o.operation === name),
);
if (unknown.length > 0) {
  print(
    `Unknown engine or operation "${unknown[0]}". Use ${[...known].join(", ")}, or an operation of docs/engines.md.`,
  );
  process.exit(2);
}
const wanted = engineOperations.filter(
  ({ engine, operation }) =>
    (wantedEngines.length === 0
      ? engines[engine]?.byName !== true
      : wantedEngines.includes(engine)) &&
    (wantedOperations.length === 0 || wantedOperations.includes(operation)),
);
/** The engines that go through the KMS guide, and their programs. */
const guidesWanted = (names.length === 0 ? ["kms-guide"] : names).flatMap((name) =>
  Object.entries(guides[name] ?? {}),
);
const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1000);

/** Why an engine is skipped. */
const skipped = new Map<string, string>();
const kindsWanted = [
  ...wanted.map(({ engine }) => engine),
  ...guidesWanted.map(([name]) => name),
].map((name) => engines[name]?.runs);
const interpreter = kindsWanted.includes("python") ? python() : "";

/** Returns what starts a program of an engine; undefined if this machine cannot, and nobody named it. */
function commandOf(name: string, program = ""): readonly string[] | undefined {
  const { runs, jars = "", release } = engines[name] ?? {};
  if (runs === "python") return [interpreter, `${HERE}python/${program}`];
  const lacking = lacksJava(release);
  if (lacking === undefined) return java(program, jars, release);
  if (wantedEngines.length > 0) {
    print(`The engine ${name} cannot run: ${lacking}.`);
    process.exit(2);
  }
  skipped.set(name, lacking);
  return undefined;
}

/** What starts an engine. */
const commands = new Map<string, readonly string[]>();
for (const name of new Set(wanted.map(({ engine }) => engine))) {
  const command = commandOf(name, engines[name]?.program);
  if (command !== undefined) commands.set(name, command);
}
/** What starts an engine for the KMS guide; the action is its last argument. */
const guideCommands = new Map<string, readonly string[]>();
for (const [name, program] of guidesWanted) {
  const command = commandOf(name, program);
  if (command !== undefined) guideCommands.set(name, [...command, name]);
}
for (const [name, { byName }] of Object.entries(engines)) {
  if (byName && wantedEngines.length === 0) skipped.set(name, "it runs by name");
}
const chosen = wanted.filter(({ engine }) => commands.has(engine));
print(`engines ready after ${seconds()} s`);

const { gateway, stop: stopGateway } = await startGateway();
const proxy = await startProxy(gateway);
const dir = mkdtempSync(join(tmpdir(), "engines-"));
const subsets = Array.from({ length: 2 ** ACCESSES.length }, (_, set) =>
  ACCESSES.filter((_, i) => set & (1 << i)),
);
const tokenOf = (accesses: readonly Access[]) =>
  `may-${ACCESSES.filter((access) => accesses.includes(access)).join("-") || "nothing"}`;
const storageConfig: AwsStorageConfig = {
  storageType: "S3",
  allowedLocations: ["s3://lake/wh"],
  roleArn: gateway.roleArn,
  region: "us-east-1",
  endpoint: proxy.endpoint,
  pathStyleAccess: true,
  kmsUnavailable: true,
};
writeFileSync(
  join(dir, "catalog.json"),
  JSON.stringify({
    catalogs: [
      {
        name: "wh",
        properties: { "default-base-location": "s3://lake/wh" },
        storageConfigInfo: storageConfig,
      },
    ],
    principals: subsets.map((access) => ({
      name: tokenOf(access),
      token: tokenOf(access),
      access,
    })),
  }),
);
const admin = {
  AWS_ACCESS_KEY_ID: gateway.accessKeyId,
  AWS_SECRET_ACCESS_KEY: gateway.secretAccessKey,
};
const catalog = await startCatalog(join(dir, "catalog.json"), admin);
await fetch(`${catalog.url}/v1/wh/namespaces`, {
  method: "POST",
  headers: { authorization: `Bearer ${tokenOf(ACCESSES)}` },
  body: JSON.stringify({ namespace: ["ns"] }),
});
const { accessKeyId, secretAccessKey, endpoint } = gateway;
const s3 = new S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
print(`gateway, proxy and catalog ready after ${seconds()} s`);

interface Run {
  readonly outcome: Outcome;
  readonly refused: boolean;
  readonly version: string;
  readonly requests: readonly TracedRequest[];
  readonly said: string;
}

let runs = 0;

/** Runs an operation once, on a table of its own, with a session for these accesses. */
async function runOnce(
  { engine, operation, barePaths }: EngineOperation,
  accesses: readonly Access[],
  plant?: (table: string) => void,
): Promise<Run> {
  const table = `${engine}${++runs}`;
  const environment = {
    PATH: process.env["PATH"],
    HOME: dir,
    CATALOG_URL: catalog.url,
    S3_ENDPOINT: proxy.endpoint,
    TABLE: table,
    TOKEN_ALL: tokenOf(ACCESSES),
    TOKEN: tokenOf(accesses),
    // Ceph refuses the trailing checksums that newer SDKs send.
    AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
    AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
    AWS_EC2_METADATA_DISABLED: "true",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const [command = "", ...args] = commands.get(engine) ?? [];
  if (barePaths) proxy.planted.push(withBarePaths(table));
  const child = spawn(command, [...args, operation], { env: environment });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let version: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("READY ")) continue;
    version = line.slice("READY ".length);
    break;
  }
  if (version === undefined)
    throw new Error(`${engine} ${operation} could not be prepared.\n${said}`);
  child.stdout.resume();
  proxy.take(table);
  plant?.(table);
  said = "";
  child.stdin.write("go\n");
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    kill();
  }, SECONDS_OF_A_HANG * 1000);
  const code = await ended;
  clearTimeout(timer);
  process.off("exit", kill);
  const requests = proxy.take(table);
  const refused = requests.some(({ status }) => status === 403);
  const outcome = hangs ? "hangs" : code !== 0 ? "fails" : refused ? "silent" : "succeeds";
  return { outcome, refused, version, requests, said };
}

/** The policy that the library builds for the same accesses to a table with the option barePaths. */
const withBarePaths = (table: string) => (policy: AnyPolicy) => {
  if (!JSON.stringify(policy).includes(`/${table}/`)) return policy;
  const key = `wh/ns/${table}/f`;
  const has: Readonly<Record<Access, Request>> = {
    read: { action: "s3:GetObject", resource: `arn:aws:s3:::lake/${key}` },
    list: {
      action: "s3:ListBucket",
      resource: "arn:aws:s3:::lake",
      context: { "s3:prefix": key },
    },
    write: { action: "s3:PutObject", resource: `arn:aws:s3:::lake/${key}` },
    delete: { action: "s3:DeleteObject", resource: `arn:aws:s3:::lake/${key}` },
  };
  const accesses = ACCESSES.filter((access) => allows(policy, has[access]));
  const locations = Object.fromEntries(
    accesses.map((access) => [access, [`s3://lake/wh/ns/${table}`]]),
  );
  return buildSessionPolicy(storageConfig, locations, { barePaths: true }) as AnyPolicy;
};

interface Check {
  readonly key: string;
  readonly what: string;
  readonly expected: Outcome;
  readonly run: () => Promise<Run>;
  readonly onRun: (run: Run) => void;
}

const traces = new Map<string, Trace>();
const checks: Check[] = chosen.flatMap((operation): Check[] => {
  const { engine, operation: name, needs, without = {} } = operation;
  const key = `${engine} ${name}`;
  const add = (run: Run, lacking?: Access) => {
    const before = traces.get(key) ?? {
      engine,
      version: run.version,
      operation: name,
      accesses: needs ?? null,
      requests: [],
      without: {},
    };
    const trace =
      lacking === undefined
        ? { ...before, requests: shapeOf(run.requests) }
        : { ...before, without: inOrder({ ...before.without, [lacking]: run.outcome }) };
    traces.set(key, trace);
  };
  return [
    {
      key,
      what: needs === undefined ? `${key} with all four` : key,
      expected: needs === undefined ? "fails" : "succeeds",
      run: () => runOnce(operation, needs ?? ACCESSES),
      onRun: (run) => add(run),
    },
    ...(needs ?? []).map(
      (access): Check => ({
        key,
        what: `${key} without ${access}`,
        expected: without[access] ?? "fails",
        run: () =>
          runOnce(
            operation,
            (needs ?? []).filter((other) => other !== access),
          ),
        onRun: (run) => add(run, access),
      }),
    ),
  ];
});

// A policy for a sibling's prefix must make readers and writers fail, or these tests see nothing.
const READERS = ["read", "scan-iceberg", "read-file"];
const WRITERS = ["append", "insert", "write-iceberg", "write-file", "write-table"];
for (const operation of chosen.filter(
  ({ operation, needs }) => needs && [...READERS, ...WRITERS].includes(operation),
)) {
  const { engine, operation: name, without = {} } = operation;
  const sibling = (table: string) => (policy: AnyPolicy) =>
    JSON.parse(JSON.stringify(policy).replaceAll(`/${table}/`, `/${table}-sibling/`)) as AnyPolicy;
  checks.push({
    key: `${engine} ${name}`,
    what: `${engine} ${name} with the policy of a sibling`,
    expected: without.read ?? "fails",
    // Only this run's table is in the policy that is changed, so others may run beside it.
    run: () =>
      runOnce(operation, operation.needs ?? [], (table) => proxy.planted.push(sibling(table))),
    onRun: () => undefined,
  });
}

/** Runs end in any order; the file should not change for that. */
function inOrder(without: Trace["without"]): Trace["without"] {
  const entries = ACCESSES.map((access) => [access, without[access]]);
  return Object.fromEntries(entries.filter(([, outcome]) => outcome !== undefined));
}

let failed = 0;
let guided = 0;
const failedOperations = new Set<string>();

/** Does each of these, a few at the same time. */
async function forEach<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const work = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await act(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function runCheck({ key, what, expected, run, onRun }: Check): Promise<void> {
  try {
    const result = await run();
    onRun(result);
    // A failure counts only if a request was refused.
    const isRight = result.outcome === expected && result.refused === (expected !== "succeeds");
    print(
      `${isRight ? "ok    " : "FAILED"} ${what}: ${result.outcome}${isRight ? "" : `, not ${expected}`}`,
    );
    if (process.env["KEEP_TEXTS"] && result.outcome !== "succeeds") {
      writeFileSync(
        join(process.env["KEEP_TEXTS"], `${what.replace(/\W+/g, "-")}.txt`),
        result.said,
      );
    }
    if (isRight) return;
    print(shapeOf(result.requests).join(", "));
    print(result.said.slice(-2000));
  } catch (error) {
    print(`FAILED ${what}: ${error instanceof Error ? error.message.slice(-3000) : error}`);
  }
  traces.delete(key);
  failedOperations.add(key);
  failed++;
}

/** Polaris' KMS guide, and that it fails with each of the planted faults. */
async function guide(): Promise<void> {
  const results: GuideResult[] = [];
  const tell = (isRight: boolean, what: string) => {
    guided++;
    if (!isRight) failed++;
    print(`${isRight ? "ok    " : "FAILED"} ${what}`);
  };
  await forEach([...guideCommands], async ([engine, command]) => {
    const run = await runGuide(gateway, command, engine);
    results.push(...run.results);
    tell(run.wrong.length === 0, `${engine} goes through the KMS guide`);
    for (const sentence of run.wrong) print(sentence);
  });
  const [[engine, command] = ["", []]] = guideCommands;
  await forEach(Object.entries(plantedFaults), async ([fault, plant]) => {
    const { wrong } = await runGuide(gateway, command, engine, plant);
    tell(wrong.length > 0, `the KMS guide sees that ${fault}`);
  });
  if (failed > 0) return;
  const before: GuideResult[] = JSON.parse(readFileSync(GUIDE, "utf8"));
  const all = guidedEngines.flatMap((engine) =>
    (guideCommands.has(engine) ? results : before).filter((result) => result.engine === engine),
  );
  writeFileSync(GUIDE, `${JSON.stringify(all, null, 1)}\n`);
  writeFileSync(GUIDE_PAGE, withGuide(readFileSync(GUIDE_PAGE, "utf8"), all));
}

try {
  await forEach(checks, runCheck);
  if (guideCommands.size > 0) await guide();
} finally {
  await catalog.stop();
  await proxy.stop();
  await stopGateway();
  rmSync(dir, { recursive: true });
}

const earlier: Trace[] = existsSync(TRACES) ? JSON.parse(readFileSync(TRACES, "utf8")) : [];
const kept = new Map(earlier.map((trace) => [`${trace.engine} ${trace.operation}`, trace]));
// Only operations of which every run was as expected; the others' rows stay as they were.
for (const [key, trace] of traces) if (!failedOperations.has(key)) kept.set(key, trace);
const ordered = engineOperations.flatMap((o) => kept.get(`${o.engine} ${o.operation}`) ?? []);
writeFileSync(TRACES, `${JSON.stringify(ordered, null, 1)}\n`);
writeFileSync(PAGE, withTables(readFileSync(PAGE, "utf8"), ordered));
for (const [name, reason] of skipped) print(`skipped ${name}: ${reason}`);
print(`${seconds()} s`);
print(`${checks.length + guided - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
