// One run, side by side: this library, JSON.stringify of its result as the floor, and its peers.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Statement } from "iam-floyd";
import { Bench } from "tinybench";
import {
  buildSessionPolicy,
  createSessionPolicyBuilder,
  serializePolicy,
} from "../../dist/index.js";

const ROOT = new URL("../../", import.meta.url);
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const config = {
  storageType: "S3",
  allowedLocations: ["s3://acme-lakehouse/warehouse/"],
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  region: "us-west-2",
  externalId: "quickstart-external-id",
  currentKmsKey: KEY,
  allowedKmsKeys: [
    "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888",
    "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
  ],
};
const unlimited = { maxLength: Number.POSITIVE_INFINITY };
const all = (uris) => ({ read: uris, list: uris, write: uris, delete: uris });
const tables = (count) =>
  Array.from(
    { length: count },
    (_, i) => `s3://acme-lakehouse/warehouse/sales/orders_${String(i).padStart(6, "0")}`,
  );

/** The grants of a session as whoever writes them by hand would group them. */
function grantsOf(uris) {
  const objects = uris.map((uri) => `arn:aws:s3:::${uri.slice("s3://".length)}/*`);
  const prefixes = uris.map((uri) => `${uri.slice("s3://acme-lakehouse/".length)}/*`);
  return { objects, prefixes, bucket: "arn:aws:s3:::acme-lakehouse" };
}
/** Both peers take resources as arguments of a call, and the stack holds only so many. */
function chunks(all) {
  const size = 10_000;
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );
}
const VIA = "s3.us-west-2.amazonaws.com";

function cdk(uris) {
  const { objects, prefixes, bucket } = grantsOf(uris);
  const conditions = { StringEquals: { "kms:ViaService": VIA } };
  const statements = [
    { actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources: objects },
    { actions: ["s3:GetBucketLocation"], resources: [bucket] },
    {
      actions: ["s3:ListBucket"],
      resources: [bucket],
      conditions: { StringLike: { "s3:prefix": prefixes } },
    },
    { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [KEY], conditions },
    { actions: ["kms:Decrypt"], resources: config.allowedKmsKeys, conditions },
  ].map(({ resources, ...statement }) => {
    const made = new PolicyStatement(statement);
    for (const some of chunks(resources)) made.addResources(...some);
    return made;
  });
  return new Stack().resolve(new PolicyDocument({ minimize: true, statements }));
}

function floyd(uris) {
  const { objects, prefixes, bucket } = grantsOf(uris);
  const { S3, Kms } = Statement;
  return {
    Version: "2012-10-17",
    Statement: [
      chunks(objects).reduce(
        (statement, some) => statement.on(...some),
        new S3().allow().toGetObject().toPutObject().toDeleteObject(),
      ),
      new S3().allow().toGetBucketLocation().on(bucket),
      new S3().allow().toListBucket().on(bucket).ifPrefix(prefixes),
      new Kms().allow().toDecrypt().toGenerateDataKey().on(KEY).ifViaService(VIA, "StringEquals"),
      new Kms()
        .allow()
        .toDecrypt()
        .on(...config.allowedKmsKeys)
        .ifViaService(VIA, "StringEquals"),
    ].map((statement) => statement.toJSON()),
  };
}

async function measure(count) {
  const uris = tables(count);
  const locations = all(uris);
  const prepared = createSessionPolicyBuilder(config, unlimited);
  // Servers pass no options; only what is too long for STS needs one.
  const options = count >= 20 ? unlimited : undefined;
  const policy = prepared(locations);
  const tasks = {
    "JSON.stringify": () => JSON.stringify(policy),
    "prepared builder": () => prepared(locations),
    buildSessionPolicy: () => buildSessionPolicy(config, locations, options),
    serializePolicy: () => serializePolicy(policy),
    "AWS CDK, minimize": () => cdk(uris),
    // It takes time to the square of the resources: 10 s for 20,000, and so minutes for 100,000.
    ...(count <= 1000 ? { "iam-floyd": () => floyd(uris) } : {}),
  };
  const bench = new Bench({ time: 400, iterations: 12, warmupTime: 200, warmupIterations: 5 });
  for (const [name, task] of Object.entries(tasks)) bench.add(name, task);
  await bench.run();
  const medians = Object.fromEntries(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== "completed") throw result.error ?? new Error(name);
      return [name, result.latency.p50 * 1000];
    }),
  );
  return { count, medians };
}

function memory() {
  const uris = tables(100_000);
  const locations = all(uris);
  const prepared = createSessionPolicyBuilder(config, unlimited);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const policy = prepared(locations);
  const used = process.memoryUsage().heapUsed - before;
  return policy.Statement.length > 0 ? used / 1e6 : 0;
}

function capacity(name) {
  let count = 0;
  for (;;) {
    const uris = Array.from({ length: count + 1 }, (_, i) => name(String(i).padStart(2, "0")));
    try {
      buildSessionPolicy({ ...config, allowedLocations: null, allowedKmsKeys: [] }, all(uris));
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
    const ours = serializePolicy(buildSessionPolicy(vector.storageConfig, locations, unlimited));
    return [ours.length / JSON.stringify(vector.policy).length];
  });
  ratios.sort((a, b) => a - b);
  return { vectors: ratios.length, median: ratios[Math.floor(ratios.length / 2)] };
}

const results = [];
for (const count of [1, 2, 20, 1000, 100_000]) results.push(await measure(count));
const found = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  medianMicroseconds: Object.fromEntries(results.map((r) => [r.count, r.medians])),
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

const names = Object.keys(results[0].medians);
const cell = (r, name) => {
  const median = r.medians[name];
  if (median === undefined) return "–";
  const ratio = median / r.medians["JSON.stringify"];
  return `${median < 1000 ? `${median.toFixed(1)} µs` : `${(median / 1000).toFixed(1)} ms`} (${ratio.toFixed(2)})`;
};
const time = (count, name) => found.medianMicroseconds[count][name];
const growth = time(100_000, "prepared builder") / time(1000, "prepared builder");
const table = `Measured on ${found.date} with Node ${found.node}: median time, and in parentheses its ratio to JSON.stringify of the same policy.

| locations | ${names.join(" | ")} |
| --- | ${names.map(() => "---").join(" | ")} |
${results.map((r) => `| ${r.count.toLocaleString("en")} | ${names.map((name) => cell(r, name)).join(" | ")} |`).join("\n")}

| | measured | target |
| --- | --- | --- |
| prepared builder, 100,000 locations by 1,000 | ${growth.toFixed(0)}-fold | at most 130-fold |
| memory for 100,000 locations | ${found.megabytesFor100000.toFixed(0)} MB | under 200 MB |
| short tables in a session (Polaris: 15) | ${found.capacity.short} | at least 27 |
| long tables in a session (Polaris: 5) | ${found.capacity.long} | at least 8 |
| length by that of Polaris' policy, median of ${found.lengthOfPolaris.vectors} vectors | ${(100 * found.lengthOfPolaris.median).toFixed(1)} % | at most 84 % |
`;
process.stdout.write(table);
mkdirSync(new URL("reports/", ROOT), { recursive: true });
const figures = `${JSON.stringify(found, null, 2)}\n`;
writeFileSync(new URL("reports/benchmarks.json", ROOT), figures);
// The charts of the page are drawn from this copy, which is committed as the page is.
writeFileSync(new URL("docs/benchmarks.json", ROOT), figures);
const page = new URL("docs/benchmarks.md", ROOT);
const [head, , tail] = readFileSync(page, "utf8").split(/<!-- (?:begin|end) -->\n/);
writeFileSync(page, `${head}<!-- begin -->\n${table}<!-- end -->\n${tail}`);
