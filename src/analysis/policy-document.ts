/**
 * Policies as they are analysed: every pattern read, everything else refused.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */
import { fault, isDense } from "../errors.ts";
import { type Glob, matches, parseGlob } from "./glob.ts";

/** A policy document as others write it: what is not supported is found when it is read. */
export interface AnyPolicyDocument {
  readonly Version?: string;
  readonly Statement: unknown;
}

/** A request that IAM decides. */
export interface AccessRequest {
  /** E.g. `s3:GetObject`, in any case. */
  readonly action: string;
  /** The ARN of the object, bucket or key. */
  readonly resource: string;
  /** Condition keys and their values, e.g. `{ "s3:prefix": "db/orders/" }`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** One condition: an operator on a key, with the values any of which will do. */
export interface Test {
  /** As it is written in the policy, e.g. `StringLike`. */
  readonly operator: string;
  /** As it is written in the policy; keys are compared without regard to case. */
  readonly key: string;
  /** The patterns of the values it asks for; `Null` asks for none. */
  readonly values: readonly Glob[];
  /** As written, for people. */
  readonly written: readonly string[];
  /** Whether it holds for the values of its key; undefined if the key is absent. */
  readonly holds: (present: readonly string[] | undefined) => boolean;
}

/** A statement with all its patterns read. */
export interface ParsedStatement {
  readonly effect: "Allow" | "Deny";
  /** In lower case. */
  readonly actions: readonly Glob[];
  readonly resources: readonly Glob[];
  readonly tests: readonly Test[];
  /** As written, for people. */
  readonly written: { readonly actions: readonly string[]; readonly resources: readonly string[] };
}

type Path = readonly (string | number)[];

/**
 * Reads a policy.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`, with the place of what is not supported.
 */
export function parsePolicy(policy: AnyPolicyDocument): ParsedStatement[] {
  const { Version, Statement } = record(policy, [], ["Version", "Id", "Statement"]);
  if (Version !== "2012-10-17") {
    throw unsupported(["Version"], 'must be "2012-10-17": in older policies ${*} is no escape.');
  }
  const isList = Array.isArray(Statement);
  const statements: readonly unknown[] = isList ? Statement : [Statement];
  if (!isDense(statements)) throw unsupported(["Statement"], "must not have holes.");
  if (statements.length === 0) throw unsupported(["Statement"], "must not be empty.");
  return statements.map((statement, i) =>
    parseStatement(statement, isList ? ["Statement", i] : ["Statement"]),
  );
}

function parseStatement(statement: unknown, path: Path): ParsedStatement {
  const fields = ["Sid", "Effect", "Action", "Resource", "Condition"];
  const { Effect, Action, Resource, Condition } = record(statement, path, fields);
  if (Effect !== "Allow" && Effect !== "Deny") {
    throw unsupported([...path, "Effect"], 'must be "Allow" or "Deny".');
  }
  const actions = strings(Action, [...path, "Action"]);
  const resources = strings(Resource, [...path, "Resource"]);
  const tests =
    Condition === undefined
      ? []
      : Object.entries(record(Condition, [...path, "Condition"])).flatMap(([operator, block]) => {
          const at = [...path, "Condition", operator];
          return Object.entries(record(block, at)).map(([key, values]) =>
            parseTest(operator, key, values, [...at, key]),
          );
        });
  return {
    effect: Effect,
    actions: actions.map((action) => {
      if (action.includes("$")) throw unsupported([...path, "Action"], "must not hold variables.");
      return pattern(action.toLowerCase(), [...path, "Action"]);
    }),
    resources: resources.map((resource) => pattern(resource, [...path, "Resource"])),
    tests,
    written: { actions, resources },
  };
}

function parseTest(operator: string, key: string, values: unknown, path: Path): Test {
  if (operator === "Null") {
    const list: readonly unknown[] = Array.isArray(values) && isDense(values) ? values : [values];
    const presence = list.map((value) => {
      if (!["true", "false", true, false].includes(value as string)) {
        throw unsupported(path, "must be true or false.");
      }
      return String(value) === "false";
    });
    if (presence.length === 0) throw unsupported(path, "must not be an empty list.");
    const holds = (present: unknown) => presence.includes(present !== undefined);
    return { operator, key, values: [], written: list.map(String), holds };
  }
  const name = /^String(Not)?(Equals|Like)(IfExists)?$/.exec(operator);
  if (name === null) throw unsupported(path.slice(0, -1), "is no operator that is supported.");
  const [, not, comparison, ifExists] = name;
  const written = strings(values, path);
  const patterns = written.map((value) => pattern(value, path, comparison === "Like"));
  return {
    operator,
    key,
    values: patterns,
    written,
    holds: (present) => {
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
      if (present === undefined) return not !== undefined || ifExists !== undefined;
      const any = present.some((value) => patterns.some((wanted) => matches(wanted, value)));
      return any === (not === undefined);
    },
  };
}

function pattern(text: string, path: Path, wildcards = true): Glob {
  const glob = parseGlob(text, wildcards);
  if (glob === undefined) throw unsupported(path, "must not hold policy variables.");
  return glob;
}

function strings(value: unknown, path: Path): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw unsupported(path, "must not be an empty list.");
  if (!isDense(list)) throw unsupported(path, "must not have holes.");
  return list.map((item) => {
    if (typeof item !== "string") throw unsupported(path, "must be a string or a list of strings.");
    return item;
  });
}

function record(value: unknown, path: Path, fields?: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unsupported(path, `${path.length === 0 ? "The policy " : ""}must be an object.`);
  }
  for (const field of Object.keys(value)) {
    if (fields?.includes(field) !== false) continue;
    throw unsupported([...path, field], "is no element that is supported.");
  }
  return value as Record<string, unknown>;
}

function unsupported(path: Path, message: string) {
  return fault("UNSUPPORTED_POLICY", path, message);
}
