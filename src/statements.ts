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
import { listGrids } from "./list-statements.ts";
import type { OneOrMany, Statement } from "./policy.ts";

/** A statement to be: some rows of a grid on some of its columns. */
interface Rectangle {
  readonly rows: readonly Items[];
  readonly columns: readonly Items[];
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
  /** Whether the columns are in code-unit order as they stand. */
  readonly inOrder: boolean;
}

interface Shortest {
  readonly named: readonly Named[];
  readonly length: number;
}

/** The covers of a grid among which the shortest is, in an order that only the grid decides. */
function covers({ rows, columns }: Grid): Cover[] {
  if (columns.length === 0) return [{ rectangles: [], length: 0 }];
  const useful: number[] = [];
  for (let set = 1; set < 1 << rows.length; set++) {
    if (columns.some(({ allowed }) => isSubset(set, allowed))) useful.push(set);
  }
  const found: Cover[] = [];
  for (let family = 1; family < 1 << useful.length; family++) {
    const sets = useful.filter((_, i) => has(family, i));
    const ways = columns.map((column) => fewest(sets, column));
    const rowsLength = sets.reduce((sum, set) => sum + lengthOfRows(rows, set), 0);
    const length = ways.reduce((sum, way) => sum + way.length, rowsLength);
    const rowsOfSets = sets.map((set) => rows.filter((_, row) => has(set, row)));
    for (const choice of combinations(ways.map(({ choices }) => choices))) {
      const rectangles = rowsOfSets.map((granted, s) => ({
        rows: granted,
        columns: choice.filter(({ chosen }) => has(chosen, s)).map(({ column }) => column),
      }));
      // One that names no column is in none of the shortest: the family without it is shorter.
      found.push({ rectangles, length });
    }
  }
  return found;
}

/** A column, and by which of some sets (a bit each) it is granted. */
interface Choice {
  readonly column: Column;
  readonly chosen: number;
}

/**
 * The ways to grant a column with as few of `sets` as it takes, and the length of its items in each;
 * none if they can't. More than that is never shorter: naming resources once more takes longer than
 * any brackets it saves.
 */
function fewest(
  sets: readonly number[],
  column: Column,
): { readonly choices: Choice[]; readonly length: number } {
  let choices: Choice[] = [];
  let least = Infinity;
  for (let chosen = 1; chosen < 1 << sets.length; chosen++) {
    const taken = sets.filter((_, i) => has(chosen, i));
    if (taken.length > least) continue;
    const granted = taken.reduce((union, set) => union | set, 0);
    if (!isSubset(granted, column.allowed) || !isSubset(column.required, granted)) continue;
    if (taken.length < least) choices = [];
    least = taken.length;
    choices.push({ column, chosen });
  }
  return { choices, length: column.length * least };
}

/** Every way to take one option of each. */
function combinations<T>(options: readonly (readonly T[])[]): T[][] {
  return options.reduce<T[][]>(
    (taken, next) => taken.flatMap((some) => next.map((option) => [...some, option])),
    [[]],
  );
}

/** Every way to seat riders in so many statements, one at most in each: whom each seats. */
function seatings(statements: number, riders: readonly Rectangle[]): Rectangle[][] {
  let ways = [new Array<Rectangle>(statements).fill(NOTHING)];
  for (const rider of riders) {
    ways = ways.flatMap((way) =>
      way.flatMap((taken, seat) => (taken === NOTHING ? [way.with(seat, rider)] : [])),
    );
  }
  return ways;
}

/**
 * The shortest statements that grant a grid. Rectangles of a second grid, the riders, may share these
 * statements and so save their frames. That is for grids whose actions apply to no resource of the
 * other's, so that nothing more is granted.
 *
 * @param frame the length of a statement without what it names, with the comma behind it.
 */
function shortest(frame: number, grid: Grid, riders: Grid = NO_GRID): Shortest {
  if (grid.columns.length <= 1 && riders.columns.length <= 1) return once(frame, grid, riders);
  let named: readonly Rectangle[] = [];
  let length = Infinity;
  const riderCovers = covers(riders);
  for (const cover of covers(grid)) {
    for (const rider of riderCovers) {
      const count = Math.max(cover.rectangles.length, rider.rectangles.length);
      // Without brackets. The lengths count a comma behind each name, also behind the two last.
      const bare = cover.length + rider.length + count * (frame - 2);
      if (bare >= length) continue;
      for (const seating of seatings(count, rider.rectangles)) {
        const seated = seating.map((guest, seat) => join(cover.rectangles[seat] ?? NOTHING, guest));
        const full = seated.reduce((sum, one) => sum + bracketsOf(one), bare);
        if (full < length) {
          named = seated;
          length = full;
        }
      }
    }
  }
  return { named: named.map(nameAll), length };
}

const NOTHING: Readonly<Rectangle> = { rows: [], columns: [] };

function join(one: Rectangle, other: Rectangle): Rectangle {
  return {
    rows: [...one.rows, ...other.rows],
    columns: [...one.columns, ...other.columns],
  };
}

function bracketsOf({ rows, columns }: Rectangle): number {
  return brackets(count(rows)) + brackets(count(columns));
}

function count(all: readonly Items[]): number {
  return all.reduce((sum, { items }) => sum + items.length, 0);
}

function nameAll({ rows, columns }: Rectangle): Named {
  return {
    rows: rows.flatMap(({ items }) => items),
    columns: columns.flatMap(({ items }) => items),
    inOrder: false,
  };
}

/** A statement for each column. */
function each(frame: number, { rows, columns }: Grid): Shortest {
  const named: Named[] = [];
  let length = 0;
  for (const column of columns) {
    const one = {
      rows: namesOf(rows, column.required),
      columns: column.items,
      inOrder: column.inOrder,
    };
    named.push(one);
    length += lengthOfRows(rows, column.required) + column.length + frameOf(frame, one);
  }
  return { named, length };
}

/** One statement for all: nothing shorter names every row and column that must be named. */
function once(frame: number, grid: Grid, riders: Grid): Shortest {
  const [own] = grid.columns;
  const [rider] = riders.columns;
  if (own === undefined) return each(frame, riders);
  if (rider === undefined) return each(frame, grid);
  const one = {
    rows: [...namesOf(riders.rows, rider.required), ...namesOf(grid.rows, own.required)],
    columns: [...rider.items, ...own.items],
    // One bucket is in front of whatever lies in it.
    inOrder: own.inOrder && rider.items.length === 1,
  };
  const rowLength =
    lengthOfRows(riders.rows, rider.required) + lengthOfRows(grid.rows, own.required);
  return { named: [one], length: rowLength + rider.length + own.length + frameOf(frame, one) };
}

function namesOf(rows: readonly Items[], set: number): string[] {
  const names: string[] = [];
  rows.forEach(({ items }, row) => {
    if (has(set, row)) for (const name of items) names.push(name);
  });
  return names;
}

/** The length of a statement but for its names, of which the lengths count a comma too many each. */
function frameOf(frame: number, { rows, columns }: Named): number {
  return frame - 2 + brackets(rows.length) + brackets(columns.length);
}

const NO_GRID: Readonly<Grid> = { rows: [], columns: [] };
const BRACKETS = "[]".length;

function brackets(names: number): number {
  return names === 1 ? 0 : BRACKETS;
}

function lengthOfRows(rows: readonly Items[], set: number): number {
  let length = 0;
  rows.forEach((row, i) => {
    if (has(set, i)) length += row.length;
  });
  return length;
}

/** Whether every bit of a set is in the other. */
function isSubset(set: number, of: number): boolean {
  return (set & ~of) === 0;
}

function has(set: number, index: number): boolean {
  return ((set >> index) & 1) === 1;
}

const PLAIN_FRAME = '{"Effect":"Allow","Action":,"Resource":},'.length;
const LIST_FRAME =
  '{"Effect":"Allow","Action":"s3:ListBucket","Resource":,"Condition":{"StringLike":{"s3:prefix":}}},'
    .length;
const KMS_FRAME =
  '{"Effect":"Allow","Action":,"Resource":,"Condition":{"StringEquals":{"kms:ViaService":""}}},'
    .length;

/** Statements, and their serialized length with a comma behind each. */
export interface Statements {
  readonly statements: Statement[];
  readonly length: number;
}

/** The shortest statements for S3: those without a condition, then the lists; each in order. */
export function s3Statements({ objects, buckets, lists }: S3Grants): Statements {
  const plain = shortest(PLAIN_FRAME, objects, buckets);
  const statements = plain.named.map(({ rows, columns, inOrder }) =>
    allow(oneOrMany(rows), oneOrMany(columns, inOrder)),
  );
  statements.sort(byActionAndResource);
  let length = plain.length;
  const listings: Statement[] = [];
  for (const grid of listGrids(lists)) {
    const listing = shortest(LIST_FRAME, grid);
    for (const { rows, columns, inOrder } of listing.named) {
      const Condition = { StringLike: { "s3:prefix": oneOrMany(columns, inOrder) } };
      listings.push(allow("s3:ListBucket", oneOrMany(rows), Condition));
    }
    length += listing.length;
  }
  listings.sort(byActionAndResource);
  return { statements: [...statements, ...listings], length };
}

/** What a KMS statement names, in order. */
interface KeyUse {
  readonly actions: OneOrMany;
  readonly keys: OneOrMany;
  readonly viaService: string | undefined;
}

/** What the KMS statements of a session name, and their serialized length with a comma behind each. */
export interface KeyUses {
  readonly uses: readonly KeyUse[];
  readonly length: number;
}

/** What the shortest KMS statements name, in order. */
export function keyUses(grants: readonly KmsGrants[]): KeyUses {
  const uses: KeyUse[] = [];
  let length = 0;
  for (const { viaService, keys } of grants) {
    const frame = viaService === undefined ? PLAIN_FRAME : KMS_FRAME + viaService.length;
    // Nothing is shorter: a key named twice takes at least 20 characters, for one action of 14.
    const usage = each(frame, keys);
    for (const { rows, columns } of usage.named) {
      uses.push({ actions: oneOrMany(rows), keys: oneOrMany(columns), viaService });
    }
    length += usage.length;
  }
  uses.sort((a, b) => compare(a.actions, b.actions) || compare(a.keys, b.keys));
  return { uses, length };
}

/** A new statement for a use of keys. */
export function keyStatement({ actions, keys, viaService }: KeyUse): Statement {
  const Condition =
    viaService === undefined ? undefined : { StringEquals: { "kms:ViaService": viaService } };
  return allow(copyOf(actions), copyOf(keys), Condition);
}

function allow(
  Action: OneOrMany,
  Resource: OneOrMany,
  Condition?: Statement["Condition"],
): Statement {
  return Condition === undefined
    ? { Effect: "Allow", Action, Resource }
    : { Effect: "Allow", Action, Resource, Condition };
}

function copyOf(values: OneOrMany): OneOrMany {
  return typeof values === "string" ? values : values.slice();
}

/** One string stands for a list of one; lists are in code-unit order. */
function oneOrMany(values: readonly string[], inOrder = false): OneOrMany {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return only;
  return inOrder || isInOrder(values) ? values : values.slice().sort();
}

function isInOrder(values: readonly string[]): boolean {
  let before = "";
  for (const value of values) {
    if (value < before) return false;
    before = value;
  }
  return true;
}

function byActionAndResource(a: Statement, b: Statement): number {
  return compare(a.Action, b.Action) || compare(a.Resource, b.Resource);
}

function compare(a: OneOrMany, b: OneOrMany): number {
  const one = typeof a === "string" ? [a] : a;
  const other = typeof b === "string" ? [b] : b;
  const i = one.findIndex((name, place) => name !== other[place]);
  if (i < 0) return one.length - other.length;
  return (one[i] ?? "") < (other[i] ?? "") ? -1 : 1;
}
