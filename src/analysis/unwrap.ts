/**
 * Reads policies as tools print them: as JSON text, URL-encoded, or inside a command's output.
 * @module
 */
import { fault, reading } from "../errors.ts";
import { isRecord, plainCopy } from "../input.ts";

/**
 * Where commands and requests hold a policy:
 * `aws iam get-role-policy`, `get-policy-version`, `get-role`, `aws kms get-key-policy`, AssumeRole.
 *
 * @see https://docs.aws.amazon.com/cli/latest/reference/iam/get-policy-version.html#output
 */
const WRAPPERS = [
  "PolicyDocument",
  "PolicyVersion",
  "Document",
  "Role",
  "AssumeRolePolicyDocument",
  "Policy",
] as const;

/** No command's output wraps a policy more often. */
const MOST_WRAPPERS = 4;

/**
 * Copies a policy out of the object around it. Any other value is returned as it is.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for what can't be read
 */
export function unwrapPolicy(input: unknown): unknown {
  let policy =
    typeof input === "string"
      ? input
      : reading("UNSUPPORTED_POLICY", "The policy", () => plainCopy(input));
  for (let depth = 0; depth <= MOST_WRAPPERS; depth++) {
    if (typeof policy === "string") policy = fromText(policy);
    if (!isRecord(policy) || policy["Statement"] !== undefined) break;
    const record = policy;
    const wrapper = WRAPPERS.find((field) => record[field] !== undefined);
    if (wrapper === undefined) break;
    policy = record[wrapper];
  }
  return policy;
}

function fromText(text: string): unknown {
  try {
    return plainCopy(JSON.parse(/^\s*%7B/i.test(text) ? decodeURIComponent(text) : text));
  } catch {
    throw fault(
      "UNSUPPORTED_POLICY",
      [],
      "The policy is not JSON. Pass the document, its text, or what the aws command prints.",
    );
  }
}
