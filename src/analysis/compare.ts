/**
 * Decides exactly which of two policies allows more.
 *
 * A request is an action, a resource, and at most one value for each condition key. For each of them
 * there are finitely many kinds of text: texts of one kind match the same patterns of the two policies.
 *
 * 1. Find the kinds of actions, with an example of each: all of S3, KMS and STS that AWS' service
 *    authorization reference lists, and the actions of other services that the policies distinguish.
 * 2. For each type of resource that these actions apply to, find the kinds of its ARNs.
 * 3. For each action and resource, take the statements about them. If statements without a condition
 *    do not decide, find the kinds of values of the condition keys.
 * 4. If the two policies then differ, the examples make a request that shows it.
 *
 * With `Allow s3:GetObject on arn:aws:s3:::lake/*` and the same for `lake/db/*`, there are three kinds
 * of objects: `x/x`, `lake/x` and `lake/db/x`. The second shows that the first policy is broader.
 * @module
 */
import { type Budget, newBudget, spend } from "./budget.ts";
import type { Wanted } from "./conditions.ts";
import { testHolds } from "./decide.ts";
import { ANY_SHAPE, type Glob, matchClasses } from "./glob.ts";
import {
  type AccessRequest,
  byKey,
  type ParsedStatement,
  type PolicyInput,
  parsePolicy,
  type Test,
  unsupported,
} from "./policy-document.ts";
import { actionExamples, resourceExamples } from "./requests.ts";

/** How the accesses of two policies relate. */
export interface Comparison {
  /** `narrower`: the first allows some of what the second does, and nothing else. */
  readonly relation: "equal" | "narrower" | "broader" | "incomparable";
  /** A request that only the first policy allows, if there is one. */
  readonly onlyInFirst?: AccessRequest;
  /** A request that only the second policy allows, if there is one. */
  readonly onlyInSecond?: AccessRequest;
}

/**
 * Compares what two policies allow. It decides, and does not sample. `equal` means that no request is
 * allowed by one policy only. Every other answer has a witness: a request that {@link decide} answers
 * differently for the two policies.
 *
 * It compares the requests that AWS makes. Actions of S3, KMS and STS go with the types of resources that
 * AWS' service authorization reference (June 2026) gives for them, access points and jobs included.
 * Actions of other services go with any ARN. A condition key has at most one value, like `s3:prefix` and
 * `kms:ViaService`.
 *
 * It is exact for Allow and Deny, NotAction and NotResource, and for conditions with `StringEquals`,
 * `StringNotEquals`, `StringLike`, `StringNotLike`, `Bool`, each also `IfExists`, and `Null`.
 *
 * @param first a policy, as {@link decide} takes it.
 * @param second another policy.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for other condition operators, policy variables and
 *   principals, with their place. Also for policies whose comparison takes more than 30,000,000 steps
 *   (less than a second), for example with many `*` in several long resources.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
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
export function compareAccess(first: PolicyInput, second: PolicyInput): Comparison {
  const parse = (policy: PolicyInput) => comparable(parsePolicy(policy));
  const { onlyInFirst, onlyInSecond } = differences(parse(first), parse(second));
  if (onlyInFirst && onlyInSecond) return { relation: "incomparable", onlyInFirst, onlyInSecond };
  if (onlyInFirst) return { relation: "broader", onlyInFirst };
  if (onlyInSecond) return { relation: "narrower", onlyInSecond };
  return { relation: "equal" };
}

/** @throws SessionPolicyError `UNSUPPORTED_POLICY` for what a comparison is not exact for */
function comparable(statements: ParsedStatement[]): ParsedStatement[] {
  statements.forEach(({ resources, principals, tests }, i) => {
    const path = ["Statement", i];
    if (principals !== undefined) {
      const element = principals.not ? "NotPrincipal" : "Principal";
      throw unsupported(
        [...path, element],
        "can't be compared. Compare policies without principals.",
      );
    }
    if (resources?.variables) {
      throw unsupported(
        [...path, resources.not ? "NotResource" : "Resource"],
        "holds a policy variable, which can't be compared. Replace it by its value.",
      );
    }
    for (const { operator, base, set, key, wanted } of tests) {
      const exact = ["StringEquals", "StringLike", "Bool", "Null"].includes(base);
      if (exact && set === undefined && !wanted.some(({ variables }) => variables.length > 0))
        continue;
      throw unsupported(
        [...path, "Condition", operator, key],
        "can't be compared exactly. Ask decide about the requests in question instead.",
      );
    }
  });
  return statements;
}

/** Two policies, with the statements of the second after those of the first. */
interface Pair {
  readonly statements: readonly ParsedStatement[];
  /** How many statements the first policy has. */
  readonly ofFirst: number;
  /** The tests of each statement, by the key that they ask about. */
  readonly tests: readonly ReadonlyMap<string, readonly Test[]>[];
  readonly valuesOf: (name: string) => KeyValues;
  readonly budget: Budget;
}

/** Finds a witness of each difference between two lists of statements. */
function differences(first: readonly ParsedStatement[], second: readonly ParsedStatement[]) {
  const budget = newBudget();
  const statements = [...first, ...second];
  const pair = {
    statements,
    ofFirst: first.length,
    tests: statements.map(({ tests }) => byKey(tests)),
    valuesOf: valueExamples(statements, budget),
    budget,
  };
  const resourcesOf = resourceExamples(statements, budget);
  const decided = new Set<string>();
  let onlyInFirst: AccessRequest | undefined;
  let onlyInSecond: AccessRequest | undefined;
  for (const action of actionExamples(statements, budget)) {
    for (const type of action.types) {
      for (const resource of resourcesOf(action.statements, type)) {
        spend(budget, resource.statements.length);
        const about = resource.statements.join();
        if (decided.has(about)) continue;
        decided.add(about);
        const { inFirst, inSecond } = witnesses(pair, resource.statements);
        const request = (values: Values): AccessRequest => {
          const context = contextOf(values);
          return {
            action: action.text,
            resource: resource.text,
            ...(Object.keys(context).length > 0 ? { context } : {}),
          };
        };
        if (inFirst !== undefined) onlyInFirst ??= request(inFirst);
        if (inSecond !== undefined) onlyInSecond ??= request(inSecond);
        if (onlyInFirst && onlyInSecond) return { onlyInFirst, onlyInSecond };
      }
    }
  }
  return { onlyInFirst, onlyInSecond };
}

/** The values of a context's keys, the last one first, so that contexts share those before it. */
interface Values {
  readonly key: string;
  readonly value: string | undefined;
  readonly before: Values | undefined;
}

function contextOf(values: Values): Record<string, string> {
  const context: [string, string][] = [];
  for (let one: Values | undefined = values; one !== undefined; one = one.before) {
    if (one.value !== undefined) context.push([one.key, one.value]);
  }
  return Object.fromEntries(context.reverse());
}

/** Contexts in which only the first policy allows a request, or only the second. */
interface Witnesses {
  readonly inFirst?: Values;
  readonly inSecond?: Values;
}

/** What the statements of one policy say about a request, before conditions are known. */
interface Side {
  /** Whether some statement allows or denies whatever the context. */
  readonly allows: boolean;
  readonly denies: boolean;
  /** The statements with conditions that still matter. */
  readonly open: readonly number[];
}

function sideOf({ statements }: Pair, about: readonly number[]): Side {
  const of = (effect: string, conditional: boolean) =>
    about.filter((i) => {
      const statement = statements[i];
      return statement?.effect === effect && statement.tests.length > 0 === conditional;
    });
  const denies = of("Deny", false).length > 0;
  const allows = of("Allow", false).length > 0;
  const mayAllow = allows ? [] : of("Allow", true);
  // Where nothing can be allowed, no Deny matters.
  const isOpen = !denies && (allows || mayAllow.length > 0);
  return { allows, denies, open: isOpen ? [...mayAllow, ...of("Deny", true)] : [] };
}

function witnesses(pair: Pair, about: readonly number[]): Witnesses {
  const { statements, ofFirst, budget } = pair;
  spend(budget, 4 * about.length);
  const first = sideOf(
    pair,
    about.filter((i) => i < ofFirst),
  );
  const second = sideOf(
    pair,
    about.filter((i) => i >= ofFirst),
  );
  const allowed = ({ allows, denies, open }: Side, holding: ReadonlySet<number>) => {
    let allowing = allows;
    for (const i of open) {
      if (!holding.has(i)) continue;
      if (statements[i]?.effect === "Deny") return false;
      allowing = true;
    }
    return allowing && !denies;
  };
  let found: Witnesses = {};
  for (const { values, holding } of contexts(pair, [...first.open, ...second.open])) {
    spend(budget, 1 + first.open.length + second.open.length);
    const inFirst = allowed(first, holding);
    if (inFirst === allowed(second, holding)) continue;
    found = inFirst ? { inFirst: values, ...found } : { inSecond: values, ...found };
    if (found.inFirst !== undefined && found.inSecond !== undefined) break;
  }
  return found;
}

/** Examples of the values of a key, undefined for none. */
interface KeyValues {
  readonly key: string;
  readonly name: string;
  readonly values: readonly (string | undefined)[];
}

/** Returns a function from keys to examples of their values, one for each kind of value. */
function valueExamples(statements: readonly ParsedStatement[], budget: Budget): Pair["valuesOf"] {
  const known = new Map<string, KeyValues>();
  const all = byKey(statements.flatMap(({ tests }) => tests));
  const examplesOf = (name: string): KeyValues => {
    const tests = all.get(name) ?? [];
    // A value of many statements is run once. A value with ${ differs by the policy's version.
    const globs = new Map<string, Glob>();
    tests.forEach(({ base, wanted, written }, test) => {
      wanted.forEach((one: Wanted, i) => {
        const key = `${base} ${written[i]}`;
        if (one.glob !== undefined)
          globs.set(key.includes("${") ? `${key} ${test}` : key, one.glob);
      });
    });
    const texts = matchClasses([...globs.values()], ANY_SHAPE, budget).map(({ text }) => text);
    const bools = tests.some(({ base }) => base === "Bool") ? ["true", "false"] : [];
    return {
      key: tests[0]?.key ?? name,
      name,
      values: [undefined, ...new Set([...texts, ...bools])],
    };
  };
  return (name) => {
    const values = known.get(name) ?? examplesOf(name);
    known.set(name, values);
    return values;
  };
}

/** A context, and which of some statements hold in it. */
interface ContextExample {
  readonly values: Values;
  readonly holding: ReadonlySet<number>;
}

/**
 * Makes an example context for each set of statements that hold together. The number of examples may
 * double with each key, so each statement of each example is a step.
 */
function contexts(pair: Pair, open: readonly number[]): ContextExample[] {
  const { tests, valuesOf, budget } = pair;
  const asking = new Map<string, { readonly i: number; readonly tests: readonly Test[] }[]>();
  for (const i of open) {
    for (const [name, ofKey] of tests[i] ?? []) {
      spend(budget, 1);
      const others = asking.get(name);
      if (others === undefined) asking.set(name, [{ i, tests: ofKey }]);
      else others.push({ i, tests: ofKey });
    }
  }
  let examples: ContextExample[] = [{ values: NO_VALUES, holding: new Set(open) }];
  for (const [name, statements] of asking) {
    const { key, values } = valuesOf(name);
    const asked = new Set(statements.map(({ i }) => i));
    // Which statements hold depends on the value alone, not on the context so far.
    const outcomes = new Map<
      string,
      { readonly value: string | undefined; readonly holds: number[] }
    >();
    for (const value of values) {
      const context = new Map(value === undefined ? [] : [[name, [value]]]);
      const request = { action: "", resource: "", context, principal: undefined, partial: false };
      const holds = statements.flatMap(({ i, tests: ofKey }) =>
        ofKey.every((test) => testHolds(test, request, budget) === true) ? [i] : [],
      );
      spend(budget, STEPS_OF_MEMBER * holds.length);
      const kind = holds.join();
      if (!outcomes.has(kind)) outcomes.set(kind, { value, holds });
    }
    const distinct = new Map<string, ContextExample>();
    for (const { values: before, holding } of examples) {
      spend(budget, holding.size);
      const others = [...holding].filter((i) => !asked.has(i));
      for (const { value, holds } of outcomes.values()) {
        spend(budget, STEPS_OF_MEMBER * (others.length + holds.length + 1));
        // The same statements are in the same order, whatever the values before.
        const left = [...others, ...holds.filter((i) => holding.has(i))];
        const kind = left.join();
        if (distinct.has(kind)) continue;
        distinct.set(kind, { values: { key, value, before }, holding: new Set(left) });
      }
    }
    examples = [...distinct.values()];
  }
  return examples;
}

/** The steps to copy a member of a set and to write its number. */
const STEPS_OF_MEMBER = 5;

const NO_VALUES: Readonly<Values> = { key: "", value: undefined, before: undefined };
