/**
 * The trust policy of the role: who may assume it.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
 * @module
 */
import { validate } from "@aws-sdk/util-arn-parser";
import { fault, reading } from "../errors.ts";
import { isRecord, readRecord } from "../input.ts";
import type { PolicyDocument, Statement } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { readStorage } from "./storage.ts";

/** Who assumes the role, and how. */
export interface TrustPolicyOptions {
  /**
   * The catalog server's own identity: the ARN of its role or user, or the 12 digits of its account.
   * An account trusts everyone in it who may call sts:AssumeRole.
   */
  readonly principal: string;
  /** Whether sessions carry tags, as with Polaris' SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL. Default false. */
  readonly tags?: boolean | undefined;
}

/** A statement of a trust policy. It names a principal. Its resource is the role that has the policy. */
export interface TrustStatement extends Omit<Statement, "Resource"> {
  readonly Principal: { readonly AWS: string };
}

/**
 * Builds the trust policy of the role. The catalog server may assume the role with the external id of the
 * storage configuration.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param options see {@link TrustPolicyOptions}.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`, `INVALID_OPTIONS`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
 * @example
 * ```ts
 * import { trustPolicy } from "polaris-session-policy/setup";
 *
 * const policy = trustPolicy(
 *   { roleArn: "arn:aws:iam::123456789012:role/polaris", externalId: "ext-1" },
 *   { principal: "arn:aws:iam::123456789012:role/polaris-server" },
 * );
 * policy.Statement[0]?.Condition;
 * // { StringEquals: { "sts:ExternalId": "ext-1" } }
 * ```
 */
export function trustPolicy(
  storageConfig: AwsStorageConfig,
  options: TrustPolicyOptions,
): PolicyDocument<TrustStatement> {
  const { fields } = readStorage(storageConfig);
  const { principal, tags } = reading("INVALID_OPTIONS", "The options", () => readOptions(options));
  const { externalId } = fields;
  if (externalId != null && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw fault(
      "INVALID_STORAGE_CONFIG",
      ["externalId"],
      "is not an external id that STS takes. Use 2 to 1,224 letters, digits and _+=,.@:/-.",
    );
  }
  const { assume, tag } = trustStatements(principal, externalId);
  return { Version: "2012-10-17", Statement: tags ? [assume, tag] : [assume] };
}

/** Makes the statements with which a principal may assume the role, and tag the session. */
export function trustStatements(
  principal: string,
  externalId: string | null | undefined,
): { readonly assume: TrustStatement; readonly tag: TrustStatement } {
  const Principal = { AWS: principal };
  return {
    assume: {
      Effect: "Allow",
      Principal,
      Action: "sts:AssumeRole",
      ...(externalId != null && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
    },
    // The external id is not among the condition keys of sts:TagSession, so sts:TagSession needs its own
    // statement. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    tag: {
      Effect: "Allow",
      Principal,
      Action: "sts:TagSession",
      Condition: { "ForAllValues:StringLike": { "aws:TagKeys": "polaris:*" } },
    },
  };
}

function readOptions(options: unknown): { readonly principal: string; readonly tags: boolean } {
  const known = ["principal", "tags"] as const;
  const read = readRecord(options, known);
  if (read === undefined || !isRecord(options)) {
    throw fault("INVALID_OPTIONS", [], "The options must be an object with the field principal.");
  }
  for (const option of Object.keys(options)) {
    if (known.some((one) => one === option)) continue;
    throw fault("INVALID_OPTIONS", [option], "is not an option. Use principal and tags.");
  }
  const { principal, tags = false } = read;
  if (typeof principal !== "string" || !isPrincipal(principal)) {
    throw fault(
      "INVALID_OPTIONS",
      ["principal"],
      "must be one identity, without wildcards. Use the ARN of the catalog server's role or user, or its 12-digit account.",
    );
  }
  if (typeof tags !== "boolean") {
    throw fault("INVALID_OPTIONS", ["tags"], "must be true or false.");
  }
  return { principal, tags };
}

function isPrincipal(text: string): boolean {
  if (/^\d{12}$/.test(text)) return true;
  return (
    validate(text) &&
    /^arn:[a-z0-9-]+:(?:iam|sts)::[\w-]*:(?:root|(?:user|role|assumed-role|federated-user)\/[\w+=,.@/-]+)$/.test(
      text,
    )
  );
}
