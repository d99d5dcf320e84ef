/**
 * Decides why a request was denied. What is decided is data; `words.ts` says it.
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { isAllowedIfValid } from "../analysis/decide.ts";
import { parseKmsKeyArn, s3ViaService } from "../arn.ts";
import type { Access } from "../locations.ts";
import { type AwsStorageConfig, parseStorageConfig } from "../storage-config.ts";
import type { Denial, DeniedBy, Found, KeyFault } from "./denials.ts";
import {
  decryptWith,
  encryptWith,
  grant,
  grantSomewhere,
  type Remedy,
  type RemedyStatement,
  remedy,
  replaceAlias,
  roleChange,
  roleStatements,
  setOption,
} from "./remedies.ts";
import {
  allows,
  bucketsOf,
  type Granted,
  grantsAround,
  grantsIn,
  isAncestor,
  isAroundCatalog,
  isInCatalog,
  type Session,
} from "./session.ts";
import { isMasked } from "./text.ts";

/** Stable identifiers of why a request was denied; explanations may be reworded, causes are not. */
export type Cause =
  | "kms-key-not-configured"
  | "kms-key-read-only"
  | "kms-key-is-alias"
  | "kms-unavailable"
  | "kms-not-through-s3"
  | "kms-key-cross-account"
  | "kms-key-disabled"
  | "kms-key-pending-deletion"
  | "kms-key-not-usable"
  | "kms-key-not-found"
  | "kms-key-wrong-region"
  | "location-not-allowed"
  | "location-not-granted"
  | "access-not-granted"
  | "bare-path"
  | "list-prefix"
  | "object-may-be-missing"
  | "option-not-set"
  | "nothing-granted"
  | "action-never-granted"
  | "access-point"
  | "session-outdated"
  | "other-policy"
  | "not-a-session-of-this-catalog"
  | "no-credentials"
  | "credentials-expired"
  | "credentials-unknown"
  | "signature-mismatch"
  | "clock-skew"
  | "policy-too-large"
  | "policy-malformed"
  | "session-tags"
  | "session-duration"
  | "sts-region"
  | "web-identity"
  | "role-trust"
  | "role-policy"
  | "key-policy"
  | "bucket-policy"
  | "object-locked"
  | "public-access-block"
  | "permissions-boundary"
  | "service-control-policy"
  | "resource-control-policy"
  | "vpc-endpoint-policy"
  | "unspecified";

/** What the explanation of a cause needs to know. */
export interface Facts {
  readonly denial: Denial;
  readonly session: Session;
  readonly detail?: string | undefined;
  /** Which of a cause's sentences is meant. */
  readonly variant?: string | undefined;
  /** The accesses that the session has there, and those that it lacks. */
  readonly has?: readonly Access[] | undefined;
  readonly lacks?: readonly Access[] | undefined;
  /** A location or a key. */
  readonly what?: string | undefined;
  /** Whether the refusal was only logged. */
  readonly logged?: boolean | undefined;
}

/** Why a request was denied. */
export interface Decision {
  readonly cause: Cause;
  readonly certainty: "certain" | "possible";
  readonly facts: Facts;
  readonly remedy?: Remedy | undefined;
  readonly alternatives?: readonly Remedy[] | undefined;
}

/** A denial, the session it is about, and what is known from the rest of the text. */
interface Case {
  readonly found: Found;
  readonly denial: Denial;
  readonly session: Session;
  /** Whether the key encrypts: another denial of the text tells. */
  readonly encrypts: boolean;
  /** Whether AWS says who denied, the text is whole there, and the principal is the catalog's. */
  readonly sure: boolean;
}

/**
 * Decides why a request was denied.
 *
 * 1. Messages that tell their cause by themselves: credentials, STS' limits, locks, faults of keys.
 * 2. Requests to STS: Polaris' own.
 * 3. Whose session it is. Of a foreign principal nothing about this catalog follows.
 * 4. Where it went: an access point, another service.
 * 5. Who denied it, if AWS names another policy than the session's.
 * 6. What the session's policy says of it.
 *
 * @example
 * `s3:GetObject` on `arn:aws:s3:::lake/db/t/f`, denied by a session policy, of a session that lists
 * `s3://lake/db/t`: steps 1 to 5 say nothing, and step 6 finds the location without reading:
 * `access-not-granted`.
 */
export function decideCause(found: Found, session: Session, encrypts: boolean): Decision {
  const { denial } = found;
  const who = whose(found, session);
  const isSts = /^sts:(?:AssumeRole|TagSession|SetSourceIdentity)/i.test(denial.action ?? "");
  const isKnown = isSts ? found.principalDamaged !== true : who === "ours" || who === "any";
  const sure = denial.deniedBy !== undefined && found.damaged !== true && isKnown;
  const asked: Case = { found, denial, session, encrypts, sure };
  if (found.cause !== undefined) return byItself(asked, found.cause);
  if (denial.keyFault !== undefined) return keyFault(asked, denial.keyFault);
  if (denial.action === undefined && found.bare !== true) return possible(asked, "unspecified");
  if (isSts || denial.deniedBy === "role trust policy") {
    return trust(asked);
  }
  if (who === "anonymous") return certain(asked, "no-credentials", { variant: "anonymous" });
  if (who === "foreign") {
    const decide = found.principalDamaged ? possible : certain;
    return decide(asked, "not-a-session-of-this-catalog");
  }
  if (ACCESS_POINT.test(denial.resource ?? "")) {
    return (asked.sure ? certain : possible)(asked, "access-point");
  }
  const service = /^([a-z0-9-]+):/i.exec(denial.action ?? "")?.[1]?.toLowerCase();
  const isOther = service !== undefined && service !== "s3" && service !== "kms";
  const { deniedBy } = denial;
  if (deniedBy !== undefined && deniedBy !== "session policy") {
    if (isOther && !(deniedBy in GUARDS)) return neverGranted(asked);
    return others(asked, deniedBy);
  }
  if (isOther) return neverGranted(asked);
  if (deniedBy !== undefined && denial.explicit && session.places === undefined) {
    return possible(asked, "nothing-granted");
  }
  if (denial.perhapsMissing) return others(asked, "resource-based policy");
  return service === "kms" ? key(asked) : s3(asked);
}

type Said = Partial<Pick<Facts, "variant" | "has" | "lacks" | "what" | "detail">>;

function decision(
  { found, denial, session }: Case,
  cause: Cause,
  certainty: Decision["certainty"],
  said: Said,
  change: Remedy | undefined,
  alternatives: readonly Remedy[],
): Decision {
  return {
    cause,
    certainty,
    facts: { denial, session, detail: found.detail, logged: found.logged, ...said },
    remedy: change,
    alternatives: distinct(cause, alternatives),
  };
}

/** The alternatives of another cause, or with another change of the same one. */
function distinct(cause: Cause, alternatives: readonly Remedy[]): readonly Remedy[] | undefined {
  const others = alternatives.filter(
    (one) => one.cause !== cause || one.field !== undefined || cause === "session-tags",
  );
  return others.length === 0 ? undefined : others;
}

function certain(
  asked: Case,
  cause: Cause,
  said: Said = {},
  change?: Remedy,
  alternatives: readonly Remedy[] = [],
): Decision {
  const isSure = asked.found.bare !== true && asked.found.damaged !== true;
  return decision(asked, cause, isSure ? "certain" : "possible", said, change, alternatives);
}

/** As {@link certain}, where the whole of the message was understood. */
function likely(
  asked: Case,
  cause: Cause,
  said: Said = {},
  change?: Remedy,
  alternatives: readonly Remedy[] = [],
): Decision {
  return decision(asked, cause, asked.sure ? "certain" : "possible", said, change, alternatives);
}

function possible(
  asked: Case,
  cause: Cause,
  said: Said = {},
  change?: Remedy,
  alternatives: readonly Remedy[] = [],
): Decision {
  return decision(asked, cause, "possible", said, change, alternatives);
}

const ASSUMED_ROLE = /^arn:[^:]+:sts::([^:]*):assumed-role\/([^/]+)\//;
const ROLE = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

/**
 * Whose request it was: of a session of the catalog's role, or of somebody else. The ARN of a session
 * has no path of the role, so account and name are compared; not where ids are masked, and not where
 * the catalog has no role of AWS.
 */
function whose(
  { denial }: Found,
  { config }: Session,
): "ours" | "foreign" | "anonymous" | "any" | "unknown" {
  const { principal } = denial;
  if (principal === "anonymous") return "anonymous";
  const role = ROLE.exec(config?.roleArn ?? "");
  if (role === null) return "any";
  if (principal === undefined) return "unknown";
  const [, account, name] = ASSUMED_ROLE.exec(principal) ?? ROLE.exec(principal) ?? [];
  if (account === role[1] && name === role[2]) return "ours";
  const isWhole = /^arn:[a-z-]+:(?:iam|sts)::\d{12}:[\w+=,.@/-]+$/.test(principal);
  return isWhole && !/\/NAME(?:\/|$)/.test(principal) ? "foreign" : "unknown";
}

const ACCESS_POINT =
  /^arn:[^:]*:s3(?:-object-lambda|-outposts)?:[^:]*:[^:]*:(?:accesspoint|outpost)\//i;

function byItself(asked: Case, cause: Cause): Decision {
  const { session } = asked;
  if (cause === "location-not-allowed") return refused(asked, asked.found.detail ?? "");
  if (cause === "role-trust" && asked.found.detail === undefined) return trust(asked);
  if (cause === "role-trust") return certain(asked, cause, { variant: "root" });
  const noTags = {
    how: "Leave Polaris' SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL empty: sessions then have no tags.",
  };
  if (cause === "session-tags" && asked.found.detail !== undefined) {
    return certain(asked, cause, {}, noTags);
  }
  if (cause === "session-tags") {
    const statement: RemedyStatement = {
      Effect: "Allow",
      Principal: { AWS: session.config?.userArn ?? "POLARIS_ARN" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
    };
    return certain(asked, cause, {}, { statement }, [{ cause, ...noTags }]);
  }
  return certain(asked, cause);
}

/** A location that Polaris itself refused: the list is the catalog's, or that its namespace makes of it. */
function refused(asked: Case, uri: string): Decision {
  const { session } = asked;
  const place = session.placeOf(uri);
  const isKnown = session.allowed !== undefined && place !== undefined;
  if (!isKnown || isInCatalog(session, place) || isMasked(uri)) {
    return possible(asked, "location-not-allowed", { what: uri, variant: "refused" });
  }
  const slash = place.indexOf("/");
  const path = place.slice(slash + 1);
  const target = { bucket: place.slice(0, slash), key: undefined, prefix: path, mayProbe: false };
  const proposed = path === "" ? undefined : proposal(session, target);
  const change = proposed === undefined ? undefined : remedy("allowedLocations", proposed);
  return certain(asked, "location-not-allowed", { what: uri }, change);
}

const FAULTS: Readonly<Record<KeyFault, Cause>> = {
  disabled: "kms-key-disabled",
  "pending deletion": "kms-key-pending-deletion",
  "not usable": "kms-key-not-usable",
  "not found": "kms-key-not-found",
  "wrong region": "kms-key-wrong-region",
};

/** Whether a key is of another region than the catalog, which tells the bucket's most of the time. */
function isElsewhere({ resource }: Denial, config: AwsStorageConfig | undefined): boolean {
  const region = resource?.split(":")[3];
  return Boolean(region && config?.region && region !== config.region);
}

function keyFault(asked: Case, fault: KeyFault): Decision {
  const { denial, session } = asked;
  if (fault === "not found" && isElsewhere(denial, session.config)) {
    return possible(asked, "kms-key-wrong-region");
  }
  return certain(asked, FAULTS[fault]);
}

const TRUST: ReadonlySet<DeniedBy> = new Set(["role trust policy", "resource-based policy"]);

/** A refused AssumeRole: the request is Polaris' own, not a session's. */
function trust(asked: Case): Decision {
  const { denial, session, found } = asked;
  const { action = "sts:AssumeRole", deniedBy, explicit, principal = "", resource } = denial;
  const { config } = session;
  const isWhole = found.damaged !== true && found.principalDamaged !== true && found.bare !== true;
  if (/^sts:AssumeRoleWithWebIdentity$/i.test(action)) return certain(asked, "web-identity");
  if (/^sts:TagSession$/i.test(action)) return byItself(asked, "session-tags");
  // An engine that assumes a role of its own does so with the vended credentials.
  if (deniedBy === "session policy") return neverGranted(asked);
  if (deniedBy === "identity-based policy") {
    const change =
      explicit || resource === undefined
        ? undefined
        : { statement: { Effect: "Allow", Action: action, Resource: resource } as const };
    return (isWhole ? certain : possible)(asked, "role-policy", { variant: "polaris" }, change);
  }
  if (deniedBy !== undefined && !TRUST.has(deniedBy)) return others(asked, deniedBy);
  const account = accountOf(config?.userArn ?? "");
  const isForeign =
    account !== undefined && !principal.includes(`:${account}:`) && principal !== "";
  const isPerson = /^arn:[^:]+:iam::\d{12}:(?:user|role)\//.test(principal);
  const who = isPerson && !isForeign && isWhole ? principal : (config?.userArn ?? "POLARIS_ARN");
  const byId = config?.externalId ? { "sts:ExternalId": "EXTERNAL_ID" } : undefined;
  const statement: RemedyStatement = {
    Effect: "Allow",
    Principal: { AWS: who },
    Action: action,
    ...(byId === undefined ? {} : { Condition: { StringEquals: byId } }),
  };
  const said = {
    variant: isForeign ? "foreign" : byId === undefined ? "plain" : "external id",
    what: resource ?? config?.roleArn ?? undefined,
  };
  const decide = deniedBy === "role trust policy" && isWhole ? certain : possible;
  return decide(asked, "role-trust", said, isForeign ? undefined : { statement });
}

const GUARDS: Readonly<Partial<Record<DeniedBy, Cause>>> = {
  "permissions boundary": "permissions-boundary",
  "service control policy": "service-control-policy",
  "resource control policy": "resource-control-policy",
  "VPC endpoint policy": "vpc-endpoint-policy",
};

function accountOf(arn: string): string | undefined {
  return arn.split(":")[4] || undefined;
}

/** Denials that AWS says another policy made: of the role, the key, the bucket, the organization. */
function others(asked: Case, deniedBy: DeniedBy): Decision {
  const { denial, session } = asked;
  const { action = "", explicit, perhapsMissing, principal, resource } = denial;
  const { config } = session;
  const guard = GUARDS[deniedBy];
  if (guard !== undefined) return likely(asked, guard);
  const isKey = /^kms:/i.test(action);
  if (isKey && !explicit && /:alias\//.test(resource ?? "")) {
    return likely(asked, "kms-key-is-alias", { variant: "in message", what: resource });
  }
  const missing = /^s3:ListBucket$/i.test(action) && !explicit ? s3(asked) : undefined;
  if (missing?.cause === "object-may-be-missing") return missing;
  const role = config?.roleArn ?? "ROLE_ARN";
  if (deniedBy === "identity-based policy" || deniedBy === "role trust policy")
    return rolePolicy(asked);
  if (!isKey) {
    const place = S3_ARN.exec(resource ?? "");
    const change =
      explicit || place === null || asked.found.damaged
        ? undefined
        : {
            statement: withPrincipal(
              role,
              roleStatements(action, resource ?? "", session, place[1] ?? "")[0],
            ),
          };
    return likely(asked, "bucket-policy", {}, change);
  }
  if (perhapsMissing && isElsewhere(denial, config)) return possible(asked, "kms-key-wrong-region");
  const statement: RemedyStatement = {
    Effect: "Allow",
    Principal: { AWS: role },
    Action: action,
    Resource: "*",
  };
  const change = explicit || resource === undefined ? undefined : { statement };
  const own = accountOf(config?.roleArn ?? principal ?? "");
  const owner = accountOf(resource ?? "");
  if (own !== undefined && owner !== undefined && own !== owner && asked.found.damaged !== true) {
    const also = {
      statement: { Effect: "Allow", Action: action, Resource: resource ?? "" } as const,
    };
    const decide = explicit ? possible : likely;
    return decide(
      asked,
      "kms-key-cross-account",
      { what: `${owner} ${own}` },
      change && { ...change, also },
    );
  }
  return (perhapsMissing ? possible : likely)(asked, "key-policy", {}, change);
}

function withPrincipal(role: string, { Effect, ...rest }: RemedyStatement): RemedyStatement {
  return { Effect, Principal: { AWS: role }, ...rest };
}

/** The role's own policy; a key or a location that the catalog lacks as well comes first or with it. */
function rolePolicy(asked: Case): Decision {
  const { denial, session } = asked;
  const { action = "", explicit, resource } = denial;
  const change: Remedy | undefined =
    explicit || resource === undefined || asked.found.damaged
      ? undefined
      : roleChange(action, resource, session);
  if (!explicit && session.config !== undefined && /^kms:/i.test(action)) {
    const own = key(asked);
    if (
      own.cause === "kms-key-not-configured" &&
      own.remedy !== undefined &&
      change !== undefined
    ) {
      return { ...own, remedy: alsoDo(own.remedy, change) };
    }
  }
  const outside = !explicit && /^s3:/i.test(action) ? s3(asked) : undefined;
  if (outside?.cause === "location-not-allowed" && outside.remedy !== undefined) {
    return { ...outside, remedy: alsoDo(outside.remedy, ROLE_AFTERWARDS) };
  }
  return likely(asked, "role-policy", {}, change);
}

/** The statements of the role follow from the catalog's locations. */
const ROLE_AFTERWARDS: Readonly<Remedy> = {
  how: "Then add to the role's policy what `polaris-session-policy role-policy` prints for the catalog.",
};

function alsoDo(first: Remedy, then: Remedy): Remedy {
  return { ...first, also: first.also === undefined ? then : alsoDo(first.also, then) };
}

/** What profile "polaris" grants on keys. */
const POLARIS_KMS: ReadonlySet<string> = new Set([
  "kms:decrypt",
  "kms:generatedatakey",
  "kms:generatedatakeywithoutplaintext",
  "kms:encrypt",
  "kms:describekey",
]);
const GRANTED_KMS: ReadonlySet<string> = new Set(
  ACTIONS.map(({ action }) => action.toLowerCase()).filter((action) => action.startsWith("kms:")),
);

function neverGranted(asked: Case): Decision {
  return likely(asked, "action-never-granted");
}

function key(asked: Case): Decision {
  const { denial, session } = asked;
  const { action = "", resource, service } = denial;
  const { config } = session;
  const granted = session.options.profile === "polaris" ? POLARIS_KMS : GRANTED_KMS;
  if (!granted.has(action.toLowerCase())) return neverGranted(asked);
  if (resource === undefined)
    return possible(asked, "kms-key-not-configured", { variant: "unnamed" });
  if (/:alias\//.test(resource))
    return likely(asked, "kms-key-is-alias", { variant: "in message", what: resource });
  if (config === undefined) return notConfigured(asked, resource);
  const arn = configuredAs(resource, config);
  const parsed = parseKmsKeyArn(arn, false);
  const viaService = typeof parsed === "string" ? undefined : s3ViaService(parsed);
  const context = viaService === undefined ? {} : { "kms:ViaService": viaService };
  const request = { action, resource: arn, context };
  const isWrite = action.toLowerCase() !== "kms:decrypt";
  // Profile "polaris" grants some keys only to sessions that don't write.
  const isOwn = session.ownKeys !== undefined && isAllowedIfValid(session.ownKeys, request);
  if (!isOwn && !isAllowedIfValid(session.keys, request)) {
    if (config.kmsUnavailable === true) {
      const isConfigured = configuredKeys(config).includes(arn);
      const also = isConfigured ? undefined : configuring(asked, arn)[0];
      return likely(
        asked,
        "kms-unavailable",
        { variant: isConfigured ? "configured" : "not configured" },
        remedy("kmsUnavailable", false, also),
      );
    }
    const isListed = [...(config.allowedKmsKeys ?? []), ...(config.decryptionKeys ?? [])].includes(
      arn,
    );
    if (isListed && isWrite) {
      return likely(
        asked,
        "kms-key-read-only",
        { what: arn, variant: variantOf(session) },
        encryptWith(arn, session),
      );
    }
    const alias = session.aliases[0];
    if (alias !== undefined) {
      return possible(
        asked,
        "kms-key-is-alias",
        { variant: alias.field, what: arn },
        replaceAlias(alias.field, alias.alias, arn),
      );
    }
    return notConfigured(asked, arn);
  }
  const access: Access = isWrite ? "write" : "read";
  if (session.ownKeys === undefined)
    return possible(asked, "session-outdated", { variant: "key", lacks: [access] });
  if (!isOwn) {
    const elsewhere =
      session.sorted.length === 1
        ? session.places?.get(session.sorted[0] ?? "")?.uri
        : firstUri(session);
    const change = elsewhere === undefined ? undefined : grant([access], elsewhere);
    return likely(asked, "access-not-granted", { variant: "key", lacks: [access] }, change);
  }
  if (/kms/i.test(service ?? "")) {
    const direct = { ...remedy("kmsViaService", false), cause: "kms-not-through-s3" } as const;
    return possible(asked, "session-outdated", { variant: "direct" }, undefined, [direct]);
  }
  return inside(asked, ["role-policy", "key-policy"]);
}

function firstUri({ places }: Session): string | undefined {
  return places?.values().next().value?.uri;
}

function variantOf(session: Session): string | undefined {
  return session.config?.currentKmsKey == null
    ? "no other"
    : bucketsOf(session).size > 1
      ? "several buckets"
      : undefined;
}

function configuredKeys(config: AwsStorageConfig): string[] {
  const { currentKmsKey, allowedKmsKeys, encryptionKeys, decryptionKeys } = config;
  return [currentKmsKey, allowedKmsKeys, encryptionKeys, decryptionKeys].flatMap(
    (keys) => keys ?? [],
  );
}

/** The configured key that a message means which masks the account; else as the message has it. */
function configuredAs(resource: string, config: AwsStorageConfig): string {
  if (!resource.includes(":ACCOUNT:")) return resource;
  const [region, id] = [resource.split(":")[3], resource.split(":")[5]];
  return (
    configuredKeys(config).find((arn) => {
      const parts = arn.split(":");
      return parts[3] === region && parts[5] === id;
    }) ?? resource
  );
}

function notConfigured(asked: Case, resource: string): Decision {
  const { session } = asked;
  const [first, ...rest] = configuring(asked, resource);
  const decide = session.config === undefined ? possible : likely;
  if (first === undefined) {
    return decide(asked, "kms-key-not-configured", { variant: "impossible", what: resource });
  }
  const variant = rest.length === 0 ? "encrypts" : undefined;
  const several = bucketsOf(session).size > 1 && session.config?.currentKmsKey != null;
  const said = { what: resource, variant: several ? `${variant ?? "either"} several` : variant };
  return decide(asked, "kms-key-not-configured", said, first, rest);
}

/** The ways to configure a key that is not, the likelier first; none if it can't be. */
function configuring({ denial, session, encrypts }: Case, resource: string): Remedy[] {
  const config = session.config ?? {};
  try {
    const whole = resource.replace(":ACCOUNT:", ":000000000000:");
    parseStorageConfig({ ...config, kmsUnavailable: null, currentKmsKey: whole });
  } catch {
    return [];
  }
  const encrypting = encryptWith(resource, session);
  if (encrypts || denial.action?.toLowerCase() !== "kms:decrypt") return [encrypting];
  const ways = [
    { ...encrypting, when: "new data is encrypted with it" },
    { ...decryptWith(resource, session), when: "only older data is encrypted with it" },
  ];
  // A catalog that has a current key is likelier to lack an older one, which is also granted less.
  return config.currentKmsKey == null ? ways : ways.reverse();
}

const S3_ARN = /^arn:[^:]*:s3:::([^/]+)(?:\/(.*))?$/s;

/** Where a request went, as far as the message or the text around it tells. */
interface Target {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly prefix: string | undefined;
  /** Whether the request may be a probe of a folder: a read without a reason to name an object. */
  readonly mayProbe: boolean;
  /** Whether the key is cut. */
  readonly isCut?: boolean;
}

function targetOf({ denial, found, session }: Case): Target {
  const [, inArn, keyInArn] = S3_ARN.exec(denial.resource ?? "") ?? [];
  const key = denial.key ?? keyInArn;
  const bucket = denial.bucket ?? inArn ?? bucketAround(session, key ?? found.prefix);
  const isList = /^s3:List(?:Bucket|BucketMultipartUploads)$/i.test(denial.action ?? "");
  const mayProbe = denial.action === undefined || /^s3:GetObject$/i.test(denial.action);
  const prefix = isList ? found.prefix : undefined;
  const isCut = found.isCut === true;
  return { bucket, key: isList ? undefined : key, prefix, mayProbe, isCut };
}

/** The one bucket in which the session or the catalog has a location around a key. */
function bucketAround(session: Session, key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  const buckets = [...bucketsOf(session)].slice(0, 50);
  const held = buckets.filter((bucket) => grantsAround(session, bucket, key).length > 0);
  if (held.length > 0) return held.length === 1 ? held[0] : undefined;
  if (session.allowed === undefined) return undefined;
  const inCatalog = buckets.filter((bucket) => isInCatalog(session, `${bucket}/${key}`));
  return inCatalog.length === 1 ? inCatalog[0] : undefined;
}

function s3(asked: Case): Decision {
  const { denial, found, session } = asked;
  const action = denial.action?.toLowerCase();
  const target = targetOf(asked);
  if (action === undefined) return untold(asked, target);
  const row = ACTIONS.find((known) => known.action.toLowerCase() === action);
  if (row === undefined) return neverGranted(asked);
  const { option, access } = row;
  const isPolaris = session.options.profile === "polaris";
  if (option !== undefined && isPolaris && option !== "objectVersions") return neverGranted(asked);
  if (option !== undefined && !isPolaris && session.options[option] !== true) {
    return likely(asked, "option-not-set", { what: option }, setOption(option));
  }
  const needs = found.needs ?? (access.length === 1 ? access : (["read"] as const));
  if (session.accesses.length === 0 && session.places !== undefined) {
    const uri = proposal(session, target);
    if (uri !== undefined && !isInCatalog(session, session.placeOf(uri) ?? ""))
      return outside(asked, target, needs);
    return likely(asked, "nothing-granted", {}, grant(needs, uri));
  }
  if (target.bucket === undefined && denial.operation !== "HeadBucket")
    return nowhere(asked, needs);
  const { bucket = "" } = target;
  const isOfAll = target.prefix === "" && grantsAround(session, bucket, "").length === 0;
  if (action === "s3:listbucket" && (target.prefix === undefined || isOfAll)) {
    return listed(asked, bucket, needs);
  }
  if (action === "s3:listbucketmultipartuploads")
    return possible(asked, "list-prefix", { variant: "uploads" });
  if (target.key === undefined && target.prefix === undefined)
    return inBucketOnly(asked, bucket, needs);
  return located(asked, bucket, target, needs);
}

/** A request of which only the bucket is known. */
function inBucketOnly(asked: Case, bucket: string, needs: readonly Access[]): Decision {
  const { session } = asked;
  const granted = grantsIn(session, bucket);
  if (session.places === undefined || granted.length === 0) {
    const isUnknown = session.places === undefined;
    const decide = isUnknown ? possible : likely;
    return decide(asked, "location-not-granted", {
      lacks: needs,
      variant: isUnknown ? "unknown" : undefined,
    });
  }
  const isAllowedNow = allows(session, asked.denial.action ?? "", bucket, undefined);
  if (isAllowedNow && asked.found.bare !== true) return inside(asked, []);
  const has = [...new Set(granted.flatMap(({ accesses }) => accesses))];
  const lacks = needs.filter((access) => !has.includes(access));
  if (lacks.length === 0) return possible(asked, "unspecified", {}, undefined, elsewhere(asked));
  const only = granted.length === 1 ? granted[0]?.uri : undefined;
  return possible(asked, "access-not-granted", { has, lacks }, grant(lacks, only));
}

/** A bare 403 of which not even the operation is known: the session may still lack an access. */
function untold(asked: Case, target: Target): Decision {
  const { session } = asked;
  const { bucket, key } = target;
  if (bucket === undefined || key === undefined || session.places === undefined) {
    return possible(asked, "unspecified", {}, undefined, elsewhere(asked));
  }
  if (grantsAround(session, bucket, key).length > 0) {
    const place = session.places.get(`${bucket}/${key}/`);
    if (place !== undefined)
      return possible(asked, "bare-path", { what: place.uri }, setOption("barePaths"));
    return possible(asked, "unspecified", {}, undefined, elsewhere(asked));
  }
  return outside(asked, target, ["read"]);
}

/** A request whose bucket nothing tells. */
function nowhere(asked: Case, needs: readonly Access[]): Decision {
  const { session } = asked;
  if (session.places === undefined) {
    return possible(asked, "location-not-granted", { variant: "nowhere", lacks: needs });
  }
  const lacks = needs.filter((access) => !session.accesses.includes(access));
  if (lacks.length === 0 && asked.denial.deniedBy === "session policy") {
    return possible(asked, "location-not-granted", { variant: "nowhere", lacks: needs });
  }
  if (lacks.length > 0) {
    const only = session.sorted.length === 1 ? firstUri(session) : undefined;
    return possible(
      asked,
      "access-not-granted",
      { variant: "anywhere", has: session.accesses, lacks },
      grantSomewhere(lacks, only),
    );
  }
  return possible(asked, "unspecified", {}, undefined, elsewhere(asked));
}

/** A denial to list a bucket that does not tell the prefix. */
function listed(asked: Case, bucket: string, needs: readonly Access[]): Decision {
  const { denial, found, session } = asked;
  if (denial.operation === "HeadBucket") {
    const how =
      "Pass create_dir=False to pyarrow's write_dataset, or use a client that does not ask for the bucket itself.";
    return possible(asked, "list-prefix", { variant: "bucket" }, undefined, [{ how }]);
  }
  if (session.places === undefined)
    return possible(asked, "location-not-granted", { variant: "unknown", lacks: needs });
  const granted = grantsIn(session, bucket);
  if (granted.length === 0) return likely(asked, "location-not-granted", { lacks: needs });
  const lists = granted.some(({ accesses }) => accesses.includes("list"));
  if (lists) return possible(asked, "list-prefix", {}, undefined, elsewhere(asked));
  const uri = granted.length === 1 ? granted[0]?.uri : undefined;
  const reads = granted.some(({ accesses }) => accesses.includes("read"));
  const lacks = needs.filter(
    (access) => !granted.some(({ accesses }) => accesses.includes(access)),
  );
  const change = grant(lacks, uri);
  const has = [...new Set(granted.flatMap(({ accesses }) => accesses))];
  if (found.needs === undefined && reads) {
    const alternatives =
      change === undefined ? [] : [{ ...change, cause: "access-not-granted" as const }];
    return possible(asked, "object-may-be-missing", { variant: "list" }, undefined, alternatives);
  }
  const decide = granted.length === 1 ? likely : possible;
  return decide(asked, "access-not-granted", { has, lacks }, change);
}

/**
 * A request whose bucket and key or prefix are known.
 *
 * 1. Without the session's locations: whether the catalog allows the place at all.
 * 2. A name that is cut before the session's locations part from it tells nothing.
 * 3. What the policy allows was denied elsewhere, or the object is missing.
 * 4. A location's own name, without the slash, is a probe of the directory.
 * 5. A session with another access to the place lacks this one.
 * 6. Else it lacks the place.
 *
 * @example
 * HeadObject of `db/t` in a session that reads `s3://lake/db/t`: step 4, `bare-path`.
 */
function located(asked: Case, bucket: string, target: Target, needs: readonly Access[]): Decision {
  const { denial, found, session } = asked;
  const { action = "" } = denial;
  const name = target.key ?? target.prefix ?? "";
  if (session.places === undefined) return outside(asked, { ...target, bucket }, needs);
  if (target.isCut && isAncestor(session, `${bucket}/${name}`))
    return possible(asked, "unspecified", {}, undefined, elsewhere(asked));
  const granted = grantsAround(session, bucket, name);
  const isMerged = session.options.profile === "polaris";
  // Profile "polaris" does not tell writing and deleting apart.
  const holds = (access: Access) =>
    granted.some(
      ({ accesses }) =>
        accesses.includes(access) ||
        (isMerged && access === "delete" && accesses.includes("write")) ||
        (isMerged && access === "write" && accesses.includes("delete")),
    );
  const isAllowedNow = allows(session, action, bucket, target.key, target.prefix);
  const own =
    name === "" || name.endsWith("/") ? undefined : session.places.get(`${bucket}/${name}/`);
  const missing = needs.filter((access) => !holds(access));
  if (isAllowedNow && missing.length === 0) {
    if (target.prefix !== undefined && !target.prefix.endsWith("/")) {
      return possible(asked, "list-prefix", {}, undefined, elsewhere(asked));
    }
    const mayList = allows(session, "s3:ListBucket", bucket, undefined, name);
    if (target.key !== undefined && needs.includes("read") && !mayList && found.bare === true) {
      const list = grant(["list"], granted.at(-1)?.uri);
      const alternatives =
        list === undefined ? [] : [{ ...list, cause: "access-not-granted" as const }];
      return possible(asked, "object-may-be-missing", {}, undefined, [
        ...alternatives,
        ...elsewhere(asked),
      ]);
    }
    return inside(asked, mayList ? [] : ["object-may-be-missing"]);
  }
  const isProbe = own !== undefined && granted.at(-1) === own && !isAllowedNow;
  if (isProbe && missing.length === 0) {
    if (target.prefix !== undefined) return possible(asked, "list-prefix", { what: own.uri });
    return bareProbe(asked, own, needs);
  }
  if (granted.length > 0) {
    const lacks = missing.length > 0 ? missing : needs;
    const has = [...new Set(granted.flatMap(({ accesses }) => accesses))];
    const probe = isProbe ? [{ ...setOption("barePaths"), cause: "bare-path" as const }] : [];
    const said = { has, lacks, ...(found.newFile ? { variant: "new file" } : {}) };
    // A key beside a denial to list is what was listed only if the text says that something was.
    const isGuessed = target.prefix !== undefined && found.needs === undefined;
    const decide = isProbe || isGuessed ? possible : likely;
    return decide(asked, "access-not-granted", said, grant(lacks, granted.at(-1)?.uri), probe);
  }
  return outside(asked, { ...target, bucket }, needs);
}

function bareProbe(asked: Case, own: Granted, needs: readonly Access[]): Decision {
  const lacksList =
    needs.includes("read") && !own.accesses.includes("list") && asked.found.bare === true;
  const list = lacksList ? grant(["list"], own.uri) : undefined;
  const alternatives =
    list === undefined ? [] : [{ ...list, cause: "access-not-granted" as const }];
  return likely(asked, "bare-path", { what: own.uri }, setOption("barePaths"), alternatives);
}

/** A request outside of everything that the session has. */
function outside(asked: Case, target: Target, needs: readonly Access[]): Decision {
  const { session } = asked;
  const { bucket = "", key, prefix } = target;
  const uri = proposal(session, target);
  const place = uri === undefined ? undefined : (session.placeOf(uri) ?? "");
  const isProbe = place !== undefined && place === `${bucket}/${key}/`;
  // A prefix is from the text around the message, where a line may have been broken.
  const likelyHere = prefix === undefined && !isProbe ? likely : possible;
  const granting = grant(needs, uri);
  const change = granting && isProbe ? alsoDo(granting, setOption("barePaths")) : granting;
  if (place !== undefined && !isInCatalog(session, place)) {
    const allowing = remedy("allowedLocations", uri, change);
    return likelyHere(asked, "location-not-allowed", { what: uri }, allowing);
  }
  const decide = session.places === undefined || place === undefined ? possible : likelyHere;
  const unproposed = target.isCut ? "cut" : "wide";
  const variant =
    session.places === undefined ? "unknown" : place === undefined ? unproposed : undefined;
  return decide(asked, "location-not-granted", { lacks: needs, variant }, change);
}

/** Folders that engines make below a table's location. */
const BELOW_TABLE =
  /^(?:data|metadata|_delta_log|_temporary|_spark_metadata|\.spark-staging.*|attempt_.*|[^=/]+=[^/]*|[01]{3,}|[0-9a-f]{8})$/;

/** Names of objects: with an ending, of a part or a number as Hadoop gives them, or a marker. */
const FILE = /\.|^_|^part-|^\d{4,}(?:_\d+)?$/;

/** Whether a key is the name of a location more than of an object. */
function isLocation(session: Session, bucket: string, folders: readonly string[]): boolean {
  const granted = grantsIn(session, bucket);
  const isFile = FILE.test(folders.at(-1) ?? "") || folders.some((one) => BELOW_TABLE.test(one));
  // A place has the bucket before its folders, and a slash after them.
  const depth = ({ uri }: Granted) => (session.placeOf(uri) ?? "").split("/").length - 2;
  const isShallow = granted.every((one) => depth(one) >= folders.length);
  return !isFile && folders.length > 1 && granted.length > 0 && isShallow;
}

/**
 * The location to grant for a key: the folder of the object, without the folders that engines make
 * below a table. Where the session's locations all lie deeper, a name that is not a file's is the
 * location itself, which engines probe. Undefined for a whole bucket, or for a folder that holds a
 * granted location: it would grant every table's data.
 */
function proposal(session: Session, target: Target): string | undefined {
  const { bucket, key, prefix, mayProbe, isCut } = target;
  if (bucket === undefined) return undefined;
  const name = key ?? prefix;
  if (name === undefined) return undefined;
  const folders = name.split("/");
  const isProbe = mayProbe && isLocation(session, bucket, folders);
  if (name.endsWith("/") || (key !== undefined && !isProbe)) folders.pop();
  let last = folders.length;
  while (last > 1 && BELOW_TABLE.test(folders[last - 1] ?? "")) last--;
  const path = folders.slice(0, last).join("/");
  const isUnknown = isCut === true && last === folders.length;
  if (path === "" || isMasked(path) || isUnknown) return undefined;
  const uri = `s3://${bucket}/${path}`;
  const place = session.placeOf(uri);
  if (place === undefined || isAncestor(session, place) || isAroundCatalog(session, place))
    return undefined;
  return uri;
}

/** A request that the policy of this configuration allows. */
function inside(asked: Case, first: readonly Cause[]): Decision {
  const { denial } = asked;
  if (denial.deniedBy === "session policy") return possible(asked, "session-outdated");
  return possible(asked, "other-policy", {}, undefined, elsewhere(asked, first));
}

/** Where else a request may have been denied, with what to look at. */
function elsewhere({ denial, session }: Case, first: readonly Cause[] = []): Remedy[] {
  const action = denial.action ?? "";
  const { resource } = denial;
  const isWrite = /^s3:PutObject$/i.test(action);
  if (action === "") return [];
  const causes: Cause[] = [...first];
  if (/^s3:GetObject$/i.test(action) && !session.accesses.includes("list"))
    causes.push("object-may-be-missing");
  if (denial.deniedBy !== "session policy")
    causes.push("session-outdated", "role-policy", "bucket-policy", "service-control-policy");
  if (isWrite && session.config?.kmsUnavailable !== true) causes.push("key-policy");
  return [...new Set(causes)].map((cause): Remedy => {
    const how = LOOK[cause];
    const statement =
      cause === "role-policy" && resource !== undefined && !/ACCOUNT|NAME/.test(resource)
        ? roleChange(action, resource, session)
        : {};
    return { cause, ...(how === undefined ? {} : { how }), ...statement };
  });
}

/** What to look at, one sentence a cause. */
const LOOK: Readonly<Partial<Record<Cause, string>>> = {
  "object-may-be-missing":
    "Look the object up with credentials that may list: S3 answers 403 for a missing key to a session that may not.",
  "session-outdated":
    "Let the engine fetch new credentials: the session may be older than this configuration.",
  "role-policy": "See that the role's own policy allows it: a session gets no more than its role.",
  "bucket-policy": "See whether the bucket's policy denies it.",
  "service-control-policy": "See whether a policy of the organization denies it.",
  "key-policy":
    "See that the key's policy and the role allow kms:GenerateDataKey and, for UploadPart and CompleteMultipartUpload, kms:Decrypt.",
};
