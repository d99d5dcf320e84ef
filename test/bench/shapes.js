/** The sessions that the benchmark measures: what catalogs ask for, and what hostile callers may. */

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";

export const storageConfig = {
  storageType: "S3",
  allowedLocations: ["s3://acme-lakehouse/", "s3://acme-archive/"],
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  region: "us-west-2",
  externalId: "quickstart-external-id",
  currentKmsKey: KEY,
  allowedKmsKeys: [
    "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888",
    "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
  ],
};

const WAREHOUSE = "s3://acme-lakehouse/warehouse/sales";
const ORDERS = `${WAREHOUSE}/orders_000000`;
const all = (uris) => ({ read: uris, list: uris, write: uris, delete: uris });

export const tables = (count) =>
  Array.from({ length: count }, (_, i) => `${WAREHOUSE}/orders_${String(i).padStart(6, "0")}`);

/** The same order in each run: a linear congruential generator, and Fisher and Yates' shuffle. */
function shuffled(uris) {
  const list = [...uris];
  let seed = 42;
  for (let i = list.length - 1; i > 0; i--) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    const j = seed % (i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/**
 * Each of the 16 kinds of accesses around each, in two buckets: `bucket/COPY/KIND/KIND`. Nobody has
 * such a session; a caller who wants to stop a server may send it.
 */
export function nested(copies) {
  const locations = { read: [], list: [], write: [], delete: [] };
  const add = (kind, uri) => {
    Object.values(locations).forEach((list, bit) => {
      if ((kind >> bit) & 1) list.push(uri);
    });
  };
  for (const bucket of ["acme-lakehouse", "acme-archive"]) {
    for (let copy = 0; copy < copies; copy++) {
      for (let outer = 0; outer < 16; outer++) {
        const uri = `s3://${bucket}/copy-${copy}/of-${outer}`;
        add(outer, uri);
        for (let inner = 0; inner < 16; inner++) add(inner, `${uri}/in-${inner}`);
      }
    }
  }
  return locations;
}

const sibling = (text) => `s3://acme-lakehouse/${text}`;

/** `limit`: the most times JSON.stringify that a prepared builder and buildSessionPolicy should take. */
export const shapes = [
  { name: "one table", locations: all([ORDERS]), limit: [2, 5] },
  {
    name: "one table, a list for each access",
    locations: { read: [ORDERS], list: [ORDERS], write: [ORDERS], delete: [ORDERS] },
    limit: [2, 5],
  },
  {
    name: "two tables in two buckets",
    locations: all([ORDERS, "s3://acme-archive/2025/orders"]),
    limit: [3, 6],
  },
  {
    name: "read a table, its data and its metadata path, write one",
    locations: {
      read: [ORDERS, "s3://acme-archive/data/orders", sibling("metadata/orders")],
      list: [ORDERS, "s3://acme-archive/data/orders", sibling("metadata/orders")],
      write: [ORDERS],
    },
    limit: [3, 6],
  },
  {
    name: "read a warehouse, write a table in it",
    locations: { read: [WAREHOUSE], list: [WAREHOUSE], write: [ORDERS] },
    limit: [3, 6],
  },
  {
    name: "other scripts, and characters that are escaped",
    locations: all([sibling("売上/注文"), sibling("überschuß/a*b?"), sibling('a"b/${c}')]),
    limit: [3, 6],
  },
  { name: "20 tables, shuffled", locations: all(shuffled(tables(20))), limit: [3, 4] },
  { name: "49 tables, shuffled", locations: all(shuffled(tables(49))), limit: [3, 4] },
  { name: "1,000 tables in order", locations: all(tables(1000)), limit: [6, 6] },
  { name: "1,000 tables, shuffled", locations: all(shuffled(tables(1000))), limit: [6, 6] },
  {
    name: "read 1,000 tables, write 500 of them, shuffled",
    locations: {
      read: shuffled(tables(1000)),
      list: shuffled(tables(1000)),
      write: shuffled(tables(1000)).slice(500),
    },
    limit: [6, 6],
  },
  { name: "100,000 tables, shuffled", locations: all(shuffled(tables(100_000))), limit: [10, 10] },
  {
    name: "nested in every way, 272 in each of two buckets",
    locations: nested(1),
    limit: [200, 200],
  },
];

/** `count` buckets, each listed under three prefixes of its own and three that its neighbours have. */
export function sharing(count) {
  const list = Array.from({ length: count }, (_, bucket) =>
    [0, 1, 2].flatMap((i) => [
      `s3://bucket-${bucket}/own-${bucket}-${i}`,
      `s3://bucket-${bucket}/shared-${(bucket >> 1) + i}`,
    ]),
  ).flat();
  return { list };
}
