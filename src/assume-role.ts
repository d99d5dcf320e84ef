/**
 * The whole AssumeRole request, and the key under which to cache what it returns.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import { parseEndpoint, parseRoleArn } from "./arn.ts";
import { fault, reading } from "./errors.ts";
import type { Locations } from "./locations.ts";
import { parseOptions, type SessionPolicyOptions } from "./options.ts";
import { serializePolicy } from "./policy.ts";
import {
  nameOf,
  parseSession,
  type SessionSettings,
  type SessionTag,
  tagsOf,
} from "./session-name.ts";
import { createSessionPolicyBuilder } from "./session-policy.ts";
import { type AwsStorageConfig, parseFields, parseStorageConfig } from "./storage-config.ts";

/** The parameters of AssumeRole, assignable to `AssumeRoleCommandInput` of @aws-sdk/client-sts. */
export interface AssumeRoleRequest {
  /** Missing if the configuration of a store outside AWS has no role. */
  readonly RoleArn: string | undefined;
  readonly RoleSessionName: string;
  readonly Policy: string;
  readonly DurationSeconds: number;
  readonly ExternalId?: string;
  readonly Tags?: SessionTag[];
  readonly TransitiveTagKeys?: string[];
}

/** A request, and the key under which to cache the credentials that it returns. */
export interface CacheableRequest {
  readonly request: AssumeRoleRequest;
  /** See {@link cacheKey}. */
  readonly cacheKey: string;
}

/**
 * Builds the parameters of AssumeRole for a session, ready to send.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it. On AWS it names a
 *   role; with an endpoint outside AWS it may leave the role out.
 * @param locations as for `buildSessionPolicy`.
 * @param session name, tags and duration. Polaris' defaults by default.
 * @param options as for `buildSessionPolicy`; `maxLength` is at most 2,048 here.
 * @throws SessionPolicyError as `buildSessionPolicy`. `STS_UNAVAILABLE` if the configuration says so.
 *   `INVALID_SESSION` for unknown fields, wrong types and durations. `INVALID_STORAGE_CONFIG` also for a
 *   role or external id that STS refuses, for no role on AWS, for an endpoint without a scheme, and for a
 *   GovCloud role without a region, which Polaris refuses too.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { buildAssumeRoleRequest } from "polaris-session-policy";
 *
 * const { Policy, ...others } = buildAssumeRoleRequest(
 *   { roleArn: "arn:aws:iam::123456789012:role/polaris", externalId: "ext-1" },
 *   { read: ["s3://wh-bucket/db/orders"] },
 *   { context: { table: "orders" }, nameFields: ["table"], durationSeconds: 900 },
 * );
 * others;
 * // { RoleArn: "arn:aws:iam::123456789012:role/polaris", RoleSessionName: "p-orders", DurationSeconds: 900, ExternalId: "ext-1" }
 * ```
 */
export function buildAssumeRoleRequest(
  storageConfig: AwsStorageConfig,
  locations: Locations,
  session?: SessionSettings,
  options?: SessionPolicyOptions,
): AssumeRoleRequest {
  return createAssumeRoleRequestBuilder(storageConfig, options)(locations, session).request;
}

/**
 * Validates a storage configuration and the options once, for servers that vend many sessions with
 * them. The builder returns the same requests as {@link buildAssumeRoleRequest}, each with its cache
 * key. So request and key always have the same options.
 *
 * @param storageConfig as for {@link buildAssumeRoleRequest}.
 * @param options as for {@link buildAssumeRoleRequest}.
 * @throws SessionPolicyError as {@link buildAssumeRoleRequest}
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { createAssumeRoleRequestBuilder } from "polaris-session-policy";
 *
 * const prepare = createAssumeRoleRequestBuilder({ roleArn: "arn:aws:iam::123456789012:role/polaris" });
 * const { request, cacheKey } = prepare({ read: ["s3://wh-bucket/db/orders"] });
 * request.RoleSessionName;
 * // "PolarisAwsCredentialsStorageIntegration"
 * ```
 */
export function createAssumeRoleRequestBuilder(
  storageConfig: AwsStorageConfig,
  options?: SessionPolicyOptions,
): (locations: Locations, session?: SessionSettings) => CacheableRequest {
  const { maxLength, ...others } = reading("INVALID_OPTIONS", "The options", () =>
    parseOptions(options),
  );
  const fields = parseFields(storageConfig);
  const build = createSessionPolicyBuilder(fields, {
    ...others,
    maxLength: Math.min(maxLength, MOST_POLICY_CHARACTERS),
  });
  const role = roleOf(fields);
  const { endpoint, endpointInternal, stsEndpoint, region, pathStyleAccess } = fields;
  // Beside the request, the response depends on where it is sent and on what is copied into it.
  const store = [stsEndpoint, endpoint, endpointInternal, region, pathStyleAccess === true];
  return (locations, session) => {
    const settings = parseSession(session);
    const Tags = tagsOf(settings);
    const request: AssumeRoleRequest = {
      ...role,
      RoleSessionName: nameOf(settings),
      Policy: serializePolicy(build(locations)),
      DurationSeconds: settings.durationSeconds,
      ...(Tags.length > 0 && { Tags, TransitiveTagKeys: Tags.map(({ Key }) => Key) }),
    };
    return { request, cacheKey: JSON.stringify([request, ...store]) };
  };
}

/** The length that STS allows the `Policy` parameter of AssumeRole. */
const MOST_POLICY_CHARACTERS = 2048;

/** The characters of STS' pattern for a RoleArn, 20 to 2,048 of them. */
const ROLE_ARN = /^[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]{20,2048}$/u;

type RoleParameters = Pick<AssumeRoleRequest, "RoleArn" | "ExternalId">;

/** Returns role and external id of a valid configuration, as AssumeRole takes them. */
function roleOf(fields: AwsStorageConfig): RoleParameters {
  const { externalId, region, roleArn, stsUnavailable } = fields;
  const invalid = (field: string, message: string) =>
    fault("INVALID_STORAGE_CONFIG", [field], message);
  if (stsUnavailable === true) {
    throw fault(
      "STS_UNAVAILABLE",
      ["stsUnavailable"],
      "says that there is no STS to assume a role with. Vend no credentials for this catalog.",
    );
  }
  for (const field of ["endpoint", "endpointInternal"] as const) {
    const url = fields[field];
    if (url == null || parseEndpoint(url)?.hasScheme === true) continue;
    throw invalid(field, "has no scheme. Write a URL, like https://s3.example.com:9000.");
  }
  if (roleArn == null && parseStorageConfig(fields).onAws) {
    throw invalid("roleArn", "is needed on AWS. Configure the role to assume.");
  }
  if (roleArn != null && !ROLE_ARN.test(roleArn)) {
    throw invalid(
      "roleArn",
      "must have 20 to 2,048 characters that STS takes, without control characters.",
    );
  }
  if (externalId != null && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw invalid(
      "externalId",
      "must have 2 to 1,224 letters, digits and characters of _+=,.@:/- for STS.",
    );
  }
  if (roleArn != null && parseRoleArn(roleArn)?.partition === "aws-us-gov" && region == null) {
    throw invalid("region", "is needed for a role in GovCloud. Configure it.");
  }
  const id = externalId == null ? {} : { ExternalId: externalId };
  // The SDK's type demands the property RoleArn; STS and the stores must not see it if it is empty.
  return (roleArn == null ? id : { RoleArn: roleArn, ...id }) as RoleParameters;
}

/**
 * Returns a key under which to cache a session's credentials. Two keys are equal exactly when the
 * AssumeRole requests are equal, go to the same STS, and their responses name the same store: endpoints,
 * region and path style. Order and spelling of the input make no difference.
 *
 * Servers that build requests use {@link createAssumeRoleRequestBuilder}, which returns both.
 *
 * @param storageConfig as for {@link buildAssumeRoleRequest}, like the other parameters.
 * @returns about 300 to 2,500 characters, which hold the external id. Store its SHA-256 where secrets may
 *   not be kept.
 * @throws SessionPolicyError as {@link buildAssumeRoleRequest}
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { cacheKey } from "polaris-session-policy";
 *
 * const config = { roleArn: "arn:aws:iam::123456789012:role/polaris" };
 * cacheKey(config, { read: ["s3://b-1/x", "s3://b-1/y"] }) === cacheKey(config, { read: ["s3a://b-1/y/", "s3://b-1/x"] });
 * // true
 * ```
 */
export function cacheKey(
  storageConfig: AwsStorageConfig,
  locations: Locations,
  session?: SessionSettings,
  options?: SessionPolicyOptions,
): string {
  return createAssumeRoleRequestBuilder(storageConfig, options)(locations, session).cacheKey;
}
