/**
 * Decides a request by a policy, as IAM does.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @module
 */
import { fault, reading, SessionPolicyError } from "../errors.ts";
import { isRecord, readList, readRecord } from "../input.ts";
import { isOfKnownService, knownAction, NO_RESOURCE } from "./actions.ts";
import { type Budget, newBudget, spend } from "./budget.ts";
import { lowerCase, matches, substitute, type Variable, variablesOf } from "./glob.ts";
import {
  type AccessRequest,
  type ParsedStatement,
  type Patterns,
  type PolicyInput,
  parsePolicy,
  type Test,
} from "./policy-document.ts";
import { isAbout } from "./principals.ts";

/** A decision, and the statements that decide. */
export interface Decision {
  readonly decision: "allowed" | "explicitlyDenied" | "implicitlyDenied";
  /** Indices of the statements that allow or deny; empty if the request is denied implicitly. */
  readonly statements: readonly number[];
}

/** A decision about a request of which not everything is known. */
export interface PartialDecision {
  readonly decision: Decision["decision"] | "unknown";
  /** As in {@link Decision}; if unknown, the statements that depend on unknown values. */
  readonly statements: readonly number[];
  /** If unknown, the condition keys whose values are unknown, as the policy writes them. */
  readonly keys: readonly string[];
}

/**
 * Decides a request as IAM would by this policy alone. An explicit Deny wins, then an Allow. A request
 * that no statement matches is denied.
 *
 * It reads all elements and condition operators of IAM: Action, NotAction, Resource, NotResource,
 * Principal and NotPrincipal, policy variables, and the versions 2012-10-17 and 2008-10-17. The older
 * version has no variables. A wildcard in an ARN stays within its segment, except a `*` at its end.
 *
 * @param policy a policy document, its JSON text, or what holds one: see {@link PolicyInput}.
 * @param request action, resource, context and principal. A context key with an empty list is absent.
 *   A request without a principal matches no statement that names one, except `*`.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`, with the place, for a policy that IAM would not accept,
 *   and if matching takes more than 30,000,000 steps (less than a second). `INVALID_REQUEST` for a
 *   resource that is not an ARN, and for actions of S3, KMS and STS that AWS does not know.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
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
export function decide(policy: PolicyInput, request: AccessRequest): Decision;
/**
 * Decides a request whose context is not complete: an absent condition key may have any value. The
 * answer may be `unknown`, with the keys that it depends on.
 *
 * @param policy as for a complete context.
 * @param request as for a complete context. A context key with an empty list is absent.
 * @param options `partial: true`; with `false` the context is complete.
 * @throws SessionPolicyError as for a complete context; `INVALID_OPTIONS`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { decide } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { list: ["s3://wh-bucket/db"] });
 * const request = { action: "s3:ListBucket", resource: "arn:aws:s3:::wh-bucket" };
 * decide(policy, request, { partial: true });
 * // { decision: "unknown", statements: [1], keys: ["s3:prefix"] }
 * ```
 */
export function decide(
  policy: PolicyInput,
  request: AccessRequest,
  options: { readonly partial: true },
): PartialDecision;
/** Decides a request whose context may be complete or not. */
export function decide(
  policy: PolicyInput,
  request: AccessRequest,
  options?: { readonly partial?: boolean | undefined },
): Decision | PartialDecision;
export function decide(
  policy: PolicyInput,
  request: AccessRequest,
  options?: { readonly partial?: boolean | undefined },
): Decision | PartialDecision {
  const statements = parsePolicy(policy);
  const asked = reading("INVALID_REQUEST", "The request", () => parseRequest(request));
  const partial = reading("INVALID_OPTIONS", "The options", () => readPartial(options));
  const {
    decision,
    statements: deciding,
    keys,
  } = decideParsed(statements, { ...asked, partial }, newBudget());
  if (partial) return { decision, statements: deciding, keys };
  // Without `partial` nothing is unknown.
  return { decision: decision === "unknown" ? "implicitlyDenied" : decision, statements: deciding };
}

function readPartial(options: unknown): boolean {
  if (options === undefined) return false;
  const { partial = false } = readRecord(options, ["partial"]) ?? {};
  if (isRecord(options) && typeof partial === "boolean") return partial;
  throw fault("INVALID_OPTIONS", ["partial"], "must be true or false.");
}

/**
 * Tells whether a policy allows a request, by {@link decide}.
 *
 * @param policy a policy document, its JSON text, or what holds one: see {@link PolicyInput}.
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
export function isAllowed(policy: PolicyInput, request: AccessRequest): boolean {
  return decide(policy, request).decision === "allowed";
}

/**
 * Reads a policy once, for many requests: the testing kit tries thousands on one policy.
 *
 * @returns a function that tells whether the policy allows a request, like {@link isAllowed}.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`. The function throws `INVALID_REQUEST` too.
 */
export function requestsAllowedBy(policy: PolicyInput): (request: AccessRequest) => boolean {
  const statements = parsePolicy(policy);
  return (request) => {
    const asked = reading("INVALID_REQUEST", "The request", () => parseRequest(request));
    return decideParsed(statements, asked, newBudget()).decision === "allowed";
  };
}

/** Like {@link isAllowed}, for requests from a log: a request that AWS does not know is not allowed. */
export function isAllowedIfValid(policy: PolicyInput, request: AccessRequest): boolean {
  try {
    return isAllowed(policy, request);
  } catch (error) {
    if (error instanceof SessionPolicyError && error.code === "INVALID_REQUEST") return false;
    throw error;
  }
}

/** A request with its action and context keys in lower case. */
export interface ParsedRequest {
  readonly action: string;
  readonly resource: string;
  /** A key with an empty list is known to be absent. */
  readonly context: ReadonlyMap<string, readonly string[]>;
  readonly principal: string | undefined;
  /** Whether keys that are not in the context may have any value. */
  readonly partial: boolean;
}

/** @throws SessionPolicyError `INVALID_REQUEST` */
export function parseRequest(request: AccessRequest): ParsedRequest {
  const read = readRecord(request, ["action", "resource", "context", "principal"]);
  if (read === undefined) {
    throw fault("INVALID_REQUEST", [], "The request must be an object with action and resource.");
  }
  const { action, resource, context = {}, principal } = read;
  if (typeof action !== "string") throw fault("INVALID_REQUEST", ["action"], "must be a string.");
  if (typeof resource !== "string") {
    throw fault("INVALID_REQUEST", ["resource"], "must be a string.");
  }
  if (principal !== undefined && typeof principal !== "string") {
    throw fault("INVALID_REQUEST", ["principal"], "must be a string.");
  }
  checkAction(action);
  checkResource(action, resource);
  return {
    action: lowerCase(action),
    resource,
    context: parseContext(context),
    principal,
    partial: false,
  };
}

function checkAction(action: string): void {
  if (!/^[a-z0-9-]+:[a-z0-9]+$/i.test(action)) {
    throw fault(
      "INVALID_REQUEST",
      ["action"],
      "is not an action. Write SERVICE:NAME, like s3:GetObject.",
    );
  }
  if (isOfKnownService(action) && knownAction(action) === undefined) {
    throw fault(
      "INVALID_REQUEST",
      ["action"],
      "is not an action of this service. Check its spelling, as in s3:GetObject.",
    );
  }
}

function checkResource(action: string, resource: string): void {
  if (resource === NO_RESOURCE) {
    const types = knownAction(action)?.types ?? [];
    if (types.length === 0) return;
  } else if (/^arn:[^:*?]*:[^:*?]+:[^:*?]*:[^:*?]*:[\s\S]+$/.test(resource)) {
    return;
  }
  throw fault(
    "INVALID_REQUEST",
    ["resource"],
    "is not an ARN. Write arn:aws:s3:::BUCKET/KEY, arn:aws:s3:::BUCKET or the ARN of a KMS key.",
  );
}

function parseContext(context: unknown): Map<string, readonly string[]> {
  if (!isRecord(context)) {
    throw fault("INVALID_REQUEST", ["context"], "must be an object of condition keys.");
  }
  const values = new Map<string, string[]>();
  for (const key of Object.keys(context)) {
    const value = context[key];
    const name = lowerCase(key);
    const known = values.get(name) ?? [];
    for (const item of readList(value) ?? [value]) {
      if (typeof item !== "string") {
        throw fault("INVALID_REQUEST", ["context", key], "must be a string or a list of strings.");
      }
      known.push(item);
    }
    values.set(name, known);
  }
  return values;
}

/** Whether a statement matches; if that is unknown, the keys that it depends on. */
type Match = boolean | readonly string[];

/**
 * Decides a request by parsed statements.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` when the budget is spent
 */
export function decideParsed(
  statements: readonly ParsedStatement[],
  request: ParsedRequest,
  budget: Budget,
): PartialDecision {
  const found = { Allow: [] as number[], Deny: [] as number[] };
  const open = { Allow: [] as number[], Deny: [] as number[] };
  const keys = { Allow: new Set<string>(), Deny: new Set<string>() };
  statements.forEach((statement, i) => {
    const match = statementMatches(statement, request, budget);
    if (match === true) found[statement.effect].push(i);
    if (typeof match === "boolean") return;
    open[statement.effect].push(i);
    for (const key of match) keys[statement.effect].add(key);
  });
  if (found.Deny.length > 0) {
    return { decision: "explicitlyDenied", statements: found.Deny, keys: [] };
  }
  const mayAllow = found.Allow.length + open.Allow.length > 0;
  if (open.Deny.length > 0 && mayAllow) {
    const allowing = found.Allow.length > 0 ? [] : open.Allow;
    const hangOn = new Set([...keys.Deny, ...(found.Allow.length > 0 ? [] : keys.Allow)]);
    return {
      decision: "unknown",
      statements: [...open.Deny, ...allowing].sort((a, b) => a - b),
      keys: [...hangOn],
    };
  }
  if (found.Allow.length > 0) return { decision: "allowed", statements: found.Allow, keys: [] };
  if (open.Allow.length > 0) {
    return { decision: "unknown", statements: open.Allow, keys: [...keys.Allow] };
  }
  return { decision: "implicitlyDenied", statements: [], keys: [] };
}

/** Tells whether a statement matches a request; if that is unknown, returns the keys that it depends on. */
export function statementMatches(
  statement: ParsedStatement,
  request: ParsedRequest,
  budget: Budget,
): Match {
  const { actions, resources, principals, tests } = statement;
  spend(budget, 1);
  if (actions.globs.some((glob) => matches(glob, request.action, budget)) === actions.not) {
    return false;
  }
  const unknown: string[] = [];
  const about = resources === undefined ? true : resourceMatches(resources, request, budget);
  if (about === false) return false;
  if (about !== true) unknown.push(...about);
  if (principals !== undefined) {
    if (request.principal !== undefined) {
      if (!isAbout(principals, request.principal)) return false;
    } else if (principals.not || !principals.names.includes("*")) {
      if (!request.partial) return false;
      unknown.push("aws:PrincipalArn");
    }
  }
  for (const test of tests) {
    const match = testHolds(test, request, budget);
    if (match === false) return false;
    if (match !== true) unknown.push(...match);
  }
  return unknown.length === 0 ? true : unknown;
}

/** Returns the value of a key for a variable. A key with several values has none. */
function valueIn({ context }: ParsedRequest, key: string): string | undefined {
  const values = context.get(key);
  return values?.length === 1 ? values[0] : undefined;
}

/** Returns the variables whose values are unknown, as written; empty if the request is complete. */
function untold({ partial, context }: ParsedRequest, variables: readonly Variable[]): string[] {
  return partial
    ? variables.flatMap(({ written, key }) => (context.has(key) ? [] : [written]))
    : [];
}

function resourceMatches(patterns: Patterns, request: ParsedRequest, budget: Budget): Match {
  const { not, globs, variables } = patterns;
  if (!variables) return globs.some((glob) => matches(glob, request.resource, budget)) !== not;
  const unknown: string[] = [];
  for (const glob of globs) {
    const missing = untold(request, variablesOf(glob));
    if (missing.length > 0) {
      unknown.push(...missing);
      continue;
    }
    const known = substitute(glob, (key) => valueIn(request, key), budget);
    if (known !== undefined && matches(known, request.resource, budget)) return !not;
  }
  return unknown.length > 0 ? unknown : not;
}

/** The steps to test a condition. */
const STEPS_OF_TEST = 10;

/**
 * Tells whether a condition holds.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function testHolds(test: Test, request: ParsedRequest, budget: Budget): Match {
  const { base, not, set, ifExists, name, wanted } = test;
  spend(budget, STEPS_OF_TEST);
  const present = request.context.get(name);
  if (present === undefined && request.partial) {
    // A Null test that names both states always holds.
    return base === "Null" && new Set(test.written).size === 2 ? true : [test.key];
  }
  const values = present ?? [];
  if (base === "Null") return test.written.includes(String(values.length === 0));
  if (values.length === 0) {
    if (set === "ForAllValues") return true;
    return set === "ForAnyValue" ? ifExists : not || ifExists;
  }
  if (request.partial) {
    const missing = untold(
      request,
      wanted.flatMap((one) => one.variables),
    );
    if (missing.length > 0) return missing;
  }
  const isWanted = (value: string) =>
    wanted.some((one) => {
      spend(budget, 1);
      return one.holds(value, (key) => valueIn(request, key), budget);
    });
  if (set === "ForAllValues") return values.every((value) => isWanted(value) !== not);
  if (set === "ForAnyValue") return values.some((value) => isWanted(value) !== not);
  return values.some(isWanted) !== not;
}
