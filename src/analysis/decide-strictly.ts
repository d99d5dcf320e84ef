/**
 * Decisions that prove something: of requests that services send, with the condition keys they carry.
 * @module
 */
import { fault, reading } from "../errors.ts";
import { shapesOf, typesOf, UNKNOWN_TYPE } from "./actions.ts";
import { type Budget, newBudget } from "./budget.ts";
import {
  type Decision,
  decide,
  decideParsed,
  type ParsedRequest,
  parseRequest,
  testHolds,
} from "./decide.ts";
import { intersects } from "./glob.ts";
import {
  type AccessRequest,
  type ParsedStatement,
  type PolicyInput,
  parsePolicy,
  type Test,
} from "./policy-document.ts";

/**
 * Decides a request as {@link decide} does, and refuses those of which a denial proves nothing: an
 * action on a resource of another type, and a request that is denied only because it lacks a
 * condition key. S3 sends `kms:ViaService` with each use of a key, and a test may have forgotten it.
 *
 * `s3:prefix` may be absent, as it is from lists without a prefix. A key with an empty list in the
 * context is absent on purpose.
 *
 * @param policy a policy document, its JSON text, or what holds one: see {@link PolicyInput}.
 * @param request action, resource, context and principal.
 * @throws SessionPolicyError as {@link decide} does; `INVALID_REQUEST` also where the action is not
 *   about such a resource, and where absent keys keep the request from being allowed, at `context`
 *   with the key, and with a value that would allow it.
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
  refuseOtherTypes(request);
  const decision = decide(policy, request);
  if (decision.decision === "allowed") return decision;
  const missing = Object.entries(contextThatAllows(policy, request) ?? {});
  const [first] = missing;
  if (first === undefined) return decision;
  const pairs = missing.map(([key, value]) => `${key}=${value}`).join(" and ");
  throw fault(
    "INVALID_REQUEST",
    ["context", first[0]],
    `is absent, and with ${pairs} the policy allows the request. Give the condition keys that the real request has.`,
  );
}

/**
 * Refuses a request for an action on a resource that is of no type the action is about.
 *
 * @throws SessionPolicyError `INVALID_REQUEST`
 */
export function refuseOtherTypes(request: AccessRequest): void {
  const { action, resource } = reading("INVALID_REQUEST", "The request", () =>
    parseRequest(request),
  );
  const types = typesOf(action);
  if (types.includes(UNKNOWN_TYPE)) return;
  const literal = resource.split("");
  const budget = newBudget();
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
      : `is of another type than this action is about. Give the ARN of ${named.join(" or ")}.`,
  );
}

/** The types of the reference that are not words. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "an object, arn:aws:s3:::BUCKET/KEY,",
  bucket: "a bucket, arn:aws:s3:::BUCKET,",
  key: "a key, arn:aws:kms:REGION:ACCOUNT:key/ID,",
  accesspoint: "an access point",
  accesspointobject: "an object of an access point",
};

/**
 * Finds condition keys that a denied request lacks, and with which a statement allows it.
 *
 * Example: a writer's policy allows kms:GenerateDataKey if kms:ViaService is
 * s3.us-west-2.amazonaws.com. The request without that key is denied, and the result is
 * `{ "kms:ViaService": "s3.us-west-2.amazonaws.com" }`.
 *
 * @returns the keys as the policy writes them, each with a value; undefined if there are none.
 */
export function contextThatAllows(
  policy: PolicyInput,
  request: AccessRequest,
): Readonly<Record<string, string>> | undefined {
  const statements = parsePolicy(policy);
  const asked = reading("INVALID_REQUEST", "The request", () => parseRequest(request));
  const budget = newBudget();
  for (const statement of statements) {
    if (statement.effect !== "Allow") continue;
    const added = contextFor(statement, asked, budget);
    if (added === undefined || added.length === 0) continue;
    const context = new Map(asked.context);
    for (const { test, value } of added) context.set(test.name, [value]);
    const { decision } = decideParsed(statements, { ...asked, context }, budget);
    if (decision === "allowed") {
      return Object.fromEntries(added.map(({ test, value }) => [test.key, value]));
    }
  }
  return undefined;
}

/** A value for each absent key that keeps a statement from matching; undefined if there is none. */
function contextFor(
  { tests }: ParsedStatement,
  asked: ParsedRequest,
  budget: Budget,
): { readonly test: Test; readonly value: string }[] | undefined {
  const added: { readonly test: Test; readonly value: string }[] = [];
  const names = new Set(tests.map(({ name }) => name));
  for (const name of names) {
    const ofKey = tests.filter((test) => test.name === name);
    const [test] = ofKey;
    const holds = (values: readonly string[]) => {
      const context = new Map(asked.context).set(name, values);
      return ofKey.every((one) => testHolds(one, { ...asked, context }, budget) === true);
    };
    if (test === undefined || holds(asked.context.get(name) ?? [])) continue;
    if (name === "s3:prefix" || asked.context.has(name)) return undefined;
    const value = ofKey.flatMap(valuesNear).find((text) => holds([text]));
    if (value === undefined) return undefined;
    added.push({ test, value });
  }
  return added;
}

/** Values with which a test may hold: what it names, and what lies beside that. */
function valuesNear({ base, written }: Test): string[] {
  if (base === "Null") return ["x"];
  return written.flatMap((text) => {
    const plain = text.replace(/\$\{([*?$])\}|[*?]/g, (_, literal?: string) => literal ?? "x");
    const near = [text, plain, text.replace(/\/\d+$/, "")];
    const number = Number(text);
    if (Number.isFinite(number)) near.push(String(number - 1), String(number + 1));
    if (base.startsWith("Date")) near.push("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    return near;
  });
}
