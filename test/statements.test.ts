import { describe, expect, test } from "vitest";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type Statement,
  serializePolicy,
} from "../src/index.ts";
import { grantSet } from "./support/grant-sets.ts";
import { type Cell, shortestLength } from "./support/shortest-cover.ts";

type Access = keyof Locations;
const ACCESSES: readonly Access[] = ["read", "list", "write", "delete"];
const S3 = "arn:aws:s3:::";
const OBJECT_ACTIONS: Readonly<Record<string, Access>> = {
  "s3:GetObject": "read",
  "s3:PutObject": "write",
  "s3:DeleteObject": "delete",
};

/** A place is `bucket/` or `bucket/prefix/`; asked for are the accesses at each. */
type Asked = readonly { readonly place: string; readonly accesses: readonly Access[] }[];

const bucketOf = (place: string) => place.slice(0, place.indexOf("/"));
const unique = (values: readonly string[]) => [...new Set(values)];
const allow = (Action: Statement["Action"], Resource: Statement["Resource"]) => ({
  Effect: "Allow" as const,
  Action,
  Resource,
});

/** Whether an access to all of a place was asked for: here, and anywhere else around it. */
function cellOf(asked: Asked, access: Access, place: string): Cell {
  const with_ = asked.filter(({ accesses }) => accesses.includes(access)).map((a) => a.place);
  const around = with_.filter((other) => place.startsWith(other));
  if (around.length === 0) return "forbidden";
  return around.every((other) => other === place) ? "required" : "allowed";
}

/** The shortest S3 statements by brute force. */
function shortestS3(asked: Asked): number {
  const places = asked.filter(({ accesses }) => accesses.length > 0).map(({ place }) => place);
  const buckets = unique(places.map(bucketOf));
  const isRootListed = (bucket: string) => cellOf(asked, "list", `${bucket}/`) === "required";
  const objects = unique(places).filter((place) =>
    Object.values(OBJECT_ACTIONS).some((access) => cellOf(asked, access, place) === "required"),
  );
  const plain = shortestLength({
    rows: [...Object.keys(OBJECT_ACTIONS), "s3:GetBucketLocation", "s3:ListBucket"],
    columns: [...objects.map((place) => `${S3}${place}*`), ...buckets.map((bucket) => S3 + bucket)],
    cell: (action, resource) => {
      const name = resource.slice(S3.length);
      const access = OBJECT_ACTIONS[action];
      if ((access === undefined) === name.includes("/")) return "meaningless";
      if (access !== undefined) return cellOf(asked, access, name.slice(0, -1));
      return action === "s3:GetBucketLocation" || isRootListed(name) ? "required" : "forbidden";
    },
    statement: allow,
  });
  const listed = buckets.filter((bucket) => !isRootListed(bucket));
  const prefixes = unique(
    places
      .filter((place) => listed.includes(bucketOf(place)))
      .filter((place) => cellOf(asked, "list", place) === "required")
      .map((place) => place.slice(bucketOf(place).length + 1)),
  );
  const lists = shortestLength({
    rows: listed.map((bucket) => S3 + bucket),
    columns: prefixes.map((prefix) => `${prefix}*`),
    cell: (bucket, pattern) =>
      cellOf(asked, "list", `${bucket.slice(S3.length)}/${pattern.slice(0, -1)}`),
    statement: (resource, values) => ({
      ...allow("s3:ListBucket", resource),
      Condition: { StringLike: { "s3:prefix": values } },
    }),
  });
  return plain + lists;
}

/** One statement a grant. */
function ungrouped(asked: Asked): Statement[] {
  return asked.flatMap(({ place, accesses }) =>
    accesses.flatMap((access): Statement[] => {
      const bucket = S3 + bucketOf(place);
      const prefix = place.slice(bucketOf(place).length + 1);
      const actions = Object.keys(OBJECT_ACTIONS).filter((a) => OBJECT_ACTIONS[a] === access);
      const listing = allow("s3:ListBucket", bucket);
      return [
        allow("s3:GetBucketLocation", bucket),
        ...actions.map((action) => allow(action, `${S3}${place}*`)),
        ...(access !== "list"
          ? []
          : prefix === ""
            ? [listing]
            : [{ ...listing, Condition: { StringLike: { "s3:prefix": `${prefix}*` } } }]),
      ];
    }),
  );
}

function locationsOf(asked: Asked): Locations {
  return Object.fromEntries(
    ACCESSES.map((access) => [
      access,
      asked.filter((a) => a.accesses.includes(access)).map(({ place }) => `s3://${place}`),
    ]),
  );
}

const COMBINATIONS = Array.from({ length: 16 }, (_, bits) =>
  ACCESSES.filter((_, i) => (bits >> i) & 1),
);
// `npm run test:brute-force` takes all: with them the three tables take a minute and a half.
const THIRD = process.env["BRUTE_FORCE"] ? COMBINATIONS : COMBINATIONS.slice(-1);
const ENVELOPE = '{"Version":"2012-10-17","Statement":[]}'.length;
const DENY_ALL = 84;

function expectShortest(asked: Asked): void {
  const policy = buildSessionPolicy({}, locationsOf(asked), {
    maxLength: Number.POSITIVE_INFINITY,
  });
  const shortest = shortestS3(asked);
  const expected = shortest === 0 ? DENY_ALL : ENVELOPE + shortest - 1;
  const actual = serializePolicy(policy).length;
  if (actual !== expected)
    expect(`${actual}: ${JSON.stringify(asked)}`).toBe(`${expected}: as asked`);
  if (shortest === 0) return;
  const reference = grantSet({ Statement: ungrouped(asked) });
  if (String(grantSet(policy)) !== String(reference)) expect(grantSet(policy)).toEqual(reference);
}

const LONG = "a-rather-long-name-for-a-table-of-orders-and-customers";

describe("no policy for S3 is shorter, by brute force over every way to group its grants,", () => {
  test.each([
    ["two tables of a bucket", ["lake/a/", "lake/b/"]],
    ["a table in each of two buckets", ["lake/a/", "pond/b/"]],
    ["the same prefix in two buckets", ["lake/a/", "pond/a/"]],
    ["a table inside another", ["lake/a/", "lake/a/b/"]],
    ["a bucket and a table of it", ["lake/", "lake/a/"]],
    ["two buckets", ["abc/", "abcd/"]],
    ["a short bucket and a table of a long one", ["abc/", `${LONG}/a/`]],
    ["a long and a short name", [`lake/${LONG}/`, "lake/b/"]],
  ])("for %s, with any accesses", (_, [first = "", second = ""]) => {
    for (const one of COMBINATIONS) {
      for (const two of COMBINATIONS) {
        expectShortest([
          { place: first, accesses: one },
          { place: second, accesses: two },
        ]);
      }
    }
  });

  test.each([
    ["three tables of a bucket", ["lake/a/", "lake/b/", "lake/c/"]],
    ["two tables and one of another bucket", ["lake/a/", `lake/${LONG}/`, "pond/a/"]],
    ["a table inside another, and one beside", ["lake/a/", "lake/a/b/", `lake/${LONG}/`]],
    ["three tables inside one another", ["lake/a/", "lake/a/b/", "lake/a/b/c/"]],
    [
      "a table inside another, and the inner one in another bucket",
      ["lake/a/", "lake/a/b/", "pond/a/b/"],
    ],
    ["a bucket, a table of it and one of another", ["abc/", "abc/a/", "pond/a/"]],
    ["two buckets and a table", ["abc/", "abcd/", "abcd/a/"]],
  ])(
    "for %s, with any accesses",
    { timeout: 300_000 },
    (_, [first = "", second = "", third = ""]) => {
      for (const one of COMBINATIONS) {
        for (const two of COMBINATIONS) {
          for (const three of THIRD) {
            expectShortest([
              { place: first, accesses: one },
              { place: second, accesses: two },
              { place: third, accesses: three },
            ]);
          }
        }
      }
    },
  );

  test("for lists that overlap in three buckets", () => {
    const places = [
      "abc/a/",
      "abc/b/",
      "lake/a/",
      `lake/${LONG}/`,
      "lake/a/x/",
      "pond/b/",
      `pond/${LONG}/`,
      "pond/a/x/",
    ];
    for (let chosen = 1; chosen < 1 << places.length; chosen++) {
      const asked = places.filter((_, i) => (chosen >> i) & 1);
      if (asked.length > 6) continue;
      expectShortest(asked.map((place) => ({ place, accesses: ["list"] })));
    }
  });
});

describe("no KMS statements are shorter, by brute force,", () => {
  const one = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
  const two = "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888";
  const far = two.replace("us-west-2", "eu-central-1");
  const configs: AwsStorageConfig[] = [
    { currentKmsKey: one },
    { allowedKmsKeys: [one] },
    { currentKmsKey: one, allowedKmsKeys: [two] },
    { currentKmsKey: one, allowedKmsKeys: [far] },
    { allowedKmsKeys: [one, two] },
    { allowedKmsKeys: [one, far] },
  ];
  test.each(configs.flatMap((config) => [true, false].map((via) => [config, via] as const)))(
    "for %j, through S3 only: %s, with any accesses",
    (config, via) => {
      for (const accesses of COMBINATIONS) {
        const asked: Asked = [{ place: "lake/a/", accesses }];
        const policy = buildSessionPolicy(config, locationsOf(asked), { kmsViaService: via });
        const keys = [config.currentKmsKey, ...(config.allowedKmsKeys ?? [])].filter(
          (k) => k != null,
        );
        const regions = via ? unique(keys.map((key) => key.split(":")[3] ?? "")) : [undefined];
        let shortest = shortestS3(asked);
        if (shortest === 0) continue;
        for (const region of regions) {
          shortest += shortestLength({
            rows: ["kms:Decrypt", "kms:GenerateDataKey"],
            columns: keys.filter((key) => region === undefined || key.includes(region)),
            cell: (action, key) => {
              const current = key === config.currentKmsKey;
              const writes = current && accesses.includes("write");
              const reads = action === "kms:Decrypt" && accesses.includes("read");
              return reads || writes ? "required" : "forbidden";
            },
            statement: (action, key) => ({
              ...allow(action, key),
              ...(region && {
                Condition: { StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` } },
              }),
            }),
          });
        }
        expect(serializePolicy(policy)).toHaveLength(ENVELOPE + shortest - 1);
      }
    },
  );
});
