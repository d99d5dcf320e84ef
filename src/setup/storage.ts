/**
 * Reads a storage configuration for the functions about roles and keys: every field once.
 * @module
 */
import { fault, reading } from "../errors.ts";
import { plainCopy } from "../input.ts";
import {
  type AwsStorageConfig,
  parseStorageConfig,
  type StorageConfig,
} from "../storage-config.ts";

/** A valid configuration: its fields as they were passed in, and what a policy needs to know of it. */
export interface ReadStorage {
  readonly fields: AwsStorageConfig;
  readonly config: StorageConfig;
}

/** @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY` */
export function readStorage(storageConfig: AwsStorageConfig): ReadStorage {
  const fields = reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    plainCopy(storageConfig),
  ) as AwsStorageConfig;
  return { fields, config: parseStorageConfig(fields) };
}

/**
 * Returns the places of the allowed locations.
 *
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG` without any
 */
export function allowedPlacesOf({ config }: ReadStorage): readonly string[] {
  if (config.allowedPlaces !== undefined && config.allowedPlaces.length > 0) {
    return config.allowedPlaces;
  }
  throw fault(
    "INVALID_STORAGE_CONFIG",
    ["allowedLocations"],
    "must name the locations of the catalog, or the role would need every bucket. List at least one.",
  );
}

/** @throws SessionPolicyError `INVALID_STORAGE_CONFIG` without a role */
export function roleArnOf({ fields }: ReadStorage): string {
  if (fields.roleArn != null && fields.roleArn !== "") return fields.roleArn;
  throw fault(
    "INVALID_STORAGE_CONFIG",
    ["roleArn"],
    "must name the role. Configure arn:PARTITION:iam::ACCOUNT:role/NAME.",
  );
}
