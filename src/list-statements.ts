/**
 * Which buckets may share a ListBucket statement.
 *
 * Such a statement lets each of its buckets be listed under each of its prefixes. Hence its grids:
 * buckets are the rows, prefixes the columns.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#condition-key-bucket-ops-2
 * @module
 */
import { type BucketList, type Column, type Grid, itemsOf, nest, patternOf } from "./grants.ts";

/** Buckets that list the same prefixes. */
interface Row {
  readonly buckets: string[];
  readonly prefixes: readonly string[];
  readonly patterns: Column;
}

/** A prefix, the rows that list it, and the innermost other prefix that it lies inside. */
interface Prefix {
  readonly text: string;
  readonly rows: readonly Row[];
  readonly inside: Prefix | undefined;
}

/** Rows that have prefixes in common, directly or by way of others. */
interface Group {
  readonly rows: Row[];
  readonly prefixes: Prefix[];
}

/**
 * As many rows as a grid may have to be searched for the shortest statements. What a larger one
 * gives is not always the shortest: each of its rows becomes a statement.
 */
const MOST_SEARCHED_ROWS = 3;

/** The grids of what is listed; buckets are in different ones if they have no prefix in common. */
export function listGrids(lists: readonly BucketList[]): Grid[] {
  const [first, ...others] = lists;
  if (first === undefined) return [];
  if (others.length === 0) return [gridOfOne([first.bucket], first.patterns)];
  const rows = alike(lists);
  return groupsOf(rows, nested(rows)).flatMap((group) =>
    group.rows.length <= MOST_SEARCHED_ROWS
      ? [gridOf(group)]
      : group.rows.map(({ buckets, patterns }) => gridOfOne(buckets, patterns)),
  );
}

function alike(lists: readonly BucketList[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { bucket, prefixes, patterns } of lists) {
    // No prefix holds a control character.
    const key = prefixes.join("\n");
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { buckets: [bucket], prefixes, patterns });
    else row.buckets.push(bucket);
  }
  return [...rows.values()];
}

/** The prefixes of all rows, each behind what it lies inside. */
function nested(rows: readonly Row[]): Prefix[] {
  const rowsOf = new Map<string, Row[]>();
  for (const row of rows) {
    for (const prefix of row.prefixes) {
      const known = rowsOf.get(prefix);
      if (known === undefined) rowsOf.set(prefix, [row]);
      else known.push(row);
    }
  }
  // In the order of places: as if with the slash at their end.
  const places = [...rowsOf.keys()].map((text) => `${text}/`).sort();
  const texts = places.map((place) => place.slice(0, -1));
  const found: Prefix[] = [];
  nest<Prefix | undefined>(texts, undefined, (inside, text) => {
    const prefix = { text, rows: rowsOf.get(text) ?? [], inside };
    found.push(prefix);
    return prefix;
  });
  return found;
}

function groupsOf(rows: readonly Row[], prefixes: readonly Prefix[]): Group[] {
  const groups = new Map<Row, Group>(rows.map((row) => [row, { rows: [row], prefixes: [] }]));
  for (const prefix of prefixes) {
    const { inside } = prefix;
    const related = inside === undefined ? prefix.rows : [...prefix.rows, ...inside.rows];
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

function gridOf({ rows, prefixes }: Group): Grid {
  const allowed = new Map<Prefix | undefined, number>();
  const columns = new Map<string, { required: number; allowed: number; patterns: string[] }>();
  for (const prefix of prefixes) {
    let required = 0;
    for (const row of prefix.rows) required |= 1 << rows.indexOf(row);
    const all = required | (allowed.get(prefix.inside) ?? 0);
    allowed.set(prefix, all);
    const kind = `${required} ${all}`;
    const column = columns.get(kind) ?? { required, allowed: all, patterns: [] };
    column.patterns.push(patternOf(prefix.text));
    columns.set(kind, column);
  }
  return {
    rows: rows.map(({ buckets }) => itemsOf(buckets)),
    columns: [...columns.values()].map(
      ({ required, allowed, patterns }): Column => ({
        ...itemsOf(patterns),
        required,
        allowed,
        inOrder: false,
      }),
    ),
  };
}

function gridOfOne(buckets: readonly string[], patterns: Column): Grid {
  return { rows: [itemsOf(buckets)], columns: [patterns] };
}
