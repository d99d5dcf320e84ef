/**
 * Measures in one run, side by side: this library, JSON.stringify of its result as the floor, its peers.
 *
 * The tasks of a shape take turns, a batch each of about half a millisecond, so that whatever else the
 * machine does befalls all of them. A ratio is the median of the rounds' ratios.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Statement } from "iam-floyd";
import {
  buildAssumeRoleRequest,
  buildSessionPolicy,
  cacheKey,
  createSessionPolicyBuilder,
  serializePolicy,
} from "../../dist/index.js";
import { timeGenerator } from "../polaris/generator.js";
import { figuresOf, growth, growthSection } from "./growth.js";
import { shapes, storageConfig, tables } from "./shapes.js";

const ROOT = new URL("../../", import.meta.url);
const FLOOR = "JSON.stringify";
const unlimited = { maxLength: Number.POSITIVE_INFINITY };
const all = (uris) => ({ read: uris, list: uris, write: uris, delete: uris });

/** The grants of a session as whoever writes them by hand would list them. */
function grantsOf(locations) {
  const uris = Object.values(locations).flat();
  const arn = (uri) => `arn:aws:s3:::${uri.slice("s3://".length)}`;
  const bucketOf = (uri) => uri.split("/")[2];
  const buckets = [...new Set(uris.map(bucketOf))];
  const listed = new Map();
  for (const uri of locations.list ?? []) {
    const bucket = bucketOf(uri);
    if (!listed.has(bucket)) listed.set(bucket, []);
    listed.get(bucket).push(uri);
  }
  return {
    objects: [
      ["s3:GetObject", locations.read],
      ["s3:PutObject", locations.write],
      ["s3:DeleteObject", locations.delete],
    ].flatMap(([action, list = []]) =>
      list.length === 0 ? [] : [{ action, resources: list.map((uri) => `${arn(uri)}/*`) }],
    ),
    buckets: buckets.map((bucket) => `arn:aws:s3:::${bucket}`),
    lists: [...listed].map(([bucket, list]) => ({
      bucket: `arn:aws:s3:::${bucket}`,
      prefixes: list.map((uri) => `${uri.split("/").slice(3).join("/")}/*`),
    })),
    writes: (locations.write ?? []).length > 0,
  };
}

const VIA = "s3.us-west-2.amazonaws.com";
const { currentKmsKey, allowedKmsKeys } = storageConfig;

function cdk(locations) {
  const { objects, buckets, lists, writes } = grantsOf(locations);
  const conditions = { StringEquals: { "kms:ViaService": VIA } };
  const current = writes ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"];
  const statements = [
    ...objects.map(({ action, resources }) => ({ actions: [action], resources })),
    { actions: ["s3:GetBucketLocation"], resources: buckets },
    ...lists.map(({ bucket, prefixes }) => ({
      actions: ["s3:ListBucket"],
      resources: [bucket],
      conditions: { StringLike: { "s3:prefix": prefixes } },
    })),
    { actions: current, resources: [currentKmsKey], conditions },
    { actions: ["kms:Decrypt"], resources: allowedKmsKeys, conditions },
  ].map((statement) => new PolicyStatement(statement));
  return new Stack().resolve(new PolicyDocument({ minimize: true, statements }));
}

const FLOYD = {
  "s3:GetObject": "toGetObject",
  "s3:PutObject": "toPutObject",
  "s3:DeleteObject": "toDeleteObject",
};

function floyd(locations) {
  const { objects, buckets, lists, writes } = grantsOf(locations);
  const { S3, Kms } = Statement;
  const encrypting = new Kms().allow().toDecrypt();
  if (writes) encrypting.toGenerateDataKey();
  return {
    Version: "2012-10-17",
    Statement: [
      ...objects.map(({ action, resources }) =>
        new S3()
          .allow()
          [FLOYD[action]]()
          .on(...resources),
      ),
      new S3()
        .allow()
        .toGetBucketLocation()
        .on(...buckets),
      ...lists.map(({ bucket, prefixes }) =>
        new S3().allow().toListBucket().on(bucket).ifPrefix(prefixes),
      ),
      encrypting.on(currentKmsKey).ifViaService(VIA, "StringEquals"),
      new Kms()
        .allow()
        .toDecrypt()
        .on(...allowedKmsKeys)
        .ifViaService(VIA, "StringEquals"),
    ].map((statement) => statement.toJSON()),
  };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Microseconds a call. */
function batch(task, calls) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) task();
  return Number(process.hrtime.bigint() - start) / calls / 1000;
}

/** Lets the tasks take turns until the time is over; what takes longer than it still has three turns. */
function inTurns(tasks, milliseconds) {
  const sizes = tasks.map(([, task]) => {
    const warm = Date.now() + 150;
    while (Date.now() < warm) task();
    let calls = 1;
    while (batch(task, calls) * calls < 500 && calls < 100_000) calls *= 2;
    return calls;
  });
  const rounds = [];
  const end = Date.now() + milliseconds;
  do rounds.push(tasks.map(([, task], i) => batch(task, sizes[i])));
  while (Date.now() < end || rounds.length < 3);
  return Object.fromEntries(
    tasks.map(([name], i) => [
      name,
      {
        microseconds: median(rounds.map((times) => times[i])),
        timesFloor: median(rounds.map((times) => times[i] / times[0])),
      },
    ]),
  );
}

function measure({ name, locations, limit }) {
  const prepared = createSessionPolicyBuilder(storageConfig, unlimited);
  const policy = prepared(locations);
  const count = new Set(Object.values(locations).flat()).size;
  // Servers pass no options; only what is too long for STS needs one.
  const fits = serializePolicy(policy).length <= 2048;
  const options = fits ? undefined : unlimited;
  const tasks = [
    [FLOOR, () => JSON.stringify(policy)],
    ["prepared builder", () => prepared(locations)],
    ["buildSessionPolicy", () => buildSessionPolicy(storageConfig, locations, options)],
    ["serializePolicy", () => serializePolicy(policy)],
  ];
  if (fits) {
    tasks.push(
      ["buildAssumeRoleRequest", () => buildAssumeRoleRequest(storageConfig, locations)],
      ["cacheKey", () => cacheKey(storageConfig, locations)],
    );
  }
  // Both take resources as arguments of a call, and the stack holds only so many.
  if (count <= 1000) {
    tasks.push(["AWS CDK, minimize", () => cdk(locations)], ["iam-floyd", () => floyd(locations)]);
  }
  process.stderr.write(`${name}\n`);
  return { name, locations: count, limit, tasks: inTurns(tasks, 1500) };
}

function memory() {
  const locations = all(tables(100_000));
  const prepared = createSessionPolicyBuilder(storageConfig, unlimited);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const policy = prepared(locations);
  const used = process.memoryUsage().heapUsed - before;
  return policy.Statement.length > 0 ? used / 1e6 : 0;
}

function capacity(name) {
  const config = { ...storageConfig, allowedLocations: null, allowedKmsKeys: [] };
  let count = 0;
  for (;;) {
    const uris = Array.from({ length: count + 1 }, (_, i) => name(String(i).padStart(2, "0")));
    try {
      buildSessionPolicy(config, all(uris));
    } catch {
      return count;
    }
    count++;
  }
}

/** Our length by that of Polaris' own policy, for the inputs of its vectors; the median. */
function lengthRatio() {
  const file = new URL("test/vectors/polaris-session-policies.json", ROOT);
  const ratios = JSON.parse(readFileSync(file, "utf8")).flatMap((vector) => {
    if (vector.policy === undefined || vector.id === "bad/scheme-only") return [];
    const locations = { ...vector.locations, delete: vector.locations.write };
    try {
      const ours = serializePolicy(buildSessionPolicy(vector.storageConfig, locations, unlimited));
      return [ours.length / JSON.stringify(vector.policy).length];
    } catch {
      // What we refuse and Polaris takes has no policy to compare.
      return [];
    }
  });
  return { vectors: ratios.length, median: median(ratios) };
}

const results = shapes.map(measure);
// Polaris' own generator on the same sessions, where there are a JDK and Maven.
const polaris = await timeGenerator(
  shapes.map(({ locations }) => ({
    storageConfig,
    locations: { ...locations, delete: undefined },
  })),
);
for (const [i, nanoseconds] of polaris?.entries() ?? []) {
  const { tasks } = results[i];
  const microseconds = nanoseconds / 1000;
  tasks["Polaris 1.7.0 (Java)"] = {
    microseconds,
    timesFloor: microseconds / tasks[FLOOR].microseconds,
  };
}
const found = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  shapes: results,
  growth: growth(),
  megabytesFor100000: memory(),
  capacity: {
    short: capacity((n) => `s3://wh-bucket/db/table_${n}`),
    long: capacity(
      (n) =>
        `s3://acme-lakehouse-prod/warehouse/sales/orders-${n}-0f9e8d7c-5555-6666-7777-888888888888`,
    ),
  },
  lengthOfPolaris: lengthRatio(),
};

const round = (number) =>
  number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString("en");
const time = (microseconds) =>
  microseconds < 1000 ? `${round(microseconds)} µs` : `${round(microseconds / 1000)} ms`;
const cell = ({ tasks }, name) => {
  const task = tasks[name];
  if (task === undefined) return "–";
  return name === FLOOR
    ? time(task.microseconds)
    : `${time(task.microseconds)} (${round(task.timesFloor)})`;
};
const names = [...new Set(results.flatMap(({ tasks }) => Object.keys(tasks)))];
const worstLast = [...results].sort(
  (a, b) => a.tasks["prepared builder"].timesFloor - b.tasks["prepared builder"].timesFloor,
);
const table = `Measured on ${found.date} with Node ${found.node}: median time, and in parentheses how many times JSON.stringify of the same policy that is.

| session | ${names.join(" | ")} |
| --- | ${names.map(() => "---").join(" | ")} |
${worstLast.map((r) => `| ${r.name} | ${names.map((name) => cell(r, name)).join(" | ")} |`).join("\n")}

How time grows with input, †: refused by a [budget](role-and-key-policies.md#what-the-analysis-reads-and-its-budgets):

${growthSection(found.growth)}
| | |
| --- | --- |
| memory for 100,000 locations | ${round(found.megabytesFor100000)} MB |
| short tables in a session (Polaris: 15) | ${found.capacity.short} |
| long tables in a session (Polaris: 5) | ${found.capacity.long} |
| length, in per cent of Polaris' policy, median of ${found.lengthOfPolaris.vectors} vectors | ${(100 * found.lengthOfPolaris.median).toFixed(1)} % |
`;
process.stdout.write(table);
mkdirSync(new URL("reports/", ROOT), { recursive: true });
const figures = figuresOf(found);
writeFileSync(new URL("reports/benchmarks.json", ROOT), figures);
// The charts of the page are drawn from this copy, which is committed as the page is.
writeFileSync(new URL("docs/benchmarks.json", ROOT), figures);
const page = new URL("docs/benchmarks.md", ROOT);
const [head, , tail] = readFileSync(page, "utf8").split(/<!-- (?:begin|end) -->\n/);
writeFileSync(page, `${head}<!-- begin -->\n${table}<!-- end -->\n${tail}`);
