/**
 * The whole way on one page: parse → grants → statements → policy.
 * @module
 */
import { reading, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { kmsGrants, type Profile, profileOf, s3Grants } from "./grants.ts";
import {
  ACCESSES,
  BIT,
  type Locations,
  outermost,
  type Places,
  parseLocations,
} from "./locations.ts";
import { parseOptions, type SessionPolicyOptions } from "./options.ts";
import { escapePattern, type PolicyDocument, type Statement, serializedLength } from "./policy.ts";
import { kmsStatements, s3Statements } from "./statements.ts";
import { type AwsStorageConfig, parseStorageConfig, type StorageConfig } from "./storage-config.ts";

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
  const settings = reading("INVALID_OPTIONS", "The options", () => parseOptions(options));
  const config = reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    parseStorageConfig(storageConfig),
  );
  const profile = profileOf(settings, config);
  return (locations) => {
    const places = reading("INVALID_LOCATION", "The locations", () =>
      parseLocations(locations, config.allowedPlaces),
    );
    return policyFor(config, profile, places, settings.maxLength);
  };
}

function policyFor(
  config: StorageConfig,
  profile: Profile,
  places: Places,
  maxLength: number,
): PolicyDocument {
  let accesses = 0;
  for (const asked of places.values()) accesses |= asked;
  const s3 = s3Statements(s3Grants(profile, places));
  const kms = kmsStatements(kmsGrants(profile, config, accesses));
  const granted = [...s3.statements, ...kms.statements];
  // A policy without statements is not valid, and AssumeRole without a policy hands out the role.
  const Statement = granted.length > 0 ? granted : [DENY_ALL()];
  const length =
    granted.length > 0
      ? EMPTY.length + s3.length + kms.length - ",".length
      : EMPTY.length + JSON.stringify(DENY_ALL()).length;
  if (length > maxLength) throw tooLarge(length, maxLength, config, profile, places);
  return { Version: "2012-10-17", Statement };
}

const EMPTY = '{"Version":"2012-10-17","Statement":[]}';
const DENY_ALL = (): Statement => ({ Effect: "Deny", Action: "*", Resource: "*" });

function tooLarge(
  length: number,
  maxLength: number,
  config: StorageConfig,
  profile: Profile,
  places: Places,
): SessionPolicyError {
  const issues: SessionPolicyIssue[] = [
    {
      path: [],
      message: `The policy has ${length} characters, and ${maxLength} are allowed: ask for fewer locations at a time, or for a location around them.`,
    },
  ];
  for (const access of ACCESSES) {
    const asked = outermost(
      [...places].flatMap(([place, bits]) => (bits & BIT[access] ? [place] : [])),
    );
    if (asked.length === 0) continue;
    const taken = asked.map((place) =>
      access === "list"
        ? `${escapePattern(place.slice(place.indexOf("/") + 1))}*`
        : `${profile.s3Arn}${escapePattern(place)}*`,
    );
    issues.push({
      path: [access],
      message: `${counted(asked.length, "location")} ${lengthOf(taken)} characters.`,
    });
  }
  for (const [path, current] of [
    ["currentKmsKey", true],
    ["allowedKmsKeys", false],
  ] as const) {
    const keys = config.keys.filter((key) => key.current === current);
    if (keys.length === 0) continue;
    issues.push({
      path: [path],
      message: `${counted(keys.length, "key")} ${lengthOf(keys.map(({ arn }) => arn))} characters.`,
    });
  }
  return new SessionPolicyError("POLICY_TOO_LARGE", issues);
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} takes` : `${count} ${noun}s take`;
}

function lengthOf(values: readonly string[]): number {
  return values.reduce((length, value) => length + serializedLength(value), 0);
}
