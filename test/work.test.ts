/**
 * What is usual takes little work, told by what is done and not by the clock: lists in order are not
 * sorted, and a configuration whose fields have the right types is not validated a second time.
 */
import { describe, expect, test } from "vitest";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  createSessionPolicyBuilder,
  type Locations,
  type SessionPolicyOptions,
} from "../src/index.ts";

const options = { maxLength: Number.POSITIVE_INFINITY };
const KEY = "arn:aws:kms:us-west-2:123456789012:key/1";

/** Actions of a statement, and statements: whatever the number of locations. */
const FEW = 6;

/** How many lists longer than that are sorted while `run` runs. */
function longSorts(run: () => unknown): number {
  let sorts = 0;
  const { sort } = Array.prototype;
  Array.prototype.sort = function (this: unknown[], ...args) {
    if (this.length > FEW) sorts++;
    return sort.apply(this, args);
  };
  try {
    run();
  } finally {
    Array.prototype.sort = sort;
  }
  return sorts;
}

const numbered = (head: string, end = "") =>
  Array.from({ length: 50 }, (_, i) => `${head}${String(i).padStart(2, "0")}${end}`);
const all = (uris: readonly string[]): Locations => ({
  read: uris,
  list: uris,
  write: uris,
  delete: uris,
});

describe("locations that come in order are not sorted:", () => {
  const tables = numbered("s3://lake/db/t_");
  test.each<[string, Locations, AwsStorageConfig?, SessionPolicyOptions?]>([
    ["of one access", { read: tables }],
    ["of all accesses", all(tables)],
    ["as a Set", { read: new Set(tables) }],
    ["as equal lists", { read: tables, list: [...tables], write: [...tables] }],
    ["with slashes at the end", all(numbered("s3a://lake/db/t_", "/"))],
    [
      "each within the next in the alphabet, but not below it",
      all(numbered("s3n://lake/x", "!/y")),
    ],
    ["in an allowed location", all(tables), { allowedLocations: ["s3://lake/db"] }],
    ["in the allowed bucket", all(tables), { allowedLocations: ["s3://lake", "s3://pond"] }],
    [
      "being the allowed locations themselves",
      { read: ["s3://lake/a", "s3://lake/ab", "s3://lake/b/", ...numbered("s3://lake/c/")] },
      { allowedLocations: ["s3://lake/a", "s3://lake/ab", "s3://lake/b", "s3://lake/c"] },
    ],
    [
      "for the prediction",
      { read: tables, list: tables, write: tables },
      {},
      { profile: "polaris" },
    ],
  ])("%s", (_, locations, config = {}, more = {}) => {
    const build = createSessionPolicyBuilder(config, { ...options, ...more });
    expect(longSorts(() => build(locations))).toBe(0);
  });

  test.each<[string, Locations, AwsStorageConfig?]>([
    ["of two", all([...numbered("s3://lake/a"), ...numbered("s3://pond/a")])],
    ["whose names begin alike", all([...numbered("s3://a-b/x"), ...numbered("s3://a0b/x")])],
    [
      "in several allowed locations",
      all([...numbered("s3://lake/a/"), ...numbered("s3://lake/b/"), ...numbered("s3://pond/b/")]),
      { allowedLocations: ["s3://lake/a", "s3://lake/b", "s3://pond"] },
    ],
  ])(
    "buckets %s are put in order with what lies in them, and once only",
    (_, locations, config) => {
      const build = createSessionPolicyBuilder(config ?? {}, options);
      expect(longSorts(() => build({ ...locations, list: [] }))).toBe(1);
    },
  );

  test("but others are", () => {
    const shuffled = { read: [...tables].reverse() };
    expect(longSorts(() => buildSessionPolicy({}, shuffled, options))).toBeGreaterThan(0);
  });
});

test("a configuration is read field by field, once where a policy needs nothing of it", () => {
  const config: AwsStorageConfig = {
    storageType: "S3",
    allowedLocations: ["s3://lake"],
    storageName: "lake",
    roleArn: "arn:aws:iam::123456789012:role/polaris",
    externalId: "ext-1",
    userArn: "arn:aws:iam::123456789012:user/polaris",
    region: "us-west-2",
    stsEndpoint: "https://sts.us-west-2.amazonaws.com",
    stsUnavailable: false,
    pathStyleAccess: false,
    kmsUnavailable: false,
    currentKmsKey: KEY,
    allowedKmsKeys: [KEY],
  };
  const count = (of: AwsStorageConfig) => {
    const reads: Record<string, number> = {};
    const counting = new Proxy(of, {
      get: (target, field, receiver) => {
        reads[String(field)] = (reads[String(field)] ?? 0) + 1;
        return Reflect.get(target, field, receiver);
      },
    });
    buildSessionPolicy(counting, {});
    return reads;
  };
  const unused = ["storageType", "storageName", "externalId", "userArn", "stsEndpoint"] as const;
  for (const some of [config, { ...config, allowedKmsKeys: [] }, {}]) {
    const reads = count(some);
    for (const field of [...unused, "stsUnavailable", "pathStyleAccess"]) {
      expect(reads[field], field).toBe(1);
    }
  }
});
