/**
 * Reads files, JSON, catalogs and policies.
 * @module
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import {
  type AwsStorageConfig,
  type Locations,
  SessionPolicyError,
  type SessionPolicyOptions,
  storageConfigOf,
} from "polaris-session-policy";
import type { PolicyInput } from "polaris-session-policy/analysis";
import {
  fieldsOf,
  LOCATIONS,
  listOf,
  OPTIONS,
  STORAGE_CONFIG,
  textOf,
  type Values,
} from "./options.ts";
import { UsageError } from "./usage-error.ts";

/** More than any log that a person pastes, and little enough for memory. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Policies and catalogs are nested six levels deep. */
const MOST_LEVELS = 100;

/** The input of a session, from the flags. */
export interface SessionInput {
  /** Undefined if no flag sets a configuration. */
  readonly config: AwsStorageConfig | undefined;
  /** Undefined if no location was given. */
  readonly locations: Locations | undefined;
  readonly options: SessionPolicyOptions;
}

export async function sessionFrom(values: Values): Promise<SessionInput> {
  const locations = fieldsOf(LOCATIONS, values);
  return {
    config: await configFrom(values),
    locations: Object.keys(locations).length > 0 ? locations : undefined,
    options: fieldsOf(OPTIONS, values),
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Returns the storage configuration of `--config`, with the fields that flags replace. */
export async function configFrom(values: Values): Promise<AwsStorageConfig | undefined> {
  const file = textOf(values, "config");
  const name = textOf(values, "catalog");
  const document = file === undefined ? undefined : oneOf(await readCatalogs(file), file, name);
  return withFlags(document, values);
}

/**
 * Returns the storage configuration of a document, with the fields that flags replace. A catalog, and
 * --default-base-location, follow Polaris' rules for the base location.
 */
export function withFlags(
  document: Json | undefined,
  values: Values,
): AwsStorageConfig | undefined {
  const flags = fieldsOf(STORAGE_CONFIG, values);
  const base = textOf(values, "default-base-location");
  if (document === undefined && base === undefined && Object.keys(flags).length === 0) {
    return undefined;
  }
  const { storageConfigInfo, properties } = document ?? {};
  const isCatalog = isRecord(storageConfigInfo);
  const config: AwsStorageConfig = { ...(isCatalog ? storageConfigInfo : document), ...flags };
  if (!isCatalog && base === undefined) return config;
  try {
    return storageConfigOf({
      properties: {
        ...(isRecord(properties) ? properties : {}),
        ...(base === undefined ? {} : { "default-base-location": base }),
      },
      storageConfigInfo: config,
    });
  } catch (error) {
    // diagnose explains a key that is an alias. Every other command refuses the configuration later.
    if (error instanceof SessionPolicyError && error.code === "INVALID_KMS_KEY") return config;
    throw error;
  }
}

/** Chooses the catalog of that name, or the only one. */
export function oneOf(documents: readonly Json[], file: string, name: string | undefined): Json {
  // A storage configuration has no name.
  const named = documents.filter((document) => name === undefined || document["name"] === name);
  const [only = documents[0], ...others] = named;
  if (only === undefined)
    throw new UsageError(
      `${nameOf(file)} holds no catalog. Give a catalog or a storage configuration.`,
    );
  if (others.length > 0) {
    throw new UsageError(
      `${nameOf(file)} holds ${named.length} catalogs${name === undefined ? "" : " of that name"}. Choose one with --catalog NAME.`,
    );
  }
  if (named.length === 0 && (documents.length > 1 || "storageConfigInfo" in only)) {
    throw new UsageError(
      `${nameOf(file)} holds no catalog of that name. Give --catalog one of the names in it.`,
    );
  }
  return only;
}

/**
 * Reads catalogs or storage configurations: one, a list, a response of the management API, or what
 * `polaris catalogs list` prints, a JSON object a line.
 */
export async function readCatalogs(file: string): Promise<Json[]> {
  const text = await read(file);
  const whole = parseJson(text);
  const documents =
    whole === undefined
      ? text
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map(parseJson)
      : [whole];
  if (documents.length === 0 || documents.includes(undefined)) {
    throw new UsageError(`${nameOf(file)} is not JSON. Give a catalog or a storage configuration.`);
  }
  return documents.flatMap((document) => catalogsIn(document, file));
}

function catalogsIn(document: unknown, file: string): Json[] {
  const list = isRecord(document) ? document["catalogs"] : document;
  if (Array.isArray(list)) return list.flatMap((one) => catalogsIn(one, file));
  if (!isRecord(document)) {
    throw new UsageError(
      `${nameOf(file)} must hold JSON objects. Give a catalog or a storage configuration.`,
    );
  }
  const { catalog } = document;
  return [isRecord(catalog) ? catalog : document];
}

/**
 * Reads a policy: a document, or what the aws command prints. With `--query Policy` the command prints a
 * string of JSON, and IAM's API returns it URL-encoded.
 */
export async function readPolicy(file: string): Promise<PolicyInput> {
  const text = await read(file);
  if (/^\s*%7B/i.test(text)) return text;
  const policy = parseJson(text);
  // The parser's own message repeats what it read.
  if (policy === undefined) {
    throw new UsageError(`${nameOf(file)} is not JSON. Give a policy document.`);
  }
  if (typeof policy === "string") return policy;
  if (!isRecord(policy)) {
    throw new UsageError(`${nameOf(file)} holds no policy. Give a JSON object with a Statement.`);
  }
  return policy as PolicyInput;
}

/** Returns what a text holds; undefined if it is not JSON. */
function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) {
      throw new UsageError(
        `The JSON is nested deeper than ${MOST_LEVELS} levels. Give a policy, a catalog or a storage configuration.`,
      );
    }
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null ? Object.values(one) : [],
    );
  }
  return value;
}

/** Reads a text file or standard input, in UTF-8, or in UTF-16 as PowerShell redirects it. */
export async function read(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = file === "-" ? process.stdin : createReadStream(file);
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > MOST_BYTES) break;
      chunks.push(bytes);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new UsageError(`${nameOf(file)} can't be read (${code}). Name a readable file.`);
  }
  if (size > MOST_BYTES) {
    const most = MOST_BYTES / 1024 / 1024;
    throw new UsageError(`${nameOf(file)} is longer than ${most} MiB. Give the part that matters.`);
  }
  const bytes = Buffer.concat(chunks);
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

/** Tells the encoding by the byte-order mark, or by the empty half of the first letter. */
function encodingOf([first, second]: Buffer): string {
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0 && second) return "utf-16be";
  return first && second === 0 ? "utf-16le" : "utf-8";
}

/** Makes sure that standard input is named at most once, because it can be read only once. */
export function readOnce(...files: readonly (string | undefined)[]): void {
  if (files.filter((file) => file === "-").length > 1) {
    throw new UsageError("Only one of the files can be standard input. Name the others.");
  }
}

export function nameOf(file: string): string {
  if (file === "") return "A file without a name";
  return file === "-" ? "Standard input" : file;
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the condition keys of `--context KEY=VALUE`, with their values in order. */
export function contextFrom(values: Values): Readonly<Record<string, readonly string[]>> {
  const context: Record<string, string[]> = Object.create(null);
  for (const pair of listOf(values, "context")) {
    const at = pair.indexOf("=");
    if (at < 1)
      throw new UsageError("--context needs a key and a value. Write --context KEY=VALUE.");
    const key = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const present = context[key];
    if (present === undefined) context[key] = [value];
    else present.push(value);
  }
  return context;
}
