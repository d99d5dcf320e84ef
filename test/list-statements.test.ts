import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildSessionPolicy, type Statement, serializePolicy } from "../src/index.ts";
import { grantSet } from "./support/grant-sets.ts";
import { asList } from "./support/iam.ts";
import { shortestLength } from "./support/shortest-cover.ts";

const S3 = "arn:aws:s3:::";
const unlimited = { maxLength: Number.POSITIVE_INFINITY };
const many = process.env["BRUTE_FORCE"] ? 10 : 1;

/** The statements that list under a prefix. */
function listings(list: readonly string[]): Statement[] {
  const { Statement } = buildSessionPolicy({}, { list }, unlimited);
  return Statement.filter(({ Condition }) => Condition !== undefined);
}

const lengthOf = (statements: readonly object[]) =>
  statements.reduce((sum, statement) => sum + JSON.stringify(statement).length + 1, 0);

/** The least length of statements for prefixes none of which lies inside another. */
function shortest(list: readonly string[]): number {
  const places = list.map((uri) => uri.slice("s3://".length).split(/\/(.*)/s));
  return shortestLength({
    rows: [...new Set(places.map(([bucket]) => S3 + bucket))],
    columns: [...new Set(places.map(([, prefix]) => `${prefix}/*`))],
    cell: (bucket, pattern) =>
      list.includes(`s3://${bucket.slice(S3.length)}/${pattern.slice(0, -2)}`)
        ? "required"
        : "forbidden",
    statement: (Resource, values) => ({
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource,
      Condition: { StringLike: { "s3:prefix": values } },
    }),
  });
}

describe("lists of buckets that share prefixes", () => {
  const buckets = ["lake", "pond", "a-rather-long-name-of-a-bucket", "river", "sea"];
  const prefixes = ["a", "orders-of-2026", "b".repeat(60), "c".repeat(90), "d".repeat(140)];
  const lists = (most: number) =>
    fc
      .uniqueArray(
        fc.tuple(fc.constantFrom(...buckets.slice(0, most)), fc.constantFrom(...prefixes)),
        { minLength: 2, maxLength: 13, selector: ([bucket, prefix]) => `${bucket}/${prefix}` },
      )
      .map((pairs) => pairs.map(([bucket, prefix]) => `s3://${bucket}/${prefix}`));

  test("of up to five buckets are the shortest but for brackets, by brute force", () => {
    fc.assert(
      fc.property(lists(5), (list) => {
        const found = listings(list);
        const least = shortest(list);
        expect(lengthOf(found)).toBeGreaterThanOrEqual(least);
        // A pair for each statement at most.
        expect(lengthOf(found)).toBeLessThanOrEqual(least + 2 * found.length);
      }),
      { numRuns: 100 * many },
    );
  });

  test("grant each bucket its own prefixes, and none of another's", () => {
    fc.assert(
      fc.property(lists(5), (list) => {
        const single = list.map((uri) => {
          const [bucket = "", prefix = ""] = uri.slice("s3://".length).split(/\/(.*)/s);
          return {
            Effect: "Allow" as const,
            Action: "s3:ListBucket",
            Resource: S3 + bucket,
            Condition: { StringLike: { "s3:prefix": `${prefix}/*` } },
          };
        });
        expect(grantSet({ Statement: listings(list) })).toEqual(grantSet({ Statement: single }));
      }),
      { numRuns: 200 * many },
    );
  });

  test("are told apart by whole prefixes, all of them", () => {
    // Joined with a slash, a and b are a/b; and the fourth prefix decides.
    expect(listings(["s3://lake/a", "s3://lake/b", "s3://pond/a/b"])).toHaveLength(2);
    const four = (bucket: string, last: string) =>
      ["a", "b", "c", last].map((prefix) => `s3://${bucket}/${prefix}`);
    const own = listings([...four("lake", "d"), ...four("pond", "e")]);
    expect(own.map(({ Resource }) => asList(Resource))).toEqual([
      ["arn:aws:s3:::lake"],
      ["arn:aws:s3:::pond"],
    ]);
  });

  test("of eight buckets with five tables each fit, where each bucket alone would not", () => {
    const tables = Array.from({ length: 8 }, (_, i) => `warehouse/sales/table_${i}`);
    const list = Array.from({ length: 8 }, (_, bucket) =>
      [0, 1, 2, 3, 4].map((i) => `s3://bucket-${bucket}/${tables[(i + (bucket >> 1)) % 8]}`),
    ).flat();
    expect(serializePolicy(buildSessionPolicy({}, { list }, unlimited)).length).toBeLessThan(2048);
  });
});
