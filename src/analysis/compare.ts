/**
 * Which of two policies allows more, decided exactly.
 *
 * A request is an action, a resource, and a value or none for each condition key. In each of these
 * dimensions only so many kinds of text differ in which patterns of the two policies they match;
 * {@link matchClasses} finds them all, with an example of each. What remains is to decide the
 * examples: every combination of them, under both policies.
 * @module
 */
import { fault, reading } from "../errors.ts";
import {
  KIND_PATTERNS,
  KNOWN_ACTIONS,
  kindsOf,
  type ResourceKind,
  resourceKindOf,
} from "./actions.ts";
import { type Glob, type MatchClass, matchClasses, matches, parseGlob } from "./glob.ts";
import {
  type AccessRequest,
  type AnyPolicyDocument,
  type ParsedStatement,
  parsePolicy,
  type Test,
} from "./policy-document.ts";

/** How what one policy allows relates to what another does. */
export interface Comparison {
  /** `narrower`: the first allows some of what the second does, and nothing else. */
  readonly relation: "equal" | "narrower" | "broader" | "incomparable";
  /** A request that only the first policy allows, if there is one. */
  readonly onlyInFirst?: AccessRequest;
  /** A request that only the second policy allows, if there is one. */
  readonly onlyInSecond?: AccessRequest;
}

/** How much work a comparison may be: positions of patterns moved, and requests decided. */
const MOST_STEPS = 500_000;
const MOST_REQUESTS = 200_000;

/**
 * Compares what two policies allow. It decides, and does not sample: `equal` means that no request
 * is allowed by one and not by the other, and for every other answer there is a witness, which
 * {@link decide} answers differently for the two.
 *
 * The requests are those that AWS makes. Actions that we know to be about objects, buckets or keys
 * are asked of such only, so that `s3:GetBucketLocation` on the ARN of an object makes no difference;
 * and a condition key has one value or none, as `s3:prefix` and `kms:ViaService` do.
 *
 * @param first a policy in the grammar of {@link decide}.
 * @param second another one.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for anything else in a policy, and for policies
 *   whose comparison takes more than 500,000 steps in a dimension or 200,000 requests, as with
 *   thousands of long resources, or with many `*` in several.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { compareAccess } from "polaris-session-policy/analysis";
 *
 * const orders = buildSessionPolicy({}, { read: ["s3://wh-bucket/db/orders"] });
 * const all = buildSessionPolicy({}, { read: ["s3://wh-bucket/db"] });
 * compareAccess(orders, all).relation;
 * // "narrower"
 * compareAccess(orders, all).onlyInSecond;
 * // { action: "s3:GetObject", resource: "arn:aws:s3:::wh-bucket/db/" }
 * ```
 */
export function compareAccess(first: AnyPolicyDocument, second: AnyPolicyDocument): Comparison {
  const parse = (policy: AnyPolicyDocument) =>
    reading("UNSUPPORTED_POLICY", "The policy", () => parsePolicy(policy));
  const { onlyInFirst, onlyInSecond } = differences(parse(first), parse(second));
  if (onlyInFirst && onlyInSecond) return { relation: "incomparable", onlyInFirst, onlyInSecond };
  if (onlyInFirst) return { relation: "broader", onlyInFirst };
  if (onlyInSecond) return { relation: "narrower", onlyInSecond };
  return { relation: "equal" };
}

/** A witness of each difference between two lists of statements. */
function differences(first: readonly ParsedStatement[], second: readonly ParsedStatement[]) {
  const statements = [...first, ...second];
  const resources = resourceExamples(statements);
  let requests = 0;
  const countRequest = () => {
    if (++requests > MOST_REQUESTS) throw tooMuch();
  };
  const contextsFor = contextExamples(statements, countRequest);
  const allows = (matching: readonly number[]) => {
    const effects = new Set(statements.filter((_, i) => matching.includes(i)).map((s) => s.effect));
    return effects.has("Allow") && !effects.has("Deny");
  };
  const decided = new Set<string>();
  let onlyInFirst: AccessRequest | undefined;
  let onlyInSecond: AccessRequest | undefined;
  for (const action of actionExamples(statements)) {
    const kind = resourceKindOf(action.text);
    for (const resource of resources) {
      if (kind !== undefined && !resource.kinds.has(kind)) continue;
      const about = action.statements.filter((i) => resource.statements.includes(i));
      // All requests that the same statements are about are decided in the same way.
      if (decided.has(about.join())) continue;
      decided.add(about.join());
      for (const { context, statements: matching } of contextsFor(about)) {
        countRequest();
        const inFirst = allows(matching.filter((i) => i < first.length));
        const inSecond = allows(matching.filter((i) => i >= first.length));
        if (inFirst === inSecond) continue;
        const request: AccessRequest = {
          action: action.text,
          resource: resource.text,
          ...(Object.keys(context).length > 0 ? { context } : {}),
        };
        if (inFirst) onlyInFirst ??= request;
        else onlyInSecond ??= request;
        if (onlyInFirst && onlyInSecond) return { onlyInFirst, onlyInSecond };
      }
    }
  }
  return { onlyInFirst, onlyInSecond };
}

/** An example of a kind of text, and the statements with a pattern for it, in order. */
interface Example {
  readonly text: string;
  readonly statements: readonly number[];
}

/** Examples of actions: first those whose resources we know, as AWS spells them. */
function actionExamples(statements: readonly ParsedStatement[]): Example[] {
  const patterns = statements.map(({ actions }) => actions);
  // An action that we know differs from others that a wildcard matches: in its resources.
  const known = KNOWN_ACTIONS.map((name) => name.toLowerCase()).filter((name) =>
    patterns.flat().some((glob) => matches(glob, name)),
  );
  const examples = examplesOf(
    patterns,
    known.map((name) => [...name]),
  );
  const spelling = new Map(KNOWN_ACTIONS.map((name) => [name.toLowerCase(), name]));
  const rank = new Map(KNOWN_ACTIONS.map((name, i) => [name, i - KNOWN_ACTIONS.length]));
  return examples
    .map(({ text, statements }) => ({ text: spelling.get(text) ?? text, statements }))
    .sort((a, b) => (rank.get(a.text) ?? 0) - (rank.get(b.text) ?? 0));
}

/** Examples of resources, with the kinds of resource that each is. */
function resourceExamples(
  statements: readonly ParsedStatement[],
): (Example & { readonly kinds: ReadonlySet<ResourceKind> })[] {
  const examples = examplesOf(
    statements.map(({ resources }) => resources),
    KIND_PATTERNS.flatMap((pattern) => [parseGlob(pattern) ?? []]),
  );
  return examples.map((example) => ({ ...example, kinds: kindsOf(example.text) }));
}

/** Examples of all kinds of text that differ in which statements' patterns they match, or `others`. */
function examplesOf(
  patterns: readonly (readonly Glob[])[],
  others: readonly Glob[] = [],
): Example[] {
  const owners = patterns.flatMap((globs, statement) => globs.map(() => statement));
  return classesOf([...patterns.flat(), ...others]).map(({ text, matched }) => {
    return { text, statements: [...new Set([...matched].flatMap((i) => owners[i] ?? []))] };
  });
}

/** A context, and which of some statements hold in it. */
interface ContextExample {
  readonly context: Readonly<Record<string, string>>;
  readonly statements: readonly number[];
}

/**
 * A function from statements to examples of contexts, one for all that their conditions can tell. Their
 * number may double with each key, so each one that is tried is counted.
 */
function contextExamples(
  statements: readonly ParsedStatement[],
  countTry: () => void,
): (about: readonly number[]) => ContextExample[] {
  const testsOf = new Map<string, { readonly key: string; readonly tests: Set<Test> }>();
  for (const test of statements.flatMap(({ tests }) => tests)) {
    const same = testsOf.get(test.key.toLowerCase());
    if (same !== undefined) same.tests.add(test);
    else testsOf.set(test.key.toLowerCase(), { key: test.key, tests: new Set([test]) });
  }
  const keys = [...testsOf.values()].map(({ key, tests }) => ({
    key,
    tests,
    // Undefined for a context without the key.
    values: [
      undefined,
      ...classesOf([...tests].flatMap(({ values }) => values)).map(({ text }) => text),
    ],
  }));
  return (about) =>
    keys.reduce<ContextExample[]>(
      (examples, { key, tests, values }) => {
        const asked = about.some((i) => statements[i]?.tests.some((test) => tests.has(test)));
        if (!asked) return examples;
        const distinct = new Map<string, ContextExample>();
        for (const example of examples) {
          for (const value of values) {
            countTry();
            const holding = example.statements.filter((i) =>
              statements[i]?.tests.every(
                (test) => !tests.has(test) || test.holds(value === undefined ? undefined : [value]),
              ),
            );
            if (distinct.has(holding.join())) continue;
            const context =
              value === undefined ? example.context : { ...example.context, [key]: value };
            distinct.set(holding.join(), { context, statements: holding });
          }
        }
        return [...distinct.values()];
      },
      [{ context: {}, statements: about }],
    );
}

function classesOf(globs: readonly Glob[]): MatchClass[] {
  const classes = matchClasses(globs, MOST_STEPS);
  if (classes === undefined) throw tooMuch();
  return classes;
}

function tooMuch() {
  return fault(
    "UNSUPPORTED_POLICY",
    [],
    `The policies are too complex to compare: it takes more than ${MOST_STEPS} steps, or ${MOST_REQUESTS} requests.`,
  );
}
