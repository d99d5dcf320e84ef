/**
 * Decides only requests whose denial proves something: requests as services send them.
 * @module
 */
import { fault, reading } from "../errors.ts";
import { shapesOf, typesOf, UNKNOWN_TYPE } from "./actions.ts";
import { type Budget, newBudget, spend } from "./budget.ts";
import {
  type Decision,
  decideParsed,
  type ParsedRequest,
  parseRequest,
  statementMatches,
  testHolds,
} from "./decide.ts";
import { intersects, lowerCase, type Variable, variablesOf } from "./glob.ts";
import {
  type AccessRequest,
  byKey,
  type ParsedStatement,
  type PolicyInput,
  parsePolicy,
  type Test,
} from "./policy-document.ts";

/**
 * Decides a request as {@link decide} does, but refuses requests whose denial proves nothing: an action
 * on a resource of another type, and a request that is denied only because it lacks a condition key or
 * a principal. For example, S3 sends `kms:ViaService` with each use of a key, and a test may have
 * forgotten it.
 *
 * `s3:prefix` may be absent, because lists without a prefix lack it. A key with an empty list in the
 * context is absent on purpose.
 *
 * @param policy a policy document, its JSON text, or what holds one: see {@link PolicyInput}.
 * @param request action, resource, context and principal.
 * @throws SessionPolicyError as {@link decide} does. `INVALID_REQUEST` also if the action does not apply
 *   to the resource, and if only absent keys keep the request from being allowed. The path is then
 *   `context` and the key, or `principal`, and the message names a value that would allow the request.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { decideStrictly } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { list: ["s3://wh-bucket/db"] });
 * decideStrictly(policy, { action: "s3:ListBucket", resource: "arn:aws:s3:::wh-bucket" });
 * // { decision: "implicitlyDenied", statements: [] }
 * ```
 */
export function decideStrictly(policy: PolicyInput, request: AccessRequest): Decision {
  const { decision, missing } = decideWithMissing(policy, request);
  const pairs = Object.entries(missing ?? {});
  const [first] = pairs;
  if (first === undefined) return decision;
  const named = pairs.map(([key, value]) => `${key}=${value}`).join(" and ");
  throw first[0] === PRINCIPAL
    ? fault(
        "INVALID_REQUEST",
        [PRINCIPAL],
        `is absent, and with ${named} the policy allows the request. Say who asks.`,
      )
    : fault(
        "INVALID_REQUEST",
        ["context", first[0]],
        `is absent, and with ${named} the policy allows the request. Give the condition keys that the real request has.`,
      );
}

/** Stands for the request's principal among the condition keys: no key has a name without a colon. */
const PRINCIPAL = "principal";

/** A decision, and the absent values with which the policy would allow the request. */
export interface StrictDecision {
  readonly decision: Decision;
  /** Condition keys as the policy writes them, or `principal`, each with a value. */
  readonly missing: Readonly<Record<string, string>> | undefined;
}

/** @throws SessionPolicyError as {@link decideStrictly}, except for what the request lacks */
export function decideWithMissing(policy: PolicyInput, request: AccessRequest): StrictDecision {
  const statements = parsePolicy(policy);
  const asked = reading("INVALID_REQUEST", "The request", () => parseRequest(request));
  const budget = newBudget();
  refuseOtherTypes(asked, budget);
  const { decision, statements: deciding } = decideParsed(statements, asked, budget);
  return {
    // All is known of a request that is not partial.
    decision: {
      decision: decision === "unknown" ? "implicitlyDenied" : decision,
      statements: deciding,
    },
    missing: decision === "allowed" ? undefined : withoutSecrets(lackOf(statements, asked, budget)),
  };
}

/** Leaves out the value of an external id, which messages never repeat. */
function withoutSecrets(missing: StrictDecision["missing"]): StrictDecision["missing"] {
  if (missing === undefined) return undefined;
  const shown = ([key, value]: [string, string]) =>
    lowerCase(key) === "sts:externalid" ? [key, "…"] : [key, value];
  return Object.fromEntries(Object.entries(missing).map(shown));
}

/**
 * Refuses a request for an action on a resource of a type that the action does not apply to.
 *
 * @throws SessionPolicyError `INVALID_REQUEST`
 */
function refuseOtherTypes({ action, resource }: ParsedRequest, budget: Budget): void {
  const types = typesOf(action);
  if (types.includes(UNKNOWN_TYPE)) return;
  const literal = resource.split("");
  const fits = types
    .flatMap((type) => shapesOf(type, true))
    .some((shape) => intersects(literal, shape, budget));
  if (fits) return;
  const named = types.map((type) => TYPE_NAMES[type] ?? type).filter((type) => type !== "");
  throw fault(
    "INVALID_REQUEST",
    ["resource"],
    named.length === 0
      ? "is an ARN, and this action names no resource. Write *."
      : `is of a type that this action does not apply to. Give the ARN of ${named.join(" or ")}.`,
  );
}

/** How messages name the types of the reference. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "an object, arn:aws:s3:::BUCKET/KEY,",
  bucket: "a bucket, arn:aws:s3:::BUCKET,",
  key: "a key, arn:aws:kms:REGION:ACCOUNT:key/ID,",
  accesspoint: "an access point",
  accesspointobject: "an object of an access point",
};

/** What a request lacks: by name, the name as the policy writes it and a value. */
type Lack = Map<string, { readonly written: string; readonly value: string }>;

/**
 * Finds the absent values with which a policy would allow a denied request.
 *
 * 1. Take an Allow statement. Add what the request lacks for it: a principal, values of variables, and
 *    condition keys.
 * 2. While a Deny statement matches, add an absent key with a value for which that statement does not
 *    match.
 * 3. If the policy then allows the request, return what was added. Else take the next statement.
 *
 * Example: a writer's policy allows kms:GenerateDataKey if kms:ViaService is
 * s3.us-west-2.amazonaws.com. A request without that key is denied, and the result is
 * `{ "kms:ViaService": "s3.us-west-2.amazonaws.com" }`.
 *
 * @returns undefined if nothing is absent, or nothing helps.
 */
function lackOf(
  statements: readonly ParsedStatement[],
  asked: ParsedRequest,
  budget: Budget,
): Readonly<Record<string, string>> | undefined {
  const denials = statements.filter(
    (one) => one.effect === "Deny" && statementMatches(one, asked, budget) === true,
  );
  if (denials.some((one) => withoutDenial(one, asked, new Map(), budget) === undefined)) {
    return undefined;
  }
  for (const statement of statements) {
    if (statement.effect !== "Allow") continue;
    const lack = lackFor(statement, asked, budget);
    if (lack === undefined || !settle(statements, asked, lack, budget)) continue;
    if (lack.size === 0) continue;
    return Object.fromEntries([...lack.values()].map(({ written, value }) => [written, value]));
  }
  return undefined;
}

/** Adds values until no statement denies the request; false if one always does. */
function settle(
  statements: readonly ParsedStatement[],
  asked: ParsedRequest,
  lack: Lack,
  budget: Budget,
): boolean {
  for (;;) {
    const { decision, statements: deciding } = decideParsed(
      statements,
      given(asked, lack, budget),
      budget,
    );
    if (decision !== "explicitlyDenied") return decision === "allowed";
    const denying = statements[deciding[0] ?? -1];
    const more = denying && withoutDenial(denying, asked, lack, budget);
    if (more === undefined) return false;
    lack.set(...more);
  }
}

/** Returns a request with what it lacks. */
function given(asked: ParsedRequest, lack: Lack, budget: Budget): ParsedRequest {
  const context = new Map(asked.context);
  spend(budget, 10 * (context.size + lack.size));
  for (const [name, { value }] of lack) if (name !== PRINCIPAL) context.set(name, [value]);
  return { ...asked, context, principal: lack.get(PRINCIPAL)?.value ?? asked.principal };
}

/** Returns the first of some values of a key for which a request passes a test. */
function firstValue(
  name: string,
  values: readonly string[],
  request: ParsedRequest,
  does: (request: ParsedRequest) => boolean,
): string | undefined {
  const context = new Map(request.context);
  return values.find((value) => does({ ...request, context: context.set(name, [value]) }));
}

/** Finds an absent key, with a value for which a Deny statement does not match. */
function withoutDenial(
  { tests }: ParsedStatement,
  asked: ParsedRequest,
  lack: Lack,
  budget: Budget,
): [string, { written: string; value: string }] | undefined {
  const request = given(asked, lack, budget);
  for (const test of tests) {
    if (test.name === PREFIX || request.context.has(test.name)) continue;
    const fails = (one: ParsedRequest) => testHolds(test, one, budget) === false;
    const value = firstValue(test.name, valuesNear(test), request, fails);
    if (value !== undefined) return [test.name, { written: test.key, value }];
  }
  return undefined;
}

/** Finds what a request lacks to match a statement; undefined if nothing helps. */
function lackFor(
  statement: ParsedStatement,
  asked: ParsedRequest,
  budget: Budget,
): Lack | undefined {
  const { principals, resources, tests } = statement;
  const lack: Lack = new Map();
  // Most statements do not match, whatever is added.
  const anything = { ...statement, resources: undefined, principals: undefined, tests: [] };
  if (statementMatches(anything, asked, budget) !== true) return undefined;
  if (
    principals !== undefined &&
    asked.principal === undefined &&
    !principals.names.includes("*")
  ) {
    const value = principals.not ? NOBODY : (principals.names[0] ?? NOBODY);
    lack.set(PRINCIPAL, { written: PRINCIPAL, value });
  }
  const isAbout = (request: ParsedRequest) =>
    statementMatches({ ...statement, tests: [] }, request, budget) === true;
  if (!fill(resources?.globs.flatMap(variablesOf) ?? [], lack, asked, isAbout, budget)) {
    return undefined;
  }
  for (const [name, ofKey] of byKey(tests)) {
    const holds = (request: ParsedRequest) =>
      ofKey.every((test) => testHolds(test, request, budget) === true);
    const request = given(asked, lack, budget);
    if (holds(request)) continue;
    if (request.context.has(name)) {
      const variables = ofKey.flatMap(({ wanted }) => wanted.flatMap((one) => one.variables));
      if (!fill(variables, lack, asked, holds, budget)) return undefined;
      continue;
    }
    const value =
      name === PREFIX ? undefined : firstValue(name, ofKey.flatMap(valuesNear), request, holds);
    if (value === undefined) return undefined;
    lack.set(name, { written: ofKey[0]?.key ?? name, value });
  }
  return lack;
}

/** The one key that real requests may leave out. */
const PREFIX = "s3:prefix";

/** A principal that no policy names. */
const NOBODY = "arn:aws:iam::000000000000:role/nobody";

/**
 * Adds the value of an absent variable, so that the request passes a test. It looks for values between
 * the slashes and colons of the resource and the context.
 */
function fill(
  variables: readonly Variable[],
  lack: Lack,
  asked: ParsedRequest,
  does: (request: ParsedRequest) => boolean,
  budget: Budget,
): boolean {
  const request = given(asked, lack, budget);
  if (does(request)) return true;
  const names = new Map(variables.map(({ key, written }) => [key, written]));
  const texts = [asked.resource, ...[...asked.context.values()].flat()];
  const values = new Set(
    texts.flatMap((text) => text.slice(0, MOST_TEXT).split(/[:/]/)).flatMap(endsOf),
  );
  for (const [name, written] of names) {
    if (request.context.has(name)) continue;
    const value = firstValue(name, [...values], request, does);
    if (value === undefined) continue;
    lack.set(name, { written, value });
    return true;
  }
  return false;
}

/** No ARN is longer. */
const MOST_TEXT = 2048;

/** Returns a word, its beginnings and its ends. */
function endsOf(word: string): string[] {
  const cuts = Array.from(word, (_, i) => i);
  return [...cuts.map((i) => word.slice(i)), ...cuts.slice(1).map((i) => word.slice(0, i))];
}

/** Returns values for which a test may hold: the values that it names, and values near them. */
function valuesNear({ base, written }: Test): string[] {
  if (base === "Null") return ["x"];
  // Another value comes last, for tests that exclude the written values.
  return [...written, "x"].flatMap((text) => {
    const plain = text.replace(/\$\{([*?$])\}|[*?]/g, (_, literal?: string) => literal ?? "x");
    const near = [text, plain, text.replace(/\/\d+$/, "")];
    const number = Number(text);
    if (Number.isFinite(number)) near.push(String(number - 1), String(number + 1));
    if (base.startsWith("Date")) near.push("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    return near;
  });
}
