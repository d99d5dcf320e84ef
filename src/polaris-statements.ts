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

/** A location's place, and the accesses that it is given for, as bits. */
interface PlaceAccess {
  readonly place: string;
  readonly accesses: number;
}

/**
 * Predicts the statements of Polaris' server: its grouping, its repeats, its escapes.
 *
 * 1. One statement for the objects that may be written or deleted, which Polaris does not tell apart.
 * 2. KMS: all uses of the keys if anything may be written, else Decrypt and DescribeKey. Keys that
 *    only decrypt have a statement of their own. Without keys, a session that may not write gets all
 *    keys of the account.
 * 3. For each bucket that is listed, its prefixes; then for each bucket GetBucketLocation.
 * 4. One statement for the objects that may be read.
 *
 * `s3://b/t` to read and `s3://b/t/` to list, for example, give ListBucket on `b` with prefix `t/*`,
 * GetBucketLocation on `b`, and GetObject and GetObjectVersion on `b/t/*`.
 *
 * Polaris keeps locations in hash maps: its order means nothing, and is sorted here.
 *
 * @param places one for each distinct URI.
 * @returns none if Polaris sends its `Deny * on *`.
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
    // The whole bucket becomes the prefix `/`, which only keys that begin with it have.
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

/** One value as a string, several as a list: so the AWS SDK for Java writes a policy. */
function oneOrMany(values: readonly string[]): OneOrMany {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** The inputs of Polaris' own generator. */
interface PolarisConfig {
  readonly partition: string;
  /** The keys of which it grants every use to a session that writes, with their repeats. */
  readonly encryptionKeys: readonly string[];
  /** The keys of which it never grants more than decryption. */
  readonly decryptionKeys: readonly string[];
  /** The keys it falls back to if none is configured. */
  readonly wildcardKey: string | undefined;
}

/**
 * What Polaris' generator is given. It gives all keys of 1.7.0 every use, in their order and with
 * repeats. For those of 1.8.0 this follows the description of the change, and repeats fold.
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
