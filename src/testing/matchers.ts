/**
 * Matchers for `expect.extend` of vitest and jest.
 * @module
 */
import { compareAccess } from "../analysis/compare.ts";
import { decideWithMissing } from "../analysis/decide-strictly.ts";
import type { AccessRequest, AnyPolicyDocument, PolicyInput } from "../analysis/policy-document.ts";
import { unwrapPolicy } from "../analysis/unwrap.ts";
import { isRecord } from "../input.ts";

/** What a matcher returns to vitest and jest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers of policies: `toAllow(request)`, `toDeny(request)` and `toBeNoBroaderThan(policy)`. A failing
 * matcher shows the statements that decided, or a request that makes the difference. `toDeny` and
 * `not.toAllow` also fail if the request is denied only because it lacks a condition key other than
 * `s3:prefix`, and name the key. An action on a resource of another type is an `INVALID_REQUEST`.
 *
 * `import "polaris-session-policy/testing/vitest"` extends vitest's `expect` with them, and
 * `import "polaris-session-policy/testing/jest"` extends jest's. Both have types.
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
  toAllow: (policy: PolicyInput, request: AccessRequest) => MatcherResult;
  toDeny: (policy: PolicyInput, request: AccessRequest) => MatcherResult;
  toBeNoBroaderThan: (policy: PolicyInput, other: PolicyInput) => MatcherResult;
}> = {
  toAllow(this: unknown, policy, request) {
    const { pass, why, missing } = decided(policy, request);
    if (missing !== undefined && isNegated(this)) return forgotten(request, missing, true);
    return { pass, message: () => `expected the policy ${pass ? "not " : ""}to allow ${why}` };
  },
  toDeny(this: unknown, policy, request) {
    const { pass, why, missing } = decided(policy, request);
    if (missing !== undefined) return forgotten(request, missing, isNegated(this));
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

/** Tells whether a matcher is called after `.not`, which vitest and jest say in `this`. */
function isNegated(state: unknown): boolean {
  return isRecord(state) && state["isNot"] === true;
}

/** Fails, with or without `.not`, because the request lacks condition keys that allow it. */
function forgotten(
  request: AccessRequest,
  missing: Readonly<Record<string, string>>,
  isNot: boolean,
): MatcherResult {
  return {
    pass: isNot,
    message: () =>
      `expected the policy to deny ${show(request)}, whatever its context; with ${show(missing)} it is allowed. Add the condition keys that the real request has.`,
  };
}

function decided(policy: PolicyInput, request: AccessRequest) {
  const document = documentOf(policy);
  const { decision: decided, missing } = decideWithMissing(document, request);
  const { decision, statements } = decided;
  const { Statement } = document;
  const list: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  const deciding = statements.map((i) => `\nStatement ${i}: ${show(list[i])}`).join("");
  const because =
    decision === "implicitlyDenied" ? "no statement matches it" : `${decision} by${deciding}`;
  return { pass: decision === "allowed", why: `${show(request)}; ${because}`, missing };
}

/** Returns the document in a policy. decide and compareAccess check it. */
function documentOf(policy: PolicyInput): AnyPolicyDocument {
  return unwrapPolicy(policy) as AnyPolicyDocument;
}

/** Writes a value for a message. Parts that `decide` does not read may be values that JSON can't hold. */
function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "(something that JSON can't hold)";
  }
}
