/**
 * The whole way on one page: parse → grants → statements → policy.
 * @module
 */
import { reading } from "./errors.ts";
import { type Locations, type PlaceAccess, parseLocations } from "./locations.ts";
import type { SessionPolicyOptions } from "./options.ts";
import type { PolicyDocument } from "./policy.ts";
import { tooLarge } from "./policy-size.ts";
import { createSession, policyFor, type Session } from "./session.ts";
import { type SessionPlan, splitOverSessions } from "./session-plan.ts";
import type { AwsStorageConfig } from "./storage-config.ts";

/**
 * Builds a minimal IAM session policy that allows exactly the given accesses. It is a pure function. The
 * result is a new plain object that belongs to the caller.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param locations S3 URIs (`s3://bucket/prefix`) that the session may read, list, write and delete. Each
 *   means every key below the prefix. Without any location the policy is one `Deny * on *`, because
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
  return createSessionPolicyBuilder(storageConfig, options)(locations);
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
  const session = createSession(storageConfig, options);
  return (locations) => {
    const asked = parse(session, locations);
    const { policy, length } = policyFor(session, asked);
    if (length > session.options.maxLength) throw tooLarge(session, asked, length);
    return policy;
  };
}

/**
 * Divides locations among as few sessions as a first-fit packing finds. Each has a policy of at most
 * `maxLength` characters. Together they grant exactly what one policy for all locations would.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param locations S3 URIs, as for {@link buildSessionPolicy}.
 * @param options see {@link SessionPolicyOptions}.
 * @returns the sessions: their policies, and the locations of each as `s3://bucket/prefix`, without
 *   repeats and without locations inside another one. One session if the policy for all fits.
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
  const session = createSession(storageConfig, options);
  return splitOverSessions(session, parse(session, locations));
}

function parse({ config }: Session, locations: Locations): readonly PlaceAccess[] {
  return reading("INVALID_LOCATION", "The locations", () => parseLocations(locations, config));
}
