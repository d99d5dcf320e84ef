/**
 * Makes the statement that the policy of each KMS key needs for the role.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { s3ViaService } from "../arn.ts";
import type { Statement } from "../policy.ts";
import type { AwsStorageConfig, KmsKey, StorageConfig } from "../storage-config.ts";
import { readStorage, roleArnOf } from "./storage.ts";

/** A statement of a key policy: it names a principal. */
export interface KeyPolicyStatement extends Statement {
  readonly Principal: { readonly AWS: string };
}

/**
 * Makes the statement that each key's policy needs for the role: kms:Decrypt, and
 * kms:GenerateDataKey on the keys that encrypt new data. A key in the role's own account needs no
 * statement if its policy leaves access to IAM policies.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it, with a role.
 * @returns a statement for each key, which names the key, in the order of their ARNs; an empty list with
 *   `kmsUnavailable`.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, also without a role; `INVALID_KMS_KEY`
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
 * @example
 * ```ts
 * import { keyPolicyStatements } from "polaris-session-policy/setup";
 *
 * const [statement] = keyPolicyStatements({
 *   roleArn: "arn:aws:iam::123456789012:role/polaris",
 *   allowedKmsKeys: ["arn:aws:kms:us-west-2:210987654321:key/abcd1234-1111-2222-3333-444444444444"],
 * });
 * statement?.Action;
 * // "kms:Decrypt"
 * statement?.Condition;
 * // { StringEquals: { "kms:ViaService": "s3.us-west-2.amazonaws.com" } }
 * ```
 */
export function keyPolicyStatements(storageConfig: AwsStorageConfig): KeyPolicyStatement[] {
  const storage = readStorage(storageConfig);
  const { config } = storage;
  if (config.keys.length === 0) return [];
  const Principal = { AWS: roleArnOf(storage) };
  return config.keys.map((key) => statementFor(key, config, Principal));
}

function statementFor(
  key: KmsKey,
  { onAws }: StorageConfig,
  Principal: KeyPolicyStatement["Principal"],
): KeyPolicyStatement {
  const [first = "kms:Decrypt", ...others] = keyActions(key);
  const viaService = onAws ? s3ViaService(key) : undefined;
  return {
    Effect: "Allow",
    Principal,
    Action: others.length === 0 ? first : [first, ...others],
    Resource: key.arn,
    ...(viaService !== undefined && {
      Condition: { StringEquals: { "kms:ViaService": viaService } },
    }),
  };
}

/** Returns the actions that some session may need on a key, in order. */
export function keyActions(key: KmsKey): string[] {
  const kind = key.encrypts ? "encryptionKey" : "decryptionKey";
  return ACTIONS.filter(({ resource }) => resource === kind).map(({ action }) => action);
}
