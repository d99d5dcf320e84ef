/**
 * What each access needs, as data, and the grants that follow for a session's places and keys.
 * @module
 */
import { s3ViaService } from "./arn.ts";
import { fault } from "./errors.ts";
import { BIT, type Places } from "./locations.ts";
import type { Options } from "./options.ts";
import { escapePattern, serializedLength } from "./policy.ts";
import type { StorageConfig } from "./storage-config.ts";

/** Actions that always go together, and the accesses (as bits) that need them. */
interface ObjectActions {
  readonly actions: readonly string[];
  readonly neededBy: number;
}

/** KMS actions that always go together, and the accesses that need them on which keys. */
interface KeyActions {
  readonly actions: readonly string[];
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

/**
 * What S3 needs, and nothing more.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
 */
function leastPrivilege(options: Options, config: StorageConfig): Profile {
  return {
    s3Arn: `arn:${escapePattern(config.partition)}:s3:::`,
    objectActions: [
      {
        actions: options.objectVersions
          ? ["s3:GetObject", "s3:GetObjectVersion"]
          : ["s3:GetObject"],
        neededBy: BIT.read,
      },
      {
        actions: options.abortMultipartUploads
          ? ["s3:AbortMultipartUpload", "s3:PutObject"]
          : ["s3:PutObject"],
        neededBy: BIT.write,
      },
      { actions: ["s3:DeleteObject"], neededBy: BIT.delete },
    ],
    keyActions: [
      // Writing needs Decrypt as well: the parts of a multipart upload are read back to complete it.
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
      { actions: ["kms:Decrypt"], onCurrentKey: BIT.read | BIT.write, onOlderKeys: BIT.read },
      { actions: ["kms:GenerateDataKey"], onCurrentKey: BIT.write, onOlderKeys: 0 },
    ],
    rootListsBucket: true,
    viaService: options.kmsViaService !== false,
    wildcardKey: undefined,
  };
}

/**
 * What Apache Polaris grants, as `AwsCredentialsStorageIntegration.policyString` does.
 *
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsCredentialsStorageIntegration.java
 */
function polaris(config: StorageConfig): Profile {
  return {
    s3Arn: `arn:${config.polaris.partition}:s3:::`,
    objectActions: [
      { actions: ["s3:GetObject", "s3:GetObjectVersion"], neededBy: BIT.read },
      { actions: ["s3:DeleteObject", "s3:PutObject"], neededBy: BIT.write | BIT.delete },
    ],
    keyActions: [
      {
        actions: ["kms:Decrypt", "kms:DescribeKey"],
        onCurrentKey: ALWAYS,
        onOlderKeys: ALWAYS,
      },
      {
        actions: ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
        onCurrentKey: BIT.write | BIT.delete,
        onOlderKeys: BIT.write | BIT.delete,
      },
    ],
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

/** Strings of a policy element that always go together, with their serialized length, a comma each. */
export interface Items {
  readonly items: readonly string[];
  readonly length: number;
}

/** Resources (or prefixes) that need the same rows of a grid. */
export interface Column extends Items {
  /** The rows that a statement must grant here: one bit a row. */
  readonly required: number;
  /** The rows that a statement may grant here, because the session has them here anyway. */
  readonly allowed: number;
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
  /** Literal prefixes, none inside another, in code-unit order. */
  readonly prefixes: readonly string[];
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

export function itemsOf(items: readonly string[]): Items {
  let length = 0;
  for (const item of items) length += serializedLength(item) + 1;
  return { items, length };
}

const BUCKET_ROWS: readonly Items[] = [
  itemsOf(["s3:GetBucketLocation"]),
  itemsOf(["s3:ListBucket"]),
];
const BUCKET_LOCATION = 1;
const LIST_WHOLE_BUCKET = 2;

interface MutableColumn extends Column {
  readonly items: string[];
  length: number;
}

/** Adds an item to the column of its kind. */
function addTo(
  columns: Map<number, MutableColumn>,
  required: number,
  allowed: number,
  item: string,
): void {
  const kind = (required << 8) | allowed;
  const length = serializedLength(item) + 1;
  const column = columns.get(kind);
  if (column === undefined) {
    columns.set(kind, { required, allowed, items: [item], length });
  } else {
    column.items.push(item);
    column.length += length;
  }
}

/** What S3 grants follow for the accesses asked for at each place. */
export function s3Grants(profile: Profile, places: Places): S3Grants {
  const rows = profile.objectActions;
  const list = 1 << rows.length;
  const rowsOf = (accesses: number): number => {
    let mask = accesses & BIT.list ? list : 0;
    for (let i = 0; i < rows.length; i++) {
      if (accesses & (rows[i]?.neededBy ?? 0)) mask |= 1 << i;
    }
    return mask;
  };
  const asked = profile.rootListsBucket ? places : withRootLists(places);

  const objects = new Map<number, MutableColumn>();
  const buckets = new Map<number, MutableColumn>();
  const lists: { bucket: string; prefixes: string[] }[] = [];
  let bucket = "";
  let prefixes: string[] = [];
  // The places that the current one lies inside, outermost first, with the rows granted there.
  const around: { place: string; rows: number }[] = [];
  for (const place of [...asked.keys()].sort()) {
    while (around.length > 0 && !place.startsWith(around.at(-1)?.place ?? "")) around.pop();
    const inherited = around.at(-1)?.rows ?? 0;
    const allowed = rowsOf(asked.get(place) ?? 0) | inherited;
    const required = allowed & ~inherited;
    if (bucket === "" || !place.startsWith(bucket)) {
      bucket = place.slice(0, place.indexOf("/") + 1);
      const whole = required & list && place === bucket;
      const needed = whole ? BUCKET_LOCATION | LIST_WHOLE_BUCKET : BUCKET_LOCATION;
      addTo(buckets, needed, needed, profile.s3Arn + bucket.slice(0, -1));
      prefixes = [];
    }
    if (required === 0) continue;
    around.push({ place, rows: allowed });
    if (required & ~list) {
      const pattern = `${profile.s3Arn}${escapePattern(place)}*`;
      addTo(objects, required & ~list, allowed & ~list, pattern);
    }
    if (required & list && place !== bucket) {
      if (prefixes.length === 0)
        lists.push({ bucket: profile.s3Arn + bucket.slice(0, -1), prefixes });
      prefixes.push(place.slice(bucket.length));
    }
  }
  return {
    objects: { rows: rows.map(({ actions }) => itemsOf(actions)), columns: [...objects.values()] },
    buckets: { rows: BUCKET_ROWS, columns: [...buckets.values()] },
    lists,
  };
}

/** Polaris lists the root of a bucket as the prefix `/`, which only keys that begin with it have. */
function withRootLists(places: Places): Places {
  const asked = new Map(places);
  for (const [place, accesses] of places) {
    if ((accesses & BIT.list) === 0 || place.indexOf("/") !== place.length - 1) continue;
    asked.set(place, accesses & ~BIT.list);
    asked.set(`${place}/`, (asked.get(`${place}/`) ?? 0) | BIT.list);
  }
  return asked;
}

/** What KMS grants follow for the accesses (as bits) that a session has anywhere. */
export function kmsGrants(profile: Profile, config: StorageConfig, accesses: number): KmsGrants[] {
  const asked = accesses | ALWAYS;
  const rows = profile.keyActions;
  const services = new Map<string | undefined, Map<number, MutableColumn>>();
  const grant = (arn: string, on: "onCurrentKey" | "onOlderKeys", service: string | undefined) => {
    let required = 0;
    for (let i = 0; i < rows.length; i++) {
      if (asked & (rows[i]?.[on] ?? 0)) required |= 1 << i;
    }
    if (required === 0) return;
    const columns = services.get(service) ?? new Map<number, MutableColumn>();
    services.set(service, columns);
    addTo(columns, required, required, arn);
  };
  const mayWrite = (accesses & (BIT.write | BIT.delete)) !== 0;
  if (config.keys.length === 0 && profile.wildcardKey !== undefined && !mayWrite) {
    grant(profile.wildcardKey, "onOlderKeys", undefined);
  }
  for (const key of config.keys) {
    const service = profile.viaService && config.onAws ? s3ViaService(key) : undefined;
    grant(key.arn, key.current ? "onCurrentKey" : "onOlderKeys", service);
  }
  return [...services].map(([viaService, columns]) => ({
    viaService,
    keys: { rows: rows.map(({ actions }) => itemsOf(actions)), columns: [...columns.values()] },
  }));
}
