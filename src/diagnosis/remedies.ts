/**
 * What to change: the fields, flags and statements, and how to do it in Polaris.
 *
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
 * @module
 */
import { ACCESSES, type Access } from "../locations.ts";
import type { Addition } from "../options.ts";
import type { Statement } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import type { Cause } from "./causes.ts";
import { bucketsOf, type KeyField, type Session } from "./session.ts";

/** A statement for a policy elsewhere; one of a key, a bucket or a role's trust names a principal. */
export interface RemedyStatement {
  readonly Effect: "Allow";
  /** ROLE_ARN or POLARIS_ARN where the role or the user of Polaris is not known. */
  readonly Principal?: { readonly AWS: string };
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  /** EXTERNAL_ID stands for the catalog's external id, which is not repeated. */
  readonly Condition?: NonNullable<Statement["Condition"]>;
}

/** What to change. */
export interface Remedy {
  /** Of an alternative: the cause that it would be the remedy of. */
  readonly cause?: Cause;
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
  /** How to make the change: the request, the privilege, or the line of code. */
  readonly how?: string;
  /** What has to change with it. */
  readonly also?: Remedy;
}

const CLI_FLAGS = {
  currentKmsKey: "--current-kms-key",
  allowedKmsKeys: "--allowed-kms-key",
  encryptionKeys: "--encryption-key",
  decryptionKeys: "--decryption-key",
  kmsUnavailable: "--no-kms",
  allowedLocations: "--allowed-location",
  read: "--read",
  list: "--list",
  write: "--write",
  delete: "--delete",
  objectVersions: "--object-versions",
  abortMultipartUploads: "--abort-multipart-uploads",
  listMultipartUploads: "--list-multipart-uploads",
  objectTags: "--object-tags",
  objectAcls: "--object-acls",
  barePaths: "--bare-paths",
  kmsViaService: "--no-kms-via-service",
} as const;

type Field = keyof typeof CLI_FLAGS;

/**
 * The command `catalogs update` of Polaris has no flag for keys, so the whole configuration is sent.
 *
 * @see https://github.com/apache/polaris/blob/main/client/python/apache_polaris/cli/options/option_tree.py
 */
const PUT_CATALOG =
  "Send PUT /api/management/v1/catalogs/CATALOG with currentEntityVersion and the whole storageConfigInfo, this field changed. `polaris catalogs update` has no flag for it.";
const UPDATE_LOCATIONS =
  "Run `polaris catalogs update CATALOG --allowed-location LOCATION`, which adds one to the list.";
const WRITER =
  "In Polaris, grant the principal's catalog role the privilege TABLE_WRITE_DATA on the table; in the library's call, name the location in";
const READER =
  "In Polaris, grant the principal's catalog role the privilege TABLE_READ_DATA on the table; in the library's call, name the location in";

function howTo(field: Field): string {
  switch (field) {
    case "read":
    case "list":
      return `${READER} \`${field}\`.`;
    case "write":
      return `${WRITER} \`write\`.`;
    case "delete":
      return `${WRITER} \`delete\`; Polaris itself lets who writes delete.`;
    case "allowedLocations":
      return UPDATE_LOCATIONS;
    case "currentKmsKey":
    case "allowedKmsKeys":
    case "encryptionKeys":
    case "decryptionKeys":
    case "kmsUnavailable":
      return PUT_CATALOG;
    case "kmsViaService":
      return "Pass the options { kmsViaService: false } to buildSessionPolicy.";
    default:
      return `Pass the options { ${field}: true } to buildSessionPolicy.`;
  }
}

export function remedy(field: Field, value?: string | boolean, also?: Remedy): Remedy {
  return {
    field,
    cliFlag: CLI_FLAGS[field],
    ...(value === undefined ? {} : { value }),
    how: howTo(field),
    ...(also === undefined ? {} : { also }),
  };
}

export function setOption(option: Addition): Remedy {
  return remedy(option, true);
}

/** Grants a location for several accesses; undefined where it is not known. */
export function grant(
  accesses: readonly Access[],
  location: string | undefined,
): Remedy | undefined {
  return location === undefined ? undefined : grantSomewhere(accesses, location);
}

/** As {@link grant}; without a location, for the one that only the user knows. */
export function grantSomewhere(
  accesses: readonly Access[],
  location: string | undefined,
): Remedy | undefined {
  return [...accesses]
    .sort((a, b) => ACCESSES.indexOf(a) - ACCESSES.indexOf(b))
    .reduceRight<Remedy | undefined>((also, access) => remedy(access, location, also), undefined);
}

/** The lists of keys that a configuration uses: those of Polaris 1.8.0, or the older fields. */
export function usesKeyLists(config: AwsStorageConfig): boolean {
  return config.encryptionKeys != null || config.decryptionKeys != null;
}

/**
 * Configures a key for encrypting.
 *
 * A catalog of several buckets may encrypt each with a key of its own. Making one of them the current
 * key would take the other's place, so both go into `encryptionKeys`.
 */
export function encryptWith(key: string, session: Session): Remedy {
  const config = session.config ?? {};
  const { currentKmsKey: present, allowedKmsKeys } = config;
  if (usesKeyLists(config)) return remedy("encryptionKeys", key);
  // An alias in its place grants nothing, and is not kept.
  if (present == null || /(?:^|:)alias\//.test(present)) return remedy("currentKmsKey", key);
  if (bucketsOf(session).size > 1) {
    return remedy("encryptionKeys", key, remedy("encryptionKeys", present));
  }
  const keep = allowedKmsKeys?.includes(present) ? undefined : remedy("allowedKmsKeys", present);
  return remedy("currentKmsKey", key, keep);
}

/** Configures a key for reading older data. */
export function decryptWith(key: string, { config = {} }: Session): Remedy {
  return remedy(usesKeyLists(config) ? "decryptionKeys" : "allowedKmsKeys", key);
}

/** Replaces an alias. */
export function replaceAlias(field: KeyField, alias: string, key: string): Remedy {
  return { ...remedy(field, key), replaces: alias };
}

/**
 * The statements that the role needs for a request: those of rolePolicy for its action, as wide as the
 * catalog's allowed locations, since all its sessions need them. Without such locations, and for what
 * no session needs, it is a statement for the request alone.
 *
 * @param bucket the only bucket that they may name, for a bucket's own policy.
 * @returns the one for the request first.
 */
export function roleStatements(
  action: string,
  resource: string,
  session: Session,
  bucket?: string,
): readonly [RemedyStatement, ...RemedyStatement[]] {
  const own: RemedyStatement = { Effect: "Allow", Action: action, Resource: resource };
  const ofRole = session.roleStatements(action).flatMap(({ Resource, Action, Condition }) => {
    const named = [Resource]
      .flat()
      .filter((arn) => bucket === undefined || bucketOf(arn) === bucket);
    return named.length === 0
      ? []
      : [
          {
            Effect: "Allow",
            Action,
            Resource: oneOrMany(named),
            ...(Condition && { Condition }),
          } as const,
        ];
  });
  const isOfRequest = ({ Resource }: RemedyStatement) =>
    /^kms:/i.test(action)
      ? Resource !== undefined && [Resource].flat().includes(resource)
      : [Resource ?? []].flat().some((arn) => bucketOf(arn) === bucketOf(resource));
  const first = ofRole.find(isOfRequest) ?? (/^s3:/i.test(action) ? ofRole[0] : undefined);
  if (first === undefined) return [own];
  return [first, ...ofRole.filter((one) => one !== first)];
}

/** The change with which the role allows a request, and all that is like it. */
export function roleChange(action: string, resource: string, session: Session): Remedy {
  const [first, ...others] = roleStatements(action, resource, session);
  const also = others.reduceRight<Remedy | undefined>(
    (next, statement) => ({ statement, ...(next === undefined ? {} : { also: next }) }),
    undefined,
  );
  return { statement: first, ...(also === undefined ? {} : { also }) };
}

function bucketOf(arn: string): string | undefined {
  return /^arn:[^:]*:s3:::([^/]*)/.exec(arn)?.[1];
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [first, ...others] = values;
  return first !== undefined && others.length === 0 ? first : values;
}
