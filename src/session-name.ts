/**
 * Names, tags and times a session by Polaris' settings.
 *
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsSessionNameBuilder.java
 * @module
 */
import * as z from "zod/mini";
import { fault, issuesOf, MOST_ISSUES, reading, SessionPolicyError } from "./errors.ts";
import { isRecord, readList, readRecord } from "./input.ts";

/** The fields of a session name. The names are Polaris'. */
const NAME_FIELDS = ["realm", "catalog", "namespace", "table", "principal"] as const;
/** The fields of tags, in the order in which Polaris sends them. */
export const TAG_FIELDS = [...NAME_FIELDS, "roles", "trace_id"] as const;

/** A field of a session name, or another prefix than `p`. */
export type SessionNameField =
  | "realm"
  | "catalog"
  | "namespace"
  | "table"
  | "principal"
  | `prefix-${string}`;

/** What a session tag holds. */
export type SessionTagField =
  | "realm"
  | "catalog"
  | "namespace"
  | "table"
  | "principal"
  | "roles"
  | "trace_id";

/** What a session is for, in Polaris' terms. A value that is null or left out is unknown. */
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

/** How the session is named, tagged and timed: Polaris' settings, and the values that they use. */
export interface SessionSettings {
  readonly context?: SessionContext | undefined;
  /**
   * Polaris' SESSION_NAME_FIELDS_IN_SUBSCOPED_CREDENTIAL: `realm`, `catalog`, `namespace`, `table`,
   * `principal`, and `prefix-X` for another prefix than `p`.
   */
  readonly nameFields?: readonly SessionNameField[] | undefined;
  /** Polaris' INCLUDE_PRINCIPAL_NAME_IN_SUBSCOPED_CREDENTIAL. `nameFields` take precedence. */
  readonly includePrincipal?: boolean | undefined;
  /**
   * Polaris' SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL: `realm`, `catalog`, `namespace`, `table`,
   * `principal`, `roles`, `trace_id`.
   */
  readonly tagFields?: readonly SessionTagField[] | undefined;
  /** Polaris' STORAGE_CREDENTIAL_DURATION_SECONDS, 900 to 43,200. Default 3,600. */
  readonly durationSeconds?: number | undefined;
}

/** A session tag, as STS takes it. */
export interface SessionTag {
  Key: string;
  Value: string;
}

/** Settings whose types are right, as plain data. */
export type Session = z.infer<typeof sessionSchema>;

const text = z.string({ error: "must be a string." });
const contextSchema = z.object({
  realm: z.nullish(text),
  catalog: z.nullish(text),
  namespace: z.nullish(text),
  table: z.nullish(text),
  principal: z.nullish(text),
  traceId: z.nullish(text),
  roles: z.nullish(z.array(text, { error: "must be a list of strings." })),
});
const nameField = z.custom<SessionNameField>(
  (field) => isNameField(field) || (typeof field === "string" && field.startsWith("prefix-")),
  { error: `Unknown name field. Use ${NAME_FIELDS.join(", ")}, or prefix- and a prefix.` },
);
const tagField = z.enum(TAG_FIELDS, {
  error: ({ input }) =>
    input === "traceId"
      ? "is the name in the context. Write trace_id, the name of the tag field."
      : `Unknown tag field. Use ${TAG_FIELDS.join(", ")}.`,
});
const duration = z.custom<number>(
  (seconds) => Number.isInteger(seconds) && Number(seconds) >= 900 && Number(seconds) <= 43_200,
  { error: "must be 900 to 43,200 whole seconds." },
);
const sessionSchema = z.object({
  context: z.optional(contextSchema),
  nameFields: z.nullish(z.array(nameField, { error: "must be a list of name fields." })),
  includePrincipal: z.nullish(z.boolean({ error: "must be true or false." })),
  tagFields: z.nullish(z.array(tagField, { error: "must be a list of tag fields." })),
  durationSeconds: z._default(duration, 3600),
});

function isNameField(field: unknown): field is (typeof NAME_FIELDS)[number] {
  return NAME_FIELDS.some((known) => known === field);
}

/**
 * Reads the settings once, and checks them.
 *
 * @throws SessionPolicyError `INVALID_SESSION`
 */
export function parseSession(input: SessionSettings = {}): Session {
  return reading("INVALID_SESSION", "The session", () => {
    const session = readNamed(input, sessionSchema.shape, []);
    if (session.context !== undefined) {
      const context = readNamed(session.context, contextSchema.shape, ["context"]);
      context.roles = copied(context.roles);
      session.context = context;
    }
    session.nameFields = copied(session.nameFields);
    session.tagFields = copied(session.tagFields);
    const parsed = sessionSchema.safeParse(session);
    if (parsed.success) return parsed.data;
    throw new SessionPolicyError("INVALID_SESSION", issuesOf(parsed.error).slice(0, MOST_ISSUES));
  });
}

/** A list as a copy; anything else as it is, so that the schema refuses it. */
function copied(list: unknown): unknown {
  return readList(list) ?? (Array.isArray(list) ? false : list);
}

/** Reads the named fields of an object that has no others. */
function readNamed<Field extends string>(
  input: unknown,
  fields: { readonly [F in Field]: unknown },
  path: readonly string[],
): { [F in Field]?: unknown } {
  const names = Object.keys(fields) as Field[];
  const read = readRecord(input, names);
  if (read === undefined || !isRecord(input)) {
    const message = path.length === 0 ? "The session must be an object." : "must be an object.";
    throw fault("INVALID_SESSION", path, message);
  }
  for (const name of Object.keys(input)) {
    if (Object.hasOwn(fields, name)) continue;
    const message =
      name === "trace_id"
        ? "is the name of the tag field. Write traceId, the name in the context."
        : `Unknown name. Use ${names.join(", ")}.`;
    throw fault("INVALID_SESSION", [...path, name], message);
  }
  return read;
}

const DEFAULT_NAME = "PolarisAwsCredentialsStorageIntegration";
const DEFAULT_PREFIX = "p-";
const MOST_NAME_CHARACTERS = 64;

/**
 * Names a session as Polaris does: `PolarisAwsCredentialsStorageIntegration`, or a prefix and the chosen
 * fields joined with `-`, or `polaris-` and the principal. Characters that STS refuses become `_`. A name
 * is cut to 64 characters, and each field gets an equal share of what is left.
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
export function roleSessionName(session?: SessionSettings): string {
  return nameOf(parseSession(session));
}

/** See {@link roleSessionName}. */
export function nameOf({ context = {}, nameFields, includePrincipal }: Session): string {
  const tokens = nameFields ?? [];
  const fields = tokens.filter(isNameField);
  if (fields.length === 0) {
    if (!includePrincipal) return DEFAULT_NAME;
    return sanitized(`polaris-${context.principal ?? ""}`).slice(0, MOST_NAME_CHARACTERS);
  }
  const chosen = sanitized(tokens.find((token) => token.startsWith("prefix-"))?.slice(7) ?? "");
  const prefix = chosen === "" ? DEFAULT_PREFIX : `${chosen}-`;
  let remaining = MOST_NAME_CHARACTERS - prefix.length - (fields.length - 1);
  if (remaining <= 0) return prefix.slice(0, MOST_NAME_CHARACTERS);
  const parts = fields.map((field, i) => {
    const value = sanitized(context[field] ?? "");
    const part = value.slice(0, Math.floor(remaining / (fields.length - i)));
    remaining -= part.length;
    return part;
  });
  return prefix + parts.join("-");
}

function sanitized(text: string): string {
  return text.replace(/[^\w+=,.@-]/gu, "_");
}

const UNKNOWN = "unknown";
const MOST_TAG_CHARACTERS = 256;

/**
 * Tags a session as Polaris does, in Polaris' order. A key is for example `polaris:table`. Characters that
 * STS refuses in a value become `_`.
 *
 * Roles are sorted and joined with `+`, because STS refuses the comma that Polaris puts between them. A
 * `+` or `=` in a role's name becomes `=2B` or `=3D`. A missing value becomes `unknown`, except for the
 * trace id, which then has no tag.
 *
 * @param session its `context` and `tagFields`.
 * @returns a tag for each field; an empty list by default.
 * @throws SessionPolicyError `INVALID_SESSION`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/SessionTagField.java
 * @example
 * ```ts
 * import { sessionTags } from "polaris-session-policy";
 *
 * sessionTags({ context: { roles: ["writer", "admin"] }, tagFields: ["roles", "realm", "trace_id"] });
 * // [{ Key: "polaris:realm", Value: "unknown" }, { Key: "polaris:roles", Value: "admin+writer" }]
 * ```
 */
export function sessionTags(session?: SessionSettings): SessionTag[] {
  return tagsOf(parseSession(session));
}

/** See {@link sessionTags}. */
export function tagsOf({ context = {}, tagFields }: Session): SessionTag[] {
  const asked = new Set<string>(tagFields);
  return TAG_FIELDS.filter((field) => asked.has(field)).flatMap((field) => {
    let value: string | null | undefined;
    if (field === "roles") value = joined(context.roles ?? []);
    else value = field === "trace_id" ? context.traceId : context[field];
    if (field === "trace_id" && !value) return [];
    // A character takes two code units at most.
    const characters = [...(value || UNKNOWN).slice(0, 2 * MOST_TAG_CHARACTERS)];
    const Value = characters
      .slice(0, MOST_TAG_CHARACTERS)
      .join("")
      .replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_");
    return [{ Key: `polaris:${field}`, Value }];
  });
}

/** Joins roles so that `["a+b"]` and `["a", "b"]` differ. */
function joined(roles: readonly string[]): string {
  const names = roles.map((role) => role.replaceAll("=", "=3D").replaceAll("+", "=2B"));
  return [...new Set(names)].sort().join("+");
}
