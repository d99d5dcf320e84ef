/**
 * The whole way on one page: parse → grants → statements → policy.
 * @module
 */

import { reading } from "./errors.ts";
import { kmsGrants, profileOf } from "./grants.ts";
import { type BucketPlaces, type Locations, parseLocations, placeOf } from "./locations.ts";
import { parseOptions, type SessionPolicyOptions } from "./options.ts";
import type { PolicyDocument } from "./policy.ts";
import { type Session, statementsFor } from "./session.ts";
import { type SessionPlan, splitOverSessions, tooLarge } from "./session-plan.ts";
import { type KeyUses, keyUses } from "./statements.ts";
import { type AwsStorageConfig, parseStorageConfig } from "./storage-config.ts";

/**
 * Builds the session policy for what a session may do: the shortest IAM policy that allows exactly
 * that. A pure function; the result is a new plain object that belongs to the caller.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param locations S3 URIs (`s3://bucket/prefix`) that the session may read, list, write and delete,
 *   each meaning every key below the prefix. With none at all the policy is one `Deny * on *`, since
 *   AssumeRole without a policy would hand out the whole role.
 * @param options see {@link SessionPolicyOptions}.
 * @returns the policy; {@link serializePolicy} makes it the `Policy` parameter of AssumeRole.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`, `INVALID_LOCATION`,
 *   `LOCATION_NOT_ALLOWED`, `INVALID_OPTIONS`, `POLICY_TOO_LARGE`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 * @see https://polaris.apache.org/blog/2025/12/24/securing-s3-data-with-aws-kms/
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 *
 * const policy = buildSessionPolicy(
 *   {
 *     roleArn: "arn:aws:iam::123456789012:role/polaris",
 *     currentKmsKey: "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444",
 *   },
 *   { read: ["s3://wh-bucket/db/orders"], list: ["s3://wh-bucket/db/orders"] },
 * );
 * policy.Statement.map(({ Action }) => Action);
 * // [["s3:GetBucketLocation", "s3:GetObject"], "s3:ListBucket", "kms:Decrypt"]
 * ```
 */
export function buildSessionPolicy(
  storageConfig: AwsStorageConfig,
  locations: Locations,
  options?: SessionPolicyOptions,
): PolicyDocument {
  const session = prepare(storageConfig, options);
  return policyOf(session, parse(session, locations));
}

/**
 * Validates a storage configuration and the options once, for servers that vend many sessions with
 * them. The builder gives the same policies as {@link buildSessionPolicy}, and keeps no reference to
 * what was passed in.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param options see {@link SessionPolicyOptions}.
 * @returns a function from locations to their policy, which throws `INVALID_LOCATION`,
 *   `LOCATION_NOT_ALLOWED` and `POLICY_TOO_LARGE`.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`, `INVALID_OPTIONS`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 * @example
 * ```ts
 * import { createSessionPolicyBuilder } from "polaris-session-policy";
 *
 * const build = createSessionPolicyBuilder({ roleArn: "arn:aws:iam::123456789012:role/polaris" });
 * build({ read: ["s3://wh-bucket/db/orders"] }).Statement[0]?.Resource;
 * // ["arn:aws:s3:::wh-bucket", "arn:aws:s3:::wh-bucket/db/orders/*"]
 * ```
 */
export function createSessionPolicyBuilder(
  storageConfig: AwsStorageConfig,
  options?: SessionPolicyOptions,
): (locations: Locations) => PolicyDocument {
  const session = prepare(storageConfig, options);
  // What KMS grants there are depends on the accesses that there are, and not on where.
  const known: KeyUses[] = [];
  const keyUsesFor = (accesses: number): KeyUses => {
    const uses = known[accesses] ?? session.keyUsesFor(accesses);
    known[accesses] = uses;
    return uses;
  };
  const prepared = { ...session, keyUsesFor };
  return (locations) => policyOf(prepared, parse(prepared, locations));
}

/**
 * Splits locations over as few sessions as a first-fit packing finds, each with a policy within
 * `maxLength`, which together grant exactly what one policy for all of them would.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param locations S3 URIs, as for {@link buildSessionPolicy}.
 * @param options see {@link SessionPolicyOptions}.
 * @returns the sessions: their policies, and the locations of each as `s3://bucket/prefix`, without
 *   repeats and without those inside another one. One session if the policy for all fits.
 * @throws SessionPolicyError as {@link buildSessionPolicy}; `POLICY_TOO_LARGE` if one location alone is
 *   too long.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { planSessionPolicies } from "polaris-session-policy";
 *
 * const read = Array.from({ length: 100 }, (_, i) => `s3://wh-bucket/db/table_${i}`);
 * planSessionPolicies({}, { read }).map(({ locations }) => [...(locations.read ?? [])].length);
 * // [49, 48, 3]
 * ```
 */
export function planSessionPolicies(
  storageConfig: AwsStorageConfig,
  locations: Locations,
  options?: SessionPolicyOptions,
): SessionPlan[] {
  const session = prepare(storageConfig, options);
  return splitOverSessions(session, parse(session, locations), (access, place) =>
    [...(locations[access] ?? [])].findIndex((uri) => placeOf(uri) === place),
  );
}

function prepare(storageConfig: AwsStorageConfig, options?: SessionPolicyOptions): Session {
  const settings = reading("INVALID_OPTIONS", "The options", () => parseOptions(options));
  const config = reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    parseStorageConfig(storageConfig),
  );
  const profile = profileOf(settings, config);
  const keyUsesFor = (accesses: number) => keyUses(kmsGrants(profile, config, accesses));
  return { config, profile, maxLength: settings.maxLength, keyUsesFor };
}

function parse({ config }: Session, locations: Locations): readonly BucketPlaces[] {
  return reading("INVALID_LOCATION", "The locations", () =>
    parseLocations(locations, config.allowedPlaces),
  );
}

function policyOf(session: Session, places: readonly BucketPlaces[]): PolicyDocument {
  const { Statement, length } = statementsFor(session, places);
  if (length > session.maxLength) throw tooLarge(session, places, length);
  return { Version: "2012-10-17", Statement };
}
