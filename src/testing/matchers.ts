/**
 * Matchers for `expect.extend` of vitest and jest.
 * @module
 */
import { compareAccess } from "../analysis/compare.ts";
import { decide } from "../analysis/decide.ts";
import type { AccessRequest, AnyPolicyDocument } from "../analysis/policy-document.ts";
import { type PolicyForm, policyDocumentOf } from "./policy-forms.ts";

/** What a matcher returns to vitest and jest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers of policies: `toAllow(request)`, `toDeny(request)` and `toBeNoBroaderThan(policy)`. When
 * one fails it shows the statements that decided, or a request that makes the difference.
 *
 * `import "polaris-session-policy/testing/vitest"` extends vitest's `expect` with them, and
 * `import "polaris-session-policy/testing/jest"` jest's, both with types.
 *
 * @see https://vitest.dev/guide/extending-matchers.html
 * @see https://jestjs.io/docs/expect#expectextendmatchers
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { policyMatchers } from "polaris-session-policy/testing";
 *
 * // expect.extend(policyMatchers);
 * const policy = buildSessionPolicy({}, { read: ["s3://wh-bucket/db"] });
 * policyMatchers.toDeny(policy, { action: "s3:PutObject", resource: "arn:aws:s3:::wh-bucket/db/f" }).pass;
 * // true
 * ```
 */
export const policyMatchers: Readonly<{
  toAllow: (policy: PolicyForm, request: AccessRequest) => MatcherResult;
  toDeny: (policy: PolicyForm, request: AccessRequest) => MatcherResult;
  toBeNoBroaderThan: (policy: PolicyForm, other: PolicyForm) => MatcherResult;
}> = {
  toAllow: (policy, request) => {
    const { pass, why } = decided(policy, request);
    return { pass, message: () => `expected the policy ${pass ? "not " : ""}to allow ${why}` };
  },
  toDeny: (policy, request) => {
    const { pass, why } = decided(policy, request);
    return {
      pass: !pass,
      message: () => `expected the policy ${pass ? "" : "not "}to deny ${why}`,
    };
  },
  toBeNoBroaderThan: (policy, other) => {
    const { relation, onlyInFirst } = compareAccess(documentOf(policy), documentOf(other));
    return {
      pass: onlyInFirst === undefined,
      message: () =>
        onlyInFirst === undefined
          ? `expected the policy to be broader than the other; it is ${relation}`
          : `expected the policy to be no broader than the other; only the policy allows ${show(onlyInFirst)}`,
    };
  },
};

function decided(policy: PolicyForm, request: AccessRequest) {
  const document = documentOf(policy);
  const { decision, statements } = decide(document, request);
  const { Statement } = document;
  const list: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  const deciding = statements.map((i) => `\nStatement ${i}: ${show(list[i])}`).join("");
  const because =
    decision === "implicitlyDenied" ? "no statement matches it" : `${decision} by${deciding}`;
  return { pass: decision === "allowed", why: `${show(request)}; ${because}` };
}

/** The document in a policy; decide and compareAccess check that it is one. */
function documentOf(policy: PolicyForm): AnyPolicyDocument {
  return policyDocumentOf(policy) as AnyPolicyDocument;
}

/** What `decide` does not look at may be anything, which must not keep a matcher from its answer. */
function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "(something that JSON can't hold)";
  }
}
