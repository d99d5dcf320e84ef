/**
 * The whole AssumeRole request: session name, tags and duration as Polaris sets them.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import { parseRoleArn } from "./arn.ts";
import { fault, isDense, reading } from "./errors.ts";
import type { Locations } from "./locations.ts";
import type { SessionPolicyOptions } from "./options.ts";
import { serializePolicy } from "./policy.ts";
import { createSessionPolicyBuilder } from "./session-policy.ts";
import type { AwsStorageConfig } from "./storage-config.ts";

/** What a session is for, in Polaris' terms. What is null or left out is not known. */
export interface SessionContext {
  readonly realm?: string | null | undefined;
  readonly catalog?: string | null | undefined;
  readonly namespace?: string | null | undefined;
  readonly table?: string | null | undefined;
  readonly principal?: string | null | undefined;
  /** The roles that are active, in any order. */
  readonly roles?: readonly string[] | null | undefined;
  readonly traceId?: string | null | undefined;
}

/** How the session is named, tagged and timed: Polaris' settings, and the context they draw from. */
export interface SessionSettings {
  readonly context?: SessionContext | undefined;
  /**
   * Polaris' SESSION_NAME_FIELDS_IN_SUBSCOPED_CREDENTIAL: `realm`, `catalog`, `namespace`, `table`,
   * `principal`, and `prefix-X` for another prefix than `p`.
   */
  readonly nameFields?: readonly string[] | undefined;
  /** Polaris' INCLUDE_PRINCIPAL_NAME_IN_SUBSCOPED_CREDENTIAL; `nameFields` go before. */
  readonly includePrincipal?: boolean | undefined;
  /**
   * Polaris' SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL: `realm`, `catalog`, `namespace`, `table`,
   * `principal`, `roles`, `trace_id`.
   */
  readonly tagFields?: readonly string[] | undefined;
  /** Polaris' STORAGE_CREDENTIAL_DURATION_SECONDS, 900 to 43,200; 3,600 unless told. */
  readonly durationSeconds?: number | undefined;
}

/** A session tag, as STS takes it. */
export interface SessionTag {
  Key: string;
  Value: string;
}

/** The parameters of AssumeRole, assignable to `AssumeRoleCommandInput` of @aws-sdk/client-sts. */
export interface AssumeRoleRequest {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly Policy: string;
  readonly DurationSeconds: number;
  readonly ExternalId?: string;
  readonly Tags?: SessionTag[];
  readonly TransitiveTagKeys?: string[];
}

/**
 * Builds the parameters of AssumeRole for a session; all that is left is to send them.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it, with a role.
 * @param locations as for `buildSessionPolicy`.
 * @param session name, tags and duration; without it, Polaris' defaults.
 * @param options as for `buildSessionPolicy`.
 * @throws SessionPolicyError `STS_UNAVAILABLE` if the configuration says so; `INVALID_SESSION` for
 *   unknown fields, wrong types and durations; `INVALID_STORAGE_CONFIG` also for a missing role, an
 *   external id that STS refuses, and a GovCloud role without a region, which Polaris refuses too; and
 *   as `buildSessionPolicy`.
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
  return createAssumeRoleRequestBuilder(storageConfig, options)(locations, session);
}

/**
 * Validates a storage configuration and the options once, for servers that vend many sessions with
 * them. The builder gives the same requests as {@link buildAssumeRoleRequest}.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it, with a role.
 * @param options as for `buildSessionPolicy`.
 * @throws SessionPolicyError as {@link buildAssumeRoleRequest}
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { createAssumeRoleRequestBuilder } from "polaris-session-policy";
 *
 * const request = createAssumeRoleRequestBuilder({ roleArn: "arn:aws:iam::123456789012:role/polaris" });
 * request({ read: ["s3://wh-bucket/db/orders"] }).RoleSessionName;
 * // "PolarisAwsCredentialsStorageIntegration"
 * ```
 */
export function createAssumeRoleRequestBuilder(
  storageConfig: AwsStorageConfig,
  options?: SessionPolicyOptions,
): (locations: Locations, session?: SessionSettings) => AssumeRoleRequest {
  const build = createSessionPolicyBuilder(storageConfig, options);
  const role = reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    roleOf(storageConfig),
  );
  return (locations, session = {}) => {
    const { DurationSeconds, RoleSessionName, Tags } = reading(
      "INVALID_SESSION",
      "The session",
      () => ({
        RoleSessionName: roleSessionName(session),
        Tags: sessionTags(session),
        DurationSeconds: durationOf(session),
      }),
    );
    return {
      RoleArn: role.roleArn,
      RoleSessionName,
      Policy: serializePolicy(build(locations)),
      DurationSeconds,
      ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
      ...(Tags.length === 0 ? {} : { Tags, TransitiveTagKeys: Tags.map(({ Key }) => Key) }),
    };
  };
}

/** Role and external id of a configuration that is otherwise valid. */
function roleOf(storageConfig: AwsStorageConfig) {
  const { externalId, region, roleArn, stsUnavailable } = storageConfig;
  const invalid = (field: string, message: string) =>
    fault("INVALID_STORAGE_CONFIG", [field], message);
  if (stsUnavailable === true) {
    throw fault(
      "STS_UNAVAILABLE",
      ["stsUnavailable"],
      "says that there is no STS to assume a role with: vend no credentials for this catalog.",
    );
  }
  if (roleArn == null) throw invalid("roleArn", "is needed: it names the role to assume.");
  if (roleArn.length < 20 || roleArn.length > 2048) {
    throw invalid("roleArn", "must have 20 to 2,048 characters for STS.");
  }
  if (externalId != null && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw invalid(
      "externalId",
      "must have 2 to 1,224 letters, digits and characters of _+=,.@:/- for STS.",
    );
  }
  if (parseRoleArn(roleArn)?.partition === "aws-us-gov" && !region) {
    throw invalid("region", "is needed for a role in GovCloud.");
  }
  return { roleArn, externalId: externalId ?? undefined };
}

const DEFAULT_NAME = "PolarisAwsCredentialsStorageIntegration";
const DEFAULT_PREFIX = "p-";
const MOST_NAME_CHARACTERS = 64;

/** What a session name may draw from, and a session tag; the names are Polaris'. */
const NAME_FIELDS: ReadonlySet<string> = new Set([
  "realm",
  "catalog",
  "namespace",
  "table",
  "principal",
]);
const TAG_FIELDS: ReadonlySet<string> = new Set([...NAME_FIELDS, "roles", "trace_id"]);

/**
 * Names a session as Polaris does: `PolarisAwsCredentialsStorageIntegration`; or the fields that are
 * asked for, joined with `-` behind a prefix; or `polaris-` and the principal. Characters that STS
 * refuses become `_`, and a name is cut to 64, each field getting an equal share of what is left.
 *
 * @param session its `context`, `nameFields` and `includePrincipal`.
 * @returns 2 to 64 characters of `[A-Za-z0-9_+=,.@-]`.
 * @throws SessionPolicyError `INVALID_SESSION`
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsSessionNameBuilder.java
 * @example
 * ```ts
 * import { roleSessionName } from "polaris-session-policy";
 *
 * const context = { catalog: "hr", table: "employee list", principal: "etl" };
 * roleSessionName({ context, nameFields: ["prefix-acme", "catalog", "table"] });
 * // "acme-hr-employee_list"
 * roleSessionName({ context, includePrincipal: true });
 * // "polaris-etl"
 * ```
 */
export function roleSessionName(session: SessionSettings = {}): string {
  return reading("INVALID_SESSION", "The session", () => {
    const context = contextOf(session);
    const tokens = fieldsOf(session, "nameFields", (token) => {
      return NAME_FIELDS.has(token) || token.startsWith("prefix-");
    });
    const includePrincipal: unknown = session.includePrincipal ?? false;
    if (typeof includePrincipal !== "boolean") {
      throw fault("INVALID_SESSION", ["includePrincipal"], "must be true or false.");
    }
    const fields = tokens.filter((token) => NAME_FIELDS.has(token));
    if (fields.length === 0) {
      if (!includePrincipal) return DEFAULT_NAME;
      return sanitized(`polaris-${context.principal ?? ""}`).slice(0, MOST_NAME_CHARACTERS);
    }
    const chosen = sanitized(tokens.find((token) => token.startsWith("prefix-"))?.slice(7) ?? "");
    const prefix = chosen === "" ? DEFAULT_PREFIX : `${chosen}-`;
    let remaining = MOST_NAME_CHARACTERS - prefix.length - (fields.length - 1);
    if (remaining <= 0) return prefix.slice(0, MOST_NAME_CHARACTERS);
    const parts = fields.map((field, i) => {
      const value = sanitized(textOf(context, field) ?? "");
      const part = value.slice(0, Math.floor(remaining / (fields.length - i)));
      remaining -= part.length;
      return part;
    });
    return prefix + parts.join("-");
  });
}

function sanitized(text: string): string {
  return text.replace(/[^\w+=,.@-]/gu, "_");
}

const UNKNOWN = "unknown";
const MOST_TAG_CHARACTERS = 256;

/**
 * Tags a session as Polaris does, with keys such as `polaris:table`, and with values that STS takes:
 * characters that it refuses become `_`, and roles, in order, are joined with `+`, since STS refuses
 * the comma that Polaris puts between them. A value that is not known is `unknown`, but there is no
 * tag for a trace that is not.
 *
 * @param session its `context` and `tagFields`.
 * @returns the tags, one for each field; none unless fields are asked for.
 * @throws SessionPolicyError `INVALID_SESSION`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/SessionTagField.java
 * @example
 * ```ts
 * import { sessionTags } from "polaris-session-policy";
 *
 * sessionTags({ context: { roles: ["writer", "admin"] }, tagFields: ["roles", "realm", "trace_id"] });
 * // [{ Key: "polaris:roles", Value: "admin+writer" }, { Key: "polaris:realm", Value: "unknown" }]
 * ```
 */
export function sessionTags(session: SessionSettings = {}): SessionTag[] {
  return reading("INVALID_SESSION", "The session", () => {
    const context = contextOf(session);
    const fields = fieldsOf(session, "tagFields", (field) => TAG_FIELDS.has(field));
    return [...new Set(fields)].flatMap((field) => {
      const text =
        field === "roles" ? [...(context.roles ?? [])].sort().join("+") : textOf(context, field);
      if (field === "trace_id" && !text) return [];
      // A character takes two code units at most.
      const characters = [...(text || UNKNOWN).slice(0, 2 * MOST_TAG_CHARACTERS)];
      const Value = characters
        .slice(0, MOST_TAG_CHARACTERS)
        .join("")
        .replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_");
      return [{ Key: `polaris:${field}`, Value }];
    });
  });
}

function textOf(context: SessionContext, field: string): string | undefined {
  const { realm, catalog, namespace, table, principal, traceId } = context;
  const texts = new Map(
    Object.entries({ realm, catalog, namespace, table, principal, trace_id: traceId }),
  );
  return texts.get(field) ?? undefined;
}

const SETTINGS: readonly string[] = [
  "context",
  "nameFields",
  "includePrincipal",
  "tagFields",
  "durationSeconds",
];

function contextOf(session: SessionSettings): SessionContext {
  if (typeof session !== "object" || session === null) {
    throw fault("INVALID_SESSION", [], "The session must be an object.");
  }
  for (const setting of Object.keys(session)) {
    if (SETTINGS.includes(setting)) continue;
    throw fault("INVALID_SESSION", [setting], `is no setting: use ${SETTINGS.join(", ")}.`);
  }
  const { context = {} } = session;
  const texts = ["realm", "catalog", "namespace", "table", "principal", "traceId"] as const;
  const invalid = (path: (string | number)[], message: string) =>
    fault("INVALID_SESSION", ["context", ...path], message);
  if (typeof context !== "object" || context === null) throw invalid([], "must be an object.");
  for (const field of Object.keys(context)) {
    if ([...texts, "roles"].includes(field)) continue;
    throw invalid([field], `is no field: use ${texts.join(", ")} and roles.`);
  }
  for (const field of texts) {
    const text: unknown = context[field];
    if (text != null && typeof text !== "string") throw invalid([field], "must be a string.");
  }
  const roles: unknown = context.roles ?? [];
  if (!Array.isArray(roles) || !isDense(roles)) {
    throw invalid(["roles"], "must be a list of strings.");
  }
  roles.forEach((role: unknown, i) => {
    if (typeof role !== "string") throw invalid(["roles", i], "must be a string.");
  });
  return context;
}

function fieldsOf(
  session: SessionSettings,
  setting: "nameFields" | "tagFields",
  isField: (field: string) => boolean,
): readonly string[] {
  const fields: unknown = session[setting] ?? [];
  if (!Array.isArray(fields) || !isDense(fields)) {
    throw fault("INVALID_SESSION", [setting], "must be a list.");
  }
  fields.forEach((field: unknown, i) => {
    if (typeof field === "string" && isField(field)) return;
    const known = [...(setting === "tagFields" ? TAG_FIELDS : NAME_FIELDS)].join(", ");
    throw fault("INVALID_SESSION", [setting, i], `is no field that there is: use ${known}.`);
  });
  return fields;
}

function durationOf({ durationSeconds = 3600 }: SessionSettings): number {
  if (Number.isInteger(durationSeconds) && durationSeconds >= 900 && durationSeconds <= 43_200) {
    return durationSeconds;
  }
  throw fault("INVALID_SESSION", ["durationSeconds"], "must be 900 to 43,200 whole seconds.");
}

/**
 * A key under which to cache a session's credentials: equal for two calls exactly when their AssumeRole
 * requests are equal, whatever the order and spelling of the input. It is the request itself, a line
 * for each parameter, so no two requests can have the same key.
 *
 * @param storageConfig as for {@link buildAssumeRoleRequest}, and so are the others.
 * @returns some 300 to 2,500 characters. They hold the external id: keep keys where secrets may be.
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
  const { RoleArn, RoleSessionName, Policy, DurationSeconds, ExternalId, Tags } =
    buildAssumeRoleRequest(storageConfig, locations, session, options);
  // No parameter can hold a line feed, an empty external id is none, and each tag has another key.
  const tags = (Tags ?? []).map(({ Key, Value }) => `${Key}=${Value}`);
  return [RoleArn, RoleSessionName, Policy, DurationSeconds, ExternalId ?? "", ...tags].join("\n");
}
