/** What a real server lets a session do, scenario by scenario: the tables say it, not our code. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildAssumeRoleRequest, buildSessionPolicy, type Locations } from "../../src/index.ts";
import {
  assume,
  createBuckets,
  isLet,
  type Operation,
  put,
  sessionFor,
  sessionWith,
  storageConfig,
} from "./client.ts";

type Access = "read" | "list" | "write" | "delete";

/** The requests that each access is needed for; all of them are sent for each object or prefix. */
const OPERATIONS: Readonly<Record<Access, readonly Operation[]>> = {
  read: ["HeadObject", "GetObject", "GetRange"],
  list: ["ListObjects", "ListFolders"],
  write: ["PutObject", "MultipartUpload"],
  delete: ["DeleteObject"],
};

/** `bucket/key`; of lists, `bucket/prefix`. */
type Places = Readonly<Partial<Record<Access, readonly string[]>>>;

interface Scenario {
  readonly grants: Locations;
  readonly allowed: Places;
  readonly refused: Places;
}

const T = "lake/db/t/data/f";
const everywhere = (...places: string[]): Places => ({
  read: places,
  list: places,
  write: places,
  delete: places,
});

const scenarios: Readonly<Record<string, Scenario>> = {
  "reading alone": {
    grants: { read: ["s3://lake/db/t"] },
    allowed: { read: [T, "lake/db/t/metadata/v1.json"] },
    refused: { read: ["lake/db/u/f", "lake/f"], list: ["lake/db/t/"], write: [T], delete: [T] },
  },
  "listing alone": {
    grants: { list: ["s3://lake/db/t"] },
    allowed: { list: ["lake/db/t/", "lake/db/t/data/", T] },
    refused: { read: [T], list: ["lake/db/t", "lake/db/", "lake/"], write: [T], delete: [T] },
  },
  "writing alone": {
    grants: { write: ["s3://lake/db/t"] },
    allowed: { write: [T, "lake/db/t/new"] },
    refused: { read: [T], list: ["lake/db/t/"], write: ["lake/db/u/f", "lake/db/t"], delete: [T] },
  },
  "deleting alone": {
    grants: { delete: ["s3://lake/db/t"] },
    allowed: { delete: [T] },
    refused: { read: [T], list: ["lake/db/t/"], write: [T], delete: ["lake/db/u/f", "lake/db/t"] },
  },
  "all together": {
    grants: {
      read: ["s3://lake/db/t"],
      list: ["s3://lake/db/t"],
      write: ["s3://lake/db/t"],
      delete: ["s3://lake/db/t"],
    },
    allowed: everywhere("lake/db/t/data/f"),
    refused: everywhere("lake/db/u/f"),
  },
  "siblings whose names begin alike": {
    grants: {
      read: ["s3://lake/db/t"],
      list: ["s3://lake/db/t"],
      write: ["s3://lake/db/t"],
      delete: ["s3://lake/db/t"],
    },
    allowed: { read: [T] },
    refused: everywhere("lake/db/t2/f", "lake/db/t.bak/f", "lake/db/t", "lake/DB/t/f"),
  },
  "a table that may be written inside a database that may be read": {
    grants: { read: ["s3://lake/db"], write: ["s3://lake/db/t"] },
    allowed: { read: [T, "lake/db/u/f"], write: [T] },
    refused: { write: ["lake/db/u/f", "lake/db/f"], read: ["lake/other/f"], delete: [T] },
  },
  "several buckets with different accesses": {
    grants: {
      read: ["s3://lake/db/t", "s3://lake2/db"],
      write: ["s3://lake2/db/t"],
      list: ["s3://lake2/x"],
    },
    allowed: { read: [T, "lake2/db/u/f"], write: ["lake2/db/t/f"], list: ["lake2/x/"] },
    refused: {
      read: ["lake3/db/t/f", "lake/db/u/f"],
      write: [T, "lake2/db/u/f"],
      list: ["lake/x/", "lake3/x/"],
    },
  },
  "a whole bucket": {
    grants: { read: ["s3://lake"], list: ["s3://lake/"] },
    allowed: { read: ["lake/f", T, "lake/a b/ü"], list: ["lake/", "lake/d", "lake/db/t/"] },
    refused: {
      read: ["lake2/f"],
      list: ["lake2/", "lake3/"],
      write: ["lake/f"],
      delete: ["lake/f"],
    },
  },
  "keys in other scripts": {
    grants: { read: ["s3://lake/売上/é"], write: ["s3://lake/📦"], list: ["s3://lake/売上"] },
    allowed: { read: ["lake/売上/é/f"], write: ["lake/📦/f"], list: ["lake/売上/"] },
    refused: {
      read: ["lake/売上/e/f", "lake/売上/f"],
      write: ["lake/📦f", "lake/売上/f"],
      list: ["lake/売/"],
    },
  },
  "keys with spaces and what URLs escape": {
    grants: {
      read: ["s3://lake/a b/%20+&=;#"],
      list: ["s3://lake/a b"],
      delete: ["s3://lake/x,y=z@"],
    },
    allowed: { read: ["lake/a b/%20+&=;#/f"], list: ["lake/a b/"], delete: ["lake/x,y=z@/f"] },
    refused: {
      read: ["lake/a b/  &=;#/f", "lake/a+b/f"],
      list: ["lake/a%20b/"],
      delete: ["lake/x,y=z/f"],
    },
  },
  "keys with quotes and backslashes": {
    grants: { read: ['s3://lake/"db"/t\'s', "s3://lake/back\\slash"], write: ['s3://lake/"'] },
    allowed: { read: ['lake/"db"/t\'s/f', "lake/back\\slash/f"], write: ['lake/"/f'] },
    refused: { read: ["lake/db/t's/f", "lake/back/slash/f"], write: ["lake/'/f", "lake//f"] },
  },
  "keys with braces and brackets": {
    grants: { read: ["s3://lake/{a}/[b]/(c)"], list: ["s3://lake/{a}"] },
    allowed: { read: ["lake/{a}/[b]/(c)/f"], list: ["lake/{a}/"] },
    refused: { read: ["lake/a/[b]/(c)/f", "lake/{a}/b/(c)/f"], list: ["lake/a/"] },
  },
  "nothing granted": {
    grants: {},
    allowed: {},
    refused: everywhere("lake/db/t/data/f", "lake2/f"),
  },
};

let sent = 0;

beforeAll(() => createBuckets("lake", "lake2", "lake3"));

function split(place: string): [bucket: string, key: string] {
  const slash = place.indexOf("/");
  return [place.slice(0, slash), place.slice(slash + 1)];
}

describe.each(Object.entries(scenarios))("%s", (_, { grants, allowed, refused }) => {
  for (const [places, expected] of [
    [allowed, true],
    [refused, false],
  ] as const) {
    const accesses = Object.keys(places) as Access[];
    test.each(accesses)(`${expected ? "allows" : "refuses"} to %s`, async (access) => {
      const session = await sessionFor(grants);
      for (const place of places[access] ?? []) {
        const [bucket, key] = split(place);
        for (const operation of OPERATIONS[access]) {
          if (access === "read" || access === "delete") await put(bucket, key);
          sent++;
          const answer = await isLet(session, operation, bucket, key);
          expect(answer, `${operation} ${place}`).toBe(expected);
        }
      }
    });
  }
});

test("a list without prefix is for those who may list the whole bucket", async () => {
  const whole = await sessionFor({ list: ["s3://lake"] });
  expect(await isLet(whole, "ListEverything", "lake", "")).toBe(true);
  expect(await isLet(whole, "ListEverything", "lake2", "")).toBe(false);
  const part = await sessionFor({ list: ["s3://lake/db"] });
  expect(await isLet(part, "ListEverything", "lake", "")).toBe(false);
  sent += 3;
});

test.each(["read", "list", "write", "delete"])(
  "whoever may %s anything in a bucket may ask where it is, and of no other",
  async (access) => {
    const session = await sessionFor({ [access]: ["s3://lake/db"] });
    expect(await isLet(session, "GetBucketLocation", "lake", "")).toBe(true);
    expect(await isLet(session, "GetBucketLocation", "lake2", "")).toBe(false);
    sent += 2;
  },
);

describe("keys that S3A probes by the location's own name", () => {
  const grants = { read: ["s3://lake/db/t"], list: ["s3://lake/db/t"], write: ["s3://lake/db/t"] };
  const probes: [Operation, string][] = [
    ["HeadObject", "db/t"],
    ["GetObject", "db/t"],
    ["ListObjects", "db/t"],
  ];
  test.each(probes)(
    "%s of the bare path is allowed with barePaths only",
    async (operation, key) => {
      await put("lake", key);
      const without = await sessionFor(grants);
      expect(await isLet(without, operation, "lake", key)).toBe(false);
      const session = await sessionFor(grants, { barePaths: true });
      expect(await isLet(session, operation, "lake", key)).toBe(true);
      sent += 2;
    },
  );
  test("a sibling's contents, other accesses and other prefixes stay closed", async () => {
    const session = await sessionFor(grants, { barePaths: true });
    for (const key of ["db/t2", "db/t2/f"]) {
      await put("lake", key);
      expect(await isLet(session, "GetObject", "lake", key), key).toBe(false);
    }
    for (const prefix of ["db/t2", "db/t2/", "db/"]) {
      expect(await isLet(session, "ListObjects", "lake", prefix), prefix).toBe(false);
    }
    expect(await isLet(session, "PutObject", "lake", "db/t")).toBe(false);
    expect(await isLet(session, "DeleteObject", "lake", "db/t")).toBe(false);
    sent += 7;
  });
});

test("a request without a role is sent as it is: Ceph wants a role, and says so", async () => {
  const { roleArn: _, ...withoutRole } = storageConfig;
  const request = buildAssumeRoleRequest(withoutRole, { read: ["s3://lake/db/t"] });
  expect(request).not.toHaveProperty("RoleArn");
  // Ceph's STS wants a role and says so; MinIO's takes the request.
  await expect(assume(request)).rejects.toThrow("HTTP 400");
});

describe("limits of the server, which docs/engines.md lists", () => {
  test.each(["*", "?", "$"])(
    "a location with %s stays closed: it knows no escapes",
    async (special) => {
      const session = await sessionFor({ read: [`s3://lake/a${special}b`] });
      for (const key of [`a${special}b/f`, "axb/f", "ab/f"]) {
        await put("lake", key);
        expect(await isLet(session, "GetObject", "lake", key), key).toBe(false);
      }
    },
  );

  test("a batch of deletions is judged as one request for the bucket", async () => {
    const session = await sessionFor({ delete: ["s3://lake/db"] });
    await put("lake", "db/f");
    expect(await isLet(session, "DeleteObjects", "lake", "db/f")).toBe(false);
  });

  test("an upload is given up by whoever may write", async () => {
    const session = await sessionFor({ write: ["s3://lake/db"] });
    expect(await isLet(session, "AbortedUpload", "lake", "db/f")).toBe(true);
  });

  test("a policy with a colon in a key is refused as a whole", async () => {
    await expect(sessionFor({ read: ["s3://lake/a:b"] })).rejects.toThrow("HTTP 400");
  });

  test("a policy with a KMS statement is refused as a whole", async () => {
    const currentKmsKey = "arn:aws:kms:us-east-1:123456789012:key/k";
    const policy = buildSessionPolicy({ currentKmsKey }, { read: ["s3://lake/db"] });
    await expect(sessionWith(policy)).rejects.toThrow("HTTP 400");
  });
});

afterAll(() => {
  expect(sent, "requests").toBeGreaterThanOrEqual(150);
  process.stdout.write(`${sent} requests in ${Object.keys(scenarios).length} scenarios\n`);
});
