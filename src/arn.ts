/**
 * ARNs as Polaris configures them: the partition of a role or region, the KMS keys that a policy can
 * name, and S3's name in a partition.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 * @module
 */
import { parse, validate } from "@aws-sdk/util-arn-parser";

/**
 * AWS partitions by the prefix of their regions. `dnsSuffix` is the suffix of `kms:ViaService` where
 * AWS documents it. For the other partitions we have no evidence, so the condition is left out.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
const PARTITIONS: readonly {
  readonly partition: string;
  readonly regionPrefix?: string;
  readonly dnsSuffix?: string;
}[] = [
  { partition: "aws", dnsSuffix: "amazonaws.com" },
  { partition: "aws-cn", regionPrefix: "cn-", dnsSuffix: "amazonaws.com.cn" },
  { partition: "aws-us-gov", regionPrefix: "us-gov-", dnsSuffix: "amazonaws.com" },
  { partition: "aws-iso", regionPrefix: "us-iso-" },
  { partition: "aws-iso-b", regionPrefix: "us-isob-" },
  { partition: "aws-iso-e", regionPrefix: "eu-isoe-" },
  { partition: "aws-iso-f", regionPrefix: "us-isof-" },
  { partition: "aws-eusc", regionPrefix: "eusc-" },
];

/**
 * Tells whether a partition is AWS' own: `aws`, or `aws-` and lower-case words. Role ARNs of other
 * vendors have other names there, which S3-compatible stores do not know in an S3 ARN.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function isAwsPartition(partition: string): boolean {
  return /^aws(?:-[a-z]+)*$/.test(partition);
}

/** Returns the partition that a region's prefix names; undefined for commercial and made-up regions. */
export function partitionOfRegion(region: string): string | undefined {
  return PARTITIONS.find((p) => p.regionPrefix !== undefined && region.startsWith(p.regionPrefix))
    ?.partition;
}

/**
 * Returns the value of `kms:ViaService` when S3 uses a key for its callers; undefined where unknown.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function s3ViaService(key: KmsKeyArn): string | undefined {
  const suffix = PARTITIONS.find(({ partition }) => partition === key.partition)?.dnsSuffix;
  return suffix === undefined ? undefined : `s3.${key.region}.${suffix}`;
}

/** A role ARN's partition, and the partition and account that Polaris reads from it. */
export interface RoleArn {
  readonly partition: string;
  /** What Polaris reads, which differs if the role's path holds colons. */
  readonly polaris: { readonly partition: string; readonly account: string };
}

/**
 * Reads a role ARN wherever Polaris accepts one: where it matches `^.+:(.*):.+:.*:(.*):.+$`, which
 * ARNs of other vendors' STS do too. Group 1 is the partition and group 2 the account.
 *
 * Polaris' pattern is greedy, so more colons in the role's path shift its groups to the right. `polaris`
 * follows the pattern, for the prediction. `partition` is read from its own segment of the ARN.
 *
 * @returns undefined if Polaris refuses the ARN.
 * @see https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsStorageConfigurationInfo.java
 */
export function parseRoleArn(arn: string): RoleArn | undefined {
  if (USUAL_ROLE.test(arn)) {
    const iam = arn.indexOf(":iam::");
    const partition = arn.slice(4, iam);
    const account = arn.slice(iam + 6, arn.indexOf(":", iam + 6));
    return { partition, polaris: { partition, account } };
  }
  if (JAVA_LINE_BREAK.test(arn)) return undefined;
  // The regular expression takes time to the sixth power of the number of colons. Greedy from the left
  // means the rightmost colons that leave a character for each `.+`. One pass finds them.
  const c5 = arn.lastIndexOf(":", arn.length - 2);
  const c4 = colonBefore(arn, c5);
  const c3 = colonBefore(arn, c4);
  const c2 = colonBefore(arn, c3 - 1);
  const c1 = colonBefore(arn, c2);
  if (c1 < 1) return undefined;
  const polaris = { partition: arn.slice(c1 + 1, c2), account: arn.slice(c4 + 1, c5) };
  return { partition: validate(arn) ? parse(arn).partition : polaris.partition, polaris };
}

/** The usual role ARN, which Polaris and we read alike. */
const USUAL_ROLE = /^arn:[a-z0-9-]+:iam::\d+:role\/[\w+=,.@/-]+$/;

/** What `.` does not match in a Java pattern. */
const JAVA_LINE_BREAK = /[\n\r\u0085\u2028\u2029]/;

/** Returns the index of the last colon before `end`; 0 or less if nothing could stand before it. */
function colonBefore(text: string, end: number): number {
  return text.lastIndexOf(":", end - 1);
}

/** A KMS key ARN that a policy can name as it is: it holds no wildcard and no variable. */
export interface KmsKeyArn {
  readonly arn: string;
  readonly partition: string;
  readonly region: string;
}

const HOW = "Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID";

/**
 * Reads a KMS key ARN.
 *
 * @param onAws false with an S3 endpoint outside AWS, whose key ARNs may lack region and account.
 * @returns the key, or the sentence that says what to configure instead.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN
 */
export function parseKmsKeyArn(arn: string, onAws: boolean): KmsKeyArn | string {
  if ((onAws ? AWS_KEY : KEY).test(arn)) {
    const kms = arn.indexOf(":kms:");
    const afterRegion = arn.indexOf(":", kms + 5);
    return { arn, partition: arn.slice(4, kms), region: arn.slice(kms + 5, afterRegion) };
  }
  if (arn === "") return `must not be empty. Leave the field out, or configure the key ARN.`;
  if (/[*?$]/.test(arn)) return `must name one key, without wildcards or variables. ${HOW}.`;
  if (arn.startsWith("alias/")) return ALIAS;
  if (!validate(arn)) {
    return `is not an ARN, and a policy cannot name a bare key id. ${HOW}, which \`aws kms describe-key\` prints.`;
  }
  const { partition, service, region, resource } = parse(arn);
  if (service !== "kms") return `is an ARN of another service. ${HOW}.`;
  if (resource.startsWith("alias/")) return ALIAS;
  if (!/^key\/[\w.-]+$/.test(resource)) return `does not name a key. ${HOW}.`;
  const isPartition = onAws ? isAwsPartition(partition) : /^[a-zA-Z0-9-]+$/.test(partition);
  if (!isPartition) return `has no valid partition. ${HOW}.`;
  if (!onAws) return `has no valid region or account. ${HOW}.`;
  return /^[a-z0-9-]+$/.test(region)
    ? `lacks the 12-digit account of the key. ${HOW}.`
    : `lacks the region of the key. ${HOW}.`;
}

const AWS_KEY = /^arn:aws(?:-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key\/[\w.-]+$/;
const KEY = /^arn:[a-zA-Z0-9-]+:kms:[\w.-]*:[\w.-]*:key\/[\w.-]+$/;

const ALIAS = `is an alias, and a policy that names an alias grants no use of its key. ${HOW}, which \`aws kms describe-key --key-id ALIAS\` prints.`;

/** What an endpoint's text says: whether it is a URL, and whether it is AWS'. */
export interface Endpoint {
  /** False for `minio:9000`: Polaris stores it, but clients do not accept it as a URL. */
  readonly hasScheme: boolean;
  /** Whether the host ends in a DNS suffix of AWS, VPC endpoints included. */
  readonly onAws: boolean;
}

/**
 * Reads an endpoint. Without a scheme its host decides. An empty text means AWS.
 *
 * @returns undefined for a text that is neither a URL with a host nor a host.
 * @see https://docs.aws.amazon.com/general/latest/gr/s3.html
 */
export function parseEndpoint(endpoint: string): Endpoint | undefined {
  if (endpoint === "") return { hasScheme: false, onAws: true };
  const [, scheme, host] = ENDPOINT.exec(endpoint) ?? [];
  if (host === undefined) return undefined;
  return { hasScheme: scheme !== undefined, onAws: AWS_HOST.test(host) };
}

/** An optional scheme and user, a host, an optional port, and the end of the authority. */
const ENDPOINT =
  /^(?:([a-z][a-z0-9+.-]*:)\/\/|(?![^/]*:\/\/))(?:[^/?#@\\]*@)?([^/?#:@[\]\\\s]+|\[[0-9a-f:.]+\])(?::\d*)?(?:[/?#]|$)/i;

const AWS_HOST =
  /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.com\.cn|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)\.?$/i;
