/**
 * IAM's patterns: `*` is any text, `?` any one character, and `${*}`, `${?}`, `${$}` are the
 * characters themselves.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards
 * @module
 */
import { fault } from "../errors.ts";

/** A character, or a wildcard. */
export type Token = string | typeof ANY_TEXT | typeof ANY_ONE;

/** A pattern, in one token a character of what it matches; repeated `*` are one. */
export type Glob = readonly Token[];

export const ANY_TEXT = 0;
export const ANY_ONE = 1;

const ESCAPES: ReadonlyMap<string, string> = new Map(
  ["*", "?", "$"].map((character) => [`\${${character}}`, character]),
);

/**
 * Reads a pattern.
 *
 * @param wildcards false for operators to which `*` and `?` are characters like others.
 * @returns undefined if it holds a policy variable, or the beginning of one.
 */
export function parseGlob(pattern: string, wildcards = true): Glob | undefined {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === "*" && wildcards) {
      if (tokens.at(-1) !== ANY_TEXT) tokens.push(ANY_TEXT);
    } else if (character === "?" && wildcards) {
      tokens.push(ANY_ONE);
    } else if (character === "$" && pattern.charAt(i + 1) === "{") {
      const escaped = ESCAPES.get(pattern.slice(i, i + 4));
      if (escaped === undefined) return undefined;
      tokens.push(escaped);
      i += 3;
    } else {
      tokens.push(character);
    }
  }
  return tokens;
}

/** Characters that are looked at again; an ARN of 2,048 in a pattern of 2,048 never comes near. */
const MOST_STEPS = 10_000_000;

/**
 * Whether a pattern matches all of a text, in time proportional to the product of their lengths, up to
 * a bound.
 *
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` beyond the bound
 */
export function matches(glob: Glob, text: string): boolean {
  let token = 0;
  let at = 0;
  // Where to go on after the latest `*`, should what follows it not fit here.
  let afterStar = -1;
  let retryAt = 0;
  let steps = 0;
  while (at < text.length) {
    const expected = glob[token];
    if (expected === ANY_TEXT) {
      afterStar = ++token;
      retryAt = at;
    } else if (expected === ANY_ONE || expected === text.charAt(at)) {
      token++;
      at++;
    } else if (afterStar >= 0) {
      steps += at - retryAt;
      if (steps > MOST_STEPS) {
        throw fault(
          "UNSUPPORTED_POLICY",
          [],
          `A pattern is too long to match against this request: it takes more than ${MOST_STEPS} steps.`,
        );
      }
      token = afterStar;
      at = ++retryAt;
    } else {
      return false;
    }
  }
  while (glob[token] === ANY_TEXT) token++;
  return token === glob.length;
}

/** A way in which a text can match some of several patterns. */
export interface MatchClass {
  /** A shortest text of its kind. */
  readonly text: string;
  /** The patterns that match it, by index. */
  readonly matched: ReadonlySet<number>;
}

/** A pattern that may still match, and how far: the tokens that could be next, in order. */
interface Progress {
  readonly pattern: number;
  readonly glob: Glob;
  readonly positions: readonly number[];
}

/**
 * All the ways in which a text can match several patterns, each with a shortest such text. It runs
 * all patterns at once, and visits every combination of their progress that some text can lead to.
 *
 * @param mostSteps how many positions of patterns to move, in all.
 * @returns undefined if that does not suffice.
 */
export function matchClasses(globs: readonly Glob[], mostSteps: number): MatchClass[] | undefined {
  const start = globs.map((glob, pattern) => ({ pattern, glob, positions: closure(glob, [0]) }));
  const other = unusedCharacter(globs);
  const seen = new Set([keyOf(start)]);
  const classes = new Map<string, MatchClass>();
  let steps = 0;
  // In the order of length, so that the first text of a class is a shortest one.
  const queue: { readonly text: string; readonly state: readonly Progress[] }[] = [
    { text: "", state: start },
  ];
  for (const { text, state } of queue) {
    const matched = state
      .filter(({ glob, positions }) => positions.at(-1) === glob.length)
      .map(({ pattern }) => pattern);
    const kind = matched.join();
    if (!classes.has(kind)) classes.set(kind, { text, matched: new Set(matched) });

    const characters = new Set([other]);
    for (const { glob, positions } of state) {
      for (const position of positions) {
        const token = glob[position];
        if (typeof token === "string") characters.add(token);
      }
      steps += positions.length;
    }
    steps += characters.size * state.length;
    if (steps > mostSteps) return undefined;
    for (const character of characters) {
      const successor = state
        .map((one) => ({ ...one, positions: step(one.glob, one.positions, character) }))
        .filter(({ positions }) => positions.length > 0);
      const key = keyOf(successor);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ text: text + character, state: successor });
    }
  }
  return [...classes.values()];
}

/** Positions in order, with those behind each `*`, which may match nothing. */
function closure(glob: Glob, positions: readonly number[]): number[] {
  const all: number[] = [];
  const add = (position: number) => {
    if ((all.at(-1) ?? -1) < position) all.push(position);
  };
  for (const position of positions) {
    add(position);
    // Behind a `*` is no other one: parseGlob makes them one.
    if (glob[position] === ANY_TEXT) add(position + 1);
  }
  return all;
}

function step(glob: Glob, positions: readonly number[], character: string): number[] {
  const moved: number[] = [];
  for (const position of positions) {
    const token = glob[position];
    if (token === ANY_TEXT) moved.push(position);
    else if (token === ANY_ONE || token === character) moved.push(position + 1);
  }
  return closure(glob, moved);
}

function keyOf(state: readonly Progress[]): string {
  return state.map(({ pattern, positions }) => `${pattern}:${positions.join()}`).join(" ");
}

/** A character that stands for all those that no pattern spells out. */
function unusedCharacter(globs: readonly Glob[]): string {
  const used = new Set(globs.flat());
  for (let code = "x".charCodeAt(0); ; code++) {
    const character = String.fromCharCode(code);
    if (!used.has(character)) return character;
  }
}
