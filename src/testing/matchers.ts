/**
 * Matchers for `expect.extend` of vitest and jest.
 * @module
 */
import { compareAccess } from "../analysis/compare.ts";
import { decide } from "../analysis/decide.ts";
import type { AccessRequest, AnyPolicyDocument, PolicyInput } from "../analysis/policy-document.ts";
import { unwrapPolicy } from "../analysis/unwrap.ts";
import type { Statement } from "../policy.ts";
import { filled, listOf } from "./requests.ts";

/** What a matcher returns to vitest and jest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers of policies: `toAllow(request)`, `toDeny(request)` and `toBeNoBroaderThan(policy)`. When
 * one fails it shows the statements that decided, or a request that makes the difference. `toDeny`
 * fails too where only an absent condition key other than `s3:prefix` keeps the request from being
 * allowed, and says which.
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
  toAllow: (policy: PolicyInput, request: AccessRequest) => MatcherResult;
  toDeny: (policy: PolicyInput, request: AccessRequest) => MatcherResult;
  toBeNoBroaderThan: (policy: PolicyInput, other: PolicyInput) => MatcherResult;
}> = {
  toAllow: (policy, request) => {
    const { pass, why } = decided(policy, request);
    return { pass, message: () => `expected the policy ${pass ? "not " : ""}to allow ${why}` };
  },
  toDeny: (policy, request) => {
    const { pass, why } = decided(policy, request);
    const missing = pass ? undefined : contextThatAllows(documentOf(policy), request);
    if (missing !== undefined) {
      return {
        pass: false,
        message: () =>
          `expected the policy to deny ${show(request)}, whatever its context; with ${show(missing)} it is allowed. Add the condition keys that the real request has.`,
      };
    }
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

function decided(policy: PolicyInput, request: AccessRequest) {
  const document = documentOf(policy);
  const { decision, statements } = decide(document, request);
  const { Statement } = document;
  const list: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  const deciding = statements.map((i) => `\nStatement ${i}: ${show(list[i])}`).join("");
  const because =
    decision === "implicitlyDenied" ? "no statement matches it" : `${decision} by${deciding}`;
  return { pass: decision === "allowed", why: `${show(request)}; ${because}` };
}

/**
 * The condition keys, absent from a denied request, with which a statement allows it: a test that
 * forgets them proves nothing. A list without `s3:prefix` is a real request, so that key may be absent.
 */
function contextThatAllows(
  document: AnyPolicyDocument,
  request: AccessRequest,
): Readonly<Record<string, string>> | undefined {
  const present = Object.keys(request.context ?? {}).map((key) => key.toLowerCase());
  const mayAdd = (key: string) => ![...present, "s3:prefix"].includes(key.toLowerCase());
  // decide has read the statements: they are what their types say.
  for (const { Effect, Condition } of listOf(document.Statement) as readonly Statement[]) {
    if (Effect !== "Allow" || Condition === undefined) continue;
    const added = Object.entries(Condition).flatMap(([operator, block]) =>
      /Not|Null/i.test(operator)
        ? []
        : Object.entries(block).flatMap(([key, values]): [string, string][] =>
            mayAdd(key) ? [[key, filled(String(listOf(values)[0]), "x")]] : [],
          ),
    );
    if (added.length === 0) continue;
    const missing = Object.fromEntries(added);
    const context = { ...request.context, ...missing };
    if (decide(document, { ...request, context }).decision === "allowed") return missing;
  }
  return undefined;
}

/** The document in a policy; decide and compareAccess check that it is one. */
function documentOf(policy: PolicyInput): AnyPolicyDocument {
  return unwrapPolicy(policy) as AnyPolicyDocument;
}

/** What `decide` does not look at may be anything, which must not keep a matcher from its answer. */
function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "(something that JSON can't hold)";
  }
}
