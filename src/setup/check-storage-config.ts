/**
 * Finds settings of a storage configuration that are valid, but likely a mistake.
 * @module
 */
import { getOrInsertComputed } from "../analysis/memo.ts";
import { parseEndpoint } from "../arn.ts";
import { type Locations, outermost, placeOf } from "../locations.ts";
import { escapePattern, serializedLength, serializePolicy } from "../policy.ts";
import { createSessionPolicyBuilder } from "../session-policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { type ReadStorage, readStorage } from "./storage.ts";

/** Stable identifiers of findings. Messages may be reworded, codes are not. */
export type FindingCode =
  | "KEY_IN_OTHER_REGION"
  | "CURRENT_KEY_REPEATED"
  | "SEVERAL_KEYS_ONE_WRITES"
  | "NO_EXTERNAL_ID"
  | "WHOLE_BUCKET"
  | "OVERLAPPING_LOCATIONS"
  | "KMS_UNAVAILABLE_WITH_KEYS"
  | "NO_REGION"
  | "HTTP_ENDPOINT"
  | "AWS_ROLE_OTHER_STORE"
  | "NOT_A_ROLE"
  | "FEW_TABLES_FIT";

/** One thing that a check found. It repeats no value of the configuration. */
export interface Finding {
  readonly code: FindingCode;
  /** `error`: no session works. `warning`: some sessions fail, or may do too much. `info`: worth knowing. */
  readonly severity: "error" | "warning" | "info";
  /** The field, e.g. `["allowedKmsKeys", 1]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly remedy: string;
}

/**
 * Checks a valid storage configuration for likely mistakes. A sound configuration (one region, an external
 * id, prefixes in its locations) has no finding.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @returns the findings, errors first.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
 * @example
 * ```ts
 * import { checkStorageConfig } from "polaris-session-policy/setup";
 *
 * const findings = checkStorageConfig({
 *   roleArn: "arn:aws:iam::123456789012:role/polaris",
 *   region: "us-west-2",
 *   allowedLocations: ["s3://wh-bucket/db"],
 * });
 * findings.map(({ code }) => code);
 * // ["NO_EXTERNAL_ID"]
 * ```
 */
export function checkStorageConfig(storageConfig: AwsStorageConfig): Finding[] {
  const storage = readStorage(storageConfig);
  const findings = [
    ...roleFindings(storage),
    ...storeFindings(storage),
    ...keyFindings(storage),
    ...locationFindings(storage),
  ];
  const order = ["error", "warning", "info"];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function roleFindings({ fields, config }: ReadStorage): Finding[] {
  const { roleArn, externalId } = fields;
  if (roleArn == null || roleArn === "") return [];
  const findings: Finding[] = [];
  if (!/:role\//.test(roleArn)) {
    findings.push({
      code: "NOT_A_ROLE",
      severity: "error",
      path: ["roleArn"],
      message: "The ARN does not name a role, and AssumeRole takes only roles.",
      remedy: "Configure the role's own ARN, arn:PARTITION:iam::ACCOUNT:role/NAME.",
    });
  }
  if (!config.onAws) {
    // AWS' accounts have 12 digits. Ceph and others leave the account empty, or name a tenant there.
    if (/^arn:aws[a-z-]*:iam::\d{12}:/.test(roleArn)) {
      findings.push({
        code: "AWS_ROLE_OTHER_STORE",
        severity: "warning",
        path: ["roleArn"],
        message: "The role is one of AWS, and the endpoint is outside AWS.",
        remedy:
          "Configure a role that the store knows, or no role if the store needs none. Remove endpoint if the buckets are on AWS.",
      });
    }
  } else if (externalId == null || externalId === "") {
    findings.push({
      code: "NO_EXTERNAL_ID",
      severity: "warning",
      path: ["externalId"],
      message:
        "Without an external id, another user of the same catalog server can make the server assume this role.",
      remedy: "Choose an external id, and demand it in the role's trust policy (trustPolicy).",
    });
  }
  return findings;
}

function storeFindings({ fields, config }: ReadStorage): Finding[] {
  const findings: Finding[] = [];
  if (fields.region == null || fields.region === "") {
    findings.push({
      code: "NO_REGION",
      severity: config.onAws ? "warning" : "info",
      path: ["region"],
      message: "Engines get no region with their credentials, and some need one.",
      remedy: config.onAws
        ? "Configure the region of the buckets."
        : "Configure a region, for example us-east-1, here or in each engine.",
    });
  }
  for (const field of ["endpoint", "endpointInternal", "stsEndpoint"] as const) {
    const url = fields[field];
    if (url == null || !/^http:\/\//i.test(url)) continue;
    findings.push({
      code: "HTTP_ENDPOINT",
      severity: "warning",
      path: [field],
      message: `Requests to this endpoint${parseEndpoint(url)?.onAws ? " of AWS" : ""} are not encrypted.`,
      remedy: "Use https://.",
    });
  }
  return findings;
}

/** The fields that name keys. */
const KEY_LISTS = ["allowedKmsKeys", "encryptionKeys", "decryptionKeys"] as const;

/** The fields of a configuration that name keys, the deprecated ones and those of Polaris 1.8.0. */
type KeyFields = {
  readonly [F in (typeof KEY_LISTS)[number]]?: readonly string[] | null | undefined;
};

function keyFindings({ fields, config }: ReadStorage): Finding[] {
  const lists: KeyFields = fields;
  const { currentKmsKey, region } = fields;
  const named: { readonly arn: string; readonly path: Finding["path"] }[] = [];
  if (currentKmsKey != null) named.push({ arn: currentKmsKey, path: ["currentKmsKey"] });
  for (const field of KEY_LISTS) {
    lists[field]?.forEach((arn, i) => {
      named.push({ arn, path: [field, i] });
    });
  }
  if (named.length === 0) return [];
  if (fields.kmsUnavailable === true || String(fields.kmsUnavailable) === "true") {
    return [
      {
        code: "KMS_UNAVAILABLE_WITH_KEYS",
        severity: "warning",
        path: ["kmsUnavailable"],
        message: "KMS is unavailable, so sessions may use none of the keys that are configured.",
        remedy:
          "Set kmsUnavailable to false if the buckets are encrypted with KMS. Else remove the keys.",
      },
    ];
  }
  const findings: Finding[] = [];
  const reported = new Set<string>();
  const regions = new Map(config.keys.map((key) => [key.arn, key.region]));
  for (const { arn, path } of named) {
    const regionOfKey = regions.get(arn);
    if (!config.onAws || !region || regionOfKey === undefined || regionOfKey === region) continue;
    if (reported.has(arn)) continue;
    reported.add(arn);
    const isMultiRegion = arn.includes(":key/mrk-");
    findings.push({
      code: "KEY_IN_OTHER_REGION",
      severity: "warning",
      path,
      message: isMultiRegion
        ? "S3 uses keys of its bucket's region only. This ARN names the multi-Region key's replica in another region."
        : "S3 uses keys of its bucket's region only, and this key is in another region than the configuration.",
      remedy: isMultiRegion
        ? "Name the replica in the region of the bucket: the same key id, with that region in the ARN."
        : "Name a key in the region of the bucket. Ignore this if the catalog has a bucket in the key's region.",
    });
  }
  lists.allowedKmsKeys?.forEach((arn, i) => {
    if (arn !== currentKmsKey) return;
    findings.push({
      code: "CURRENT_KEY_REPEATED",
      severity: "info",
      path: ["allowedKmsKeys", i],
      message: "This is the current key, which sessions may decrypt with anyway.",
      remedy: "Remove it here. allowedKmsKeys is for keys of older data.",
    });
  });
  const buckets = new Set(config.allowedPlaces?.map((place) => place.split("/", 1)[0]));
  const older = lists.allowedKmsKeys?.some((arn) => arn !== currentKmsKey) ?? false;
  if (currentKmsKey != null && older && buckets.size > 1 && !lists.encryptionKeys?.length) {
    findings.push({
      code: "SEVERAL_KEYS_ONE_WRITES",
      severity: "info",
      path: ["allowedKmsKeys"],
      message:
        "The catalog has several buckets and several keys, and sessions can write with the current key only.",
      remedy:
        "If a bucket encrypts with another key by default, list that key in encryptionKeys (Polaris 1.8.0).",
    });
  }
  return findings;
}

/** Fewer tables in a session are a finding. */
const MANY_TABLES = 10;

function locationFindings({ fields, config: { onAws } }: ReadStorage): Finding[] {
  const findings: Finding[] = [];
  const places = (fields.allowedLocations ?? []).map((uri) => placeOf(uri, onAws));
  if (places.length === 0) return [];
  const tablesThatFit = fitting(fields, onAws);
  const outer = new Set(outermost(places.filter((place) => place !== undefined)));
  const seen = new Set<string>();
  places.forEach((place, i) => {
    if (place === undefined) return;
    const path = ["allowedLocations", i];
    if (!outer.has(place) || seen.has(place)) {
      findings.push({
        code: "OVERLAPPING_LOCATIONS",
        severity: "warning",
        path,
        message: "This location is repeated, or lies inside another one, which allows it already.",
        remedy: "Remove this location. Remove the outer one if only this was meant.",
      });
      return;
    }
    seen.add(place);
    if (place.endsWith("/") && place.indexOf("/") === place.length - 1) {
      findings.push({
        code: "WHOLE_BUCKET",
        severity: "warning",
        path,
        message: "Tables of this catalog may lie anywhere in the bucket.",
        remedy:
          "Allow the prefix that holds the catalog's tables, for example s3://BUCKET/warehouse.",
      });
    }
    const fit = tablesThatFit(place);
    if (fit >= MANY_TABLES) return;
    findings.push({
      code: "FEW_TABLES_FIT",
      severity: "info",
      path,
      message: `${fit} tables of this location fit into one session that reads, lists and writes them.`,
      remedy:
        "Shorten the location, or configure fewer keys. planSessionPolicies divides tables among sessions.",
    });
  });
  return findings;
}

/**
 * Returns a function that counts how many tables of a place fit one session of STS' size, up to ten. A
 * table's name has sixteen characters, its namespace's ten.
 */
function fitting(fields: AwsStorageConfig, onAws: boolean): (place: string) => number {
  const build = createSessionPolicyBuilder(
    { ...fields, allowedLocations: undefined },
    { maxLength: Infinity },
  );
  const fits = (locations: Locations) => serializePolicy(build(locations)).length <= STS_LIMIT;
  // No session is shorter. If the keys alone are too long, no place needs a try.
  if (!fits({ read: ["s3://any"] })) return () => 0;
  const countFitting = (tables: readonly string[]) => {
    let fit = 0;
    while (fit < tables.length) {
      const some = tables.slice(0, fit + 1);
      if (!fits({ read: some, list: some, write: some })) break;
      fit++;
    }
    return fit;
  };
  const known = new Map<string, number>();
  return (place) => {
    const tables = Array.from(
      { length: MANY_TABLES },
      (_, i) => `s3://${place}namespace_/table_0000000000`.slice(0, -1) + i,
    );
    // A location as long as keys may be has no room for tables.
    if (placeOf(tables[0] ?? "", onAws) === undefined) return 0;
    // Places as long as each other have policies as long, and a catalog may have thousands.
    const kind = `${place.indexOf("/")} ${serializedLength(escapePattern(place))}`;
    return getOrInsertComputed(known, kind, () => countFitting(tables));
  };
}

const STS_LIMIT = 2048;
