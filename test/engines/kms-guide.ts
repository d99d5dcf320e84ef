/**
 * Polaris' KMS guide, lived through by engines on sessions of this library.
 *
 * 1. Each step sets the buckets' keys and the catalog's storage configuration, and restarts the catalog.
 * 2. An engine inserts or reads; the step says what must happen, and which call of KMS a failure names.
 * 3. What the failure printed goes to `diagnoseAccessDenied`, which must name the step's remedy.
 * 4. With a fault planted in the policies, one of the first steps must turn out otherwise.
 *
 * For example "no key is configured" inserts into a bucket with a default key: the engine prints that
 * kms:GenerateDataKey is not allowed, and the remedy is currentKmsKey.
 *
 * @see https://polaris.apache.org/blog/2025/12/24/securing-s3-data-with-aws-kms/
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig } from "../../src/index.ts";
import type { Gateway } from "../server/gateway.ts";
import { type AnyPolicy, asList } from "../support/iam.ts";
import { type Kms, playKms } from "./kms.ts";
import { startProxy } from "./proxy.ts";
import { startCatalog } from "./server-process.ts";

const key = (id: string, account = "123456789012") =>
  `arn:aws:kms:us-east-1:${account}:key/${id}-1111-2222-3333-444444444444`;
const OLD = key("aaaa1111");
const NEW = key("bbbb2222");
const FOREIGN = key("cccc3333", "210987654321");
const [LAKE, OTHER] = ["kms-lake", "kms-other"];

export interface GuideStep {
  readonly step: string;
  readonly action: "insert" | "read";
  /** The table: `old` stays through all steps; `new` begins when its step comes. */
  readonly table: string;
  readonly config: AwsStorageConfig;
  readonly bucketKey: string;
  readonly foreignKeyPolicy?: AnyPolicy;
  /** undefined: it works; otherwise what the failure names. */
  readonly refused?: "kms:GenerateDataKey" | "kms:Decrypt";
  readonly remedy?: RegExp;
}

const both = { currentKmsKey: NEW, allowedKmsKeys: [OLD] };
const allow = (statement: object): AnyPolicy => ({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Resource: "*", ...statement },
});
const USE = ["kms:Decrypt", "kms:GenerateDataKey"];
/** A key policy that leaves its key to the IAM policies of an account, as the default one does. */
const ofAccount = (account: string) =>
  allow({ Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*" });
const ofRole = allow({
  Principal: { AWS: "arn:aws:iam::123456789012:role/polaris" },
  Action: USE,
});

const step = (
  step: string,
  action: GuideStep["action"],
  table: string,
  config: AwsStorageConfig,
  bucketKey: string,
  more: Partial<GuideStep> = {},
): GuideStep => ({ step, action, table, config, bucketKey, ...more });

/** The first bucket's key is the step's; the second bucket's is always the old one. */
export const guideSteps: readonly GuideStep[] = [
  step("no key is configured", "insert", "old", {}, OLD, {
    refused: "kms:GenerateDataKey",
    remedy: /current-kms-key|encryption-key/,
  }),
  step("the bucket's key is currentKmsKey", "insert", "old", { currentKmsKey: OLD }, OLD),
  step("the bucket's key is currentKmsKey", "read", "old", { currentKmsKey: OLD }, OLD),
  step("the bucket's key is changed, the old one allowed", "insert", "old", both, NEW),
  step("the bucket's key is changed, the old one allowed", "read", "old", both, NEW),
  step("the bucket's key is still the old one", "insert", "old", both, OLD, {
    refused: "kms:GenerateDataKey",
  }),
  step("the old key is left out: new data", "insert", "new", { currentKmsKey: NEW }, NEW),
  step("the old key is left out: new data", "read", "new", { currentKmsKey: NEW }, NEW),
  step("the old key is left out: old data", "read", "old", { currentKmsKey: NEW }, NEW, {
    refused: "kms:Decrypt",
    remedy: /allowed-kms-key|decryption-key/,
  }),
  step(
    "another account's key, no statement for us",
    "insert",
    "foreign",
    { currentKmsKey: FOREIGN },
    FOREIGN,
    {
      foreignKeyPolicy: ofAccount("210987654321"),
      refused: "kms:GenerateDataKey",
    },
  ),
  step(
    "another account's key, with a statement",
    "insert",
    "foreign",
    { currentKmsKey: FOREIGN },
    FOREIGN,
    {
      foreignKeyPolicy: ofRole,
    },
  ),
  step(
    "two buckets with two keys: the first",
    "insert",
    "new",
    { encryptionKeys: [NEW, OLD] },
    NEW,
  ),
  step(
    "two buckets with two keys: the second",
    "insert",
    "other",
    { encryptionKeys: [NEW, OLD] },
    NEW,
  ),
  step(
    "two buckets with two keys: the second",
    "read",
    "other",
    { encryptionKeys: [NEW, OLD] },
    NEW,
  ),
];

/** A change of every policy that the catalog asks STS for. */
const ofStatements =
  (change: (statement: Record<string, unknown>) => Record<string, unknown> | undefined) =>
  (policy: AnyPolicy): AnyPolicy => {
    const statements = asList(policy.Statement).map((s) => change({ ...s }));
    return {
      ...policy,
      Statement: statements.filter((s) => s !== undefined),
    } as unknown as AnyPolicy;
  };
const text = (change: (json: string) => string) => (policy: AnyPolicy) =>
  JSON.parse(change(JSON.stringify(policy))) as AnyPolicy;

export const plantedFaults: Readonly<Record<string, (policy: AnyPolicy) => AnyPolicy>> = {
  "the statement that lets the current key encrypt is missing": ofStatements((s) =>
    JSON.stringify(s["Action"]).includes("kms:GenerateDataKey") ? undefined : s,
  ),
  "the statement that lets keys decrypt is missing": ofStatements((s) => {
    const actions = asList(s["Action"] as string | string[]).filter((a) => a !== "kms:Decrypt");
    return actions.length === 0 ? undefined : { ...s, Action: actions };
  }),
  "an allowed key encrypts": ofStatements((s) =>
    JSON.stringify(s["Action"]).includes("kms:") ? { ...s, Action: "kms:*", Resource: "*" } : s,
  ),
  "kms:ViaService is of another region": text((json) =>
    json.replaceAll("s3.us-east-1.", "s3.eu-west-1."),
  ),
  "the prefix is a sibling's": text((json) => json.replaceAll("/old/", "/old2/")),
};

export interface GuideResult {
  readonly engine: string;
  readonly step: string;
  readonly action: string;
  readonly outcome: string;
}

/** The names that `npm run test:engines` takes, with the engines that go through the guide. */
export const guides: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "kms-guide": { pyiceberg: "kms_guide.py", duckdb: "kms_guide.py" },
  "kms-guide-spark": { spark: "SparkKmsGuide" },
};
export const guidedEngines = Object.values(guides).flatMap((programs) => Object.keys(programs));

/**
 * Runs the guide with one engine. Returns what happened, and says of each step whether it should.
 *
 * @param command what starts the engine; the action becomes its last argument.
 */
export async function runGuide(
  gateway: Gateway,
  command: readonly string[],
  engine: string,
  plant?: (policy: AnyPolicy) => AnyPolicy,
): Promise<{ results: GuideResult[]; wrong: string[] }> {
  let foreignKeyPolicy = ofAccount("210987654321");
  const kms: Kms = {
    bucketKeys: new Map(),
    keyPolicyOf: (key) => (key === FOREIGN ? foreignKeyPolicy : ofAccount("123456789012")),
    rolePolicy: allow({ Action: USE }),
    region: "us-east-1",
  };
  const { options, refusals } = playKms(kms);
  const proxy = await startProxy(gateway, options);
  if (plant) proxy.planted.push(plant);
  const dir = mkdtempSync(join(tmpdir(), "kms-"));
  const { accessKeyId, secretAccessKey, endpoint } = gateway;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  // Whoever owns a bucket may create it again.
  for (const Bucket of [LAKE, OTHER]) await s3.send(new CreateBucketCommand({ Bucket }));
  let catalogUrl = "";
  const front = await addingEndpoint(proxy.endpoint, () => catalogUrl);
  const results: GuideResult[] = [];
  const wrong: string[] = [];
  const base = `run-${randomUUID()}`;
  const places = { old: LAKE, new: LAKE, foreign: LAKE, other: OTHER };
  try {
    let running: { config: string; stop: () => Promise<void> } | undefined;
    // A planted fault must show in the steps up to the change of keys.
    for (const planned of plant ? guideSteps.slice(1, 6) : guideSteps) {
      const { step, action, table, config, bucketKey, refused, remedy } = planned;
      kms.bucketKeys.set(LAKE, bucketKey).set(OTHER, OLD);
      foreignKeyPolicy = planned.foreignKeyPolicy ?? ofAccount("210987654321");
      const storageConfig: AwsStorageConfig = {
        storageType: "S3",
        allowedLocations: [`s3://${LAKE}/${base}`, `s3://${OTHER}/${base}`],
        roleArn: gateway.roleArn,
        region: "us-east-1",
        ...config,
      };
      const catalogs = Object.entries({ lake: LAKE, other: OTHER }).map(([name, bucket]) => ({
        name,
        properties: { "default-base-location": `s3://${bucket}/${base}` },
        storageConfigInfo: storageConfig,
      }));
      const principals = [{ name: "etl", token: "etl", access: "maintenance" }];
      const file = JSON.stringify({ catalogs, principals });
      if (running?.config !== file) {
        await running?.stop();
        writeFileSync(join(dir, "catalog.json"), file);
        const started = await startCatalog(join(dir, "catalog.json"), {
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_ENDPOINT_URL_S3: proxy.endpoint,
          AWS_ENDPOINT_URL_STS: proxy.endpoint,
          AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
        });
        catalogUrl = started.url;
        running = { config: file, stop: started.stop };
      }
      const catalog = places[table as keyof typeof places] === LAKE ? "lake" : "other";
      await fetch(`${catalogUrl}/v1/${catalog}/namespaces`, {
        method: "POST",
        headers: { authorization: "Bearer etl" },
        body: JSON.stringify({ namespace: ["ns"] }),
      });
      await runAction(command, "create", front.url, catalog, table);
      refusals.length = 0;
      const { code, said } = await runAction(command, action, front.url, catalog, table);
      // Some engines print no more than "access denied", so the store tells what it refused.
      const refusedCall = refusals.at(-1);
      const outcome = code === 0 ? "works" : `refused: ${refusedCall ?? "no call of KMS"}`;
      results.push({ engine, step, action, outcome });
      if (outcome !== (refused === undefined ? "works" : `refused: ${refused}`)) {
        wrong.push(`${engine} ${action}, ${step}: ${outcome}\n${said.slice(-1500)}`);
        if (plant) break;
      } else if (remedy && !plant && (action === "insert" || said.includes("kms:"))) {
        const location = [`s3://${places[table as keyof typeof places]}/${base}/ns/${table}`];
        const found = diagnoseAccessDenied(said, storageConfig, {
          read: location,
          list: location,
          write: location,
          delete: location,
        });
        if (!remedy.test(JSON.stringify(found))) {
          wrong.push(`${engine} ${action}, ${step}: the diagnosis does not name ${remedy}`);
        }
      }
    }
    await running?.stop();
  } finally {
    front.stop();
    await proxy.stop();
    rmSync(dir, { recursive: true });
  }
  return { results, wrong };
}

function runAction(
  [program = "", ...args]: readonly string[],
  action: string,
  url: string,
  catalog: string,
  table: string,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args, action], {
      env: {
        PATH: process.env["PATH"],
        CATALOG_URL: url,
        CATALOG: catalog,
        TABLE: table,
        TOKEN: "etl",
        AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, said });
    });
  });
}

/**
 * Adds the proxy's address to the responses of a catalog whose configuration has no endpoint: a store
 * on AWS, whose policies have kms:ViaService.
 */
async function addingEndpoint(endpoint: string, catalog: () => string) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "GET", url = "/", headers } = request;
    const {
      host: _,
      connection: __,
      "content-length": ___,
      "transfer-encoding": ____,
      ...rest
    } = headers;
    const sent = await fetch(`${catalog()}${url}`, {
      method,
      headers: rest as Record<string, string>,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    const added = `"config":{"s3.endpoint":"${endpoint}","s3.path-style-access":"true",`;
    const body = (await sent.text()).replaceAll('"config":{', added);
    response.writeHead(sent.status, { "content-type": "application/json" });
    response.end(method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
