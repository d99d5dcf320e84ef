/**
 * Turns places, and the accesses to them, into grants: grids of names.
 * @module
 */
import { ACTIONS, type ActionResource } from "./actions.ts";
import { s3ViaService } from "./arn.ts";
import type { Column, Grid } from "./cover.ts";
import { BIT, type BucketPlaces, walkNested } from "./locations.ts";
import type { Options } from "./options.ts";
import { type Names, namesOf, type Pattern, patternOf, serializedLength } from "./policy.ts";
import type { StorageConfig } from "./storage-config.ts";

/** What the configuration and the options decide for all grants. */
export interface GrantRules {
  /** What the ARN of a bucket begins with. */
  readonly s3Arn: string;
  /** The actions on objects, a row each for read, write and delete: the bits of these accesses. */
  readonly objectRows: readonly Names[];
  /** The actions on buckets: GetBucketLocation, ListBucket, ListBucketMultipartUploads. */
  readonly bucketRows: readonly Names[];
  readonly listsUploads: boolean;
  readonly barePaths: boolean;
  readonly viaService: boolean;
}

/** The accesses to objects, in the order of their bits. */
const OBJECT_ACCESSES: readonly number[] = [BIT.read, BIT.write, BIT.delete];

/** The rows of the table in code-unit order, with their accesses as bits. */
const ROWS = /* @__PURE__ */ ACTIONS.map(({ access, ...row }) => ({
  ...row,
  accesses: access.reduce((all, one) => all | BIT[one], 0),
})).sort((a, b) => (a.action < b.action ? -1 : 1));

/** Returns the actions on a kind of resource that some accesses, as bits, need; in code-unit order. */
function actionsFor(options: Options, resource: ActionResource, accesses: number): string[] {
  const actions: string[] = [];
  for (const row of ROWS) {
    if (row.resource !== resource || (row.accesses & accesses) === 0) continue;
    if (row.option === undefined || options[row.option]) actions.push(row.action);
  }
  return actions;
}

export function grantRules(options: Options, { partition, onAws }: StorageConfig): GrantRules {
  const { barePaths, listMultipartUploads, kmsViaService } = options;
  return {
    s3Arn: `arn:${partition}:s3:::`,
    objectRows: OBJECT_ACCESSES.map((bit) => namesOf(actionsFor(options, "object", bit))),
    bucketRows: [
      namesOf(actionsFor(options, "bucket", BIT.list)),
      namesOf(actionsFor(options, "prefix", BIT.list)),
      namesOf(actionsFor(options, "wholeBucket", BIT.write)),
    ],
    listsUploads: listMultipartUploads,
    barePaths,
    viaService: kmsViaService !== false && onAws,
  };
}

/** The rows of {@link GrantRules.bucketRows}, as bits. */
const LOCATE_BUCKET = 1;
const LIST_BUCKET = 2;
const LIST_UPLOADS = 4;

/** What a session may list in a bucket that it may list only in part. */
export interface BucketList {
  /** The bucket's ARN. */
  readonly bucket: string;
  /** In the order of places, none inside another. */
  readonly prefixes: readonly ListedPrefix[];
}

/** A prefix without the slash at its end, as plain text and as a pattern. */
export interface ListedPrefix {
  readonly prefix: string;
  readonly pattern: Pattern;
}

/** What a session is granted in S3. */
export interface S3Grants {
  /** Object actions by object patterns. */
  readonly objects: Grid;
  /** GetObject on bare paths, if reading has more actions than GetObject. */
  readonly bareObjects: Grid;
  /** GetBucketLocation, and actions on the whole bucket, by buckets. */
  readonly buckets: Grid;
  /** ListBucket under a prefix. */
  readonly lists: readonly BucketList[];
}

/** Returns the S3 grants for the accesses to each place. */
export function s3Grants(rules: GrantRules, places: readonly BucketPlaces[]): S3Grants {
  const { s3Arn, objectRows, bucketRows, barePaths } = rules;
  const objects = columnsByRows();
  const bareObjects = columnsByRows();
  const buckets = columnsByRows();
  const lists: BucketList[] = [];
  // A bare path gets GetObject only. If reading adds versions or tags, it needs a row of its own.
  const bareColumns = objectRows[0]?.names.length === 1 ? objects : bareObjects;
  for (const { bucket, root, prefixes, accesses } of places) {
    const arn = s3Arn + bucket;
    const arnLength = serializedLength(arn);
    let bucketRowsNeeded = LOCATE_BUCKET;
    if (root & BIT.list) bucketRowsNeeded |= LIST_BUCKET;
    if (root & BIT.write && rules.listsUploads) bucketRowsNeeded |= LIST_UPLOADS;
    buckets.add(bucketRowsNeeded, bucketRowsNeeded, arn, arnLength);
    const rootRows = root & ~BIT.list;
    if (rootRows) objects.add(rootRows, rootRows, `${arn}/*`, arnLength + "/*".length);

    const listed: ListedPrefix[] = [];
    walkNested(prefixes, root, (outer, prefix, i) => {
      const all = (accesses[i] ?? 0) | outer;
      const needed = all & ~outer;
      if (needed === 0) return all;
      const rows = needed & ~BIT.list;
      const pattern = patternOf(prefix);
      if (rows) {
        const key = `${arn}/${pattern.text}`;
        const keyLength = arnLength + "/".length + pattern.length;
        objects.add(rows, all & ~BIT.list, `${key}/*`, keyLength + "/*".length);
        if (barePaths && rows & BIT.read) {
          bareColumns.add(BIT.read, (outer & ~BIT.list) | BIT.read, key, keyLength);
        }
      }
      if (needed & BIT.list) listed.push({ prefix, pattern });
      return all;
    });
    if (listed.length > 0) lists.push({ bucket: arn, prefixes: listed });
  }
  return {
    objects: { rows: objectRows, columns: objects.columns },
    bareObjects: { rows: [BARE_READ], columns: bareObjects.columns },
    buckets: { rows: bucketRows, columns: buckets.columns },
    lists,
  };
}

const BARE_READ: Readonly<Names> = { names: ["s3:GetObject"], length: '"s3:GetObject",'.length };

/** Collects names in columns, one column for each combination of rows. */
function columnsByRows(): {
  readonly columns: readonly Column[];
  readonly add: (required: number, allowed: number, name: string, length: number) => void;
} {
  const columns: (Column & { names: string[]; length: number })[] = [];
  const add = (required: number, allowed: number, name: string, length: number) => {
    let column: (typeof columns)[number] | undefined;
    for (const one of columns) {
      if (one.required === required && one.allowed === allowed) column = one;
    }
    if (column === undefined) {
      column = { required, allowed, names: [], length: 0 };
      columns.push(column);
    }
    column.names.push(name);
    column.length += length + ",".length;
  };
  return { columns, add };
}

/** Returns the values of s3:prefix for prefixes. */
export function listPatternsOf(prefixes: readonly ListedPrefix[], barePaths: boolean): Names {
  const names: string[] = [];
  let length = 0;
  for (const { pattern } of prefixes) {
    names.push(`${pattern.text}/*`);
    length += pattern.length + '"/*",'.length;
    if (!barePaths) continue;
    names.push(pattern.text);
    length += pattern.length + '"",'.length;
  }
  return { names, length };
}

/** Actions on keys, for requests through one service, or through any. */
export interface KeyGrant {
  readonly actions: readonly string[];
  readonly keys: readonly string[];
  readonly viaService: string | undefined;
}

/**
 * Returns the KMS grants for the accesses, as bits, that a session has anywhere: one for each set of
 * actions and each service. Nothing shorter grants the same, because a key's name is longer than an
 * action's.
 */
export function keyGrants(
  options: Options,
  rules: GrantRules,
  { keys }: StorageConfig,
  accesses: number,
): KeyGrant[] {
  const encrypting = actionsFor(options, "encryptionKey", accesses);
  const decrypting = actionsFor(options, "decryptionKey", accesses);
  const areAlike = String(encrypting) === String(decrypting);
  const grants: { actions: readonly string[]; keys: string[]; viaService: string | undefined }[] =
    [];
  for (const key of keys) {
    const actions = key.encrypts && !areAlike ? encrypting : decrypting;
    if (actions.length === 0) continue;
    const viaService = rules.viaService ? s3ViaService(key) : undefined;
    const same = grants.find(
      (grant) => grant.viaService === viaService && grant.actions === actions,
    );
    if (same === undefined) grants.push({ actions, keys: [key.arn], viaService });
    else same.keys.push(key.arn);
  }
  return grants;
}
