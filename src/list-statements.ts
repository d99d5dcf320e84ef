/**
 * Which buckets may share a ListBucket statement.
 *
 * Such a statement lets each of its buckets be listed under each of its prefixes. Hence its grids:
 * buckets are the rows, prefixes the columns.
 *
 * 1. Buckets that list the same prefixes are one row.
 * 2. A column's rows are those that list its prefix; it is also allowed for rows that list a prefix
 *    around it.
 * 3. Rows that have no prefix in common, not even through others, are in grids of their own.
 * 4. A group of more than 30 rows is not searched: each of its rows becomes a grid.
 *
 * Example: `lake` and `pond` list `a`, and `lake` lists `b`. There is one grid of two rows. It is
 * granted by {lake, pond} on `a` with {lake} on `b`, or by {lake} on `a`, `b` with {pond} on `a`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#condition-key-bucket-ops-2
 * @module
 */
import type { Grid } from "./cover.ts";
import { type BucketList, listPatternsOf } from "./grants.ts";
import { walkNested } from "./locations.ts";
import { namesOf } from "./policy.ts";

/** Buckets that list the same prefixes. */
interface Row {
  readonly buckets: string[];
  readonly prefixes: readonly string[];
}

/** A prefix, the rows that list it, and the innermost other prefix that it lies inside. */
interface Prefix {
  readonly text: string;
  readonly rows: readonly Row[];
  readonly outer: Prefix | undefined;
}

/** Rows that have prefixes in common, directly or by way of others. */
interface Group {
  readonly rows: Row[];
  readonly prefixes: Prefix[];
}

/** A set of rows is a number with a bit for each. */
const MOST_SEARCHED_ROWS = 30;

/** The grids of what is listed. */
export function listGrids(lists: readonly BucketList[], barePaths: boolean): Grid[] {
  const rows = lists.length > 1 ? rowsOf(lists) : lists.map(rowOf);
  const gridOfOne = ({ buckets, prefixes }: Row): Grid => {
    const { names, length } = namesOf(listPatternsOf(prefixes, barePaths));
    return { rows: [namesOf(buckets)], columns: [{ names, length, required: 1, allowed: 1 }] };
  };
  if (rows.length <= 1) return rows.map(gridOfOne);
  return groupsOf(rows, prefixesOf(rows)).flatMap((group) =>
    group.rows.length <= MOST_SEARCHED_ROWS
      ? [gridOf(group, barePaths)]
      : group.rows.map(gridOfOne),
  );
}

function rowsOf(lists: readonly BucketList[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { bucket, prefixes } of lists) {
    // No prefix holds a control character.
    const key = prefixes.join("\n");
    const row = rows.get(key);
    if (row === undefined) rows.set(key, rowOf({ bucket, prefixes }));
    else row.buckets.push(bucket);
  }
  return [...rows.values()];
}

function rowOf({ bucket, prefixes }: BucketList): Row {
  return { buckets: [bucket], prefixes };
}

/** The prefixes of all rows, each behind what it lies inside. */
function prefixesOf(rows: readonly Row[]): Prefix[] {
  const rowsByPrefix = new Map<string, Row[]>();
  for (const row of rows) {
    for (const prefix of row.prefixes) {
      const known = rowsByPrefix.get(prefix);
      if (known === undefined) rowsByPrefix.set(prefix, [row]);
      else known.push(row);
    }
  }
  // In the order of places: as if with the slash at their end.
  const places = [...rowsByPrefix.keys()].map((text) => `${text}/`).sort();
  const texts = places.map((place) => place.slice(0, -1));
  const found: Prefix[] = [];
  walkNested<Prefix | undefined>(texts, undefined, (outer, text) => {
    const prefix = { text, rows: rowsByPrefix.get(text) ?? [], outer };
    found.push(prefix);
    return prefix;
  });
  return found;
}

function groupsOf(rows: readonly Row[], prefixes: readonly Prefix[]): Group[] {
  const groups = new Map<Row, Group>(rows.map((row) => [row, { rows: [row], prefixes: [] }]));
  for (const prefix of prefixes) {
    const related =
      prefix.outer === undefined ? prefix.rows : [...prefix.rows, ...prefix.outer.rows];
    const joined = new Set(related.flatMap((row) => groups.get(row) ?? []));
    // The largest takes the others in, so that no row moves more often than a logarithm of them.
    const [largest, ...others] = [...joined].sort((a, b) => b.rows.length - a.rows.length);
    if (largest === undefined) continue;
    for (const other of others) {
      // Not as arguments of one push, of which the stack takes some 100,000.
      for (const one of other.prefixes) largest.prefixes.push(one);
      for (const row of other.rows) {
        largest.rows.push(row);
        groups.set(row, largest);
      }
    }
    largest.prefixes.push(prefix);
  }
  return [...new Set(groups.values())];
}

function gridOf({ rows, prefixes }: Group, barePaths: boolean): Grid {
  const bits = new Map(rows.map((row, i) => [row, 1 << i]));
  const allowedAt = new Map<Prefix | undefined, number>();
  const columns = new Map<string, { required: number; allowed: number; prefixes: string[] }>();
  for (const prefix of prefixes) {
    let required = 0;
    for (const row of prefix.rows) required |= bits.get(row) ?? 0;
    const allowed = required | (allowedAt.get(prefix.outer) ?? 0);
    allowedAt.set(prefix, allowed);
    const kind = `${required} ${allowed}`;
    const column = columns.get(kind) ?? { required, allowed, prefixes: [] };
    column.prefixes.push(prefix.text);
    columns.set(kind, column);
  }
  return {
    rows: rows.map(({ buckets }) => namesOf(buckets)),
    columns: [...columns.values()].map(({ required, allowed, prefixes }) => ({
      ...namesOf(listPatternsOf(prefixes, barePaths)),
      required,
      allowed,
    })),
  };
}
