/**
 * Why AWS denied a request of a session, and what to change.
 *
 * @see https://polaris.apache.org/blog/2025/12/24/securing-s3-data-with-aws-kms/
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @module
 */
import { isAllowed } from "../analysis/decide.ts";
import { parseKmsKeyArn, s3ViaService } from "../arn.ts";
import { fault, reading, SessionPolicyError } from "../errors.ts";
import { ACCESSES, type Access, type Locations, placeOf } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { PolicyDocument, Statement } from "../policy.ts";
import { createSessionPolicyBuilder } from "../session-policy.ts";
import { type AwsStorageConfig, parseStorageConfig } from "../storage-config.ts";
import { type Denial, type DeniedBy, findDenials, type KeyFault } from "./denials.ts";

export type { Denial, DeniedBy, KeyFault };

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
  | "list-prefix"
  | "option-not-set"
  | "nothing-granted"
  | "action-never-granted"
  | "session-outdated"
  | "role-policy"
  | "key-policy"
  | "bucket-policy"
  | "role-trust"
  | "permissions-boundary"
  | "service-control-policy"
  | "resource-control-policy"
  | "vpc-endpoint-policy"
  | "unspecified";

/** A statement for a policy elsewhere; one of a key, a bucket or a role's trust names a principal. */
export interface RemedyStatement {
  readonly Effect: "Allow";
  /** ROLE_ARN or POLARIS_ARN where the role or the user of Polaris is not known. */
  readonly Principal?: { readonly AWS: string };
  readonly Action: string;
  readonly Resource?: string;
  /** EXTERNAL_ID stands for the catalog's external id, which is not repeated. */
  readonly Condition?: NonNullable<Statement["Condition"]>;
}

/** What to change. */
export interface Remedy {
  /**
   * The field to change: of the storage configuration; `read`, `list`, `write` or `delete` of the
   * locations; or of the options.
   */
  readonly field?: string;
  /** The option of Polaris' and of our command line that sets the field. */
  readonly cliFlag?: string;
  /** The field's new value; of a list, the element to add. */
  readonly value?: string | boolean;
  /** The present value, if it has to go: an alias in a list of keys. */
  readonly replaces?: string;
  /** Under which condition this is the right change, if there are alternatives. */
  readonly when?: string;
  /** The statement that is missing in the policy of a role, a key or a bucket. */
  readonly statement?: RemedyStatement;
  /** What has to change with it. */
  readonly also?: Remedy;
}

/** A denied request, why it was denied, and what to do. Fields of the message are as it has them. */
export interface Diagnosis extends Denial {
  readonly cause: Cause;
  /** `certain`: this is why. `possible`: this may be why, as far as message and input tell. */
  readonly certainty: "certain" | "possible";
  readonly explanation: string;
  readonly remedy?: Remedy;
  /** Other changes, each of which would do as well. */
  readonly alternatives?: readonly Remedy[];
  /** How often the text says so. */
  readonly count: number;
}

/**
 * Finds every AWS access-denied message in a text, and explains each by the storage configuration,
 * the locations and the options that the session's policy was made of. The more of these are given,
 * the more is certain.
 *
 * Messages that differ in nothing but request ids are one diagnosis with a count. Certain ones come
 * first, in the order of the text. Every ARN in a diagnosis is from the text or from what was passed
 * in. The time taken is linear in the length of the text.
 *
 * @param text logs, stack traces, error bodies: anything.
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it; a key that is an
 *   alias is no error here but a cause.
 * @param locations as for `buildSessionPolicy`.
 * @param options as for `buildSessionPolicy`; `maxLength` does not matter.
 * @returns the diagnoses; none if the text holds no such message.
 * @throws SessionPolicyError `INVALID_REQUEST` if `text` is no string; as `buildSessionPolicy` for the
 *   rest of the input.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 * @example
 * ```ts
 * import { diagnoseAccessDenied } from "polaris-session-policy/diagnosis";
 *
 * const log =
 *   "S3Exception: User: arn:aws:sts::123456789012:assumed-role/polaris/etl is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444 because no session policy allows the kms:Decrypt action (Service: S3, Status Code: 403)";
 * const [diagnosis] = diagnoseAccessDenied(log, { region: "us-west-2" });
 * diagnosis?.cause;
 * // "kms-key-not-configured"
 * diagnosis?.remedy?.cliFlag;
 * // "--current-kms-key"
 * ```
 */
export function diagnoseAccessDenied(
  text: string,
  storageConfig?: AwsStorageConfig,
  locations?: Locations,
  options?: SessionPolicyOptions,
): Diagnosis[] {
  if (typeof text !== "string") throw fault("INVALID_REQUEST", [], "The text must be a string.");
  // What was passed in is read again for each denial, and may be a proxy.
  return reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    diagnose(findDenials(text), sessionOf(storageConfig, locations, options)),
  );
}

function diagnose(found: readonly Denial[], session: Session): Diagnosis[] {
  const counts = new Map<string, { readonly denial: Denial; count: number }>();
  for (const denial of found) {
    const id = JSON.stringify(denial);
    const known = counts.get(id);
    if (known === undefined) counts.set(id, { denial, count: 1 });
    else known.count++;
  }
  const denials = [...counts.values()];
  const encrypting = new Set(
    denials
      .filter(({ denial }) => sameAction(denial, "kms:GenerateDataKey"))
      .map(({ denial }) => denial.resource),
  );
  const diagnoses = denials.map(({ denial, count }) => {
    const finding = explain(denial, session, encrypting.has(denial.resource));
    return { ...denial, ...finding, count };
  });
  return diagnoses.sort(
    (a, b) => Number(b.certainty === "certain") - Number(a.certainty === "certain"),
  );
}

/** What a diagnosis adds to a denial. */
type Finding = Pick<Diagnosis, "cause" | "certainty" | "explanation" | "remedy" | "alternatives">;

function certain(cause: Cause, explanation: string, remedy?: Remedy): Finding {
  return { cause, certainty: "certain", explanation, ...(remedy === undefined ? {} : { remedy }) };
}

function possible(cause: Cause, explanation: string, remedy?: Remedy): Finding {
  return { ...certain(cause, explanation, remedy), certainty: "possible" };
}

/** What the session was made of, as far as it was passed in. */
interface Session {
  /** Without the keys that are aliases. */
  readonly config: AwsStorageConfig | undefined;
  readonly aliases: readonly { readonly field: KeyField; readonly alias: string }[];
  readonly locations: Locations | undefined;
  readonly options: SessionPolicyOptions;
  /** The session's policy, if its locations are known. */
  readonly policy: PolicyDocument | undefined;
  /** The policy where everything is granted: what it lacks is due to the configuration alone. */
  readonly everywhere: PolicyDocument;
  /** The account of the catalog's role. */
  readonly account: string | undefined;
}

type KeyField = "currentKmsKey" | "allowedKmsKeys";

function sessionOf(
  storageConfig: AwsStorageConfig | undefined,
  locations: Locations | undefined,
  options: SessionPolicyOptions | undefined,
): Session {
  const { config, aliases } = withoutAliases(storageConfig);
  const unlimited = reading("INVALID_OPTIONS", "The options", () => ({
    ...options,
    maxLength: Number.POSITIVE_INFINITY,
  }));
  const build = createSessionPolicyBuilder(config ?? {}, unlimited);
  const anywhere = createSessionPolicyBuilder({ ...config, allowedLocations: null }, unlimited);
  return {
    config,
    aliases,
    locations,
    options: unlimited,
    policy: locations && build(locations),
    everywhere: anywhere(EVERYWHERE),
    account: config?.roleArn == null ? undefined : accountOf(config.roleArn),
  };
}

const ALIAS = /^(?:arn:[^:]*:kms:[^:]*:[^:]*:)?alias\//;

/** Takes the aliases out of a configuration, if nothing else is wrong with it. */
function withoutAliases(storageConfig: AwsStorageConfig | undefined): {
  readonly config: AwsStorageConfig | undefined;
  readonly aliases: Session["aliases"];
} {
  if (storageConfig == null) return { config: undefined, aliases: [] };
  try {
    parseStorageConfig(storageConfig);
    return { config: storageConfig, aliases: [] };
  } catch (error) {
    if (!(error instanceof SessionPolicyError)) throw error;
    const { currentKmsKey, allowedKmsKeys } = storageConfig;
    const isAlias = (key: unknown): key is string => typeof key === "string" && ALIAS.test(key);
    const onlyAliases = error.issues.every(({ path: [field, i] }) =>
      isAlias(field === "currentKmsKey" ? currentKmsKey : allowedKmsKeys?.[Number(i)]),
    );
    if (!onlyAliases) throw error;
    const aliases: { field: KeyField; alias: string }[] = [];
    if (isAlias(currentKmsKey)) aliases.push({ field: "currentKmsKey", alias: currentKmsKey });
    for (const alias of allowedKmsKeys?.filter(isAlias) ?? []) {
      aliases.push({ field: "allowedKmsKeys", alias });
    }
    const config = {
      ...storageConfig,
      currentKmsKey: isAlias(currentKmsKey) ? null : currentKmsKey,
      allowedKmsKeys: allowedKmsKeys?.filter((key) => !isAlias(key)),
    };
    return { config, aliases };
  }
}

function sameAction({ action }: Denial, other: string): boolean {
  return action?.toLowerCase() === other.toLowerCase();
}

function accountOf(arn: string): string | undefined {
  return arn.split(":")[4] || undefined;
}

/** A denial of the use of a key that it names. */
interface KeyDenial extends Denial {
  readonly resource: string;
}

/** A denial that tells what was asked for. */
interface ActionDenial extends Denial {
  readonly action: string;
}

function explain(denial: Denial, session: Session, encrypts: boolean): Finding {
  const { action, deniedBy, keyFault } = denial;
  if (keyFault !== undefined) return explainKeyFault(denial, keyFault, session);
  if (action === undefined) return UNSPECIFIED;
  const asked = { ...denial, action };
  if (/^sts:/i.test(action) || deniedBy === "role trust policy")
    return explainTrust(asked, session);
  if (deniedBy !== undefined && deniedBy !== "session policy") {
    return explainOthers(asked, deniedBy, session);
  }
  if (deniedBy !== undefined && denial.explicit && session.policy === undefined) {
    return possible("nothing-granted", NOTHING);
  }
  if (denial.perhapsMissing) return explainOthers(asked, "resource-based policy", session);
  const finding = /^kms:/i.test(action)
    ? explainKey(asked, session, encrypts)
    : explainS3(asked, session);
  // Whoever denied may have been another policy, if the message doesn't say.
  return deniedBy === undefined ? { ...finding, certainty: "possible" } : finding;
}

const UNSPECIFIED: Readonly<Finding> = possible(
  "unspecified",
  "The message says neither the action nor who denied it: S3 leaves that out for buckets of another organization, for directory buckets and for HEAD requests, and other stores always do. An object that does not exist is answered so as well if the session may not list. Repeat the request with the AWS CLI, or look it up in CloudTrail, for the full message.",
);

const OUTDATED =
  "The session policy of this configuration allows the request. The session was made of an older one, or by other software: let the engine fetch new credentials, and see that the catalog runs with this configuration.";

const NOTHING =
  "The session was granted no location at all, and is denied everything. Grant it the table's.";

/** All that the use of keys depends on. */
const EVERYWHERE: Readonly<Locations> = { read: ["s3://any"], write: ["s3://any"] };

function explainKey(denial: ActionDenial, session: Session, encrypts: boolean): Finding {
  const { action, resource, service } = denial;
  const { config, policy, locations = {} } = session;
  if (resource === undefined) {
    return possible(
      "kms-key-not-configured",
      "The message does not name the key. `aws s3api head-object` prints the key of an object (SSEKMSKeyId); it must be the storage configuration's currentKmsKey (--current-kms-key), or one of allowedKmsKeys (--allowed-kms-key) if only older data is encrypted with it.",
    );
  }
  const named = { ...denial, resource };
  if (!GRANTED_ON_KEYS.has(action.toLowerCase())) return neverGranted(action);
  if (config === undefined) return notConfigured(named, session, encrypts);
  const key = parseKmsKeyArn(resource, false);
  const viaService = typeof key === "string" ? undefined : s3ViaService(key);
  const context = viaService === undefined ? {} : { "kms:ViaService": viaService };
  const request = { action, resource, context };
  if (!isAllowed(session.everywhere, request)) {
    if (config.kmsUnavailable === true) {
      const configured = [config.currentKmsKey, ...(config.allowedKmsKeys ?? [])].includes(
        resource,
      );
      const also = configured ? undefined : configuring(named, session, encrypts)[0];
      return certain(
        "kms-unavailable",
        "The storage configuration says kmsUnavailable, and its sessions get no KMS keys at all. Unset it (leave --no-kms out)" +
          (configured ? "." : " and configure the key."),
        remedy("kmsUnavailable", false, also),
      );
    }
    if (config.allowedKmsKeys?.includes(resource) && sameAction(denial, "kms:GenerateDataKey")) {
      return certain(
        "kms-key-read-only",
        `S3 encrypts new data with ${resource}, but the storage configuration allows this key for reading only. Make it currentKmsKey (--current-kms-key)${config.currentKmsKey == null ? "" : ", and keep the present one in allowedKmsKeys (--allowed-kms-key), or data encrypted with that can't be read any more"}.`,
        asCurrent(resource, config),
      );
    }
    const alias = session.aliases[0];
    if (alias !== undefined) {
      return possible(
        "kms-key-is-alias",
        `${alias.field} of the storage configuration is an alias, and a policy that names an alias grants no use of the key behind it. If it stands for ${resource}, configure this ARN instead; \`aws kms describe-key --key-id ALIAS\` tells.`,
        { ...remedy(alias.field, resource), replaces: alias.alias },
      );
    }
    return notConfigured(named, session, encrypts);
  }
  const isWrite = sameAction(denial, "kms:GenerateDataKey");
  if (policy === undefined) {
    return possible(
      "session-outdated",
      `The storage configuration has the key, for sessions that may ${isWrite ? "write" : "read"}. Either this one may not, or it was made of an older configuration: let the engine fetch new credentials.`,
    );
  }
  if (!isAllowed(policy, request)) {
    const access = isWrite ? "write" : "read";
    const elsewhere = ACCESSES.flatMap((other) => [...(locations[other] ?? [])])[0];
    return certain(
      "access-not-granted",
      `The storage configuration has the key, but the session may ${access} nothing, and gets ${action} only with that. Grant it the table's location to ${access}.`,
      elsewhere === undefined ? undefined : remedy(access, elsewhere),
    );
  }
  if (/kms/i.test(service ?? "")) {
    return certain(
      "kms-not-through-s3",
      "The session policy allows the key for S3 on the session's behalf (kms:ViaService), and this request went to KMS itself, as client-side encryption does. Let S3 encrypt (SSE-KMS), or drop that condition.",
      remedy("kmsViaService", false),
    );
  }
  return possible("session-outdated", OUTDATED);
}

const GRANTED_ON_KEYS: ReadonlySet<string> = new Set(["kms:decrypt", "kms:generatedatakey"]);

function neverGranted(action: string): Finding {
  return certain(
    "action-never-granted",
    `No session policy of Polaris' kind grants ${action}: no engine needs it to read, list, write or delete a table's files. Turn off the setting of the engine that asks for it (tags, ACLs, versions or uploads of others).`,
  );
}

function notConfigured(denial: KeyDenial, session: Session, encrypts: boolean): Finding {
  const [first, ...others] = configuring(denial, session, encrypts);
  const finding = session.config === undefined ? possible : certain;
  if (first === undefined) {
    return finding(
      "kms-key-not-configured",
      `The storage configuration lacks ${denial.resource}, and can't have it: the key is of another partition or form than the role and the region. S3 only uses keys of its own region.`,
    );
  }
  const how =
    others.length === 0
      ? "It encrypts new data, so it must be currentKmsKey (--current-kms-key)."
      : "Make it currentKmsKey (--current-kms-key) if new data is encrypted with it, or add it to allowedKmsKeys (--allowed-kms-key) if only older data is.";
  return {
    ...finding(
      "kms-key-not-configured",
      `The session policy does not name the key ${denial.resource}, as it is not in the catalog's storage configuration. ${how}`,
      first,
    ),
    ...(others.length === 0 ? {} : { alternatives: others }),
  };
}

/** The ways to configure a key that is not, the likelier first; none if it can't be. */
function configuring(denial: KeyDenial, session: Session, encrypts: boolean): Remedy[] {
  const { resource } = denial;
  const config = session.config ?? {};
  try {
    parseStorageConfig({ ...config, kmsUnavailable: null, currentKmsKey: resource });
  } catch {
    return [];
  }
  const current = asCurrent(resource, config);
  if (encrypts || sameAction(denial, "kms:GenerateDataKey")) return [current];
  const older = remedy("allowedKmsKeys", resource);
  const ways = [
    { ...current, when: "new data is encrypted with it" },
    { ...older, when: "only older data is encrypted with it" },
  ];
  // A catalog that has a current key is likelier to lack an older one, which is also granted less.
  return config.currentKmsKey == null ? ways : ways.reverse();
}

function asCurrent(key: string, { currentKmsKey, allowedKmsKeys }: AwsStorageConfig): Remedy {
  const keep =
    currentKmsKey == null || allowedKmsKeys?.includes(currentKmsKey)
      ? undefined
      : remedy("allowedKmsKeys", currentKmsKey);
  return remedy("currentKmsKey", key, keep);
}

const CLI_FLAGS = {
  currentKmsKey: "--current-kms-key",
  allowedKmsKeys: "--allowed-kms-key",
  kmsUnavailable: "--no-kms",
  allowedLocations: "--allowed-location",
  read: "--read",
  list: "--list",
  write: "--write",
  delete: "--delete",
  objectVersions: "--object-versions",
  abortMultipartUploads: "--abort-multipart-uploads",
  kmsViaService: "--no-kms-via-service",
} as const;

function remedy(field: keyof typeof CLI_FLAGS, value: string | boolean, also?: Remedy): Remedy {
  return { field, cliFlag: CLI_FLAGS[field], value, ...(also === undefined ? {} : { also }) };
}

/** The access that grants an action in S3; GetBucketLocation comes with any. */
const ACCESS_OF: Readonly<Record<string, Access>> = {
  "s3:getobject": "read",
  "s3:getobjectversion": "read",
  "s3:getbucketlocation": "read",
  "s3:listbucket": "list",
  "s3:putobject": "write",
  "s3:abortmultipartupload": "write",
  "s3:deleteobject": "delete",
};

/** The option that an action needs besides. */
const OPTION_OF: Readonly<Record<string, "objectVersions" | "abortMultipartUploads">> = {
  "s3:getobjectversion": "objectVersions",
  "s3:abortmultipartupload": "abortMultipartUploads",
};

const S3_ARN = /^arn:[^:]*:s3:::([^/]+)(?:\/(.*))?$/s;

function explainS3(denial: ActionDenial, session: Session): Finding {
  const { action } = denial;
  const access = ACCESS_OF[action.toLowerCase()];
  if (access === undefined) return neverGranted(action);
  const option = OPTION_OF[action.toLowerCase()];
  const { config, locations = {}, policy, options } = session;
  const [, inArn, keyInArn] = S3_ARN.exec(denial.resource ?? "") ?? [];
  const bucket = denial.bucket ?? inArn;
  const key = denial.key ?? keyInArn;
  if (option !== undefined && options[option] !== true && options.profile !== "polaris") {
    const grants = option === "objectVersions" ? "older versions of objects" : "giving up uploads";
    return certain(
      "option-not-set",
      `Sessions get ${action} only if asked for: set the option ${option}, which also grants ${grants}.`,
      remedy(option, true),
    );
  }
  if (bucket === undefined) {
    return possible(
      "location-not-granted",
      `The message does not say where. The session needs the location among those to ${access}.`,
    );
  }
  const isObject = action.toLowerCase() !== "s3:listbucket" && key !== undefined;
  const uri = locationAround(bucket, isObject ? key : undefined, locations);
  const add = uri === undefined ? undefined : remedy(access, uri);
  if (
    uri !== undefined &&
    config?.allowedLocations != null &&
    !isInside(uri, config.allowedLocations)
  ) {
    return certain(
      "location-not-allowed",
      `The storage configuration's allowedLocations do not include ${uri}, so no session of the catalog gets it. If the catalog should have data there, add it (--allowed-location); else the table's metadata points to a wrong place.`,
      remedy("allowedLocations", uri, add),
    );
  }
  if (policy === undefined) {
    return possible(
      "location-not-granted",
      `The session may not ${access} here. Its locations were not passed in; they need this one.`,
      add,
    );
  }
  // Messages by bucket and key name no partition; the policy's own is meant.
  const partition = /"(arn:[^:"]+):s3:::/.exec(JSON.stringify(policy))?.[1] ?? "arn:aws";
  const resource = denial.resource ?? `${partition}:s3:::${bucket}${isObject ? `/${key}` : ""}`;
  if (isAllowed(policy, { action, resource })) return possible("session-outdated", OUTDATED);
  if (policy.Statement.every(({ Effect }) => Effect === "Deny")) {
    return certain("nothing-granted", NOTHING, add);
  }
  const listsHere = [...(locations.list ?? [])].some((listed) =>
    placeOf(listed)?.startsWith(`${bucket}/`),
  );
  if (access === "list" && listsHere) {
    return possible(
      "list-prefix",
      "The session may list in this bucket, but only under its locations: the request had no prefix, one without the slash at its end, or another one. Let the engine list with the location and a slash as prefix.",
    );
  }
  const granted = ACCESSES.filter((other) => isGranted(uri, locations[other]));
  if (granted.length > 0) {
    return certain(
      "access-not-granted",
      `The session may ${granted.join(" and ")} here, but not ${access}. Grant it the location to ${access} as well.`,
      add,
    );
  }
  return certain(
    "location-not-granted",
    `The session was granted other locations, but not this one. Grant it the location to ${access}.`,
    add,
  );
}

/**
 * The location to grant for an object: the smallest one that the session has for some access, or
 * the folder of the object.
 */
function locationAround(
  bucket: string,
  key: string | undefined,
  locations: Locations,
): string | undefined {
  const place = key === undefined ? `${bucket}/` : `${bucket}/${key}`;
  let around: string | undefined;
  for (const other of ACCESSES) {
    for (const uri of locations[other] ?? []) {
      const outer = placeOf(uri);
      const inside =
        outer !== undefined &&
        (key === undefined ? outer.startsWith(place) : place.startsWith(outer));
      if (inside && uri.length > (around?.length ?? 0)) around = uri;
    }
  }
  // A request to list does not tell its prefix, and the whole bucket would be too much.
  if (around === undefined && key === undefined) return undefined;
  const folder = key?.slice(0, Math.max(0, key.lastIndexOf("/"))) ?? "";
  const uri = around ?? (folder === "" ? `s3://${bucket}` : `s3://${bucket}/${folder}`);
  return placeOf(uri) === undefined ? undefined : uri;
}

function isInside(uri: string, outer: Iterable<string>): boolean {
  const place = placeOf(uri);
  return [...outer].map(placeOf).some((other) => other !== undefined && place?.startsWith(other));
}

function isGranted(uri: string | undefined, list: Iterable<string> | undefined): boolean {
  return uri !== undefined && list !== undefined && isInside(uri, list);
}

const KEY_FAULTS: Readonly<
  Record<KeyFault, { readonly cause: Cause; readonly explanation: string }>
> = {
  disabled: {
    cause: "kms-key-disabled",
    explanation:
      "The key is disabled: nothing encrypted with it can be read until it is enabled again (aws kms enable-key). No policy changes that.",
  },
  "pending deletion": {
    cause: "kms-key-pending-deletion",
    explanation:
      "The key is scheduled for deletion, after which all data encrypted with it is lost. Cancel it at once if the data is needed (aws kms cancel-key-deletion, then aws kms enable-key).",
  },
  "not usable": {
    cause: "kms-key-not-usable",
    explanation:
      "The key is in a state in which it can't be used: its material is not imported, or its key store is not connected (aws kms describe-key tells). No policy changes that.",
  },
  "not found": {
    cause: "kms-key-not-found",
    explanation:
      "KMS does not know the key in the bucket's region: it was deleted, or the bucket's encryption names a key that never was or that lies in another region.",
  },
  "wrong region": {
    cause: "kms-key-wrong-region",
    explanation:
      "The key lies in another region than the bucket, and S3 only uses keys of its own. Encrypt the bucket with a key of its region, and configure that one.",
  },
};

const ELSEWHERE: Readonly<Finding> = possible(
  "kms-key-wrong-region",
  KEY_FAULTS["wrong region"].explanation,
);

/** Whether a key is of another region than the catalog, which tells the bucket's most of the time. */
function isElsewhere({ resource }: Denial, config: AwsStorageConfig | undefined): boolean {
  const region = resource?.split(":")[3];
  return Boolean(region && config?.region && region !== config.region);
}

function explainKeyFault(denial: Denial, keyFault: KeyFault, { config }: Session): Finding {
  if (keyFault === "not found" && isElsewhere(denial, config)) return ELSEWHERE;
  const { cause, explanation } = KEY_FAULTS[keyFault];
  return certain(cause, explanation);
}

function explainTrust(denial: ActionDenial, session: Session): Finding {
  const { action, deniedBy, explicit, principal = "", resource } = denial;
  const { config } = session;
  if (deniedBy === "identity-based policy") {
    return certain(
      "role-policy",
      `Polaris' own user or role, which makes the sessions, may not do this: ${explicit ? "a Deny statement of its own policy must be narrowed." : "its own policy must allow it. Add the statement there."}`,
      explicit || resource === undefined
        ? undefined
        : { statement: { Effect: "Allow", Action: action, Resource: resource } },
    );
  }
  if (deniedBy !== undefined && !TRUST.has(deniedBy)) {
    return explainOthers(denial, deniedBy, session);
  }
  const who = /:(?:user|role)\//.test(principal) ? principal : (config?.userArn ?? "POLARIS_ARN");
  const role = resource ?? config?.roleArn ?? "the catalog's role";
  const byId = config?.externalId ? { "sts:ExternalId": "EXTERNAL_ID" } : undefined;
  const statement: RemedyStatement = {
    Effect: "Allow",
    Principal: { AWS: who },
    Action: action,
    ...(byId === undefined ? {} : { Condition: { StringEquals: byId } }),
  };
  return (deniedBy === "role trust policy" ? certain : possible)(
    "role-trust",
    `Polaris may not assume ${role}. The role's trust policy must allow it to Polaris' own user or role${byId === undefined ? "" : ", with the catalog's external id for EXTERNAL_ID"}; the own policy of that must allow it too, if it is of another account.`,
    { statement },
  );
}

const TRUST: ReadonlySet<DeniedBy> = new Set(["role trust policy", "resource-based policy"]);

const GUARDS: Readonly<Partial<Record<DeniedBy, { readonly cause: Cause; readonly who: string }>>> =
  {
    "permissions boundary": {
      cause: "permissions-boundary",
      who: "the role's permissions boundary, which whoever made the role has set",
    },
    "service control policy": {
      cause: "service-control-policy",
      who: "a service control policy of the organization, which its administrators can change",
    },
    "resource control policy": {
      cause: "resource-control-policy",
      who: "a resource control policy of the organization, which its administrators can change",
    },
    "VPC endpoint policy": {
      cause: "vpc-endpoint-policy",
      who: "the policy of the VPC endpoint that the engine's requests go through",
    },
  };

/** Denials that no session policy can mend: the role, the key or the bucket must allow it too. */
function explainOthers(denial: ActionDenial, deniedBy: DeniedBy, session: Session): Finding {
  const { action, explicit, perhapsMissing, policyArn, principal, resource } = denial;
  const { config, account } = session;
  const named = policyArn === undefined ? "" : ` (${policyArn})`;
  const guard = GUARDS[deniedBy];
  if (guard !== undefined) {
    const how = explicit
      ? `It denies ${action} explicitly: a Deny statement there must be narrowed.`
      : `It must allow ${action}.`;
    return certain(
      guard.cause,
      `Denied by ${guard.who}${named}. ${how} Polaris' configuration can't.`,
    );
  }
  const isKey = /^kms:/i.test(action);
  const role = config?.roleArn ?? "ROLE_ARN";
  if (deniedBy === "resource-based policy") {
    const statement: RemedyStatement = {
      Effect: "Allow",
      Principal: { AWS: role },
      Action: action,
      ...(isKey ? { Resource: "*" } : resource === undefined ? {} : { Resource: resource }),
    };
    const remedies = explicit || resource === undefined ? undefined : { statement };
    if (!isKey) {
      return certain(
        "bucket-policy",
        `The bucket policy ${explicit ? "denies" : "does not allow"} ${action}; it is the bucket's owner who can change it.`,
        remedies,
      );
    }
    if (perhapsMissing && isElsewhere(denial, config)) return ELSEWHERE;
    const caller = account ?? (principal === undefined ? undefined : accountOf(principal));
    const owner = resource === undefined ? undefined : accountOf(resource);
    if (caller !== undefined && owner !== undefined && caller !== owner) {
      const also = {
        statement: { Effect: "Allow", Action: action, Resource: resource ?? "" } as const,
      };
      return (explicit ? possible : certain)(
        "kms-key-cross-account",
        `The key is of account ${owner}, the session of ${caller}: the key's policy must allow the role, and the role's own policy must allow the key. The session policy is not at fault.`,
        remedies && { ...remedies, also },
      );
    }
    return (perhapsMissing ? possible : certain)(
      "key-policy",
      `The key's own policy ${explicit ? "denies" : "does not allow"} ${action} to the role${perhapsMissing ? ", or the key does not exist in the bucket's region" : ""}. Whoever administers the key must allow it.`,
      remedies,
    );
  }
  return certain(
    "role-policy",
    explicit
      ? `A policy of the role${named} denies ${action} explicitly: a Deny statement there must be narrowed. A session policy can't give back what the role lacks.`
      : `The role itself may not do this, and a session gets no more than its role. Add the statement to the role's policy, for all keys and locations of the catalog.`,
    explicit || resource === undefined
      ? undefined
      : { statement: { Effect: "Allow", Action: action, Resource: resource } },
  );
}
