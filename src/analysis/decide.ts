/**
 * What a policy says of a request, as IAM evaluates it.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @module
 */
import { fault, reading } from "../errors.ts";
import { matches } from "./glob.ts";
import {
  type AccessRequest,
  type AnyPolicyDocument,
  type ParsedStatement,
  parsePolicy,
} from "./policy-document.ts";

/** A decision, and the statements it is due to. */
export interface Decision {
  readonly decision: "allowed" | "explicitlyDenied" | "implicitlyDenied";
  /** Indices of the statements that allow or deny; none if the request is denied implicitly. */
  readonly statements: readonly number[];
}

/**
 * Decides a request as IAM would by this policy alone: an explicit Deny wins, then an Allow, and what
 * no statement matches is denied.
 *
 * Supported are Effect, Action, Resource and Condition with `StringEquals`, `StringNotEquals`,
 * `StringLike`, `StringNotLike`, each also `IfExists`, and `Null`; wildcards `*` and `?`, which match
 * any characters, and the escapes `${*}`, `${?}`, `${$}`.
 *
 * @param policy a policy document of version 2012-10-17.
 * @param request action, resource and context. A context key with an empty list is absent.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for anything else in the policy, with its place, and
 *   where a pattern takes more than 10,000,000 steps to match, far beyond ARNs; `INVALID_REQUEST` if
 *   the request is none.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { decide } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { read: ["s3://wh-bucket/db/orders"] });
 * decide(policy, { action: "s3:GetObject", resource: "arn:aws:s3:::wh-bucket/db/orders/f" });
 * // { decision: "allowed", statements: [0] }
 * decide(policy, { action: "s3:PutObject", resource: "arn:aws:s3:::wh-bucket/db/orders/f" });
 * // { decision: "implicitlyDenied", statements: [] }
 * ```
 */
export function decide(policy: AnyPolicyDocument, request: AccessRequest): Decision {
  const statements = reading("UNSUPPORTED_POLICY", "The policy", () => parsePolicy(policy));
  const asked = reading("INVALID_REQUEST", "The request", () => parseRequest(request));
  const matching = statements.map((statement) => statementMatches(statement, asked));
  const effects = (effect: string) =>
    statements.flatMap((statement, i) => (matching[i] && statement.effect === effect ? [i] : []));
  const denying = effects("Deny");
  if (denying.length > 0) return { decision: "explicitlyDenied", statements: denying };
  const allowing = effects("Allow");
  if (allowing.length > 0) return { decision: "allowed", statements: allowing };
  return { decision: "implicitlyDenied", statements: [] };
}

/**
 * Whether a policy allows a request: {@link decide} in one word.
 *
 * @param policy a policy document of version 2012-10-17.
 * @param request action, resource and context.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`, `INVALID_REQUEST`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { isAllowed } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { list: ["s3://wh-bucket/db"] });
 * const list = { action: "s3:ListBucket", resource: "arn:aws:s3:::wh-bucket" };
 * isAllowed(policy, { ...list, context: { "s3:prefix": "db/" } });
 * // true
 * isAllowed(policy, list);
 * // false
 * ```
 */
export function isAllowed(policy: AnyPolicyDocument, request: AccessRequest): boolean {
  return decide(policy, request).decision === "allowed";
}

/** A request with its action and context keys in lower case. */
interface ParsedRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: ReadonlyMap<string, readonly string[]>;
}

function parseRequest({ action, resource, context = {} }: AccessRequest): ParsedRequest {
  for (const [name, value] of Object.entries({ action, resource })) {
    if (typeof value !== "string") throw fault("INVALID_REQUEST", [name], "must be a string.");
  }
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw fault("INVALID_REQUEST", ["context"], "must be an object of condition keys.");
  }
  const values = new Map<string, string[]>();
  for (const [key, value] of Object.entries(context)) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const known = values.get(key.toLowerCase()) ?? [];
    for (const item of list) {
      if (typeof item !== "string") {
        throw fault("INVALID_REQUEST", ["context", key], "must be a string or a list of strings.");
      }
      known.push(item);
    }
    if (known.length > 0) values.set(key.toLowerCase(), known);
  }
  return { action: action.toLowerCase(), resource, context: values };
}

function statementMatches(statement: ParsedStatement, request: ParsedRequest): boolean {
  return (
    statement.actions.some((action) => matches(action, request.action)) &&
    statement.resources.some((resource) => matches(resource, request.resource)) &&
    statement.tests.every((test) => test.holds(request.context.get(test.key.toLowerCase())))
  );
}
