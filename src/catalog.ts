/**
 * A catalog as Polaris' management API returns it, and its storage configuration.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml (Catalog)
 * @module
 */
import { fault, reading, SessionPolicyError } from "./errors.ts";
import { readRecord } from "./input.ts";
import { faultOf, placeOf } from "./locations.ts";
import { type AwsStorageConfig, parseFields, parseStorageConfig } from "./storage-config.ts";

const BASE = "default-base-location";

/**
 * Returns the storage configuration of a catalog, by Polaris' rules. If the catalog has no allowed
 * locations, its property `default-base-location` is the only one. Otherwise that location must lie
 * inside one of them.
 *
 * @param catalog a catalog as Polaris' management API returns it, or any other JSON value.
 * @returns a new plain object: the known fields, with `allowedLocations` filled in.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`. Paths begin at the catalog.
 * @see https://github.com/apache/polaris/pull/4422
 * @example
 * ```ts
 * import { storageConfigOf } from "polaris-session-policy";
 *
 * storageConfigOf({
 *   properties: { "default-base-location": "s3://wh-bucket/db" },
 *   storageConfigInfo: { storageType: "S3", allowedLocations: [] },
 * });
 * // { storageType: "S3", allowedLocations: ["s3://wh-bucket/db"] }
 * ```
 */
export function storageConfigOf(catalog: unknown): AwsStorageConfig {
  return reading("INVALID_STORAGE_CONFIG", "The catalog", () => {
    const { storageConfigInfo, properties } = readRecord(catalog, FIELDS) ?? {};
    if (storageConfigInfo == null) {
      throw fault(
        "INVALID_STORAGE_CONFIG",
        [],
        "This is not a catalog: it has no storageConfigInfo. Pass a catalog as Polaris' management API returns it.",
      );
    }
    const { fields, config } = below("storageConfigInfo", () => {
      const read = parseFields(storageConfigInfo);
      return { fields: read, config: parseStorageConfig(read) };
    });
    const { onAws, allowedPlaces = [] } = config;
    const base = readRecord(properties, [BASE])?.[BASE];
    const invalid = (message: string) =>
      fault("INVALID_STORAGE_CONFIG", ["properties", BASE], message);
    if (base == null) throw invalid("is missing. Name the location of the catalog's tables.");
    const place = typeof base === "string" ? placeOf(base, onAws) : undefined;
    if (typeof base !== "string" || place === undefined) throw invalid(faultOf(base, onAws));
    const allowedLocations = fields.allowedLocations ?? [];
    if (allowedLocations.length === 0) return { ...fields, allowedLocations: [base] };
    if (!allowedPlaces.some((outer) => place.startsWith(outer))) {
      throw invalid(
        "lies outside storageConfigInfo.allowedLocations, which Polaris refuses. Allow it there, or leave the list empty.",
      );
    }
    return fields;
  });
}

const FIELDS = ["storageConfigInfo", "properties"] as const;

/** Puts a field's name before the paths of the errors about its value. */
function below<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SessionPolicyError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: [field, ...path], message }));
    throw new SessionPolicyError(error.code, issues);
  }
}
