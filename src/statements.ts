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
    const sets = bits(family).map((i) => useful[i] ?? 0);
    const options = columns.map((column) => fewest(sets, column));
    let length = sets.reduce((sum, set) => sum + lengthOfRows(rows, set), 0);
    columns.forEach((column, i) => {
      length += column.length * (options[i]?.[0]?.length ?? Infinity);
    });
    if (length === Infinity) continue;
    for (const choice of combinations(options)) {
      const rectangles = sets.map((set, s) => ({
        rows: bits(set),
        columns: choice.flatMap((chosen, i) => (chosen.includes(s) ? [i] : [])),
      }));
      // One that names no column is in none of the shortest: the family without it is shorter.
      found.push({ rectangles, length });
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
function shortest(frame: number, grid: Grid, riders: Grid = NO_GRID): Shortest {
  if (grid.columns.length <= 1 && riders.columns.length <= 1) return once(frame, grid, riders);
  let best: readonly Seated[] = [];
  let length = Infinity;
  const riderCovers = covers(riders);
  for (const cover of covers(grid)) {
    for (const rider of riderCovers) {
      const count = Math.max(cover.rectangles.length, rider.rectangles.length);
      // Without brackets. The lengths count a comma behind each name, also behind the two last.
      const bare = cover.length + rider.length + count * (frame - 2);
      if (bare >= length) continue;
      for (const seating of seatings(count, rider.rectangles.length)) {
        const seated = seating.map((i, own) => ({
          own: cover.rectangles[own],
          rider: rider.rectangles[i],
        }));
        const full = seated.reduce((sum, one) => sum + bracketsOf(one, grid, riders), bare);
        if (full < length) {
          best = seated;
          length = full;
        }
      }
    }
  }
  return { named: best.map((one) => nameAll(one, grid, riders)), length };
}

/** A rectangle, and the rider that shares its statement, if there are such. */
interface Seated {
  readonly own: Rectangle | undefined;
  readonly rider: Rectangle | undefined;
}

function bracketsOf({ own, rider }: Seated, grid: Grid, riders: Grid): number {
  const rows = count(grid.rows, own?.rows) + count(riders.rows, rider?.rows);
  const columns = count(grid.columns, own?.columns) + count(riders.columns, rider?.columns);
  return brackets(rows) + brackets(columns);
}

function count(all: readonly Items[], indices: readonly number[] = []): number {
  return indices.reduce((sum, i) => sum + (all[i]?.items.length ?? 0), 0);
}

function nameAll({ own, rider }: Seated, grid: Grid, riders: Grid): Named {
  const name = (all: readonly Items[], indices: readonly number[] = []) =>
    indices.flatMap((i) => all[i]?.items ?? []);
  return {
    rows: [...name(grid.rows, own?.rows), ...name(riders.rows, rider?.rows)],
    columns: [...name(grid.columns, own?.columns), ...name(riders.columns, rider?.columns)],
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
    if (set & (1 << row)) names.push(...items);
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
  for (let i = 0; i < rows.length; i++) if (set & (1 << i)) length += rows[i]?.length ?? 0;
  return length;
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
  statements.push(...listings);
  return { statements, length };
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
