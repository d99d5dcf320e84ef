/**
 * From grants to the shortest statements.
 *
 * A {@link Grid} says which rows (actions) each column (a set of resources) is granted. A statement
 * grants some rows on some columns, so statements cover the grid with rectangles; a rectangle may
 * grant again what another grants, but nothing else. There are at most three rows, hence at most
 * seven sets of them, and every family of such sets can be tried: {@link covers} finds what they
 * name, and {@link shortest} measures them to the character.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */
import type { Column, Grid, Items, KmsGrants, S3Grants } from "./grants.ts";
import { listGrids } from "./listings.ts";
import type { OneOrMany, Statement } from "./policy.ts";

/** Statements, and their serialized length with a comma behind each. */
export interface Statements {
  readonly statements: readonly Statement[];
  readonly length: number;
}

/** A statement to be: indices of rows and columns of a grid. */
interface Rectangle {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** Rectangles that grant a whole grid, and the serialized length of all that they name. */
interface Cover {
  readonly rectangles: readonly Rectangle[];
  readonly length: number;
}

/** What a statement names. */
interface Named {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

/** The covers of a grid among which the shortest is, in an order that only the grid decides. */
function covers({ rows, columns }: Grid): Cover[] {
  const lengthOf = (set: number) =>
    bits(set).reduce((length, row) => length + (rows[row]?.length ?? 0), 0);
  const [first, ...others] = columns;
  if (first === undefined) return [{ rectangles: [], length: 0 }];
  if (others.length === 0) {
    // Whatever else grants it names more rows, or the column twice.
    const length = lengthOf(first.required) + first.length;
    return [{ rectangles: [{ rows: bits(first.required), columns: [0] }], length }];
  }
  const useful: number[] = [];
  for (let set = 1; set < 1 << rows.length; set++) {
    if (columns.some(({ allowed }) => isSubset(set, allowed))) useful.push(set);
  }
  const found: Cover[] = [];
  for (let family = 1; family < 1 << useful.length; family++) {
    const sets = bits(family).map((i) => useful[i] ?? 0);
    const options = columns.map((column) => fewest(sets, column));
    let length = sets.reduce((sum, set) => sum + lengthOf(set), 0);
    columns.forEach((column, i) => {
      length += column.length * (options[i]?.[0]?.length ?? Infinity);
    });
    if (length === Infinity) continue;
    for (const choice of combinations(options)) {
      const rectangles = sets.map((set, s) => ({
        rows: bits(set),
        columns: choice.flatMap((chosen, i) => (chosen.includes(s) ? [i] : [])),
      }));
      // A family with a set that nothing chose is another family, and shorter.
      if (rectangles.every((rectangle) => rectangle.columns.length > 0)) {
        found.push({ rectangles, length });
      }
    }
  }
  return found;
}

/**
 * The ways to grant a column with as few of `sets` (by index) as it takes; none if they can't. More
 * than that is never shorter: naming resources once more takes longer than any brackets it saves.
 */
function fewest(sets: readonly number[], { required, allowed }: Column): number[][] {
  let best: number[][] = [];
  let size = Infinity;
  for (let choice = 1; choice < 1 << sets.length; choice++) {
    const chosen = bits(choice);
    if (chosen.length > size) continue;
    const granted = chosen.reduce((union, i) => union | (sets[i] ?? 0), 0);
    if (!isSubset(granted, allowed) || !isSubset(required, granted)) continue;
    if (chosen.length < size) best = [];
    size = chosen.length;
    best.push(chosen);
  }
  return best;
}

/** Every way to take one option of each. */
function combinations<T>(options: readonly (readonly T[])[]): T[][] {
  return options.reduce<T[][]>(
    (taken, next) => taken.flatMap((some) => next.map((option) => [...some, option])),
    [[]],
  );
}

/** Every way to seat riders in so many statements, one at most in each: the rider of each. */
function seatings(statements: number, riders: number): number[][] {
  let ways = [new Array<number>(statements).fill(NOBODY)];
  for (let rider = 0; rider < riders; rider++) {
    ways = ways.flatMap((way) =>
      way.flatMap((taken, seat) => (taken === NOBODY ? [way.with(seat, rider)] : [])),
    );
  }
  return ways;
}

const NOBODY = -1;

/**
 * The shortest statements that grant a grid. Rectangles of a second grid, the riders, may share these
 * statements and so save their frames. That is for grids whose actions apply to no resource of the
 * other's, so that nothing more is granted.
 *
 * @param frame the length of a statement without what it names, with the comma behind it.
 */
function shortest(frame: number, grid: Grid, riders: Grid = NO_GRID) {
  let best: readonly Named[] = [];
  let length = Infinity;
  const riderCovers = covers(riders);
  for (const cover of covers(grid)) {
    for (const rider of riderCovers) {
      const count = Math.max(cover.rectangles.length, rider.rectangles.length);
      // Without brackets. The lengths count a comma behind each name, also behind the two last.
      const bare = cover.length + rider.length + count * (frame - 2);
      if (bare >= length) continue;
      for (const seating of seatings(count, rider.rectangles.length)) {
        const named = seating.map((seated, i) =>
          merge(name(grid, cover.rectangles[i]), name(riders, rider.rectangles[seated])),
        );
        const full = named.reduce(
          (sum, { rows, columns }) => sum + brackets(rows) + brackets(columns),
          bare,
        );
        if (full < length) {
          best = named;
          length = full;
        }
      }
    }
  }
  return { named: best, length };
}

const NO_GRID: Readonly<Grid> = { rows: [], columns: [] };

function name(grid: Grid, rectangle: Rectangle | undefined): Named {
  const named = (all: readonly Items[], indices: readonly number[] = []) =>
    indices.flatMap((i) => all[i]?.items ?? []);
  return {
    rows: named(grid.rows, rectangle?.rows),
    columns: named(grid.columns, rectangle?.columns),
  };
}

function merge(one: Named, other: Named): Named {
  return { rows: [...one.rows, ...other.rows], columns: [...one.columns, ...other.columns] };
}

function brackets(names: readonly string[]): number {
  return names.length === 1 ? 0 : "[]".length;
}

/** Whether every bit of a set is in the other. */
function isSubset(set: number, of: number): boolean {
  return (set & ~of) === 0;
}

/** The bits of a set, by number. */
function bits(set: number): number[] {
  const found: number[] = [];
  for (let i = 0; set >> i > 0; i++) if ((set >> i) & 1) found.push(i);
  return found;
}

const PLAIN_FRAME = '{"Effect":"Allow","Action":,"Resource":},';
const LIST_FRAME =
  '{"Effect":"Allow","Action":"s3:ListBucket","Resource":,"Condition":{"StringLike":{"s3:prefix":}}},';
const KMS_FRAME =
  '{"Effect":"Allow","Action":,"Resource":,"Condition":{"StringEquals":{"kms:ViaService":""}}},';

/** The shortest statements for S3: those without a condition, then the lists; each in order. */
export function s3Statements({ objects, buckets, lists }: S3Grants): Statements {
  const plain = shortest(PLAIN_FRAME.length, objects, buckets);
  const listings: Statement[] = [];
  let length = plain.length;
  for (const grid of listGrids(lists)) {
    const listing = shortest(LIST_FRAME.length, grid);
    for (const { rows, columns } of listing.named) {
      listings.push({
        ...allow(["s3:ListBucket"], rows),
        Condition: { StringLike: { "s3:prefix": oneOrMany(columns) } },
      });
    }
    length += listing.length;
  }
  const statements = plain.named.map(({ rows, columns }) => allow(rows, columns));
  return { statements: [...statements.sort(inOrder), ...listings.sort(inOrder)], length };
}

/** The shortest statements for KMS, in order. */
export function kmsStatements(grants: readonly KmsGrants[]): Statements {
  const statements: Statement[] = [];
  let length = 0;
  for (const { viaService, keys } of grants) {
    const frame =
      viaService === undefined ? PLAIN_FRAME.length : KMS_FRAME.length + viaService.length;
    const usage = shortest(frame, keys);
    for (const { rows, columns } of usage.named) {
      const statement = allow(rows, columns);
      statements.push(
        viaService === undefined
          ? statement
          : { ...statement, Condition: { StringEquals: { "kms:ViaService": viaService } } },
      );
    }
    length += usage.length;
  }
  return { statements: statements.sort(inOrder), length };
}

function allow(actions: readonly string[], resources: readonly string[]): Statement {
  return { Effect: "Allow", Action: oneOrMany(actions), Resource: oneOrMany(resources) };
}

/** One string stands for a list of one; lists are in code-unit order. */
function oneOrMany(values: readonly string[]): OneOrMany {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : [...values].sort();
}

/** Statements of a kind come in the code-unit order of their actions, then of their resources. */
function inOrder(a: Statement, b: Statement): number {
  return (
    compare(String(a.Action), String(b.Action)) || compare(String(a.Resource), String(b.Resource))
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
