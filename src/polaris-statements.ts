/**
 * Profile "polaris": the statements that Apache Polaris' server sends, one for one.
 *
 * @see https://github.com/apache/polaris/blob/4b42186383089e2083ba857a0211c4ab36965703/polaris-core/src/main/java/org/apache/polaris/core/storage/aws/AwsCredentialsStorageIntegration.java
 * @module
 */
import { parseRoleArn } from "./arn.ts";
import { BIT } from "./locations.ts";
import { escapePattern, type OneOrMany, type Statement } from "./policy.ts";
import type { AwsStorageConfig, StorageConfig } from "./storage-config.ts";

/** A location's place, and the accesses to it, as bits. */
interface PlaceAccess {
  readonly place: string;
  readonly accesses: number;
}

/**
 * Predicts the statements of Polaris' server: its grouping, its repeats, its escapes.
 *
 * 1. Add one statement for the objects that may be written or deleted. Polaris treats both alike.
 * 2. Add KMS statements: all uses of the keys if anything may be written, else Decrypt and DescribeKey.
 *    Keys that only decrypt have a statement of their own. Without keys, a session that may not write
 *    gets all keys of the account.
 * 3. Add ListBucket for each bucket that is listed, with its prefixes. Add GetBucketLocation for each
 *    bucket.
 * 4. Add one statement for the objects that may be read.
 *
 * `s3://b/t` to read and `s3://b/t/` to list, for example, give ListBucket on `b` with prefix `t/*`,
 * GetBucketLocation on `b`, and GetObject and GetObjectVersion on `b/t/*`.
 *
 * Polaris keeps locations in hash maps, so its order has no meaning. Here statements are sorted.
 *
 * @param places one for each distinct URI.
 * @returns an empty list if Polaris sends its `Deny * on *`.
 */
export function polarisStatements(
  { fields }: StorageConfig,
  places: readonly PlaceAccess[],
): Statement[] {
  const { partition, encryptionKeys, decryptionKeys, wildcardKey } = polarisConfig(fields);
  const s3 = `arn:${partition}:s3:::`;
  const statements: Statement[] = [];
  const allow = (actions: readonly string[], resources: readonly string[]) => {
    if (resources.length === 0) return;
    statements.push({
      Effect: "Allow",
      Action: oneOrMany(actions),
      Resource: oneOrMany(resources),
    });
  };
  const objectsFor = (accesses: number) =>
    places
      .filter((place) => place.accesses & accesses)
      .map(({ place }) => `${s3}${escapePattern(place)}*`)
      .sort();

  const written = objectsFor(BIT.write | BIT.delete);
  allow(["s3:PutObject", "s3:DeleteObject"], written);

  const decrypt = ["kms:DescribeKey", "kms:Decrypt"];
  const encrypt = ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"];
  allow(written.length > 0 ? [...decrypt, ...encrypt] : decrypt, [...encryptionKeys].sort());
  allow(decrypt, [...decryptionKeys].sort());
  const hasKeys = encryptionKeys.length + decryptionKeys.length > 0;
  if (!hasKeys && written.length === 0 && wildcardKey !== undefined) allow(decrypt, [wildcardKey]);

  const prefixes = new Map<string, string[]>();
  const buckets = new Set<string>();
  for (const { place, accesses } of places) {
    const slash = place.indexOf("/");
    const bucket = s3 + place.slice(0, slash);
    buckets.add(bucket);
    if ((accesses & BIT.list) === 0) continue;
    const listed = prefixes.get(bucket) ?? [];
    prefixes.set(bucket, listed);
    // For the whole bucket Polaris writes the prefix `/`, which matches only keys that begin with a slash.
    listed.push(`${escapePattern(place.slice(slash + 1)) || "/"}*`);
  }
  for (const [bucket, listed] of [...prefixes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    statements.push({
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: bucket,
      Condition: { StringLike: { "s3:prefix": oneOrMany(listed.sort()) } },
    });
  }
  for (const bucket of [...buckets].sort()) allow(["s3:GetBucketLocation"], [bucket]);
  allow(["s3:GetObject", "s3:GetObjectVersion"], objectsFor(BIT.read));
  return statements;
}

/** Returns one value as a string and several as a list, as the AWS SDK for Java writes them. */
function oneOrMany(values: readonly string[]): OneOrMany {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** The inputs of Polaris' own generator. */
interface PolarisConfig {
  readonly partition: string;
  /** The keys that a session that writes may use in every way, with repeats. */
  readonly encryptionKeys: readonly string[];
  /** The keys that a session may only decrypt with. */
  readonly decryptionKeys: readonly string[];
  /** The keys that Polaris grants if none is configured. */
  readonly wildcardKey: string | undefined;
}

/**
 * Returns the inputs of Polaris' generator. It grants every use of the keys of 1.7.0, in their order and
 * with repeats. For the fields of 1.8.0 this follows the description of the change, and repeats fold.
 *
 * @see https://github.com/apache/polaris/pull/5162
 */
function polarisConfig(input: AwsStorageConfig): PolarisConfig {
  const role = input.roleArn == null ? undefined : parseRoleArn(input.roleArn)?.polaris;
  const partition = role === undefined ? "aws" : role.partition;
  if (input.kmsUnavailable === true) {
    return { partition, encryptionKeys: [], decryptionKeys: [], wildcardKey: undefined };
  }
  const { currentKmsKey, allowedKmsKeys } = input;
  const encrypt = [...(currentKmsKey == null ? [] : [currentKmsKey]), ...(allowedKmsKeys ?? [])];
  const old = new Set(encrypt);
  const encryptionKeys = new Set(input.encryptionKeys);
  for (const key of encryptionKeys) if (!old.has(key)) encrypt.push(key);
  const decrypt = [...new Set(input.decryptionKeys)].filter(
    (key) => !old.has(key) && !encryptionKeys.has(key),
  );
  const wildcardKey =
    role === undefined || input.region == null
      ? undefined
      : `arn:aws:kms:${input.region}:${role.account}:key/*`;
  return { partition, encryptionKeys: encrypt, decryptionKeys: decrypt, wildcardKey };
}
