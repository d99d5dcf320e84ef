/**
 * Which buckets may share a ListBucket statement.
 *
 * A ListBucket statement lets each of its buckets be listed under each of its prefixes. So buckets are
 * the rows of a grid, and prefixes its columns.
 *
 * 1. Buckets that list the same prefixes are one row.
 * 2. A column's rows are those that list its prefix. It is also allowed for rows that list an outer
 *    prefix.
 * 3. Rows are in one grid if they share a prefix, or if a prefix of one lies inside a prefix of the
 *    other, directly or through other rows.
 * 4. A group of more than 30 rows is not searched: each of its rows becomes a grid.
 *
 * Example: `lake` and `pond` list `a`, and `lake` lists `b`. There is one grid of two rows. It is
 * granted by {lake, pond} on `a` with {lake} on `b`, or by {lake} on `a`, `b` with {pond} on `a`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html#condition-key-bucket-ops-2
 * @module
 */
import type { Column, Grid } from "./cover.ts";
import { type BucketList, type ListedPrefix, listPatternsOf } from "./grants.ts";
import { walkNested } from "./locations.ts";
import { type Names, namesOf } from "./policy.ts";

/** Buckets that list the same prefixes. */
interface Row {
  readonly buckets: string[];
  readonly prefixes: readonly ListedPrefix[];
}

/** A prefix, the numbers of the rows that list it, and the innermost other prefix around it. */
interface Listed {
  readonly prefix: ListedPrefix;
  readonly rows: number[];
  outer: Listed | undefined;
}

/** The numbers of rows of one grid, and their prefixes. */
interface Group {
  readonly rows: number[];
  readonly listed: Listed[];
}

/** A set of rows is a number with a bit for each. */
const MOST_SEARCHED_ROWS = 30;

/** Returns the grids of what is listed. */
export function listGrids(lists: readonly BucketList[], barePaths: boolean): Grid[] {
  const rows = rowsOf(lists);
  const gridOfOne = ({ buckets, prefixes }: Row): Grid => {
    return {
      rows: [namesOf(buckets)],
      columns: [columnOf(1, 1, listPatternsOf(prefixes, barePaths))],
    };
  };
  if (rows.length <= 1) return rows.map(gridOfOne);
  return groupsOf(rows.length, listedBy(rows)).flatMap(({ rows: numbers, listed }) => {
    const own = numbers.flatMap((number) => rows[number] ?? []);
    return own.length === 1 || own.length > MOST_SEARCHED_ROWS
      ? own.map(gridOfOne)
      : [gridOf(own, numbers, listed, barePaths)];
  });
}

function rowsOf(lists: readonly BucketList[]): Row[] {
  if (lists.length === 1) return lists.map(rowOf);
  const rows = new Map<string, Row>();
  for (const list of lists) {
    // No prefix holds a control character.
    const key = list.prefixes.map(({ prefix }) => prefix).join("\n");
    const row = rows.get(key);
    if (row === undefined) rows.set(key, rowOf(list));
    else row.buckets.push(list.bucket);
  }
  return [...rows.values()];
}

function rowOf({ bucket, prefixes }: BucketList): Row {
  return { buckets: [bucket], prefixes };
}

/** Returns the prefixes of all rows, each after the prefix that it lies inside. */
function listedBy(rows: readonly Row[]): Listed[] {
  const found = new Map<string, Listed>();
  rows.forEach(({ prefixes }, number) => {
    for (const prefix of prefixes) {
      // In the order of places: with the slash at their end.
      const place = `${prefix.prefix}/`;
      const known = found.get(place);
      if (known === undefined) found.set(place, { prefix, rows: [number], outer: undefined });
      else known.rows.push(number);
    }
  });
  const listed: Listed[] = [];
  for (const place of [...found.keys()].sort()) {
    const one = found.get(place);
    if (one !== undefined) listed.push(one);
  }
  const prefixes = listed.map(({ prefix }) => prefix.prefix);
  walkNested<Listed | undefined>(prefixes, undefined, (outer, _, i) => {
    const one = listed[i];
    if (one !== undefined) one.outer = outer;
    return one;
  });
  return listed;
}

/**
 * Joins rows that list the same prefix, or a prefix inside one of the other row. The second kind makes
 * no policy shorter. It decides which of equally short policies is emitted, which no release may change.
 */
function groupsOf(count: number, listed: readonly Listed[]): Group[] {
  // For each row another row of its group, or itself. Following them ends at the same row for all.
  const next = Array.from({ length: count }, (_, row) => row);
  const lastOf = (row: number): number => {
    let last = row;
    while (next[last] !== last) last = next[last] ?? last;
    for (let at = row; at !== last; ) {
      const following = next[at] ?? last;
      next[at] = last;
      at = following;
    }
    return last;
  };
  for (const { rows, outer } of listed) {
    const first = lastOf(rows[0] ?? 0);
    for (const row of rows) next[lastOf(row)] = first;
    if (outer !== undefined) next[lastOf(outer.rows[0] ?? 0)] = first;
  }
  const groups = new Map<number, Group>();
  for (let row = 0; row < count; row++) {
    const group = groups.get(lastOf(row));
    if (group === undefined) groups.set(lastOf(row), { rows: [row], listed: [] });
    else group.rows.push(row);
  }
  for (const one of listed) groups.get(lastOf(one.rows[0] ?? 0))?.listed.push(one);
  return [...groups.values()];
}

function gridOf(
  rows: readonly Row[],
  numbers: readonly number[],
  listed: readonly Listed[],
  barePaths: boolean,
): Grid {
  const bits = new Map(numbers.map((number, i) => [number, 1 << i]));
  const allowedAt = new Map<Listed | undefined, number>();
  const columns = new Map<
    string,
    { required: number; allowed: number; prefixes: ListedPrefix[] }
  >();
  for (const one of listed) {
    let required = 0;
    for (const number of one.rows) required |= bits.get(number) ?? 0;
    const allowed = required | (allowedAt.get(one.outer) ?? 0);
    allowedAt.set(one, allowed);
    const kind = `${required} ${allowed}`;
    const column = columns.get(kind) ?? { required, allowed, prefixes: [] };
    column.prefixes.push(one.prefix);
    columns.set(kind, column);
  }
  return {
    rows: rows.map(({ buckets }) => namesOf(buckets)),
    columns: [...columns.values()].map(({ required, allowed, prefixes }) =>
      columnOf(required, allowed, listPatternsOf(prefixes, barePaths)),
    ),
  };
}

/** Copies field by field: a spread takes longer than all other work for one bucket's list. */
function columnOf(required: number, allowed: number, { names, length }: Names): Column {
  return { required, allowed, names, length };
}
