/**
 * What a session was asked for, said as plainly as possible: the judge of a policy generator. It
 * shares no code with the generator in this library, and is slow.
 * @module
 */
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { PolicyDocument } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";

/** A function with the signature of `buildSessionPolicy`. */
export type SessionPolicyGenerator = (
  storageConfig: AwsStorageConfig,
  locations: Locations,
  options?: SessionPolicyOptions,
) => PolicyDocument;

/** The arguments of a policy generator. */
export interface Session {
  readonly storageConfig: AwsStorageConfig;
  readonly locations: Locations;
  readonly options?: SessionPolicyOptions;
}

type Access = keyof Locations;

export const accesses: readonly Access[] = ["read", "list", "write", "delete"];

/** The locations of an access as bucket and prefix; the prefix ends with `/` unless it is empty. */
export function placesOf(
  { locations }: Session,
  access: Access,
): { bucket: string; prefix: string }[] {
  return [...(locations[access] ?? [])].map((uri) => {
    const [, bucket = "", key = ""] = /^s3[an]?:\/\/([^/]*)\/?(.*)$/s.exec(uri) ?? [];
    return { bucket, prefix: key === "" || key.endsWith("/") ? key : `${key}/` };
  });
}

/** The partition of the session's ARNs. */
export function partitionOf({ storageConfig }: Session): string {
  const { roleArn, region, currentKmsKey, allowedKmsKeys, kmsUnavailable } = storageConfig;
  const ofRole = roleArn?.split(":")[1];
  if (ofRole) return ofRole;
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
  const key = currentKmsKey ?? allowedKmsKeys?.[0];
  return (kmsUnavailable || isOutsideAws(storageConfig) ? undefined : key?.split(":")[1]) ?? "aws";
}

function isOutsideAws({ endpoint, endpointInternal }: AwsStorageConfig): boolean {
  const url = endpoint ?? endpointInternal;
  return url != null && !/\.amazonaws\.com(\.cn)?(:\d+)?(\/|$)/.test(url);
}

/** The services through which a key may be used; undefined if that is not restricted. */
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

/** Whether a session was asked to be allowed a request. */
export function isAskedFor(session: Session, request: AccessRequest): boolean {
  const { action, resource, context = {} } = request;
  const { objectVersions = false, abortMultipartUploads = false } = session.options ?? {};
  const s3 = `arn:${partitionOf(session)}:s3:::`;
  const some = (access: Access, test: (place: { bucket: string; prefix: string }) => boolean) =>
    placesOf(session, access).some(test);

  if (resource.startsWith(s3)) {
    const name = resource.slice(s3.length);
    const slash = name.indexOf("/");
    if (slash < 0) {
      if (action === "s3:GetBucketLocation") {
        return accesses.some((access) => some(access, ({ bucket }) => bucket === name));
      }
      if (action !== "s3:ListBucket") return false;
      const listed = context["s3:prefix"];
      return some(
        "list",
        ({ bucket, prefix }) =>
          bucket === name &&
          (prefix === "" || (typeof listed === "string" && listed.startsWith(prefix))),
      );
    }
    const access = new Map<string, Access | false>([
      ["s3:GetObject", "read"],
      ["s3:GetObjectVersion", objectVersions && "read"],
      ["s3:PutObject", "write"],
      ["s3:AbortMultipartUpload", abortMultipartUploads && "write"],
      ["s3:DeleteObject", "delete"],
    ]).get(action);
    if (!access) return false;
    return some(
      access,
      ({ bucket, prefix }) =>
        bucket === name.slice(0, slash) && name.slice(slash + 1).startsWith(prefix),
    );
  }

  const { currentKmsKey, allowedKmsKeys, kmsUnavailable } = session.storageConfig;
  if (kmsUnavailable) return false;
  const services = servicesOf(session, resource);
  if (services && !services.includes(String(context["kms:ViaService"]))) return false;
  const reads = some("read", () => true);
  const writes = some("write", () => true);
  const isCurrent = resource === currentKmsKey;
  const isOlder = allowedKmsKeys?.includes(resource) === true;
  if (action === "kms:Decrypt") return (isCurrent && (reads || writes)) || (isOlder && reads);
  if (action === "kms:GenerateDataKey") return isCurrent && writes;
  return false;
}
