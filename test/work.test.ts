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
  planSessionPolicies,
  type SessionPolicyOptions,
  serializePolicy,
} from "../src/index.ts";

const options = { maxLength: Number.POSITIVE_INFINITY };
const KEY = "arn:aws:kms:us-west-2:123456789012:key/1";

/** Actions of a statement, and statements: whatever the number of locations. */
const FEW = 6;

/** How often a method is called, of those that count, while `run` runs. */
function callsOf(
  prototype: object,
  method: string,
  run: () => unknown,
  counts: (of: { readonly length: number }) => boolean = () => true,
): number {
  const original = Object.getOwnPropertyDescriptor(prototype, method);
  if (original === undefined) throw new Error(`There is no ${method}.`);
  let calls = 0;
  const value = function (this: { readonly length: number }, ...args: unknown[]) {
    if (counts(this)) calls++;
    return Reflect.apply(original.value, this, args);
  };
  Object.defineProperty(prototype, method, { ...original, value });
  try {
    run();
  } finally {
    Object.defineProperty(prototype, method, original);
  }
  return calls;
}

/** The same object, and how often each of its properties has been read. */
function counting<T extends object>(of: T) {
  const reads: Record<string, number> = {};
  const proxy = new Proxy(of, {
    get: (target, property, receiver) => {
      reads[String(property)] = (reads[String(property)] ?? 0) + 1;
      return Reflect.get(target, property, receiver);
    },
  });
  return { proxy, reads };
}

/** How many lists longer than {@link FEW} are sorted while `run` runs. */
function longSorts(run: () => unknown): number {
  return callsOf(Array.prototype, "sort", run, ({ length }) => length > FEW);
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

describe("locations that come in order, and need no escapes,", () => {
  const tables = numbered("s3://lake/db/t_");
  const more = ["s3://lake/db/u", "s3://lake/x"];
  const lists = all([...tables, ...more]);
  const configs: AwsStorageConfig[] = [
    {},
    { allowedLocations: ["s3://lake"] },
    { allowedLocations: ["s3://lake/db", "s3://lake/x"] },
  ];
  test.each(configs)("are cut once each: %o", (config) => {
    const build = createSessionPolicyBuilder(config, options);
    const cuts = callsOf(String.prototype, "slice", () => build(lists));
    expect(cuts).toBeGreaterThanOrEqual(tables.length);
    expect(cuts).toBeLessThan(tables.length + 20);
    expect(callsOf(String.prototype, "startsWith", () => build(lists))).toBeLessThan(10);
  });

  test("are not escaped, nor is what comes in any order", () => {
    const build = createSessionPolicyBuilder({ currentKmsKey: KEY }, options);
    for (const locations of [lists, { ...lists, list: [...tables].reverse() }]) {
      const run = () => serializePolicy(build(locations));
      expect(callsOf(String.prototype, "replace", run)).toBe(0);
    }
    const starred = () => serializePolicy(build({ read: ["s3://lake/*"] }));
    expect(callsOf(String.prototype, "replace", starred)).toBeGreaterThan(0);
  });

  test("are read once where all accesses are for the same list", () => {
    const { proxy, reads } = counting(tables);
    buildSessionPolicy({}, all(proxy), options);
    const items = Object.entries(reads).filter(([index]) => /^\d/.test(index));
    const sum = items.reduce((all, [, count]) => all + count, 0);
    expect(sum).toBeLessThanOrEqual(2 * tables.length);
  });
});

test("the usual role is read without a search for its colons from the end", () => {
  const searches = (roleArn: string) =>
    callsOf(String.prototype, "lastIndexOf", () => createSessionPolicyBuilder({ roleArn }));
  const role = "arn:aws-us-gov:iam::123456789012:role/Team/polaris_1";
  expect(searches(role)).toBe(0);
  expect(searches(`${role}:x`)).toBeGreaterThan(0);
});

describe("a plan tries a location only where there may be room:", () => {
  const many = (head: string, count = 400) =>
    Array.from({ length: count }, (_, i) => `s3://${head}${String(i).padStart(3, "0")}`);
  test.each<[string, Locations, number]>([
    ["tables of a bucket", all(many("lake/db/t_")), 400],
    ["the same tables of two", all([...many("lake/db/t_"), ...many("pond/db/t_")]), 800],
    [
      "reading in one bucket, listing in another",
      { read: many("lake/t"), list: many("pond/t") },
      800,
    ],
    ["buckets that list the same", { list: many("lake-").map((uri) => `${uri}/t`) }, 400],
    ["writing what is shorter", { read: many("lake/table_"), write: many("lake/w") }, 800],
  ])("%s", (_, locations, count) => {
    const trials = callsOf(Map.prototype, "keys", () => planSessionPolicies({}, locations));
    expect(trials).toBeGreaterThanOrEqual(count);
    expect(trials).toBeLessThan(4 * count);
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
    const { proxy, reads } = counting(of);
    buildSessionPolicy(proxy, {});
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
