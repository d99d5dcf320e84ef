/** The example catalog as engines use it: over HTTP, with an S3 and an STS that count and refuse. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningCatalog, startCatalog } from "./server-process.ts";

const HOUR = 3_600_000;

/** An S3 that keeps objects in memory, and an STS that answers after a moment. */
const aws = {
  objects: new Map<string, string>(),
  assumeRole: [] as URLSearchParams[],
  refusal: undefined as string | undefined,
  lifetime: HOUR,
};

function answer(method: string, url: URL, body: string): [status: number, body: string] {
  if (method === "POST" && url.pathname === "/") {
    const sent = new URLSearchParams(body);
    aws.assumeRole.push(sent);
    if (aws.refusal !== undefined) {
      const error = `<Error><Type>Sender</Type><Code>${aws.refusal}</Code><Message>no</Message></Error>`;
      return [400, `<ErrorResponse>${error}</ErrorResponse>`];
    }
    const ends = new Date(Date.now() + aws.lifetime).toISOString();
    const keys = `<AccessKeyId>ASIA${aws.assumeRole.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${ends}</Expiration>`;
    const result = `<AssumeRoleResult><Credentials>${keys}</Credentials></AssumeRoleResult>`;
    return [200, `<AssumeRoleResponse>${result}</AssumeRoleResponse>`];
  }
  const key = decodeURIComponent(url.pathname.slice(1));
  if (method === "PUT") aws.objects.set(key, body);
  if (method === "DELETE") aws.objects.delete(key);
  if (url.searchParams.has("list-type")) {
    const prefix = `${key.replace(/\/$/, "")}/${url.searchParams.get("prefix")}`;
    const found = [...aws.objects.keys()].filter((name) => name.startsWith(prefix));
    const contents = found.map((name) => name.slice(name.indexOf("/") + 1));
    const xml = contents.map((name) => `<Contents><Key>${name}</Key></Contents>`).join("");
    return [200, `<ListBucketResult>${xml}</ListBucketResult>`];
  }
  if (url.searchParams.has("delete")) {
    for (const [, name] of body.matchAll(/<Key>(.*?)<\/Key>/g)) {
      aws.objects.delete(`${key.replace(/\/$/, "")}/${name}`);
    }
    return [200, "<DeleteResult/>"];
  }
  if (method !== "GET") return [200, ""];
  const found = aws.objects.get(key);
  return found === undefined ? [404, "<Error><Code>NoSuchKey</Code></Error>"] : [200, found];
}

let server: Server;
let dir: string;
let config: string;
let catalog: RunningCatalog;

const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "example" };

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://aws");
      const [status, body] = answer(request.method ?? "", url, Buffer.concat(chunks).toString());
      setTimeout(() => response.writeHead(status).end(body), url.pathname === "/" ? 50 : 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  dir = mkdtempSync(join(tmpdir(), "catalog-"));
  config = join(dir, "catalog.json");
  const storageConfigInfo = {
    storageType: "S3",
    roleArn: "arn:aws:iam::123456789012:role/polaris",
    externalId: "ext-1",
    region: "us-west-2",
    endpoint,
    pathStyleAccess: true,
  };
  const named = (name: string, base: string, info: object = {}) => ({
    type: "INTERNAL",
    name,
    properties: { "default-base-location": base },
    storageConfigInfo: { ...storageConfigInfo, allowedLocations: [base], ...info },
  });
  writeFileSync(
    config,
    JSON.stringify({
      catalogs: [
        named("wh", "s3://lake/wh"),
        named("no-sts", "s3://lake/no-sts", { stsUnavailable: true }),
      ],
      principals: [
        { name: "analyst", token: "r", access: "read" },
        { name: "etl", token: "w", access: "write" },
        { name: "janitor", token: "m", access: "maintenance" },
      ],
    }),
  );
  catalog = await startCatalog(config, env);
  expect((await call("w", "POST", "namespaces", { namespace: ["ns"] })).status).toBe(200);
  expect((await call("w", "POST", "namespaces", { namespace: ["ns"] }, "no-sts")).status).toBe(200);
});

afterAll(async () => {
  await catalog.stop();
  server.close();
  rmSync(dir, { recursive: true });
});

beforeEach(() => {
  aws.assumeRole = [];
  aws.refusal = undefined;
  aws.lifetime = HOUR;
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of any call
  readonly body: any;
}

async function call(
  token: string,
  method: string,
  path: string,
  body?: object,
  warehouse = "wh",
  delegation: string | undefined = "vended-credentials",
): Promise<Answer> {
  const response = await fetch(`${catalog.url}/v1/${warehouse}/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(delegation && { "x-iceberg-access-delegation": delegation }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const schema = {
  type: "struct",
  fields: [
    { id: 0, name: "id", required: true, type: "long" },
    {
      id: 1,
      name: "tags",
      required: false,
      type: {
        type: "list",
        "element-id": 7,
        "element-required": false,
        element: "string",
      },
    },
  ],
};
let names = 0;
async function create(more: object = {}, warehouse = "wh"): Promise<string> {
  const name = `t${++names}`;
  const body = { name, schema, ...more };
  const { status } = await call("w", "POST", "namespaces/ns/tables", body, warehouse, "");
  expect(status).toBe(200);
  return name;
}
const table = (name: string) => `namespaces/ns/tables/${name}`;
const setProperty = (name: string, value: string) => ({
  requirements: [],
  updates: [{ action: "set-properties", updates: { [name]: value } }],
});
/** The accesses that a policy sent to STS allows, as its actions. */
const actionsSent = () =>
  JSON.parse(aws.assumeRole[0]?.get("Policy") ?? "{}")
    .Statement.flatMap((statement: { Action: string | string[] }) => statement.Action)
    .toSorted();

describe("credentials", () => {
  test("100 concurrent loads of 20 tables take one call of STS each", async () => {
    const tables = await Promise.all(Array.from({ length: 20 }, () => create()));
    const loads = Array.from({ length: 100 }, (_, i) => tables[i % 20] ?? "");
    const answers = await Promise.all(loads.map((name) => call("r", "GET", table(name))));
    expect(answers.map(({ status }) => status)).toEqual(loads.map(() => 200));
    expect(aws.assumeRole).toHaveLength(20);
    const keys = new Map(
      loads.map((name, i) => [name, answers[i]?.body.config["s3.access-key-id"]]),
    );
    answers.forEach(({ body }, i) => {
      expect(body.config["s3.access-key-id"]).toBe(keys.get(loads[i] ?? ""));
    });
    expect(new Set(keys.values()).size).toBe(20);
  });

  test("are in config and in storage-credentials, as Polaris fills them", async () => {
    const name = await create();
    const { body } = await call("w", "GET", table(name));
    expect(Object.keys(body.config).toSorted()).toEqual([
      "client.refresh-credentials-endpoint",
      "client.region",
      "s3.access-key-id",
      "s3.endpoint",
      "s3.path-style-access",
      "s3.secret-access-key",
      "s3.session-token",
      "s3.session-token-expires-at-ms",
    ]);
    const refresh = `v1/wh/namespaces/ns/tables/${name}/credentials`;
    expect(body.config["client.refresh-credentials-endpoint"]).toBe(refresh);
    const [entry, ...others] = body["storage-credentials"];
    expect(others).toEqual([]);
    expect(entry.prefix).toBe(`s3://lake/wh/ns/${name}`);
    expect(entry.config["s3.session-token"]).toBe("t");
    const refreshed = await call("w", "GET", `${table(name)}/credentials`);
    expect(refreshed.body).toEqual({ "storage-credentials": [entry] });
  });

  test.each([
    ["r", ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"]],
    ["w", ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]],
    [
      "m",
      ["s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
    ],
  ])("are a principal's own: token %s gets %s", async (token, actions) => {
    const name = await create();
    await call(token, "GET", table(name));
    const s3 = actionsSent().filter((action: string) => action.startsWith("s3:"));
    expect([...new Set(s3)]).toEqual(actions);
    expect(aws.assumeRole[0]?.get("ExternalId")).toBe("ext-1");
  });

  test("open a data path outside the table too", async () => {
    const name = await create({ properties: { "write.data.path": "s3://lake/wh/data-of-it" } });
    await call("r", "GET", table(name));
    expect(aws.assumeRole[0]?.get("Policy")).toContain("wh/data-of-it/*");
  });

  test("are asked for anew some minutes before they end", async () => {
    const name = await create();
    aws.lifetime = 9 * 60_000;
    await call("r", "GET", table(name));
    await call("r", "GET", table(name));
    expect(aws.assumeRole).toHaveLength(2);
  });

  test("are not in the response unless the header asks for them", async () => {
    const name = await create();
    const { body } = await call("r", "GET", table(name), undefined, "wh", "");
    expect(body.config["s3.access-key-id"]).toBeUndefined();
    expect(body["storage-credentials"]).toBeUndefined();
    expect(aws.assumeRole).toHaveLength(0);
    const signing = await call("r", "GET", table(name), undefined, "wh", "remote-signing");
    expect(signing.status).toBe(400);
  });

  test("are not vended by a catalog without STS", async () => {
    const name = await create({}, "no-sts");
    const { status, body } = await call("r", "GET", table(name), undefined, "no-sts");
    expect(status).toBe(200);
    expect(body.config["s3.access-key-id"]).toBeUndefined();
    expect(aws.assumeRole).toHaveLength(0);
  });
});

describe("a refusal of STS", () => {
  test.each([
    ["PackedPolicyTooLarge", 422, /fewer KMS keys/],
    ["AccessDenied", 403, /trust policy/],
    ["ExpiredToken", 503, /Renew the catalog server's own AWS credentials/],
  ])("%s is answered with %i and what to do", async (code, status, remedy) => {
    const name = await create();
    aws.refusal = code;
    const { status: answered, body } = await call("r", "GET", table(name));
    expect(answered).toBe(status);
    expect(body.error.message).toMatch(remedy);
    expect(body.error.message).toContain(code);
    aws.refusal = undefined;
    expect((await call("r", "GET", table(name))).status, "is not cached").toBe(200);
  });

  test("leaves no table behind", async () => {
    aws.refusal = "AccessDenied";
    const before = aws.objects.size;
    const body = { name: "never", schema };
    expect((await call("w", "POST", "namespaces/ns/tables", body)).status).toBe(403);
    expect(aws.objects.size).toBe(before);
    expect((await call("w", "GET", table("never"))).status).toBe(404);
  });
});

describe("a commit", () => {
  test("wins alone among ten that build on the same metadata", async () => {
    const name = await create();
    const { body } = await call("w", "GET", table(name), undefined, "wh", "");
    const uuid = body.metadata["table-uuid"];
    const snapshot = (id: number) => ({
      requirements: [
        { type: "assert-table-uuid", uuid },
        { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null },
      ],
      updates: [
        {
          action: "add-snapshot",
          snapshot: { "snapshot-id": id, "sequence-number": 1, "timestamp-ms": 1, summary: {} },
        },
        { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
      ],
    });
    const files = () => [...aws.objects.keys()].filter((key) => key.includes(`/${name}/`)).length;
    const before = files();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => call("w", "POST", table(name), snapshot(i + 1))),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, ...Array(9).fill(409)]);
    const winner = answers.find(({ status }) => status === 200)?.body;
    const after = await call("w", "GET", table(name), undefined, "wh", "");
    expect(after.body["metadata-location"]).toBe(winner["metadata-location"]);
    expect(after.body.metadata.snapshots).toHaveLength(1);
    expect(files() - before, "losers' metadata files are gone").toBe(1);
  });

  test("keeps snapshot ids that a double cannot hold", async () => {
    const name = await create();
    const id = "3055729675574597004";
    const response = await fetch(`${catalog.url}/v1/wh/${table(name)}`, {
      method: "POST",
      headers: { authorization: "Bearer w" },
      body: `{"requirements":[],"updates":[{"action":"add-snapshot","snapshot":{"snapshot-id":${id},"sequence-number":1,"timestamp-ms":1,"summary":{}}},{"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":${id}}]}`,
    });
    expect(await response.text()).toContain(`"current-snapshot-id":${id}`);
  });

  test("of two tables is all or nothing", async () => {
    const [one, two] = [await create(), await create()];
    const change = (name: string, requirements: object[]) => ({
      ...setProperty("owner", "etl"),
      requirements,
      identifier: { namespace: ["ns"], name },
    });
    const wrong = [{ type: "assert-table-uuid", uuid: "another" }];
    const changes = { "table-changes": [change(one, []), change(two, wrong)] };
    expect((await call("w", "POST", "transactions/commit", changes)).status).toBe(409);
    const { body } = await call("w", "GET", table(one));
    expect(body.metadata.properties).toEqual({});
  });

  test("may not move a table outside the allowed locations, or into another table", async () => {
    const [one, two] = [await create(), await create()];
    const to = (location: string) => ({
      requirements: [],
      updates: [{ action: "set-location", location }],
    });
    expect((await call("w", "POST", table(one), to("s3://other/x"))).status).toBe(403);
    expect((await call("w", "POST", table(one), to(`s3://lake/wh/ns/${two}/in`))).status).toBe(400);
    const data = setProperty("write.data.path", `s3://lake/wh/ns/${two}/data`);
    expect((await call("w", "POST", table(one), data)).status).toBe(400);
  });

  test("is refused to a reader, and to whoever has no token", async () => {
    const name = await create();
    expect((await call("r", "POST", table(name), setProperty("a", "b"))).status).toBe(403);
    expect((await call("r", "DELETE", table(name))).status).toBe(403);
    expect((await call("x", "GET", table(name))).status).toBe(401);
  });
});

test("a new table's columns are numbered from 1, lists' elements last", async () => {
  const name = await create();
  const { body } = await call("r", "GET", table(name));
  const [{ fields }] = body.metadata.schemas;
  expect([fields[0].id, fields[1].id, fields[1].type["element-id"]]).toEqual([1, 2, 3]);
  expect(body.metadata["last-column-id"]).toBe(3);
});

test("a staged table exists once it is committed", async () => {
  const body = { name: "staged", schema, "stage-create": true };
  const staged = await call("w", "POST", "namespaces/ns/tables", body);
  expect(staged.body["metadata-location"]).toBeUndefined();
  expect(staged.body.config["s3.access-key-id"]).toMatch(/^ASIA/);
  expect((await call("r", "GET", table("staged"))).status).toBe(404);
  const { metadata } = staged.body;
  const commit = {
    requirements: [{ type: "assert-create" }],
    updates: [
      { action: "assign-uuid", uuid: metadata["table-uuid"] },
      { action: "set-location", location: metadata.location },
      { action: "add-schema", schema: metadata.schemas[0] },
      { action: "set-current-schema", "schema-id": -1 },
    ],
  };
  expect((await call("w", "POST", table("staged"), commit)).status).toBe(200);
  expect((await call("w", "POST", table("staged"), commit)).status).toBe(409);
  const loaded = await call("r", "GET", table("staged"));
  expect(loaded.body.metadata["table-uuid"]).toBe(metadata["table-uuid"]);
});

test("a drop with purge deletes the table's files and no sibling's; a drop without keeps them", async () => {
  const [kept, purged] = [await create(), await create()];
  const files = (name: string) =>
    [...aws.objects.keys()].filter((key) => key.startsWith(`lake/wh/ns/${name}/`));
  aws.objects.set(`lake/wh/ns/${purged}-sibling/data`, "x");
  expect((await call("w", "DELETE", table(kept))).status).toBe(204);
  expect((await call("w", "DELETE", `${table(purged)}?purgeRequested=true`)).status).toBe(204);
  expect(files(kept)).toHaveLength(1);
  expect(files(purged)).toHaveLength(0);
  expect(aws.objects.has(`lake/wh/ns/${purged}-sibling/data`)).toBe(true);
});

test("a restart loses nothing", async () => {
  const name = await create();
  const before = await call("r", "GET", table(name), undefined, "wh", "");
  await catalog.stop();
  catalog = await startCatalog(config, env);
  const after = await call("r", "GET", table(name), undefined, "wh", "");
  expect(after).toEqual(before);
  expect((await call("r", "GET", "namespaces")).body).toEqual({ namespaces: [["ns"]] });
});
