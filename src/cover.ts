/**
 * Finds the shortest statements that grant a grid.
 *
 * A {@link Grid} says which rows (actions, or buckets that are listed) each column (resources, or
 * prefixes) is granted. A statement grants a set of rows on some columns. Statements may grant a cell
 * twice; they may not grant a cell that is not allowed.
 *
 * 1. A family is a choice of sets of rows, one statement for each set. Rows that have the same columns
 *    stay together: a statement for one of them grants the other for the length of its name only.
 * 2. In a family, name each column in as few statements as possible. To name it once more takes more
 *    characters than the two brackets that this could save.
 * 3. Add the lengths of names and frames. Drop a family that is already longer than the best so far.
 * 4. Count brackets: a statement with one name of a kind needs none. If a column can go to several
 *    statements, try every distribution with other brackets.
 * 5. Up to three rows have seven sets, and at most 127 families. All are tried, so the result is the
 *    shortest. For more rows, see {@link improved}.
 *
 * Example: read `a/*` and `b/*`, write `b/*`. Columns are `a/*` for {read} and `b/*` for {read, write}.
 * The families that grant it are {read},{write}; {read},{read, write}; {write},{read},{read, write}.
 * The first names `b/*` twice, the second `s3:GetObject` twice. The shorter name decides.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */
import type { Names } from "./policy.ts";

/** Names that are granted the same rows. */
export interface Column extends Names {
  /** The rows that statements must grant here: one bit a row. */
  readonly required: number;
  /** The rows that they may grant here, because the session has them here anyway. */
  readonly allowed: number;
}

/** What is to be granted: to each column its rows. */
export interface Grid {
  readonly rows: readonly Names[];
  readonly columns: readonly Column[];
}

/** The names of a statement. */
export interface Block {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

/** Blocks that grant a grid, and the serialized length of their statements, each with a comma. */
export interface Cover {
  readonly blocks: readonly Block[];
  readonly length: number;
}

/** Sets of rows in ascending order, one bit a row, and the length of the names in their statements. */
interface Family {
  readonly sets: readonly number[];
  readonly length: number;
}

/** The statements that name each column, as bits, and the length of each statement's own brackets. */
interface Distribution {
  readonly chosen: readonly number[];
  readonly brackets: readonly number[];
}

const NO_GRID: Readonly<Grid> = { rows: [], columns: [] };
const NO_FAMILY: Readonly<Family> = { sets: [], length: 0 };
const BRACKETS = "[]".length;
const MOST_ROWS = 3;
const MOST_SETS = 2 ** MOST_ROWS - 1;

/**
 * Returns the shortest cover of a grid, or of two that share their statements.
 *
 * @param frame the length of a statement without its names, with its comma.
 * @param second a grid of at most three rows. Its actions apply to no resource of the first grid, and
 *   the other way round, so a statement for both grants no more than two statements would.
 */
export function shortestCover(frame: number, grid: Grid, second: Grid = NO_GRID): Cover {
  if (grid.columns.length + second.columns.length === 0) return { blocks: [], length: 0 };
  const families = familiesOf(frame, grid);
  const secondFamilies = familiesOf(frame, second);
  let length = Infinity;
  let best: [Family, Distribution, Family, Distribution] | undefined;
  for (const family of families) {
    let own: readonly Distribution[] | undefined;
    for (const other of secondFamilies) {
      const statements = Math.max(family.sets.length, other.sets.length);
      // The length of names counts a comma too many for each of the two lists.
      const bare = family.length + other.length + statements * (frame - 2);
      if (bare >= length) continue;
      own ??= distributions(grid, family.sets);
      for (const one of own) {
        for (const its of distributions(second, other.sets)) {
          const full = bare + bracketsOfAll(one.brackets, its.brackets);
          if (full >= length) continue;
          length = full;
          best = [family, one, other, its];
        }
      }
    }
  }
  if (best === undefined) return { blocks: [], length };
  const [family, one, other, its] = best;
  const blocks = blocksOf(grid, family, one);
  return {
    blocks: joined(blocks, one.brackets, blocksOf(second, other, its), its.brackets),
    length,
  };
}

/** Returns the families of a grid that can be the shortest, in an order that depends only on the grid. */
function familiesOf(frame: number, { rows, columns }: Grid): readonly Family[] {
  if (columns.length === 0) return [NO_FAMILY];
  const lengthOf = lengthsOfSets(rows);
  if (rows.length > MOST_ROWS) return [improved(frame, columns, lengthOf)];
  const useful = usefulSets(rows.length, columns);
  const families: Family[] = [];
  for (let family = 1; family < 1 << useful.length; family++) {
    const sets: number[] = [];
    for (let i = 0; i < useful.length; i++) if (has(family, i)) sets.push(useful[i] ?? 0);
    const length = lengthOfNames(sets, columns, lengthOf);
    if (length < Infinity) families.push({ sets, length });
  }
  return families;
}

function lengthsOfSets(rows: readonly Names[]): (set: number) => number {
  return (set) => {
    let sum = 0;
    for (let row = 0; row < rows.length; row++) if (has(set, row)) sum += rows[row]?.length ?? 0;
    return sum;
  };
}

/** Returns the sets of rows that some column may have, with rows of the same columns kept together. */
function usefulSets(rows: number, columns: readonly Column[]): number[] {
  let required = 0;
  for (const column of columns) required |= column.required;
  // With a single column all rows stay together.
  if (columns.length === 1) return [required];
  const together: number[] = [];
  for (let row = 0; row < rows; row++) {
    let same = 0;
    for (let other = 0; other < rows; other++) {
      if (has(required, other) && areAlike(columns, row, other)) same |= 1 << other;
    }
    together.push(same);
  }
  const useful: number[] = [];
  for (let set = 1; set < 1 << rows; set++) {
    if (!isSubset(set, required)) continue;
    if (together.some((same, row) => has(set, row) && !isSubset(same, set))) continue;
    if (columns.some(({ allowed }) => isSubset(set, allowed))) useful.push(set);
  }
  return useful;
}

function areAlike(columns: readonly Column[], row: number, other: number): boolean {
  return columns.every(
    ({ required, allowed }) =>
      has(required, row) === has(required, other) && has(allowed, row) === has(allowed, other),
  );
}

/** Returns the length of all names in a family's statements; Infinity if it does not grant all. */
function lengthOfNames(
  sets: readonly number[],
  columns: readonly Column[],
  lengthOf: (set: number) => number,
): number {
  let length = 0;
  for (const column of columns) {
    length += fewest(sets, column) * column.length;
    if (length === Infinity) return Infinity;
  }
  for (const set of sets) length += lengthOf(set);
  return length;
}

/** Returns the least number of sets that grant a column; Infinity if they can't. */
function fewest(sets: readonly number[], { required, allowed }: Column): number {
  const most = bitsOf(required);
  for (let count = 1; count <= most; count++) {
    if (someGrant(sets, required, allowed, count)) return count;
  }
  return Infinity;
}

function bitsOf(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function someGrant(
  sets: readonly number[],
  required: number,
  allowed: number,
  count: number,
): boolean {
  const lowest = required & -required;
  for (const set of sets) {
    if ((set & lowest) === 0 || !isSubset(set, allowed)) continue;
    const rest = required & ~set;
    if (rest === 0 || (count > 1 && someGrant(sets, rest, allowed, count - 1))) return true;
  }
  return false;
}

/** Returns the choices of the fewest sets that grant a column, as bits, in ascending order. */
function choicesOf(sets: readonly number[], column: Column): number[] {
  const count = fewest(sets, column);
  const choices = new Set<number>();
  const choose = (required: number, chosen: number, left: number) => {
    if (required === 0) choices.add(chosen);
    if (required === 0 || left === 0) return;
    const lowest = required & -required;
    sets.forEach((set, i) => {
      if ((set & lowest) === 0 || !isSubset(set, column.allowed)) return;
      choose(required & ~set, chosen | (1 << i), left - 1);
    });
  };
  choose(column.required, 0, count);
  return [...choices].sort((a, b) => a - b);
}

/** Returns the ways to distribute columns over statements that need different brackets. */
function distributions({ rows, columns }: Grid, sets: readonly number[]): Distribution[] {
  if (sets.length === 1) {
    let names = 0;
    for (const column of columns) names += column.names.length;
    return [{ chosen: columns.map(() => 1), brackets: [bracketsOf(rows, sets[0] ?? 0, names)] }];
  }
  let known: { readonly chosen: number[]; readonly counts: number[] }[] = [
    { chosen: [], counts: sets.map(() => 0) },
  ];
  for (const column of columns) {
    const all = choicesOf(sets, column);
    // One way is enough for larger families, which only the search for more than three rows has.
    const [choice = 0, ...others] = sets.length > MOST_SETS ? all.slice(0, 1) : all;
    const different = new Map<string, (typeof known)[number]>();
    for (const { chosen, counts } of others.length > 0 ? known : []) {
      for (const other of [choice, ...others]) {
        const one = { chosen: [...chosen], counts: [...counts] };
        nameColumn(one, other, column);
        const key = one.counts.join("");
        if (!different.has(key)) different.set(key, one);
      }
    }
    if (others.length > 0) known = [...different.values()];
    else for (const one of known) nameColumn(one, choice, column);
  }
  return known.map(({ chosen, counts }) => ({
    chosen,
    brackets: sets.map((set, i) => bracketsOf(rows, set, counts[i] ?? 0)),
  }));
}

/** Names a column in the statements of a choice. Counts their names up to two. */
function nameColumn(
  { chosen, counts }: { readonly chosen: number[]; readonly counts: number[] },
  choice: number,
  { names }: Column,
): void {
  chosen.push(choice);
  counts.forEach((count, i) => {
    if (has(choice, i)) counts[i] = Math.min(count + names.length, 2);
  });
}

/** Returns the length of a statement's brackets, if it is not shared. */
function bracketsOf(rows: readonly Names[], set: number, columnNames: number): number {
  let rowNames = 0;
  rows.forEach(({ names }, row) => {
    if (has(set, row)) rowNames += names.length;
  });
  return brackets(rowNames) + brackets(columnNames);
}

function brackets(names: number): number {
  return names === 1 ? 0 : BRACKETS;
}

/**
 * Returns the length of all brackets. As many statements as possible are shared, because a frame is
 * longer than brackets. A shared statement needs both pairs of brackets, so statements that have them
 * anyway are shared first.
 */
function bracketsOfAll(own: readonly number[], others: readonly number[]): number {
  const shared = Math.min(own.length, others.length);
  let total = shared * 2 * BRACKETS;
  if (own.length === others.length) return total;
  for (const length of own) total += length;
  for (const length of others) total += length;
  for (const i of longest(own, shared)) total -= own[i] ?? 0;
  for (const i of longest(others, shared)) total -= others[i] ?? 0;
  return total;
}

/** Returns the indices of the `count` largest numbers, in ascending order; the first of equal ones. */
function longest(lengths: readonly number[], count: number): number[] {
  const indices = lengths.map((_, i) => i);
  if (count === lengths.length) return indices;
  return indices
    .sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

/** Joins the blocks of two grids as {@link bracketsOfAll} counts them. */
function joined(
  blocks: readonly Block[],
  brackets: readonly number[],
  others: readonly Block[],
  otherBrackets: readonly number[],
): Block[] {
  const shared = Math.min(blocks.length, others.length);
  const joining = longest(otherBrackets, shared);
  const all = [...blocks];
  longest(brackets, shared).forEach((i, n) => {
    const block = blocks[i];
    const other = others[joining[n] ?? 0];
    if (block === undefined || other === undefined) return;
    all[i] = {
      rows: [...block.rows, ...other.rows],
      columns: [...block.columns, ...other.columns],
    };
  });
  return [...all, ...others.filter((_, i) => !joining.includes(i))];
}

/** Returns the blocks of one grid: for each set its rows, and the columns that chose it. */
function blocksOf({ rows, columns }: Grid, { sets }: Family, { chosen }: Distribution): Block[] {
  return sets.map((set, statement) => {
    const block: { rows: string[]; columns: string[] } = { rows: [], columns: [] };
    rows.forEach(({ names }, row) => {
      if (has(set, row)) for (const name of names) block.rows.push(name);
    });
    columns.forEach(({ names }, column) => {
      if (!has(chosen[column] ?? 0, statement)) return;
      for (const name of names) block.columns.push(name);
    });
    return block;
  });
}

/** Tells whether every bit of a set is in the other. */
function isSubset(set: number, of: number): boolean {
  return (set & ~of) === 0;
}

function has(set: number, index: number): boolean {
  return ((set >> index) & 1) === 1;
}

/**
 * Searches a family for more than three rows.
 *
 * 1. Try two families first: a statement for each row, and one for each kind of column.
 * 2. Then grant the columns one after the other, the longest first. Use a set that the family has, or a
 *    new one that holds the first row that the column lacks.
 * 3. End a branch when its names and frames, with one name for each column that is left, are as long as
 *    the best family so far.
 * 4. After 2,000 steps take the best family so far.
 *
 * The search does not count brackets. Up to five buckets, brute force found nothing shorter by more than
 * a pair of brackets a statement. For more buckets the family may not be the shortest.
 *
 * Example: `lake` lists a and b, `pond` a, `sea` b. By row there are three statements; {lake, pond} on
 * a with {lake, sea} on b takes one statement less. The search finds it from the column a.
 */
function improved(
  frame: number,
  columns: readonly Column[],
  lengthOf: (set: number) => number,
): Family {
  const candidates = candidatesOf(columns);
  const perStatement = frame - 2;
  const longestFirst = [...columns].sort((a, b) => b.length - a.length);
  const fitting = longestFirst.map(({ allowed }) =>
    candidates.filter((set) => isSubset(set, allowed)),
  );
  const rest = longestFirst.map((_, i) =>
    longestFirst.slice(i + 1).reduce((sum, { length }) => sum + length, 0),
  );
  const union = columns.reduce((all, { required }) => all | required, 0);
  const byRow = candidates.filter((set) => bitsOf(set) === 1 && isSubset(set, union));
  let best: readonly number[] = byRow;
  let length = Infinity;
  for (const start of [byRow, [...new Set(columns.map(({ required }) => required))]]) {
    const total = lengthOfNames(start, columns, lengthOf) + start.length * perStatement;
    if (total >= length) continue;
    best = start;
    length = total;
  }
  let steps = 0;
  const grant = (i: number, lacking: number, sets: readonly number[], total: number) => {
    const column = longestFirst[i];
    if (column === undefined) {
      best = sets;
      length = total;
      return;
    }
    const named = total + column.length;
    const attempt = (set: number, isNew: boolean) => {
      if ((set & lacking & -lacking) === 0 || !isSubset(set, column.allowed)) return;
      const withSet = named + (isNew ? lengthOf(set) + perStatement : 0);
      if (withSet + (rest[i] ?? 0) >= length || steps++ > MOST_STEPS) return;
      const more = isNew ? [...sets, set] : sets;
      const left = lacking & ~set;
      if (left !== 0) grant(i, left, more, withSet);
      else grant(i + 1, longestFirst[i + 1]?.required ?? 0, more, withSet);
    };
    for (const set of sets) attempt(set, false);
    for (const set of fitting[i] ?? []) if (!sets.includes(set)) attempt(set, true);
  };
  grant(0, longestFirst[0]?.required ?? 0, [], 0);
  const sets = [...best].sort((a, b) => a - b);
  return { sets, length: lengthOfNames(sets, columns, lengthOf) };
}

const MOST_STEPS = 2_000;
const MOST_CANDIDATES = 200;

/** Returns the sets that columns require, their intersections and unions, and single rows. */
function candidatesOf(columns: readonly Column[]): number[] {
  const candidates = new Set<number>();
  for (const { required } of columns) {
    for (let rest = required; rest !== 0; rest &= rest - 1) candidates.add(rest & -rest);
    candidates.add(required);
  }
  // The loops add to the set that they walk, so they find parts of parts as well.
  for (const one of candidates) {
    for (const other of candidates) {
      if (candidates.size >= MOST_CANDIDATES) break;
      const common = one & other;
      if (common !== 0) candidates.add(common);
      const together = one | other;
      if (columns.some(({ allowed }) => isSubset(together, allowed))) candidates.add(together);
    }
  }
  return [...candidates].sort((a, b) => bitsOf(b) - bitsOf(a) || a - b);
}
