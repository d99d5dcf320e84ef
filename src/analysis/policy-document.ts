/**
 * Reads policies for the analysis. What it does not know is refused.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */
import { fault } from "../errors.ts";
import { isRecord, readList } from "../input.ts";
import { type Operator, parseOperator, parseWanted, type Wanted } from "./conditions.ts";
import { type Glob, type GlobOptions, hasVariables, lowerCase, parseGlob } from "./glob.ts";
import type { Principals } from "./principals.ts";
import { unwrapPolicy } from "./unwrap.ts";

/** A policy document of any origin. What is not supported is refused when it is read. */
export interface AnyPolicyDocument {
  readonly Version?: string;
  readonly Statement: unknown;
}

/**
 * A policy document, its JSON text (URL-encoded too), or what holds one: an AssumeRole request, or what
 * `aws iam get-role-policy`, `get-policy-version`, `get-role` and `aws kms get-key-policy` print.
 */
export type PolicyInput =
  | AnyPolicyDocument
  | string
  | { readonly Policy?: unknown }
  | { readonly PolicyDocument: unknown }
  | { readonly PolicyVersion: unknown }
  | { readonly Role: unknown };

/** A request that IAM decides. */
export interface AccessRequest {
  /** E.g. `s3:GetObject`, in any case. */
  readonly action: string;
  /** The ARN of the object, bucket or key; `*` for actions that name no resource. */
  readonly resource: string;
  /** Condition keys and their values, e.g. `{ "s3:prefix": "db/orders/" }`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /** Who asks, for policies that name principals: an ARN, an account or a service. */
  readonly principal?: string;
}

/** One condition: an operator on a key, with its values. One matching value is enough. */
export interface Test extends Operator {
  /** As it is written in the policy, e.g. `StringLike`. */
  readonly operator: string;
  /** As it is written in the policy; keys are compared without regard to case. */
  readonly key: string;
  /** The key in lower case. */
  readonly name: string;
  /** The values that it asks for; `Null` asks for none. */
  readonly wanted: readonly Wanted[];
  /** As written, for people. */
  readonly written: readonly string[];
}

/** Tests by the key that they ask about. */
export function byKey(tests: readonly Test[]): Map<string, Test[]> {
  const keys = new Map<string, Test[]>();
  for (const test of tests) {
    const known = keys.get(test.name);
    if (known === undefined) keys.set(test.name, [test]);
    else known.push(test);
  }
  return keys;
}

/** Patterns, and whether a statement applies to what matches one of them, or to all else. */
export interface Patterns {
  readonly not: boolean;
  readonly globs: readonly Glob[];
  /** As written, for people. */
  readonly written: readonly string[];
  /** Whether some pattern has variables. Few have. */
  readonly variables: boolean;
}

/** A statement with all its patterns read. */
export interface ParsedStatement {
  readonly effect: "Allow" | "Deny";
  /** In lower case. */
  readonly actions: Patterns;
  /** Undefined in a trust policy, whose resource is the role that it is attached to. */
  readonly resources: Patterns | undefined;
  readonly principals: Principals | undefined;
  readonly tests: readonly Test[];
}

type Path = readonly (string | number)[];

/**
 * Reads a policy.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`, with the place of what is not supported.
 */
export function parsePolicy(policy: PolicyInput): ParsedStatement[] {
  const { Version, Statement } = record(unwrapPolicy(policy), [], ["Version", "Id", "Statement"]);
  // IAM takes a document without a version for one of 2008-10-17.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
  if (Version !== undefined && Version !== "2012-10-17" && Version !== "2008-10-17") {
    throw unsupported(["Version"], 'must be "2012-10-17", or "2008-10-17" in older policies.');
  }
  const list = readList(Statement);
  const statements = list ?? [Statement];
  if (statements.length === 0) throw unsupported(["Statement"], "must not be empty.");
  const sids = new Set<unknown>();
  return statements.map((statement, i) => {
    const path = list === undefined ? ["Statement"] : ["Statement", i];
    return parseStatement(statement, path, Version === "2012-10-17", sids);
  });
}

const ELEMENTS: readonly string[] = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

function parseStatement(
  input: unknown,
  path: Path,
  variables: boolean,
  sids: Set<unknown>,
): ParsedStatement {
  const statement = record(input, path, ELEMENTS);
  const { Sid, Effect, Condition } = statement;
  if (Sid !== undefined) {
    if (typeof Sid !== "string") throw unsupported([...path, "Sid"], "must be a string.");
    if (sids.has(Sid)) throw unsupported([...path, "Sid"], "must be unique in the policy.");
    if (Sid !== "") sids.add(Sid);
  }
  if (Effect !== "Allow" && Effect !== "Deny") {
    throw unsupported([...path, "Effect"], 'must be "Allow" or "Deny".');
  }
  const principals = parsePrincipals(statement, path);
  const actions = oneOf(statement, "Action", path, parseAction);
  if (actions === undefined)
    throw unsupported([...path, "Action"], "is missing. Add Action or NotAction.");
  const resources = oneOf(statement, "Resource", path, (resource, at) =>
    parseResource(resource, at, variables),
  );
  if (resources === undefined && principals === undefined) {
    throw unsupported([...path, "Resource"], "is missing. Add Resource or NotResource.");
  }
  return {
    effect: Effect,
    actions,
    resources,
    principals,
    tests:
      Condition === undefined ? [] : parseCondition(Condition, [...path, "Condition"], variables),
  };
}

/** Returns the patterns of an element or of its opposite; undefined if both are absent. */
function oneOf(
  statement: Record<string, unknown>,
  element: "Action" | "Resource",
  path: Path,
  parse: (text: string, path: Path) => Glob,
): Patterns | undefined {
  const opposite = `Not${element}`;
  const not = statement[opposite] !== undefined;
  if (not && statement[element] !== undefined) {
    throw unsupported([...path, opposite], `must not stand beside ${element}.`);
  }
  const field = not ? opposite : element;
  const value = statement[field];
  if (value === undefined) return undefined;
  const at = [...path, field];
  const written = strings(value, at);
  const globs = written.map((text) => parse(text, at));
  return { not, globs, written, variables: globs.some(hasVariables) };
}

/** Reads an action: `*`, or the name of a service, a colon, and a pattern of names. */
function parseAction(action: string, path: Path): Glob {
  if (action.includes("$")) throw unsupported(path, "must not hold variables.");
  if (action !== "*" && action !== "*:*" && !/^[a-z0-9-]+:[\w*?-]+$/i.test(action)) {
    throw unsupported(path, "must be * or SERVICE:NAME, with wildcards in the name only.");
  }
  return glob(action === "*:*" ? "*" : lowerCase(action), path, { variables: false });
}

/**
 * Reads a resource: `*` or an ARN. AWS: "You can't use a wildcard in the service segment".
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function parseResource(resource: string, path: Path, variables: boolean): Glob {
  if (/^\*+$/.test(resource)) return glob("*", path, { variables });
  const [arn, partition, service, ...others] = resource.split(":", 7);
  if (arn !== "arn" || partition === undefined || service === undefined || others.length === 0) {
    throw unsupported(path, "must be * or an ARN, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.");
  }
  if (!/^[a-z0-9-]+$/.test(service)) {
    throw unsupported(path, "must name the service without wildcards: arn:aws:s3:::BUCKET/*.");
  }
  if (others.length < 3 && !/[*?]/.test(resource)) {
    throw unsupported(
      path,
      "must have six segments, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.",
    );
  }
  return glob(resource, path, { variables, arn: true });
}

const PRINCIPAL_KINDS: readonly string[] = ["AWS", "Service", "Federated", "CanonicalUser"];

function parsePrincipals(
  { Principal, NotPrincipal }: Record<string, unknown>,
  path: Path,
): Principals | undefined {
  const not = NotPrincipal !== undefined;
  if (not && Principal !== undefined) {
    throw unsupported([...path, "NotPrincipal"], "must not stand beside Principal.");
  }
  const value = not ? NotPrincipal : Principal;
  if (value === undefined) return undefined;
  const at = [...path, not ? "NotPrincipal" : "Principal"];
  if (value === "*") return { not, names: ["*"] };
  const names = Object.entries(record(value, at, PRINCIPAL_KINDS)).flatMap(([kind, values]) =>
    strings(values, [...at, kind]).map((name) => {
      if (name === "" || (name !== "*" && /[*?]/.test(name))) {
        throw unsupported([...at, kind], "must name principals without wildcards, or be *.");
      }
      return name;
    }),
  );
  if (names.length === 0) throw unsupported(at, "must not be empty.");
  return { not, names };
}

function parseCondition(condition: unknown, path: Path, variables: boolean): Test[] {
  return Object.entries(record(condition, path)).flatMap(([operator, block]) => {
    const at = [...path, operator];
    const parsed = parseOperator(operator);
    if (parsed === undefined) throw unsupported(at, "is not an operator of IAM.");
    return Object.entries(record(block, at)).map(([key, values]): Test => {
      const written = strings(values, [...at, key], true);
      return {
        ...parsed,
        operator,
        key,
        name: lowerCase(key),
        written,
        wanted:
          parsed.base === "Null"
            ? nullValues(written, [...at, key])
            : written.map((text) => {
                const wanted = parseWanted(parsed.base, text, variables);
                if (typeof wanted === "string") throw unsupported([...at, key], wanted);
                return wanted;
              }),
      };
    });
  });
}

/** Checks the values of `Null`, which looks for no values. */
function nullValues(written: readonly string[], path: Path): Wanted[] {
  for (const value of written) {
    if (value !== "true" && value !== "false") throw unsupported(path, "must be true or false.");
  }
  return [];
}

function glob(text: string, path: Path, options: GlobOptions): Glob {
  const parsed = parseGlob(text, options);
  if (parsed !== undefined) return parsed;
  throw unsupported(
    path,
    "must not hold the beginning of a policy variable. Write ${$} for a dollar sign.",
  );
}

/** Reads one string or a list of strings. Conditions may also hold numbers and booleans of JSON. */
function strings(value: unknown, path: Path, scalars = false): readonly string[] {
  const list = readList(value) ?? [value];
  if (list.length === 0) throw unsupported(path, "must not be an empty list.");
  return list.map((item) => {
    if (typeof item === "string") return item;
    if (scalars && (typeof item === "boolean" || Number.isFinite(item))) return String(item);
    throw unsupported(path, "must be a string or a list of strings.");
  });
}

function record(value: unknown, path: Path, fields?: readonly string[]): Record<string, unknown> {
  if (!isRecord(value)) {
    throw unsupported(path, `${path.length === 0 ? "The policy " : ""}must be an object.`);
  }
  for (const field of Object.keys(value)) {
    if (fields?.includes(field) !== false) continue;
    throw unsupported([...path, field], `is not a supported element. Use ${fields?.join(", ")}.`);
  }
  return value;
}

/** Makes the error for an unsupported part of a policy. */
export function unsupported(path: Path, message: string) {
  return fault("UNSUPPORTED_POLICY", path, message);
}
