/**
 * A slow, obvious IAM evaluator: the judge of what this library emits. It shares no code with src/.
 *
 * It asks of a request what IAM's documentation says, in its order: does a Deny statement match, does
 * an Allow statement match, and if neither, the answer is no.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

interface AnyStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
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
  if (statements.some((s) => s.Effect === "Deny" && matches(s, request))) return "explicitlyDenied";
  if (statements.some((s) => s.Effect === "Allow" && matches(s, request))) return "allowed";
  return "implicitlyDenied";
}

export function allows(policy: AnyPolicy, request: Request): boolean {
  return evaluate(policy, request) === "allowed";
}

export function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function matches(statement: AnyStatement, request: Request): boolean {
  return (
    asList(statement.Action).some((a) =>
      glob(tokens(a.toLowerCase()), request.action.toLowerCase()),
    ) &&
    asList(statement.Resource).some((r) => glob(tokens(r), request.resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, block]) =>
      Object.entries(block).every(([key, wanted]) =>
        holds(operator, contextValues(request, key), wanted),
      ),
    )
  );
}

function contextValues(request: Request, key: string): readonly string[] | undefined {
  const found = Object.entries(request.context ?? {}).find(
    ([name]) => name.toLowerCase() === key.toLowerCase(),
  );
  return found && asList(found[1]);
}

function holds(
  operator: string,
  present: readonly string[] | undefined,
  wanted: string | boolean | readonly string[],
): boolean {
  if (operator === "Null") {
    return asList(wanted as string).some((w) => (String(w) === "true") === (present === undefined));
  }
  const ifExists = operator.endsWith("IfExists");
  const base = ifExists ? operator.slice(0, -"IfExists".length) : operator;
  const negated = base.includes("Not");
  if (present === undefined) return ifExists || negated;
  const equal = (value: string, pattern: string) =>
    base.endsWith("Like")
      ? glob(tokens(pattern), value)
      : glob(
          tokens(pattern).map((t) => (typeof t === "string" ? t : t.raw)),
          value,
        );
  const any = present.some((value) => asList(wanted as string).some((w) => equal(value, w)));
  return negated ? !any : any;
}

type Token = string | { readonly wildcard: "one" | "many"; readonly raw: string };

/** The pattern as single characters and wildcards; `${*}`, `${?}` and `${$}` are the characters. */
export function tokens(pattern: string): Token[] {
  const found: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === "$" && pattern.charAt(i + 1) === "{") {
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
