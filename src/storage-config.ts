/**
 * Polaris' storage configuration: its schema, and what a policy needs to know of it.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml (AwsStorageConfigInfo)
 * @module
 */
import * as z from "zod/mini";
import {
  isAwsPartition,
  type KmsKeyArn,
  parseEndpoint,
  parseKmsKeyArn,
  parseRoleArn,
  partitionOfRegion,
} from "./arn.ts";
import {
  issuesOf,
  MOST_ISSUES,
  reading,
  SessionPolicyError,
  type SessionPolicyIssue,
} from "./errors.ts";
import { isRecord, readList, readRecord } from "./input.ts";
import { faultOf, outermost, placeOf } from "./locations.ts";

/**
 * `AwsStorageConfigInfo` as Polaris' management API returns it, up to version 1.8.0. A field that is
 * `null` or left out is not set. Unknown fields are ignored, except misspelled known ones.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
 */
export interface AwsStorageConfig {
  /** Other storage types have no AWS policy and are refused. */
  readonly storageType?: "S3" | null | undefined;
  /** If set, even to an empty list, every location must lie inside one of these. */
  readonly allowedLocations?: readonly string[] | null | undefined;
  readonly storageName?: string | null | undefined;
  /** The role that the session assumes. Its ARN names the partition. */
  readonly roleArn?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  readonly userArn?: string | null | undefined;
  readonly region?: string | null | undefined;
  /** S3 endpoint. Outside AWS it means another store, whose key ARNs may lack region and account. */
  readonly endpoint?: string | null | undefined;
  readonly endpointInternal?: string | null | undefined;
  readonly stsEndpoint?: string | null | undefined;
  readonly stsUnavailable?: boolean | null | undefined;
  readonly pathStyleAccess?: boolean | null | undefined;
  /** If true there is no KMS statement, and the keys are ignored. */
  readonly kmsUnavailable?: boolean | null | undefined;
  /** Key ARN with which S3 encrypts new data. Polaris 1.8.0 prefers `encryptionKeys`. */
  readonly currentKmsKey?: string | null | undefined;
  /** Key ARNs with which older data is encrypted. Polaris 1.8.0 prefers `decryptionKeys` for these. */
  readonly allowedKmsKeys?: readonly string[] | null | undefined;
  /** Key ARNs with which S3 encrypts new data, one for each bucket with a default key of its own. */
  readonly encryptionKeys?: readonly string[] | null | undefined;
  /** Key ARNs with which older data is encrypted. Overlap with `encryptionKeys` is allowed. */
  readonly decryptionKeys?: readonly string[] | null | undefined;
}

// zod/mini has no messages of its own. These do not repeat the input.
const text = z.string({ error: "must be a string." });
// Polaris' server takes "true" and "false" for booleans; its Ceph guide writes them so.
const flag = z.pipe(
  z.custom<boolean | "true" | "false">(
    (value) => value === true || value === false || isFlagText(value),
    {
      error: "must be true or false.",
    },
  ),
  z.transform((value: boolean | "true" | "false") => value === true || value === "true"),
);
const uris = z.array(text, { error: "must be a list of S3 URIs." });
const keys = z.array(text, { error: "must be a list of KMS key ARNs." });

const isFlagText = (value: unknown) => value === "true" || value === "false";

const shape = z.object({
  storageType: z.nullish(
    z.literal("S3", { error: 'must be "S3": other storage types have no AWS policy.' }),
  ),
  allowedLocations: z.nullish(uris),
  storageName: z.nullish(text),
  roleArn: z.nullish(text),
  externalId: z.nullish(text),
  userArn: z.nullish(text),
  region: z.nullish(text),
  endpoint: z.nullish(text),
  endpointInternal: z.nullish(text),
  stsEndpoint: z.nullish(text),
  stsUnavailable: z.nullish(flag),
  pathStyleAccess: z.nullish(flag),
  kmsUnavailable: z.nullish(flag),
  currentKmsKey: z.nullish(text),
  allowedKmsKeys: z.nullish(keys),
  encryptionKeys: z.nullish(keys),
  decryptionKeys: z.nullish(keys),
});

type Shape = z.infer<typeof shape>;

const FIELDS = Object.keys(shape.shape) as (keyof Shape)[];
const KEY_FIELDS = ["currentKmsKey", "encryptionKeys", "allowedKmsKeys", "decryptionKeys"] as const;
const LIST_FIELDS = [
  "allowedLocations",
  "allowedKmsKeys",
  "encryptionKeys",
  "decryptionKeys",
] as const;

/**
 * The zod schema of {@link AwsStorageConfig}, for forms and files: it accepts exactly what
 * {@link buildSessionPolicy} accepts and reports the same issues, of which an error has the first ten.
 * Unknown fields are dropped, and "true" and "false" become booleans.
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
export const storageConfigSchema = z.pipe(
  z.transform((input: AwsStorageConfig, context): z.input<typeof shape> => {
    try {
      return parseNames(input) as z.input<typeof shape>;
    } catch (error) {
      context.issues.push(...(error as SessionPolicyError).issues.map(custom));
      return {};
    }
  }),
  shape.check(({ value, issues }) => {
    issues.push(...readConfig(value).issues.map(custom));
  }),
);

function custom({ path, message }: SessionPolicyIssue) {
  return { code: "custom" as const, path: [...path], message, input: undefined };
}

/** A configured key, and whether it encrypts new data. */
export interface KmsKey extends KmsKeyArn {
  readonly encrypts: boolean;
  /** Where the configuration first names it: the field, and the index in a list. */
  readonly path: SessionPolicyIssue["path"];
}

/** What a policy needs to know of a storage configuration. */
export interface StorageConfig {
  /** The partition of S3's ARNs. */
  readonly partition: string;
  /** False with an S3 or STS endpoint outside AWS. */
  readonly onAws: boolean;
  /** Each key once, in code-unit order of the ARNs; empty if KMS is unavailable. */
  readonly keys: readonly KmsKey[];
  /** See {@link outermost}; undefined if the configuration does not restrict locations. */
  readonly allowedPlaces: readonly string[] | undefined;
  /** The configuration as it was read, for what Polaris makes of it. */
  readonly fields: AwsStorageConfig;
}

/**
 * Validates a storage configuration and reads what a policy needs of it.
 *
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`
 */
export function parseStorageConfig(input: unknown): StorageConfig {
  const { config, issues } = readConfig(parseFields(input));
  if (config === undefined) throw invalid(issues);
  return config;
}

/**
 * Reads the fields of a storage configuration once, and checks their types.
 *
 * @returns a new plain object with the known fields.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`
 */
export function parseFields(input: unknown): Shape {
  const parsed = shape.safeParse(parseNames(input));
  if (parsed.success) return parsed.data;
  throw invalid(issuesOf(parsed.error));
}

function invalid(issues: readonly SessionPolicyIssue[]): SessionPolicyError {
  const fields: readonly unknown[] = KEY_FIELDS;
  const onlyKeys = issues.every(({ path }) => fields.includes(path[0]));
  return new SessionPolicyError(
    onlyKeys ? "INVALID_KMS_KEY" : "INVALID_STORAGE_CONFIG",
    issues.slice(0, MOST_ISSUES),
  );
}

/** Copies the known fields of an object that has no other spelling of one. */
function parseNames(input: unknown) {
  return reading("INVALID_STORAGE_CONFIG", "The storage configuration", () => {
    const { fields, issues } = readFields(input);
    if (issues.length > 0) throw invalid(issues);
    return fields;
  });
}

/** Copies the known fields, and finds misspelled names of known fields. */
function readFields(input: unknown): {
  readonly fields: { [F in keyof Shape]?: unknown };
  readonly issues: readonly SessionPolicyIssue[];
} {
  const fields = readRecord(input, FIELDS);
  if (fields === undefined || !isRecord(input)) {
    return {
      fields: {},
      issues: [
        {
          path: [],
          message:
            "The storage configuration must be an object. Pass one, with fields like roleArn.",
        },
      ],
    };
  }
  for (const field of LIST_FIELDS) {
    // An array with holes is not a list; false makes the schema say so.
    if (Array.isArray(fields[field])) fields[field] = readList(fields[field]) ?? false;
  }
  const names = Object.keys(input);
  if (names.includes("storageConfigInfo")) {
    const message =
      "belongs to a catalog. Pass storageConfigOf(catalog), which knows its base location.";
    return { fields, issues: [{ path: ["storageConfigInfo"], message }] };
  }
  const unknown = names.filter((name) => !FIELD_NAMES.has(name));
  const issues = unknown.flatMap((name) => {
    const known = name.length <= LONGEST_NAME ? FIELD_OF_SPELLING.get(spelling(name)) : undefined;
    if (known === undefined) return [];
    return [
      { path: [name], message: `is not a field of a storage configuration. Write ${known}.` },
    ];
  });
  if (issues.length === 0 && names.length > 0 && unknown.length === names.length) {
    if (Object.keys(fields).length === 0) {
      const message =
        "This object has no field of a storage configuration. Pass one, with fields like roleArn and allowedLocations.";
      return { fields, issues: [{ path: [], message }] };
    }
  }
  return { fields, issues: issues.slice(0, MOST_ISSUES) };
}

/** No spelling of a field is longer, with separators between its words. */
const LONGEST_NAME = 64;

/** Returns a field's name without case, separators and the plural's s, which people write differently. */
function spelling(name: string): string {
  return name
    .toLowerCase()
    .replace(/[_\s.-]/g, "")
    .replace(/s$/, "");
}

const FIELD_NAMES: ReadonlySet<string> = new Set(FIELDS);
const FIELD_OF_SPELLING: ReadonlyMap<string, string> = new Map(
  FIELDS.map((field) => [spelling(field), field]),
);

/**
 * Reads a configuration whose fields have the right types.
 *
 * 1. Read the endpoints. They tell whether this is AWS, where keys and bucket names have strict forms.
 * 2. Read the partition from the role, else the region, else the first key.
 * 3. Read the keys that encrypt first, so that a key of both kinds encrypts.
 * 4. Read the allowed locations. One that no session can use, for example `s3://*`, allows nothing.
 *
 * Example: role `arn:aws:iam::1:role/x`, encryptionKeys [K1], decryptionKeys [K1, K2]. K1 encrypts, K2
 * does not, and both must be keys of partition aws.
 *
 * @returns `config` is undefined if there are issues.
 */
function readConfig(input: Shape): {
  readonly config: StorageConfig | undefined;
  readonly issues: readonly SessionPolicyIssue[];
} {
  const issues: SessionPolicyIssue[] = [];
  const wrong = (path: SessionPolicyIssue["path"], message: string) => {
    issues.push({ path, message });
  };

  let onAws = true;
  for (const field of ["endpoint", "endpointInternal", "stsEndpoint"] as const) {
    const url = input[field];
    if (url == null) continue;
    const endpoint = parseEndpoint(url);
    // A policy needs no endpoint, and Polaris vends with one without a scheme. But no STS can be reached so.
    if (endpoint === undefined || (field === "stsEndpoint" && !endpoint.hasScheme)) {
      wrong([field], "must be a URL with a host, like https://s3.example.com:9000.");
    } else if (!endpoint.onAws) {
      onAws = false;
    }
  }
  if (input.region != null && !/^[\w-]+$/.test(input.region)) {
    wrong(
      ["region"],
      "must be the name of a region, like us-west-2. Leave it out if there is none.",
    );
  }
  const role = input.roleArn == null ? undefined : parseRoleArn(input.roleArn);
  if (input.roleArn != null && role === undefined) {
    wrong(["roleArn"], "must be a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME.");
  }

  const found = new Map<string, KmsKey>();
  const readKey = (arn: string, encrypts: boolean, path: SessionPolicyIssue["path"]) => {
    if (found.has(arn)) return;
    const key = parseKmsKeyArn(arn, onAws);
    if (typeof key === "string") wrong(path, key);
    else found.set(arn, { arn, partition: key.partition, region: key.region, encrypts, path });
  };
  if (input.kmsUnavailable !== true) {
    if (input.currentKmsKey != null) {
      readKey(input.currentKmsKey, true, ["currentKmsKey"]);
    }
    for (const field of ["encryptionKeys", "allowedKmsKeys", "decryptionKeys"] as const) {
      const encrypts = field === "encryptionKeys";
      for (const [i, arn] of (input[field] ?? []).entries()) {
        readKey(arn, encrypts, [field, i]);
      }
    }
  }

  const [first] = found.values();
  // For stores outside AWS neither region nor keys tell the partition: those stores know aws only.
  const home =
    role?.partition ||
    (onAws ? partitionOfRegion(input.region ?? "") || first?.partition : undefined) ||
    "aws";
  for (const { partition, path } of onAws ? found.values() : []) {
    if (partition === home) continue;
    wrong(
      path,
      "is a key of another partition than the role, the region or the other keys. Configure a key of the bucket's partition.",
    );
  }

  const allowed = input.allowedLocations?.flatMap((uri, i) => {
    const place = placeOf(uri, onAws);
    if (place !== undefined) return [place];
    if (!/^s3[an]?:\/\/[^/]/i.test(uri)) wrong(["allowedLocations", i], faultOf(uri, onAws));
    return [];
  });

  if (issues.length > 0) return { config: undefined, issues };
  return {
    issues,
    config: {
      partition: isAwsPartition(home) ? home : "aws",
      onAws,
      keys: [...found.values()].sort((a, b) => (a.arn < b.arn ? -1 : 1)),
      allowedPlaces: allowed && outermost(allowed),
      fields: input,
    },
  };
}
