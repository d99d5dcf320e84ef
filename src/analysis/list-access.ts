/**
 * Lists what a policy allows and denies, in rows for people.
 * @module
 */
import { isOfKnownService, knownActions, shapesOf, typesOf } from "./actions.ts";
import { type Budget, newBudget, spend } from "./budget.ts";
import { ANY_TEXT, type Glob, intersects, matches } from "./glob.ts";
import { getOrInsertComputed } from "./memo.ts";
import {
  type ParsedStatement,
  type Patterns,
  type PolicyInput,
  parsePolicy,
  type Test,
} from "./policy-document.ts";

/** One thing that a statement allows or denies: actions on a resource. */
export interface AccessRow {
  /** The statement's index in the policy. */
  readonly statement: number;
  readonly effect: "Allow" | "Deny";
  /** As written, without actions that do not apply to the resource. `*` for NotAction. */
  readonly actions: readonly string[];
  /** The actions of NotAction, to which the statement does not apply. */
  readonly exceptActions?: readonly string[];
  /** The resource as written, `*` for NotResource. */
  readonly resource: string;
  /** The resources of NotResource, to which the statement does not apply. */
  readonly exceptResources?: readonly string[];
  /** The bucket, if the resource is one or lies in one. */
  readonly bucket?: string;
  /** The pattern of object keys, as written, if the resource is objects. */
  readonly objects?: string;
  /** The KMS key's ARN, if the resource is one. */
  readonly key?: string;
  /** The principals that it applies to, in policies that name principals. */
  readonly principals?: readonly string[];
  /** The principals of NotPrincipal, to which it does not apply. */
  readonly exceptPrincipals?: readonly string[];
  /** The condition in words, empty if there is none. */
  readonly condition: string;
}

/**
 * Lists what a policy allows and denies, a row for each resource of each statement.
 *
 * @param policy a policy, as {@link decide} takes it.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` for a policy that IAM would not accept, and if listing
 *   takes more than 30,000,000 steps (less than a second).
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { listAccess } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { list: ["s3://wh-bucket/db"] });
 * listAccess(policy).map(({ actions, bucket, condition }) => [actions[0], bucket, condition]);
 * // [["s3:GetBucketLocation", "wh-bucket", ""], ["s3:ListBucket", "wh-bucket", 's3:prefix is like "db/*"']]
 * ```
 */
export function listAccess(policy: PolicyInput): AccessRow[] {
  const statements = parsePolicy(policy);
  return rowsOf(statements, newBudget());
}

/** Returns the rows of parsed statements. */
export function rowsOf(statements: readonly ParsedStatement[], budget: Budget): AccessRow[] {
  // Many statements name the same actions.
  const typesByPattern = new Map<string, ReadonlySet<string> | undefined>();
  const typesOf = (glob: Glob, written: string) => {
    if (!typesByPattern.has(written)) {
      typesByPattern.set(written, typesOfPattern(glob, written, budget));
    }
    return typesByPattern.get(written);
  };
  return statements.flatMap((parsed, statement) => {
    const { effect, actions, resources, principals, tests } = parsed;
    const head = { statement, effect };
    const who = principals && {
      [principals.not ? "exceptPrincipals" : "principals"]: principals.names,
    };
    const tail = { ...who, condition: tests.map(inWords).join(", and ") };
    const applying = actionsFor(actions, typesOf, budget);
    const except = actions.not ? { exceptActions: actions.written } : {};
    if (resources === undefined || resources.not) {
      return [
        {
          ...head,
          actions: actions.not ? ["*"] : actions.written,
          ...except,
          resource: "*",
          ...(resources && { exceptResources: resources.written }),
          ...tail,
        },
      ];
    }
    return resources.written.flatMap((resource, i) => {
      const applied = applying(resources.globs[i] ?? [], resource);
      if (applied.length === 0) return [];
      return [{ ...head, actions: applied, ...except, resource, ...partsOf(resource), ...tail }];
    });
  });
}

/** Returns the bucket, objects or key that a resource names. */
function partsOf(resource: string): Pick<AccessRow, "bucket" | "objects" | "key"> {
  const [, bucket, objects] = /^arn:[^:]*:s3:::([^/]*)(?:\/([\s\S]*))?$/.exec(resource) ?? [];
  return {
    ...(bucket === undefined ? {} : { bucket }),
    ...(objects === undefined ? {} : { objects }),
    ...(/^arn:[^:]*:kms:/.test(resource) ? { key: resource } : {}),
  };
}

/** Returns a function from resources to the actions, as written, that apply to them. */
function actionsFor(
  { not, globs, written }: Patterns,
  typesOf: (glob: Glob, written: string) => ReadonlySet<string> | undefined,
  budget: Budget,
): (resource: Glob, text: string) => readonly string[] {
  if (not) return () => ["*"];
  const types = globs.map((glob, i) => typesOf(glob, written[i] ?? ""));
  const all = new Set(types.flatMap((some) => (some === undefined ? [] : [...some])));
  // Resources of the same types share a list of actions, because there are few types.
  const lists = new Map<string, readonly string[]>();
  return (resource, text) => {
    // For another service's resource every action may apply.
    const known = /^arn:[^:]*:(?:s3|kms):/.test(text);
    const fitting = known ? [...all].filter((type) => mayBe(resource, text, type, budget)) : [];
    const kind = `${known} ${fitting.join()}`;
    return getOrInsertComputed(lists, kind, () =>
      written.filter((_, i) => {
        const some = types[i];
        return !known || some === undefined || fitting.some((type) => some.has(type));
      }),
    );
  };
}

/** Returns the types that an action, or an action of a pattern, applies to; undefined for any. */
function typesOfPattern(
  glob: Glob,
  written: string,
  budget: Budget,
): ReadonlySet<string> | undefined {
  if (written === "*" || written === "*:*" || !isOfKnownService(written)) return undefined;
  if (!/[*?]/.test(written)) return new Set(typesOf(written));
  const types = new Set<string>();
  for (const { name, lower } of knownActions()) {
    if (!matches(glob, lower, budget)) continue;
    for (const type of typesOf(name)) types.add(type);
  }
  return types;
}

/** Tells whether some resource of a type matches a pattern. */
function mayBe(resource: Glob, text: string, type: string, budget: Budget): boolean {
  spend(budget, 1);
  // Most resources are literal where the types differ. These tests are fast, for policies with many.
  if (/^arn:[^:*?]*:s3:::[^/*?$]+$/.test(text)) return type === "bucket";
  if (/^arn:[^:*?]*:s3:::[^/*?$]+\/./.test(text)) return type === "object";
  if (/^arn:[^:*?]*:kms:[^:*?]*:[^:*?]*:key\/[^:*?$]+$/.test(text)) return type === "key";
  // A variable may have any value.
  const glob = resource.map((token) => (typeof token === "object" ? ANY_TEXT : token));
  return shapesOf(type, true).some((shape) => intersects(glob, shape, budget));
}

/** The operators in words. */
const COMPARISONS: Readonly<Record<string, string>> = {
  StringEquals: "",
  StringEqualsIgnoreCase: "",
  StringLike: "like ",
  ArnEquals: "like ",
  ArnLike: "like ",
  NumericEquals: "",
  NumericLessThan: "less than ",
  NumericLessThanEquals: "at most ",
  NumericGreaterThan: "more than ",
  NumericGreaterThanEquals: "at least ",
  DateEquals: "",
  DateLessThan: "before ",
  DateLessThanEquals: "not after ",
  DateGreaterThan: "after ",
  DateGreaterThanEquals: "not before ",
  Bool: "",
  BinaryEquals: "",
  IpAddress: "in ",
};

function inWords({ base, not, set, ifExists, key, written }: Test): string {
  if (base === "Null") {
    const states = written.map((absent) => (absent === "true" ? "absent" : "present"));
    return `${key} is ${[...new Set(states)].join(" or ")}`;
  }
  const values = written.map((value) => JSON.stringify(value)).join(" or ");
  const which = set === undefined ? "" : set === "ForAllValues" ? "every " : "some ";
  const present = ifExists ? ", if it is present" : "";
  return `${which}${key} is ${not ? "not " : ""}${COMPARISONS[base] ?? ""}${values}${present}`;
}
