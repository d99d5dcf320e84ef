/**
 * What a session was made of, and the questions that a diagnosis asks of it.
 *
 * Whether a request is allowed is asked of the policy itself, built of the few locations around the
 * request: a diagnosis never models what a profile or an option grants, and a thousand locations cost
 * no more than ten.
 * @module
 */
import { isAllowedIfValid } from "../analysis/decide.ts";
import { reading, SessionPolicyError } from "../errors.ts";
import { isRecord, readList, readRecord } from "../input.ts";
import { ACCESSES, type Access, type Locations, placeOf } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { PolicyDocument, Statement } from "../policy.ts";
import { createSessionPolicyBuilder } from "../session-policy.ts";
import { roleStatementsOf } from "../setup/role-policy.ts";
import { readStorage } from "../setup/storage.ts";
import { type AwsStorageConfig, parseStorageConfig } from "../storage-config.ts";

/** The fields of a storage configuration that hold keys. */
export type KeyField = "currentKmsKey" | "allowedKmsKeys" | "encryptionKeys" | "decryptionKeys";

/** The lists among them. */
const KEY_LISTS = ["allowedKmsKeys", "encryptionKeys", "decryptionKeys"] as const;

/** What the session was made of, as far as it was passed in. */
export interface Session {
  /** Without the keys that are aliases. */
  readonly config: AwsStorageConfig | undefined;
  readonly aliases: readonly { readonly field: KeyField; readonly alias: string }[];
  readonly options: SessionPolicyOptions;
  /** The locations by place; undefined if they were not passed in. */
  readonly places: ReadonlyMap<string, Granted> | undefined;
  /** The places in code-unit order. */
  readonly sorted: readonly string[];
  /** The accesses that the session has anywhere. */
  readonly accesses: readonly Access[];
  /** The policy of some of the session's locations. */
  readonly build: (locations: Locations) => PolicyDocument;
  /** A policy of the same configuration that reads and writes somewhere, for questions about keys. */
  readonly keys: PolicyDocument;
  /** The policy of what the session has for keys; undefined if the locations are not known. */
  readonly ownKeys: PolicyDocument | undefined;
  /** The length of the session's policy. */
  readonly policyLength: number | undefined;
  readonly partition: string;
  /** The place of a location in this store; undefined if there is something wrong with it. */
  readonly placeOf: (uri: string) => string | undefined;
  /** The catalog's allowed places, none inside another, in code-unit order; undefined if all are. */
  readonly allowed: readonly string[] | undefined;
  /** The statements of the role's policy for an action; none where locations are not restricted. */
  readonly roleStatements: (action: string) => readonly Statement[];
}

/** What a session has at a place. */
export interface Granted {
  /** The location as it was passed in. */
  readonly uri: string;
  readonly accesses: readonly Access[];
}

/** Reads the input. */
export function sessionOf(
  storageConfig: AwsStorageConfig | undefined,
  locations: Locations | undefined,
  options: SessionPolicyOptions | undefined,
): Session {
  const { config, aliases } = withoutAliases(storageConfig);
  const unlimited = reading("INVALID_OPTIONS", "The options", () => ({
    ...options,
    maxLength: Number.POSITIVE_INFINITY,
  }));
  const anywhere = createSessionPolicyBuilder({ ...config, allowedLocations: null }, unlimited);
  const asked = reading("INVALID_LOCATION", "The locations", () => copyOf(locations));
  const own = asked && createSessionPolicyBuilder(config ?? {}, unlimited)(asked);
  const parsed = config && parseStorageConfig(config);
  const placeIn = (uri: string) => placeOf(uri, parsed?.onAws);
  const { places, sorted, accesses } = locationsOf(asked, placeIn);
  const keyPolicy = (held: readonly Access[]) =>
    anywhere(Object.fromEntries(held.map((access) => [access, ["s3://any"]])));
  const partition = /"(arn:[^:"]+):s3:::/.exec(
    JSON.stringify(anywhere({ read: ["s3://any"] })),
  )?.[1];
  const allowed = parsed?.allowedPlaces;
  return {
    config,
    aliases,
    options: unlimited,
    places,
    sorted,
    accesses,
    build: anywhere,
    keys: keyPolicy(["read", "write"]),
    ownKeys: asked && keyPolicy(accesses),
    policyLength: own && JSON.stringify(own).length,
    partition: partition ?? "arn:aws",
    placeOf: placeIn,
    allowed,
    roleStatements:
      config === undefined || allowed === undefined || allowed.length === 0
        ? () => []
        : roleStatementsOf(readStorage(config), allowed, unlimited),
  };
}

/** Reads each list once, and never by an iterator of the caller's. */
function copyOf(locations: Locations | undefined): Locations | undefined {
  if (!isRecord(locations)) return locations;
  const names = new Set([...ACCESSES, ...Object.keys(locations)]);
  const lists = readRecord(locations, [...names]) ?? {};
  return Object.fromEntries(
    Object.entries(lists).map(([access, list]) => [access, readList(list) ?? list]),
  ) as Locations;
}

function locationsOf(
  locations: Locations | undefined,
  placeIn: Session["placeOf"],
): Pick<Session, "places" | "sorted" | "accesses"> {
  if (locations === undefined) return { places: undefined, sorted: [], accesses: [] };
  const places = new Map<string, { uri: string; accesses: Access[] }>();
  const accesses = new Set<Access>();
  for (const access of ACCESSES) {
    for (const uri of locations[access] ?? []) {
      const place = placeIn(uri);
      if (place === undefined) continue;
      accesses.add(access);
      const known = places.get(place);
      if (known === undefined) places.set(place, { uri, accesses: [access] });
      else if (!known.accesses.includes(access)) known.accesses.push(access);
    }
  }
  return { places, sorted: [...places.keys()].sort(), accesses: [...accesses] };
}

const ALIAS = /^(?:arn:[^:]*:kms:[^:]*:[^:]*:)?alias\//;

/** Takes the aliases out of a configuration, if nothing else is wrong with it. */
function withoutAliases(
  storageConfig: AwsStorageConfig | undefined,
): Pick<Session, "config" | "aliases"> {
  if (storageConfig == null) return { config: undefined, aliases: [] };
  try {
    parseStorageConfig(storageConfig);
    return { config: storageConfig, aliases: [] };
  } catch (error) {
    if (!(error instanceof SessionPolicyError)) throw error;
    const isAlias = (key: unknown): key is string => typeof key === "string" && ALIAS.test(key);
    const { currentKmsKey } = storageConfig;
    const listed = KEY_LISTS.map((field) => ({ field, keys: storageConfig[field] }));
    const keyAt = ([field, i]: readonly (string | number)[]) =>
      field === "currentKmsKey"
        ? currentKmsKey
        : listed.find((list) => list.field === field)?.keys?.[Number(i)];
    if (!error.issues.every(({ path }) => isAlias(keyAt(path)))) throw error;
    const aliases: { field: KeyField; alias: string }[] = [];
    if (isAlias(currentKmsKey)) aliases.push({ field: "currentKmsKey", alias: currentKmsKey });
    const kept: { [Field in KeyField]?: readonly string[] } = {};
    for (const { field, keys } of listed) {
      if (keys == null) continue;
      for (const alias of keys.filter(isAlias)) aliases.push({ field, alias });
      kept[field] = keys.filter((key) => !isAlias(key));
    }
    const config = {
      ...storageConfig,
      ...kept,
      currentKmsKey: isAlias(currentKmsKey) ? null : currentKmsKey,
    };
    return { config, aliases };
  }
}

/** The places around a key or prefix, the outermost first: `bucket/`, `bucket/a/`, `bucket/a/b/`. */
function placesAround(bucket: string, key: string): string[] {
  const around = [`${bucket}/`];
  for (let slash = key.indexOf("/"); slash >= 0; slash = key.indexOf("/", slash + 1)) {
    around.push(`${bucket}/${key.slice(0, slash + 1)}`);
  }
  // A location's own name is a key and a prefix as well.
  if (key !== "" && !key.endsWith("/")) around.push(`${bucket}/${key}/`);
  return around;
}

/** What the session has around a key, the outermost first. */
export function grantsAround({ places }: Session, bucket: string, key: string): Granted[] {
  if (places === undefined) return [];
  return placesAround(bucket, key).flatMap((place) => places.get(place) ?? []);
}

/** Whether the session's policy allows an action on an object, or to list a prefix. */
export function allows(
  session: Session,
  action: string,
  bucket: string,
  key: string | undefined,
  prefix?: string,
): boolean {
  const granted =
    key === undefined && prefix === undefined
      ? grantsIn(session, bucket)
      : grantsAround(session, bucket, key ?? prefix ?? "");
  if (granted.length === 0) return false;
  const locations: { [A in Access]?: string[] } = {};
  for (const { uri, accesses } of granted) {
    for (const access of accesses) locations[access] = [...(locations[access] ?? []), uri];
  }
  const resource = `${session.partition}:s3:::${bucket}${key === undefined ? "" : `/${key}`}`;
  const context = prefix === undefined ? {} : { context: { "s3:prefix": prefix } };
  return isAllowedIfValid(session.build(locations), { action, resource, ...context });
}

/** A few of the session's locations in a bucket: what is asked about the bucket itself needs no more. */
export function grantsIn(session: Session, bucket: string): Granted[] {
  const { sorted, places } = session;
  const from = firstNotBelow(sorted, `${bucket}/`);
  const found: Granted[] = [];
  for (let i = from; i < sorted.length && found.length < 50; i++) {
    const place = sorted[i] ?? "";
    if (!place.startsWith(`${bucket}/`)) break;
    const granted = places?.get(place);
    if (granted !== undefined) found.push(granted);
  }
  return found;
}

/** Whether a place lies around one that the session has, which granting it would widen. */
export function isAncestor({ sorted }: Session, place: string): boolean {
  const at = firstNotBelow(sorted, place);
  const next = sorted[at] === place ? sorted[at + 1] : sorted[at];
  return next?.startsWith(place) === true;
}

function firstNotBelow(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a place lies inside the catalog's allowed locations; true where they are not restricted. */
export function isInCatalog({ allowed }: Session, place: string): boolean {
  if (allowed === undefined) return true;
  // Only the last one that is not behind the place can contain it.
  const at = firstNotBelow(allowed, place);
  return allowed[at] === place || place.startsWith(allowed[at - 1] ?? " ");
}

/** Whether a place lies around an allowed location of the catalog. */
export function isAroundCatalog({ allowed = [] }: Session, place: string): boolean {
  return allowed[firstNotBelow(allowed, place)]?.startsWith(place) === true;
}

/** The buckets that the catalog and the session have. */
export function bucketsOf({ allowed = [], sorted }: Session): ReadonlySet<string> {
  return new Set([...allowed, ...sorted].map((place) => place.slice(0, place.indexOf("/"))));
}
