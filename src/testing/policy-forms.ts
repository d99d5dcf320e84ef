/**
 * The forms in which policies are at hand: a document, its JSON text, or an AssumeRole request.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import type { AnyPolicyDocument } from "../analysis/policy-document.ts";
import { fault } from "../errors.ts";

/** A policy document, its JSON text, or an AssumeRole request, which holds the text as `Policy`. */
export type PolicyForm = AnyPolicyDocument | { readonly Policy?: string | undefined } | string;

/** Longer than any policy that IAM or S3 stores, far shorter than what JSON.parse chokes on. */
const MOST_CHARACTERS = 1_000_000;

/**
 * Returns the document in a policy, which is not checked yet.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for text that is not JSON.
 */
export function policyDocumentOf(policy: unknown): unknown {
  if (typeof policy === "string") return parse(policy, []);
  if (typeof policy !== "object" || policy === null || "Statement" in policy) return policy;
  const text: unknown = "Policy" in policy ? policy.Policy : undefined;
  return typeof text === "string" ? parse(text, ["Policy"]) : policy;
}

function parse(text: string, path: readonly string[]): unknown {
  if (text.length <= MOST_CHARACTERS) {
    try {
      return JSON.parse(text);
    } catch {
      // Told below: JSON.parse repeats the text in its message.
    }
  }
  throw fault("UNSUPPORTED_POLICY", path, "The policy must be JSON. Give a document or its text.");
}
