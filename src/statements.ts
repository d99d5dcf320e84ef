/**
 * The statements of a policy, with values in code-unit order, and their length.
 * @module
 */
import { shortestCover } from "./cover.ts";
import type { GrantRules, KeyGrant, S3Grants } from "./grants.ts";
import { listGrids } from "./list-statements.ts";
import type { OneOrMany, Statement } from "./policy.ts";

/** Statements, and their serialized length, each with a comma. */
export interface Statements {
  readonly statements: readonly Statement[];
  readonly length: number;
}

type Condition = Statement["Condition"];

function allow(Action: OneOrMany, Resource: OneOrMany, Condition?: Condition): Statement {
  return Condition === undefined
    ? { Effect: "Allow", Action, Resource }
    : { Effect: "Allow", Action, Resource, Condition };
}

const FRAME = '{"Effect":"Allow","Action":,"Resource":},'.length;
export const LIST_FRAME =
  '{"Effect":"Allow","Action":"s3:ListBucket","Resource":,"Condition":{"StringLike":{"s3:prefix":}}},'
    .length;

/** Makes the S3 statements: those without a condition, then ListBucket under prefixes, each in order. */
export function s3Statements({ barePaths }: GrantRules, grants: S3Grants): Statements {
  const { objects, bareObjects, buckets, lists } = grants;
  const statements: Statement[] = [];
  const listings: Statement[] = [];
  let length = 0;
  for (const cover of [shortestCover(FRAME, objects, buckets), shortestCover(FRAME, bareObjects)]) {
    length += cover.length;
    for (const { rows, columns } of cover.blocks) {
      statements.push(allow(oneOrMany(rows), oneOrMany(columns)));
    }
  }
  for (const grid of listGrids(lists, barePaths)) {
    const cover = shortestCover(LIST_FRAME, grid);
    length += cover.length;
    for (const { rows, columns } of cover.blocks) {
      const condition = { StringLike: { "s3:prefix": oneOrMany(columns) } };
      listings.push(allow("s3:ListBucket", oneOrMany(rows), condition));
    }
  }
  statements.sort(byActionAndResource);
  listings.sort(byActionAndResource);
  return { statements: statements.concat(listings), length };
}

/** The statements for keys, and their serialized length, each with a comma. */
export interface KeyStatements {
  /** Makes new statements each time, because a policy belongs to its caller. */
  readonly statements: () => Statement[];
  readonly length: number;
}

/** Makes the statements for keys, in order. */
export function keyStatements(grants: readonly KeyGrant[]): KeyStatements {
  const named = grants
    .map(({ actions, keys, viaService }) => ({
      actions: oneOrMany(actions),
      keys: oneOrMany(keys),
      viaService,
    }))
    .sort((a, b) => compare(a.actions, b.actions) || compare(a.keys, b.keys));
  const statements = () =>
    named.map(({ actions, keys, viaService }) => {
      const condition = viaService && { StringEquals: { "kms:ViaService": viaService } };
      return allow(copyOf(actions), copyOf(keys), condition || undefined);
    });
  let length = 0;
  for (const { actions, keys, viaService } of named) {
    length += FRAME + lengthOf(actions) + lengthOf(keys);
    if (viaService !== undefined) length += VIA_SERVICE + lengthOf(viaService);
  }
  return { statements, length };
}

const VIA_SERVICE = ',"Condition":{"StringEquals":{"kms:ViaService":}}'.length;

/** Returns the serialized length of names that need no escape, like actions and key ARNs. */
function lengthOf(names: OneOrMany): number {
  if (typeof names === "string") return names.length + '""'.length;
  return names.reduce((sum, name) => sum + name.length + '"",'.length, "[]".length) - ",".length;
}

function copyOf(names: OneOrMany): OneOrMany {
  return typeof names === "string" ? names : names.slice();
}

/** Returns one name as a string, and several as a list in code-unit order. */
function oneOrMany(names: readonly string[]): OneOrMany {
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  return isInOrder(names) ? names : [...names].sort();
}

function isInOrder(names: readonly string[]): boolean {
  let before = "";
  for (const name of names) {
    if (name < before) return false;
    before = name;
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
