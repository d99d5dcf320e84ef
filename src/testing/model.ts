/**
 * The model of what a session was asked for, written as plainly as possible. It judges policy generators.
 * It shares no code with the generator in this library, and is slow.
 * @module
 */
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { AwsStorageConfig } from "../storage-config.ts";

/** The arguments of a policy generator. */
export interface Session {
  readonly storageConfig: AwsStorageConfig;
  readonly locations: Locations;
  readonly options?: SessionPolicyOptions;
}

type Access = keyof Locations;

export const accesses: readonly Access[] = ["read", "list", "write", "delete"];

/** A location as S3 names it; the prefix ends with `/` unless it is empty. */
export interface Place {
  readonly access: Access;
  readonly bucket: string;
  readonly prefix: string;
}

/** Returns the locations of a session, for all accesses. */
export function placesOf({ locations }: Session): Place[] {
  return accesses.flatMap((access) =>
    [...(locations[access] ?? [])].map((uri) => {
      const [, bucket = "", key = ""] = /^s3[an]?:\/\/([^/]*)\/?(.*)$/is.exec(uri) ?? [];
      return { access, bucket, prefix: key === "" || key.endsWith("/") ? key : `${key}/` };
    }),
  );
}

/** A configured KMS key, and whether new data may be encrypted with it. */
export interface Key {
  readonly arn: string;
  readonly encrypts: boolean;
}

/** Returns the keys of a configuration. A key that is configured for both purposes encrypts. */
export function keysOf({ storageConfig }: Session): Key[] {
  const { currentKmsKey, allowedKmsKeys, encryptionKeys, decryptionKeys } = storageConfig;
  if (String(storageConfig.kmsUnavailable) === "true") return [];
  const encrypting = [...(currentKmsKey == null ? [] : [currentKmsKey]), ...(encryptionKeys ?? [])];
  const all = new Set([...encrypting, ...(allowedKmsKeys ?? []), ...(decryptionKeys ?? [])]);
  return [...all].map((arn) => ({ arn, encrypts: encrypting.includes(arn) }));
}

/** Returns the partition of the session's S3 ARNs. Other vendors' stores know only `arn:aws:s3:::`. */
export function partitionOf(session: Session): string {
  const { roleArn, region } = session.storageConfig;
  const ofRole = roleArn?.split(":")[1];
  if (ofRole) return /^aws(-[a-z]+)*$/.test(ofRole) ? ofRole : "aws";
  if (isOutsideAws(session.storageConfig)) return "aws";
  const prefixes = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
  };
  for (const [prefix, partition] of Object.entries(prefixes)) {
    if (region?.startsWith(prefix)) return partition;
  }
  return keysOf(session)[0]?.arn.split(":")[1] ?? "aws";
}

/** @see https://docs.aws.amazon.com/general/latest/gr/s3.html */
function isOutsideAws({ endpoint, endpointInternal, stsEndpoint }: AwsStorageConfig): boolean {
  const host =
    /^(?:[^/]*:\/\/)?[^/:]*\.(?:amazonaws\.(?:com|com\.cn|eu)|api\.aws)(?::\d+)?(?:\/|$)/i;
  return [endpoint ?? endpointInternal, stsEndpoint].some((url) => url != null && !host.test(url));
}

/** Returns the services through which a key may be used; undefined if that is not restricted. */
export function servicesOf({ storageConfig, options }: Session, key: string): string[] | undefined {
  if (options?.kmsViaService === false || isOutsideAws(storageConfig)) return undefined;
  const [, partition = "", , region] = key.split(":");
  const suffix = new Map([
    ["aws", "amazonaws.com"],
    ["aws-cn", "amazonaws.com.cn"],
    ["aws-us-gov", "amazonaws.com"],
  ]).get(partition);
  return suffix === undefined ? undefined : [`s3.${region}.${suffix}`];
}

/** Actions on objects: the access that asks for them, and the option that they need. */
export const OBJECT_ACTIONS: Readonly<
  Record<string, readonly [Access, keyof SessionPolicyOptions | ""]>
> = {
  "s3:GetObject": ["read", ""],
  "s3:GetObjectVersion": ["read", "objectVersions"],
  "s3:GetObjectTagging": ["read", "objectTags"],
  "s3:PutObject": ["write", ""],
  "s3:PutObjectTagging": ["write", "objectTags"],
  "s3:PutObjectAcl": ["write", "objectAcls"],
  "s3:AbortMultipartUpload": ["write", "abortMultipartUploads"],
  "s3:ListMultipartUploadParts": ["write", "listMultipartUploads"],
  "s3:DeleteObject": ["delete", ""],
};

/** Returns a function that tells whether a session asks for a request. */
export function askedBy(session: Session): (request: AccessRequest) => boolean {
  const places = placesOf(session);
  const keys = keysOf(session);
  const options = session.options ?? {};
  const s3 = `arn:${partitionOf(session)}:s3:::`;
  const some = (access: Access, test: (place: Place) => boolean) =>
    places.some((place) => place.access === access && test(place));

  const isBucketAsked = (action: string, name: string, listed: unknown) => {
    if (action === "s3:GetBucketLocation") return places.some(({ bucket }) => bucket === name);
    if (action === "s3:ListBucketMultipartUploads") {
      // This action has no s3:prefix, so only a writer of the whole bucket asks for it.
      const isWhole = ({ bucket, prefix }: Place) => bucket === name && prefix === "";
      return options.listMultipartUploads === true && some("write", isWhole);
    }
    return (
      action === "s3:ListBucket" &&
      some("list", ({ bucket, prefix }) => {
        if (bucket !== name) return false;
        if (prefix === "") return true;
        if (typeof listed !== "string") return false;
        return listed.startsWith(prefix) || (options.barePaths === true && `${listed}/` === prefix);
      })
    );
  };
  const isObjectAsked = (action: string, inBucket: string, key: string) => {
    const [access, option] = OBJECT_ACTIONS[action] ?? [];
    if (access === undefined || (option && options[option] !== true)) return false;
    return some(access, ({ bucket, prefix }) => {
      if (bucket !== inBucket) return false;
      const isBare = prefix !== "" && `${key}/` === prefix;
      return (
        key.startsWith(prefix) ||
        (options.barePaths === true && action === "s3:GetObject" && isBare)
      );
    });
  };
  const isKeyAsked = (action: string, resource: string, service: unknown) => {
    const key = keys.find(({ arn }) => arn === resource);
    if (key === undefined) return false;
    const services = servicesOf(session, resource);
    if (services && !services.includes(String(service))) return false;
    const reads = some("read", () => true);
    const encrypts = key.encrypts && some("write", () => true);
    return (
      (action === "kms:Decrypt" && (reads || encrypts)) ||
      (action === "kms:GenerateDataKey" && encrypts)
    );
  };

  return ({ action, resource, context = {} }) => {
    if (!resource.startsWith(s3)) return isKeyAsked(action, resource, context["kms:ViaService"]);
    const name = resource.slice(s3.length);
    const slash = name.indexOf("/");
    return slash < 0
      ? isBucketAsked(action, name, context["s3:prefix"])
      : isObjectAsked(action, name.slice(0, slash), name.slice(slash + 1));
  };
}
