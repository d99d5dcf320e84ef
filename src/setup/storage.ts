/**
 * A storage configuration as what stands behind a session needs it: every field read once, and the
 * allowed locations there.
 * @module
 */
import { fault, reading } from "../errors.ts";
import { plainCopy } from "../input.ts";
import {
  type AwsStorageConfig,
  parseStorageConfig,
  type StorageConfig,
} from "../storage-config.ts";

/** A configuration that is valid: its fields as they were passed in, and what a policy needs of it. */
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
 * The places that sessions may lie inside.
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
    "must name the locations of the catalog. Without them a role would need the rights to every bucket: list at least one.",
  );
}

/** @throws SessionPolicyError `INVALID_STORAGE_CONFIG` without a role */
export function roleArnOf({ fields }: ReadStorage): string {
  if (fields.roleArn != null && fields.roleArn !== "") return fields.roleArn;
  throw fault(
    "INVALID_STORAGE_CONFIG",
    ["roleArn"],
    "must name the role that this is for. Configure arn:PARTITION:iam::ACCOUNT:role/NAME.",
  );
}
