/**
 * What each access needs, as data, and the grants that follow for a session's places and keys.
 * @module
 */
import { s3ViaService } from "./arn.ts";
import { fault } from "./errors.ts";
import { accessesTo, BIT, type BucketPlaces, bucketsOf, SLASH } from "./locations.ts";
import type { Options } from "./options.ts";
import { escapePattern, serializedLength } from "./policy.ts";
import type { StorageConfig } from "./storage-config.ts";

/** Strings of a policy element that always go together, with their serialized length, a comma each. */
export interface Items {
  readonly items: readonly string[];
  readonly length: number;
}

export function itemsOf(items: readonly string[]): Items {
  let length = 0;
  for (const item of items) length += serializedLength(item) + 1;
  return { items, length };
}

/** Actions on objects, and the accesses (as bits) that need them. */
interface ObjectActions extends Items {
  readonly neededBy: number;
}

/** KMS actions, and the accesses that need them on which keys. */
interface KeyActions extends Items {
  readonly onCurrentKey: number;
  readonly onOlderKeys: number;
}

/** What the accesses need. Every access also needs s3:GetBucketLocation on the bucket. */
export interface Profile {
  /** What the ARN of a bucket begins with. */
  readonly s3Arn: string;
  readonly objectActions: readonly ObjectActions[];
  readonly keyActions: readonly KeyActions[];
  /** Whether listing a whole bucket is unconditional; if not, it lists only keys that begin with `/`. */
  readonly rootListsBucket: boolean;
  readonly viaService: boolean;
  /** What a session that may not write gets where no key is configured. */
  readonly wildcardKey: string | undefined;
}

/** Set in every session, for what Polaris grants even to those that may touch nothing. */
const ALWAYS = 16;

const GET: Readonly<ObjectActions> = { ...itemsOf(["s3:GetObject"]), neededBy: BIT.read };
const GET_VERSIONS: Readonly<ObjectActions> = {
  ...itemsOf(["s3:GetObject", "s3:GetObjectVersion"]),
  neededBy: BIT.read,
};
const PUT: Readonly<ObjectActions> = { ...itemsOf(["s3:PutObject"]), neededBy: BIT.write };
const PUT_OR_ABORT: Readonly<ObjectActions> = {
  ...itemsOf(["s3:AbortMultipartUpload", "s3:PutObject"]),
  neededBy: BIT.write,
};
const DELETE: Readonly<ObjectActions> = {
  ...itemsOf(["s3:DeleteObject"]),
  neededBy: BIT.delete,
};

/**
 * Writing needs Decrypt as well: S3 reads the parts of a multipart upload back to complete it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
 */
const KEY_ACTIONS: readonly KeyActions[] = [
  {
    ...itemsOf(["kms:Decrypt"]),
    onCurrentKey: BIT.read | BIT.write,
    onOlderKeys: BIT.read,
  },
  { ...itemsOf(["kms:GenerateDataKey"]), onCurrentKey: BIT.write, onOlderKeys: 0 },
];

/**
 * What S3 needs, and nothing more.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
function leastPrivilege(options: Options, config: StorageConfig): Profile {
  return {
    s3Arn: `arn:${escapePattern(config.partition)}:s3:::`,
    objectActions: [
      options.objectVersions ? GET_VERSIONS : GET,
      options.abortMultipartUploads ? PUT_OR_ABORT : PUT,
      DELETE,
    ],
    keyActions: KEY_ACTIONS,
    rootListsBucket: true,
    viaService: options.kmsViaService !== false,
    wildcardKey: undefined,
  };
}

const POLARIS_OBJECT_ACTIONS: readonly ObjectActions[] = [
  GET_VERSIONS,
  { ...itemsOf(["s3:DeleteObject", "s3:PutObject"]), neededBy: BIT.write | BIT.delete },
];
const POLARIS_KEY_ACTIONS: readonly KeyActions[] = [
  {
    ...itemsOf(["kms:Decrypt", "kms:DescribeKey"]),
    onCurrentKey: ALWAYS,
    onOlderKeys: ALWAYS,
  },
  {
    ...itemsOf(["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]),
    onCurrentKey: BIT.write | BIT.delete,
    onOlderKeys: BIT.write | BIT.delete,
  },
];

/**
 * What Apache Polaris grants, as `AwsCredentialsStorageIntegration.policyString` does.
 *
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsCredentialsStorageIntegration.java
 */
function polaris(config: StorageConfig): Profile {
  return {
    s3Arn: `arn:${config.polaris.partition}:s3:::`,
    objectActions: POLARIS_OBJECT_ACTIONS,
    keyActions: POLARIS_KEY_ACTIONS,
    rootListsBucket: false,
    viaService: false,
    wildcardKey: config.polaris.wildcardKey,
  };
}

/** @throws SessionPolicyError `INVALID_OPTIONS` if the profile cannot do what the options insist on. */
export function profileOf(options: Options, config: StorageConfig): Profile {
  if (options.profile === "polaris") {
    for (const option of ["kmsViaService", "abortMultipartUploads"] as const) {
      if (options[option] !== true) continue;
      throw fault("INVALID_OPTIONS", [option], 'is nothing that profile "polaris" ever grants.');
    }
    return polaris(config);
  }
  if (options.kmsViaService === true) {
    if (config.keys.some((key) => !config.onAws || s3ViaService(key) === undefined)) {
      throw fault(
        "INVALID_OPTIONS",
        ["kmsViaService"],
        "insists on a condition that can't be formed: the name of S3 is documented for aws, aws-cn and aws-us-gov, without an endpoint outside AWS.",
      );
    }
  }
  return leastPrivilege(options, config);
}

/** Resources (or prefixes) that need the same rows of a grid. */
export interface Column extends Items {
  /** The rows that a statement must grant here: one bit a row. */
  readonly required: number;
  /** The rows that a statement may grant here, because the session has them here anyway. */
  readonly allowed: number;
  /** Whether the items are known to be in code-unit order as they stand. */
  readonly inOrder: boolean;
}

/** Grants of one kind under one condition: each column is granted its rows. */
export interface Grid {
  readonly rows: readonly Items[];
  readonly columns: readonly Column[];
}

/** What a session may list in a bucket of which it may not list everything. */
export interface BucketList {
  /** The bucket's ARN. */
  readonly bucket: string;
  /** Literal prefixes without the slash at their end, none inside another, in the order of places. */
  readonly prefixes: readonly string[];
  /** The patterns for them. */
  readonly patterns: Column;
}

/** What a session is granted in S3. */
export interface S3Grants {
  /** Object actions by object patterns. */
  readonly objects: Grid;
  /** GetBucketLocation, and unconditional ListBucket, by buckets. */
  readonly buckets: Grid;
  /** ListBucket under a prefix. */
  readonly lists: readonly BucketList[];
}

/** KMS actions by keys, for requests through one service, or through any. */
export interface KmsGrants {
  readonly viaService: string | undefined;
  readonly keys: Grid;
}

interface MutableColumn extends Column {
  items: string[];
  length: number;
  inOrder: boolean;
}

/** The column of a kind, made if there is none. */
function columnOf(columns: MutableColumn[], required: number, allowed: number): MutableColumn {
  for (const column of columns) {
    if (column.required === required && column.allowed === allowed) return column;
  }
  const column = { required, allowed, items: [], length: 0, inOrder: true };
  columns.push(column);
  return column;
}

/**
 * Adds items, a list that is nobody else's, to a column; `inOrder` tells whether they are in order, and
 * behind those it has.
 */
function addTo(column: MutableColumn, items: string[], length: number, inOrder: boolean): void {
  column.inOrder &&= inOrder;
  if (column.items.length === 0) column.items = items;
  else for (const item of items) column.items.push(item);
  column.length += length;
}

/** The row of lists, behind those of object actions, of which there are at most three. */
const LIST = 8;

const BUCKET_ROWS: readonly Items[] = [
  itemsOf(["s3:GetBucketLocation"]),
  itemsOf(["s3:ListBucket"]),
];
const LOCATE_BUCKET = 1;
const LIST_BUCKET = 2;

function rowsOf({ objectActions }: Profile, accesses: number): number {
  let rows = accesses & BIT.list ? LIST : 0;
  objectActions.forEach(({ neededBy }, row) => {
    if (accesses & neededBy) rows |= 1 << row;
  });
  return rows;
}

/** The patterns of what lies below prefixes, which are `plain` if they need no escapes. */
function patternsOf(prefixes: readonly string[], plain: boolean): Items {
  if (!plain) return itemsOf(prefixes.map(patternOf));
  const items = prefixes.map((prefix) => `${prefix}/*`);
  return { items, length: items.reduce((sum, item) => sum + item.length + QUOTES_AND_COMMA, 0) };
}

/** The pattern of what lies below a prefix. */
export function patternOf(prefix: string): string {
  return `${escapePattern(prefix)}/*`;
}

/** What S3 grants follow for the accesses asked for at each place. */
export function s3Grants(profile: Profile, places: readonly BucketPlaces[]): S3Grants {
  const objects: MutableColumn[] = [];
  const buckets: MutableColumn[] = [];
  const lists: BucketList[] = [];
  for (const asked of profile.rootListsBucket ? places : places.map(withRootList)) {
    const { prefixes, accesses, plain } = asked;
    const bucket = profile.s3Arn + asked.bucket;
    const bucketLength = serializedLength(bucket) + 1;
    const root = rowsOf(profile, asked.root);
    const needed = root & LIST ? LOCATE_BUCKET | LIST_BUCKET : LOCATE_BUCKET;
    // A place ends with a slash, a bucket's ARN does not: their orders differ.
    addTo(columnOf(buckets, needed, needed), [bucket], bucketLength, false);
    const wholly = root & ~LIST;
    if (wholly) addTo(columnOf(objects, wholly, wholly), [`${bucket}/*`], bucketLength + 2, true);

    const head = `${bucket}/`;
    const headLength = bucketLength - QUOTES_AND_COMMA + 1;
    const grant = (required: number, allowed: number, { items, length }: Items) => {
      const arns = items.map((pattern) => head + pattern);
      addTo(columnOf(objects, required, allowed), arns, length + headLength * arns.length, plain);
    };
    const list = (listed: readonly string[], { items, length }: Items) => {
      const patterns = { required: 1, allowed: 1, items, length, inOrder: plain };
      lists.push({ bucket, prefixes: listed, patterns });
    };
    if (typeof accesses === "number") {
      const allowed = rowsOf(profile, accesses) | root;
      const required = allowed & ~root;
      const patterns = patternsOf(prefixes, plain);
      if (required & ~LIST) grant(required & ~LIST, allowed & ~LIST, patterns);
      if (required & LIST) list(prefixes, patterns);
      continue;
    }
    const listed: string[] = [];
    nest(prefixes, root, (around, prefix, i) => {
      const allowed = rowsOf(profile, accessesTo(asked, i)) | around;
      const required = allowed & ~around;
      if (required & ~LIST) grant(required & ~LIST, allowed & ~LIST, patternsOf([prefix], plain));
      if (required & LIST) listed.push(prefix);
      return allowed;
    });
    if (listed.length > 0) list(listed, patternsOf(listed, plain));
  }
  return {
    objects: { rows: profile.objectActions, columns: objects },
    buckets: { rows: BUCKET_ROWS, columns: buckets },
    lists,
  };
}

const QUOTES_AND_COMMA = 3;

/** Whether the place of a prefix lies inside that of another; both are without their last slash. */
function isBelow(prefix: string, other: string): boolean {
  // The first test answers nearly always, and is much the faster one.
  return prefix.charCodeAt(other.length) === SLASH && prefix.startsWith(other);
}

/** A prefix, what was made of it, and the innermost other that it lies inside. */
interface Around<T> {
  readonly prefix: string;
  readonly value: T;
  readonly outer: Around<T> | undefined;
}

/**
 * Makes something of each prefix, given what was made of the innermost other that it lies inside, or
 * `outermost`; the prefixes are in the order of places, without the slash at their end.
 */
export function nest<T>(
  prefixes: readonly string[],
  outermost: T,
  make: (around: T, prefix: string, index: number) => T,
): void {
  let around: Around<T> | undefined;
  prefixes.forEach((prefix, i) => {
    while (around !== undefined && !isBelow(prefix, around.prefix)) around = around.outer;
    const value = make(around === undefined ? outermost : around.value, prefix, i);
    around = { prefix, value, outer: around };
  });
}

/** Polaris lists the root of a bucket as the prefix `/`, which only keys that begin with it have. */
function withRootList(asked: BucketPlaces): BucketPlaces {
  if ((asked.root & BIT.list) === 0) return asked;
  const places = new Map(
    asked.prefixes.map((prefix, i) => [`${asked.bucket}/${prefix}/`, accessesTo(asked, i)]),
  );
  const slash = `${asked.bucket}//`;
  places.set(slash, (places.get(slash) ?? 0) | BIT.list);
  const [changed = asked] = bucketsOf(places);
  return { ...changed, root: asked.root & ~BIT.list };
}

/** What KMS grants follow for the accesses (as bits) that a session has anywhere. */
export function kmsGrants(profile: Profile, config: StorageConfig, accesses: number): KmsGrants[] {
  const { keyActions, wildcardKey } = profile;
  let onCurrentKey = 0;
  let onOlderKeys = 0;
  keyActions.forEach((needed, row) => {
    if ((accesses | ALWAYS) & needed.onCurrentKey) onCurrentKey |= 1 << row;
    if ((accesses | ALWAYS) & needed.onOlderKeys) onOlderKeys |= 1 << row;
  });
  const grants: { readonly viaService: string | undefined; readonly columns: MutableColumn[] }[] =
    [];
  const grant = (arn: string, length: number, required: number, viaService: string | undefined) => {
    if (required === 0) return;
    let last = grants.at(-1);
    // Keys of one service are of one region, and next to each other in the order of ARNs.
    if (last === undefined || last.viaService !== viaService) {
      last = { viaService, columns: [] };
      grants.push(last);
    }
    addTo(columnOf(last.columns, required, required), [arn], length, true);
  };
  const mayWrite = (accesses & (BIT.write | BIT.delete)) !== 0;
  if (config.keys.length === 0 && wildcardKey !== undefined && !mayWrite) {
    grant(wildcardKey, serializedLength(wildcardKey) + 1, onOlderKeys, undefined);
  }
  const viaService = profile.viaService && config.onAws;
  for (const key of config.keys) {
    const service = viaService ? s3ViaService(key) : undefined;
    // The ARN of a key has no character that needs an escape.
    const length = key.arn.length + QUOTES_AND_COMMA;
    grant(key.arn, length, key.encrypts ? onCurrentKey : onOlderKeys, service);
  }
  return grants.map(({ viaService, columns }) => ({
    viaService,
    keys: { rows: keyActions, columns },
  }));
}
