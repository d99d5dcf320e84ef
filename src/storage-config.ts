/**
 * Polaris' storage configuration: its schema, and what a policy needs to know of it.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml (AwsStorageConfigInfo)
 * @module
 */
import * as z from "zod/mini";
import {
  isAwsEndpoint,
  type KmsKeyArn,
  parseKmsKeyArn,
  parseRoleArn,
  partitionOfRegion,
} from "./arn.ts";
import { isDense, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { faultOf, outermost, placeOf } from "./locations.ts";

/**
 * `AwsStorageConfigInfo` as Polaris' management API returns it. A field that is `null` or left out is
 * not set; fields that we do not know are ignored.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
 */
export interface AwsStorageConfig {
  /** Other storage types have no AWS policy and are refused. */
  readonly storageType?: "S3" | null | undefined;
  /** If set, even to an empty list, every location must lie inside one of these. */
  readonly allowedLocations?: readonly string[] | null | undefined;
  readonly storageName?: string | null | undefined;
  /** The role that the session assumes; it tells the partition. */
  readonly roleArn?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  readonly userArn?: string | null | undefined;
  readonly region?: string | null | undefined;
  /** S3 endpoint. Outside AWS it means another store, whose keys need no region and account. */
  readonly endpoint?: string | null | undefined;
  readonly endpointInternal?: string | null | undefined;
  readonly stsEndpoint?: string | null | undefined;
  readonly stsUnavailable?: boolean | null | undefined;
  readonly pathStyleAccess?: boolean | null | undefined;
  /** If true there is no KMS statement, and the keys are ignored. */
  readonly kmsUnavailable?: boolean | null | undefined;
  /** Key ARN with which S3 encrypts new data. */
  readonly currentKmsKey?: string | null | undefined;
  /** Key ARNs with which older data is encrypted. */
  readonly allowedKmsKeys?: readonly string[] | null | undefined;
}

// zod/mini carries no messages of its own; these also keep what was passed in out of them.
const text = z.string({ error: "must be a string." });
const flag = z.nullish(z.boolean({ error: "must be true or false." }));

function texts(error: string) {
  const isList = (value: unknown) => Array.isArray(value) && isDense(value);
  return z.pipe(z.custom<string[]>(isList, { error }), z.array(text));
}

const shape = z.object(
  {
    storageType: z.nullish(
      z.literal("S3", { error: 'must be "S3": other storage types have no AWS policy.' }),
    ),
    allowedLocations: z.nullish(texts("must be a list of S3 URIs.")),
    storageName: z.nullish(text),
    roleArn: z.nullish(text),
    externalId: z.nullish(text),
    userArn: z.nullish(text),
    region: z.nullish(text),
    endpoint: z.nullish(text),
    endpointInternal: z.nullish(text),
    stsEndpoint: z.nullish(text),
    stsUnavailable: flag,
    pathStyleAccess: flag,
    kmsUnavailable: flag,
    currentKmsKey: z.nullish(text),
    allowedKmsKeys: z.nullish(texts("must be a list of KMS key ARNs.")),
  },
  { error: "The storage configuration must be an object." },
);

/**
 * The zod schema of {@link AwsStorageConfig}, for forms and files: it accepts exactly what
 * {@link buildSessionPolicy} accepts and reports the same issues. Unknown fields are dropped.
 *
 * It is a `zod/mini` schema: `parse` and `safeParse` are methods, and it nests in other schemas.
 *
 * @see https://zod.dev/packages/mini
 * @example
 * ```ts
 * import { storageConfigSchema } from "polaris-session-policy";
 *
 * storageConfigSchema.safeParse({ storageType: "GCS" }).error?.issues[0]?.path; // ["storageType"]
 * ```
 */
export const storageConfigSchema = shape.check((payload) => {
  for (const { path, message } of readConfig(payload.value).issues) {
    payload.issues.push(custom(path, message));
  }
});

function custom(path: SessionPolicyIssue["path"], message: string) {
  return { code: "custom" as const, path: [...path], message, input: undefined };
}

/** A configured key, and whether new data is encrypted with it. */
export interface KmsKey extends KmsKeyArn {
  readonly current: boolean;
}

/** What a policy needs to know of a storage configuration. */
export interface StorageConfig {
  /** The partition of S3's ARNs. */
  readonly partition: string;
  /** False behind an S3 endpoint outside AWS. */
  readonly onAws: boolean;
  /** Each key once, in code-unit order of the ARNs; none if KMS is unavailable. */
  readonly keys: readonly KmsKey[];
  /** See {@link outermost}; undefined if the configuration does not restrict locations. */
  readonly allowedPlaces: readonly string[] | undefined;
  /** What Polaris makes of the same configuration where it differs from the above. */
  readonly polaris: {
    readonly partition: string;
    /** The keys it falls back to if none is configured. */
    readonly wildcardKey: string | undefined;
  };
}

/**
 * Validates a storage configuration and reads what a policy needs of it.
 *
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`
 */
export function parseStorageConfig(input: AwsStorageConfig): StorageConfig {
  const { config, issues } = hasShape(input) ? readConfig(input) : readShape(input);
  if (config === undefined) {
    const onlyKeys = issues.every(({ path }) => KEY_FIELDS.has(path[0]));
    throw new SessionPolicyError(onlyKeys ? "INVALID_KMS_KEY" : "INVALID_STORAGE_CONFIG", issues);
  }
  return config;
}

function readShape(input: AwsStorageConfig): ReturnType<typeof readConfig> {
  const parsed = shape.safeParse(input);
  if (parsed.success) return readConfig(parsed.data);
  return { config: undefined, issues: parsed.error.issues.map(ours) };
}

const isText = (value: unknown) => typeof value === "string";
const isFlag = (value: unknown) => typeof value === "boolean";

function isTexts(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!isText(value[i])) return false;
  return true;
}

const FITS: Readonly<Record<keyof Shape, (value: unknown) => boolean>> = {
  storageType: (value) => value === "S3",
  allowedLocations: isTexts,
  storageName: isText,
  roleArn: isText,
  externalId: isText,
  userArn: isText,
  region: isText,
  endpoint: isText,
  endpointInternal: isText,
  stsEndpoint: isText,
  stsUnavailable: isFlag,
  pathStyleAccess: isFlag,
  kmsUnavailable: isFlag,
  currentKmsKey: isText,
  allowedKmsKeys: isTexts,
};
const FIELDS = Object.keys(FITS) as (keyof Shape)[];

/** Whether `shape` accepts a configuration: asking takes a fifth of the time, and it mostly does. */
function hasShape(input: AwsStorageConfig): input is Shape {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return false;
  for (const field of FIELDS) {
    const value = input[field];
    if (value != null && !FITS[field](value)) return false;
  }
  return true;
}

const KEY_FIELDS: ReadonlySet<unknown> = new Set(["currentKmsKey", "allowedKmsKeys"]);

function ours(issue: { path: PropertyKey[]; message: string }): SessionPolicyIssue {
  return {
    path: issue.path.map((part) => (typeof part === "number" ? part : String(part))),
    message: issue.message,
  };
}

type Shape = z.infer<typeof shape>;

const CURRENT = -1;

function pathOf(place: number): SessionPolicyIssue["path"] {
  return place === CURRENT ? ["currentKmsKey"] : ["allowedKmsKeys", place];
}

/** Reads a configuration whose fields have the right types; `config` is undefined if it has issues. */
function readConfig(input: Shape): {
  readonly config: StorageConfig | undefined;
  readonly issues: readonly SessionPolicyIssue[];
} {
  const issues: SessionPolicyIssue[] = [];
  const readEndpoint = (field: "endpoint" | "endpointInternal") => {
    const url = input[field];
    if (url == null || isAwsEndpoint(url) !== undefined) return;
    const message = "must be a URL with a host, such as https://s3.example.com:9000.";
    issues.push({ path: [field], message });
  };
  readEndpoint("endpoint");
  readEndpoint("endpointInternal");
  const url = input.endpoint ?? input.endpointInternal;
  const onAws = url == null || isAwsEndpoint(url) === true;
  const role = input.roleArn == null ? undefined : parseRoleArn(input.roleArn);
  if (input.roleArn != null && role === undefined) {
    const message = "must be a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME.";
    issues.push({ path: ["roleArn"], message });
  }

  const keys: KmsKey[] = [];
  // Where each of them is: its index in allowedKmsKeys, or what stands for currentKmsKey.
  const places: number[] = [];
  const seen = new Set<string>();
  const readKey = (arn: string, place: number) => {
    if (seen.has(arn)) return;
    seen.add(arn);
    const key = parseKmsKeyArn(arn, onAws);
    if (typeof key === "string") {
      issues.push({ path: pathOf(place), message: key });
    } else {
      const { partition, region } = key;
      keys.push({ arn, partition, region, current: place === CURRENT });
      places.push(place);
    }
  };
  if (input.kmsUnavailable !== true) {
    if (input.currentKmsKey != null) readKey(input.currentKmsKey, CURRENT);
    input.allowedKmsKeys?.forEach(readKey);
  }

  // Behind another store a key's partition is free, and tells nothing about the store's own.
  const partition =
    role?.partition ||
    partitionOfRegion(input.region ?? "") ||
    (onAws ? keys[0]?.partition : undefined) ||
    "aws";
  keys.forEach((key, i) => {
    if (!onAws || key.partition === partition) return;
    issues.push({
      path: pathOf(places[i] ?? CURRENT),
      message:
        "is a key of another partition than the role, the region or the other keys: S3 can only use keys of its own partition, so configure one of that.",
    });
  });

  const allowed = input.allowedLocations?.map((uri, i) => {
    const place = placeOf(uri);
    if (place === undefined) issues.push({ path: ["allowedLocations", i], message: faultOf(uri) });
    return place ?? "";
  });

  if (issues.length > 0) return { config: undefined, issues };
  const account = role?.polaris.account;
  return {
    issues,
    config: {
      partition,
      onAws,
      keys: keys.sort((a, b) => (a.arn < b.arn ? -1 : 1)),
      allowedPlaces: allowed && outermost(allowed),
      polaris: {
        partition: role === undefined ? "aws" : role.polaris.partition,
        wildcardKey:
          input.kmsUnavailable === true || account === undefined || input.region == null
            ? undefined
            : `arn:aws:kms:${input.region}:${account}:key/*`,
      },
    },
  };
}
