/**
 * The flags of the command line. Each flag is a row: how it is written, its help, and the field that it
 * sets. Parsing and help use the rows.
 *
 * Flags that Polaris' command line has too have its names.
 * @see https://polaris.apache.org/releases/1.7.0/command-line-interface/
 * @module
 */
import type {
  AwsStorageConfig,
  Locations,
  SessionContext,
  SessionPolicyOptions,
  SessionSettings,
} from "polaris-session-policy";
import { UsageError } from "./usage-error.ts";

/** A row: `--name VALUE`, or a switch if it takes no value. */
export interface Flag<Field extends string = string> {
  readonly name: string;
  /** The placeholder for the value in the help. A flag without it is a switch. */
  readonly value?: string;
  readonly repeats?: true;
  /** Whether several values may follow it: everything up to the next option. */
  readonly many?: true;
  readonly help: string;
  /** The field that the flag sets. Flags without one are read by their command. */
  readonly field?: Field;
  /** What a switch sets, or how a value's text becomes the field. */
  readonly sets?: boolean | ((text: string) => unknown);
}

/** Flags that are grouped in the help, and set fields of one object. */
export interface FlagGroup<Fields extends object = Readonly<Record<string, unknown>>> {
  readonly title: string;
  readonly flags: readonly Flag<keyof Fields & string>[];
}

export const STORAGE_CONFIG: FlagGroup<AwsStorageConfig> = {
  title: "Storage configuration (flags replace fields of the file):",
  flags: [
    {
      name: "config",
      value: "FILE|-",
      help: "storage configuration, catalog, or what `polaris catalogs list` prints",
    },
    { name: "catalog", value: "NAME", help: "the catalog to take if the file holds several" },
    {
      name: "storage-type",
      value: "TYPE",
      help: "s3",
      field: "storageType",
      // Other types are refused by the library, in its own words.
      sets: (type) => type.toUpperCase(),
    },
    {
      name: "storage-name",
      value: "NAME",
      help: "the name of the credentials that Polaris uses",
      field: "storageName",
    },
    { name: "role-arn", value: "ARN", help: "the role that sessions assume", field: "roleArn" },
    { name: "region", value: "REGION", help: "the region of bucket and keys", field: "region" },
    {
      name: "external-id",
      value: "ID",
      help: "the external id that the role's trust demands",
      field: "externalId",
    },
    {
      name: "user-arn",
      value: "ARN",
      help: "the identity of the catalog server",
      field: "userArn",
    },
    {
      name: "endpoint",
      value: "URL",
      help: "the endpoint of an S3-compatible store",
      field: "endpoint",
    },
    {
      name: "endpoint-internal",
      value: "URL",
      help: "the endpoint that the catalog server uses",
      field: "endpointInternal",
    },
    {
      name: "sts-endpoint",
      value: "URL",
      help: "the endpoint of the store's STS",
      field: "stsEndpoint",
    },
    {
      name: "path-style-access",
      help: "put bucket names into the path of URLs",
      field: "pathStyleAccess",
    },
    {
      name: "allowed-location",
      value: "URI",
      repeats: true,
      help: "where tables may lie",
      field: "allowedLocations",
    },
    {
      name: "default-base-location",
      value: "URI",
      help: "the allowed location if none is given, as in Polaris",
    },
    {
      name: "encryption-key",
      value: "ARN",
      repeats: true,
      help: "encrypts and decrypts (Polaris 1.8.0)",
      field: "encryptionKeys",
    },
    {
      name: "decryption-key",
      value: "ARN",
      repeats: true,
      help: "decrypts only (Polaris 1.8.0)",
      field: "decryptionKeys",
    },
    {
      name: "current-kms-key",
      value: "ARN",
      help: "encrypts new data (up to Polaris 1.7.0)",
      field: "currentKmsKey",
    },
    {
      name: "allowed-kms-key",
      value: "ARN",
      repeats: true,
      help: "decrypts old data (up to Polaris 1.7.0)",
      field: "allowedKmsKeys",
    },
    { name: "no-kms", help: "the store has no KMS", field: "kmsUnavailable" },
    { name: "no-sts", help: "the store has no STS", field: "stsUnavailable" },
  ],
};

export const LOCATIONS: FlagGroup<Locations> = {
  title: "What the session may do, with s3://bucket/prefix:",
  flags: [
    { name: "read", value: "URI", repeats: true, help: "get objects", field: "read" },
    { name: "list", value: "URI", repeats: true, help: "list objects", field: "list" },
    { name: "write", value: "URI", repeats: true, help: "put objects", field: "write" },
    { name: "delete", value: "URI", repeats: true, help: "delete objects", field: "delete" },
  ],
};

export const OPTIONS: FlagGroup<SessionPolicyOptions> = {
  title: "Options:",
  flags: [
    {
      name: "profile",
      value: "NAME",
      help: "least-privilege (default) or polaris",
      field: "profile",
    },
    {
      name: "max-length",
      value: "N",
      help: "2048 by default, the limit of STS; Infinity is allowed",
      field: "maxLength",
      sets: (text) => numberFrom("max-length", text),
    },
    {
      name: "object-versions",
      help: "read also gets older versions of objects",
      field: "objectVersions",
    },
    {
      name: "abort-multipart-uploads",
      help: "write also aborts uploads",
      field: "abortMultipartUploads",
    },
    {
      name: "list-multipart-uploads",
      help: "write also lists the parts of uploads",
      field: "listMultipartUploads",
    },
    {
      name: "object-tags",
      help: "read also gets tags of objects, write puts them",
      field: "objectTags",
    },
    { name: "object-acls", help: "write also puts ACLs of objects", field: "objectAcls" },
    {
      name: "bare-paths",
      help: "grant the location's name without a slash too, for S3A",
      field: "barePaths",
    },
    {
      name: "no-kms-via-service",
      help: "do not limit keys to requests of S3",
      field: "kmsViaService",
      sets: false,
    },
  ],
};

export const SESSION_SETTINGS: FlagGroup<SessionSettings> = {
  title: "The session's name and tags, as Polaris makes them:",
  flags: [
    {
      name: "name-field",
      value: "FIELD",
      repeats: true,
      help: "realm, catalog, namespace, table, principal or prefix-X",
      field: "nameFields",
    },
    {
      name: "tag-field",
      value: "FIELD",
      repeats: true,
      help: "realm, catalog, namespace, table, principal, roles or trace_id",
      field: "tagFields",
    },
    {
      name: "include-principal",
      help: "name the session by its principal",
      field: "includePrincipal",
    },
    {
      name: "duration",
      value: "SECONDS",
      help: "900 to 43200, 3600 by default",
      field: "durationSeconds",
      sets: (text) => numberFrom("duration", text),
    },
  ],
};

export const SESSION_CONTEXT: FlagGroup<SessionContext> = {
  title: "Values for the session's name and tags (--catalog is one too):",
  flags: [
    { name: "realm", value: "NAME", help: "Polaris' realm", field: "realm" },
    { name: "namespace", value: "NAME", help: "the table's namespace", field: "namespace" },
    { name: "table", value: "NAME", help: "the table", field: "table" },
    { name: "principal", value: "NAME", help: "the principal that asks", field: "principal" },
    { name: "role", value: "NAME", repeats: true, help: "its principal roles", field: "roles" },
    { name: "trace-id", value: "ID", help: "the trace id of the request", field: "traceId" },
  ],
};

/** How a document is written. */
export const FORM: FlagGroup = {
  title: "Output:",
  flags: [
    { name: "pretty", help: "readable; the default on a terminal" },
    { name: "compact", help: "minified; the default in a pipe" },
  ],
};

export const EVERY_COMMAND: FlagGroup = {
  title: "",
  flags: [
    { name: "json", help: "the answer as JSON" },
    { name: "help", help: "this text" },
  ],
};

/** The values on the command line, by the flags' names. */
export type Values = Readonly<Record<string, true | string | readonly string[] | undefined>>;

export interface Arguments {
  readonly values: Values;
  readonly files: readonly string[];
}

/**
 * Reads a command's arguments by the rows of its flags. Node's parseArgs takes time to the square:
 * 10 seconds for 60,000 arguments.
 *
 * @throws UsageError for an unknown flag, a value that is missing, unexpected or given twice
 */
export function parseArguments(args: readonly string[], groups: readonly FlagGroup[]): Arguments {
  const flags = new Map(groups.flatMap((group) => group.flags).map((flag) => [flag.name, flag]));
  const values: Record<string, true | string | string[]> = Object.create(null);
  const files: string[] = [];
  let onlyFiles = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const option = onlyFiles ? null : /^(--?([^-=][^=]*))(?:=(.*))?$/s.exec(arg);
    if (option === null) {
      if (arg === "--" && !onlyFiles) onlyFiles = true;
      else files.push(arg);
      continue;
    }
    const [, written = "", name = "", inline] = option;
    const flag = written.startsWith("--") ? flags.get(name) : undefined;
    if (flag === undefined) {
      const names = [...flags.keys()];
      throw new UsageError(`Unknown option "${written}". ${suggestion(name, names, "--")}`);
    }
    if (flag.value === undefined) {
      if (inline !== undefined) throw new UsageError(`${written} takes no value. Leave it out.`);
      values[name] = true;
      continue;
    }
    const isValue = (text: string | undefined) => text !== undefined && !/^-./.test(text);
    const value = inline ?? args[++i];
    if (value === undefined || (inline === undefined && !isValue(value))) {
      throw new UsageError(`${written} has no value. Write ${written} ${flag.value}.`);
    }
    const more: string[] = [];
    while (flag.many && isValue(args[i + 1])) more.push(args[++i] ?? "");
    const present = values[name];
    if (Array.isArray(present)) present.push(value, ...more);
    else if (present !== undefined)
      throw new UsageError(`${written} is given twice. Give it once.`);
    else values[name] = flag.repeats ? [value, ...more] : value;
  }
  return { values, files };
}

/** Returns the fields that a group's flags set. Flags that were not given set none. */
export function fieldsOf<Fields extends object>(
  { flags }: FlagGroup<Fields>,
  values: Values,
): Partial<Fields> {
  const fields: Partial<Record<string, unknown>> = {};
  for (const { name, field, sets } of flags) {
    const value = values[name];
    if (field === undefined || value === undefined) continue;
    fields[field] =
      typeof sets === "function" ? sets(String(value)) : value === true ? (sets ?? true) : value;
  }
  return fields as Partial<Fields>;
}

export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

export function listOf(values: Values, name: string): readonly string[] {
  const value = values[name];
  return typeof value === "object" ? value : [];
}

function numberFrom(name: string, text: string): number {
  if (!/^(?:\d+|Infinity)$/.test(text))
    throw new UsageError(`--${name} is not a number. Write a whole number.`);
  return Number(text);
}

/** Writes the flags of a group for the help, a row each. */
export function helpOf({ title, flags }: FlagGroup): string {
  const rows = flags.map(({ name, value, repeats, help }) => {
    const written = `--${name}${value === undefined ? "" : ` ${value}`}`;
    return `  ${written.padEnd(30)} ${help}${repeats ? "; may repeat" : ""}`;
  });
  return [title, ...rows].filter((line) => line !== "").join("\n");
}

/** Returns the sentence that names the nearest of the known names, or all of them. */
export function suggestion(name: string, known: readonly string[], prefix = ""): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= Math.max(1, name.length / 2))
    .sort((a, b) => a.distance - b.distance);
  if (nearest !== undefined) return `Did you mean "${prefix}${nearest.candidate}"?`;
  const names = known.map((one) => prefix + one);
  return `Use ${names.slice(0, -1).join(", ")} or ${names.at(-1)}.`;
}

/**
 * Counts the letters to insert, delete or replace between two names. A package for these lines
 * would be a third runtime dependency.
 */
function editDistance(a: string, b: string): number {
  // No flag is longer, so a longer name is near to no flag.
  if (a.length > 64) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
