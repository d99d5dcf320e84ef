/**
 * A slow, obvious IAM evaluator: the judge of what this library emits. It shares no code with src/.
 *
 * It asks of a request what IAM's documentation says, in its order: does a Deny statement match, does
 * an Allow statement match, and if neither, the answer is no.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { BlockList } from "node:net";

export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /** Who asks: an ARN, an account or a service. */
  readonly principal?: string;
}

type Names = "*" | Readonly<Record<string, string | readonly string[]>>;

interface AnyStatement {
  readonly Effect: string;
  readonly Principal?: Names;
  readonly NotPrincipal?: Names;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | boolean | readonly string[]>>>
  >;
}

export interface AnyPolicy {
  readonly Version?: string;
  readonly Statement: AnyStatement | readonly AnyStatement[];
}

export type Decision = "allowed" | "explicitlyDenied" | "implicitlyDenied";

export function evaluate(policy: AnyPolicy, request: Request): Decision {
  const statements = asList(policy.Statement);
  const applies = (s: AnyStatement) => matches(s, request, policy.Version === "2012-10-17");
  if (statements.some((s) => s.Effect === "Deny" && applies(s))) return "explicitlyDenied";
  if (statements.some((s) => s.Effect === "Allow" && applies(s))) return "allowed";
  return "implicitlyDenied";
}

export function allows(policy: AnyPolicy, request: Request): boolean {
  return evaluate(policy, request) === "allowed";
}

/**
 * Whether a request for a KMS key is allowed by the role's policy, the session's policy and the key's
 * policy, each by itself. AWS asks for no more than this: a key policy that names a role of its own
 * account needs no statement in the role's policy there, and here it does.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export function allowsKey(
  keyPolicy: AnyPolicy,
  identityPolicies: readonly AnyPolicy[],
  request: Request & { readonly principal: string },
): boolean {
  const all = [keyPolicy, ...identityPolicies];
  if (all.some((policy) => evaluate(policy, request) === "explicitlyDenied")) return false;
  return all.every((policy) => allows(policy, request));
}

export function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function matches(statement: AnyStatement, request: Request, variables: boolean): boolean {
  const { Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition } =
    statement;
  const isAction = (a: string) => glob(tokens(ascii(a), false), ascii(request.action));
  const isResource = (r: string) => {
    const known = variables ? withValues(r, request) : r;
    return known !== undefined && arnMatches(known, request.resource, variables);
  };
  if (Action !== undefined && !asList(Action).some(isAction)) return false;
  if (NotAction !== undefined && asList(NotAction).some(isAction)) return false;
  if (Resource !== undefined && !asList(Resource).some(isResource)) return false;
  if (NotResource !== undefined && asList(NotResource).some(isResource)) return false;
  if (Principal !== undefined && !isNamed(Principal, request.principal)) return false;
  if (NotPrincipal !== undefined && isNamed(NotPrincipal, request.principal)) return false;
  if (NotPrincipal !== undefined && request.principal === undefined) return false;
  return Object.entries(Condition ?? {}).every(([operator, block]) =>
    Object.entries(block).every(([key, wanted]) =>
      holds(operator, contextValues(request, key), wanted, request, variables),
    ),
  );
}

/** IAM folds the case of ASCII only. */
function ascii(text: string): string {
  return [...text].map((c) => (c >= "A" && c <= "Z" ? c.toLowerCase() : c)).join("");
}

/**
 * Whether a statement's principals hold the one who asks. An account stands for all its principals, a
 * role for its sessions.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
function isNamed(names: Names, asking: string | undefined): boolean {
  const all = names === "*" ? ["*"] : Object.values(names).flatMap((one) => asList(one));
  return all.some((name) => {
    if (name === "*") return true;
    if (asking === undefined) return false;
    if (name === asking) return true;
    const parts = asking.split(":");
    if (name === parts[4] || name === `arn:${parts[1]}:iam::${parts[4]}:root`) return true;
    const [kind, role] = (parts[5] ?? "").split("/");
    const [head, tail = ""] = name.split(":role/");
    return (
      kind === "assumed-role" &&
      head === `arn:${parts[1]}:iam::${parts[4]}` &&
      tail.split("/").at(-1) === role
    );
  });
}

/**
 * Whether a pattern of a Resource element matches an ARN.
 *
 * AWS: "You can use wildcard characters (* and ?) within the individual segments of an ARN (the parts
 * separated by colons)". "If the * wildcard is the last character of a resource ARN segment, it can
 * expand to match beyond the colon boundaries."
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 *
 * An ARN has six segments, the last of which may hold colons itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function arnMatches(pattern: string, arn: string, variables = true): boolean {
  if (/^\*+$/.test(pattern)) return true;
  const segments = pattern.split(":");
  const six = [
    ...segments.slice(0, 5),
    ...(segments.length > 5 ? [segments.slice(5).join(":")] : []),
  ];
  return segmentsMatch(six, 0, arn, variables);
}

/** The segments from the i-th on, against the rest of an ARN. */
function segmentsMatch(
  segments: readonly string[],
  i: number,
  rest: string,
  variables: boolean,
): boolean {
  const segment = segments[i] ?? "";
  if (i === 5) return glob(tokens(segment, variables), rest);
  const isLast = i === segments.length - 1;
  for (let end = 0; end <= rest.length; end++) {
    if (end < rest.length && rest.charAt(end) !== ":") continue;
    if ((end === rest.length) !== isLast) continue;
    if (!segmentMatches(segment, rest.slice(0, end), variables)) continue;
    if (isLast || segmentsMatch(segments, i + 1, rest.slice(end + 1), variables)) return true;
  }
  return false;
}

/** One segment against a part of the ARN, which holds colons only behind what a last `*` takes. */
function segmentMatches(segment: string, part: string, variables: boolean): boolean {
  if (!part.includes(":")) return glob(tokens(segment, variables), part);
  if (!segment.endsWith("*")) return false;
  const before = segment.replace(/\*+$/, "");
  const first = part.slice(0, part.indexOf(":"));
  for (let end = 0; end <= first.length; end++) {
    if (glob(tokens(before, variables), first.slice(0, end))) return true;
  }
  return false;
}

function contextValues(request: Request, key: string): readonly string[] | undefined {
  const found = Object.entries(request.context ?? {}).filter(
    ([name]) => ascii(name) === ascii(key),
  );
  const values = found.flatMap(([, value]) => asList(value));
  return values.length > 0 ? values : undefined;
}

/** Puts the values of variables into a text, escaped; undefined if one has none. */
function withValues(text: string, request: Request): string | undefined {
  let unknown = false;
  const known = text.replace(/\$\{([^}]*)\}/g, (all, name: string) => {
    if (["*", "?", "$"].includes(name)) return all;
    const [key = "", fallback] = name.split(",").map((part) => part.trim());
    const values = contextValues(request, key);
    const value = values?.length === 1 ? values[0] : fallback?.slice(1, -1);
    if (value === undefined) unknown = true;
    return [...(value ?? "")].map((c) => (["*", "?", "$"].includes(c) ? `\${${c}}` : c)).join("");
  });
  return unknown ? undefined : known;
}

/**
 * Whether a condition holds.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function holds(
  operator: string,
  present: readonly string[] | undefined,
  wanted: string | boolean | readonly string[],
  request: Request,
  variables: boolean,
): boolean {
  if (operator === "Null") {
    return asList(wanted as string).some((w) => (String(w) === "true") === (present === undefined));
  }
  const [set, named] = operator.includes(":") ? operator.split(":") : ["", operator];
  const ifExists = named?.endsWith("IfExists") === true;
  const base = ifExists ? (named ?? "").slice(0, -"IfExists".length) : (named ?? "");
  const negated = base.includes("Not");
  const positive = base.replace("Not", "");
  if (present === undefined) {
    if (set === "ForAllValues") return true;
    return ifExists || (negated && set === "");
  }
  const isWanted = (value: string) =>
    asList(wanted as string).some((w) => compares(positive, value, String(w), request, variables));
  if (set === "ForAllValues") return present.every((value) => isWanted(value) !== negated);
  if (set === "ForAnyValue") return present.some((value) => isWanted(value) !== negated);
  return present.some(isWanted) !== negated;
}

function compares(
  operator: string,
  value: string,
  wanted: string,
  request: Request,
  variables: boolean,
): boolean {
  const known = variables ? withValues(wanted, request) : wanted;
  if (operator.startsWith("String")) {
    if (known === undefined) return false;
    const raw = tokens(known, variables).map((t) => (typeof t === "string" ? t : t.raw));
    if (operator === "StringLike") return glob(tokens(known, variables), value);
    if (operator === "StringEquals") return glob(raw, value);
    return raw.join("").toLowerCase() === value.toLowerCase();
  }
  if (operator.startsWith("Arn")) {
    // "Each of the six colon-delimited components of the ARN is checked separately".
    if (known === undefined) return false;
    const [patterns, parts] = [known, value].map((arn) => arn.split(":"));
    return [0, 1, 2, 3, 4, 5].every((i) => {
      const of = (all: readonly string[] = []) => (i < 5 ? (all[i] ?? "") : all.slice(5).join(":"));
      return glob(tokens(of(patterns), variables), of(parts));
    });
  }
  if (operator === "Bool") return value.toLowerCase() === wanted.toLowerCase();
  if (operator === "BinaryEquals") return value === wanted;
  if (operator === "IpAddress") return isInRange(value, wanted);
  const read = operator.startsWith("Date")
    ? (text: string) => (/^\d{5,}$/.test(text) ? Number(text) * 1000 : Date.parse(text))
    : Number;
  const [one, other] = [read(value), read(wanted)];
  if (operator.endsWith("LessThanEquals")) return one <= other;
  if (operator.endsWith("LessThan")) return one < other;
  if (operator.endsWith("GreaterThanEquals")) return one >= other;
  if (operator.endsWith("GreaterThan")) return one > other;
  return one === other;
}

function isInRange(address: string, range: string): boolean {
  const [network = "", length] = range.split("/");
  const family = network.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, Number(length ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

type Token = string | { readonly wildcard: "one" | "many"; readonly raw: string };

/** The pattern as single characters and wildcards; `${*}`, `${?}` and `${$}` are the characters. */
export function tokens(pattern: string, variables = true): Token[] {
  const found: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (variables && c === "$" && pattern.charAt(i + 1) === "{") {
      const end = pattern.indexOf("}", i);
      const name = pattern.slice(i + 2, end);
      if (end < 0 || !["*", "?", "$"].includes(name)) throw new Error(`variable in ${pattern}`);
      found.push(name);
      i = end;
    } else if (c === "*") found.push({ wildcard: "many", raw: "*" });
    else if (c === "?") found.push({ wildcard: "one", raw: "?" });
    else found.push(c);
  }
  return found;
}

/** Whether the tokens match the whole text: every way to share the text out is tried, by a table. */
export function glob(pattern: readonly Token[], text: string): boolean {
  // reachable[j]: the tokens so far can match the first j characters.
  let reachable = Array.from({ length: text.length + 1 }, (_, j) => j === 0);
  for (const token of pattern) {
    const next = reachable.map(() => false);
    for (let j = 0; j <= text.length; j++) {
      if (!reachable[j]) continue;
      if (typeof token === "string") {
        if (text.charAt(j) === token) next[j + 1] = true;
      } else if (token.wildcard === "one") {
        if (j < text.length) next[j + 1] = true;
      } else {
        for (let k = j; k <= text.length; k++) next[k] = true;
      }
    }
    reachable = next;
  }
  return reachable[text.length] === true;
}
