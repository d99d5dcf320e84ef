/**
 * IAM's patterns: `*` matches any text, `?` any one character, and `${*}`, `${?}`, `${$}` match the
 * characters themselves. In an ARN, a wildcard stays within its segment.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * @module
 */
import { type Budget, spend } from "./budget.ts";

/** A policy variable: the value of a condition key, or a default. */
export interface Variable {
  /** The condition key, as it is written. */
  readonly written: string;
  /** The condition key, in lower case. */
  readonly key: string;
  readonly fallback: string | undefined;
}

/** A character, a wildcard, or a variable. */
export type Token = string | number | Variable;

/** A pattern, with one token for each character that it matches. Repeated `*` are one token. */
export type Glob = readonly Token[];

export const ANY_TEXT = 0;
const ANY_ONE = 1;
/** `*` and `?` that do not match a colon. */
const ANY_IN_SEGMENT = 2;
const ONE_IN_SEGMENT = 3;

/** How a pattern is read. */
export interface GlobOptions {
  /** False for operators that read `*` and `?` as plain characters. */
  readonly wildcards?: boolean;
  /** False in policies of version 2008-10-17, where `${` is plain text. */
  readonly variables?: boolean;
  /** Whether the pattern is an ARN, whose wildcards stay within segments. */
  readonly arn?: boolean;
}

/** An ARN has six segments; what follows the fifth colon, the resource, may hold colons itself. */
const RESOURCE_SEGMENT = 5;

/**
 * Reads a pattern.
 *
 * @returns undefined if it holds `${` without the name of a variable after it.
 */
export function parseGlob(text: string, options: GlobOptions = {}): Glob | undefined {
  const { wildcards = true, variables = true, arn = false } = options;
  const tokens: Token[] = [];
  let segment = arn ? 0 : RESOURCE_SEGMENT;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (wildcards && character === "*") {
      while (text.charAt(i + 1) === "*") i++;
      // AWS: "If the * wildcard is the last character of a resource ARN segment, it can expand to
      // match beyond the colon boundaries." Elsewhere it stays within the segment.
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
      const next = text.charAt(i + 1);
      const crosses = segment === RESOURCE_SEGMENT || next === ":" || next === "";
      tokens.push(crosses ? ANY_TEXT : ANY_IN_SEGMENT);
    } else if (wildcards && character === "?") {
      tokens.push(segment === RESOURCE_SEGMENT ? ANY_ONE : ONE_IN_SEGMENT);
    } else if (variables && character === "$" && text.charAt(i + 1) === "{") {
      const end = text.indexOf("}", i);
      const token = end < 0 ? undefined : variableOf(text.slice(i + 2, end));
      if (token === undefined) return undefined;
      tokens.push(token);
      i = end;
    } else {
      if (character === ":" && segment < RESOURCE_SEGMENT) segment++;
      tokens.push(character);
    }
  }
  return tokens;
}

/** Reads the text between `${` and `}`: an escaped character, or a key with or without a default. */
function variableOf(name: string): Token | undefined {
  if (name === "*" || name === "?" || name === "$") return name;
  const comma = name.indexOf(",");
  const key = (comma < 0 ? name : name.slice(0, comma)).trim();
  if (!/^[\w-]+:[^'"{}]*$/.test(key)) return undefined;
  if (comma < 0) return { written: key, key: lowerCase(key), fallback: undefined };
  const [, fallback] = /^'([^']*)'$/.exec(name.slice(comma + 1).trim()) ?? [];
  return fallback === undefined ? undefined : { written: key, key: lowerCase(key), fallback };
}

/** Returns a text in lower case, in ASCII only: IAM does not read the Kelvin sign as a k. */
export function lowerCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()) : text;
}

/** Tells whether a pattern has variables. Few have. */
export function hasVariables(glob: Glob): boolean {
  return glob.some((token) => typeof token === "object");
}

/** Returns the variables in a pattern. */
export function variablesOf(glob: Glob): Variable[] {
  return glob.flatMap((token) => (typeof token === "object" ? [token] : []));
}

/**
 * Replaces variables by their values. Each character is a step.
 *
 * @returns undefined if one has neither a value nor a default.
 */
export function substitute(
  glob: Glob,
  valueIn: (key: string) => string | undefined,
  budget: Budget,
): Glob | undefined {
  spend(budget, glob.length);
  const tokens: Token[] = [];
  for (const token of glob) {
    if (typeof token !== "object") {
      tokens.push(token);
      continue;
    }
    const value = valueIn(token.key) ?? token.fallback;
    if (value === undefined) return undefined;
    spend(budget, value.length);
    // One at a time: a value may be longer than what a call can have as arguments.
    for (const character of value.split("")) tokens.push(character);
  }
  return tokens;
}

/**
 * Tells whether a pattern matches a whole text.
 *
 * 1. Match characters one by one. A `*` first matches nothing.
 * 2. If a character does not match, the latest `*` takes one character more. If that `*` must stay within
 *    its segment and the character is a colon, the latest `*` that may cross takes one more.
 *
 * So `arn:aws:s3:*lake/*` does not match `arn:aws:s3:::lake/f`: its first `*` would have to match a colon.
 * The text after a `*` is tried as far left as possible. A match further right never helps.
 */
export function matches(glob: Glob, text: string, budget: Budget): boolean {
  let token = 0;
  let at = 0;
  let steps = 0;
  // Where to go on after the latest `*` of each kind, if the text after it does not match here.
  let inSegment = -1;
  let inSegmentAt = 0;
  let anywhere = -1;
  let anywhereAt = 0;
  while (at < text.length) {
    if (++steps > budget.left) break;
    const expected = glob[token];
    if (expected === ANY_TEXT) {
      anywhere = ++token;
      anywhereAt = at;
      inSegment = -1;
    } else if (expected === ANY_IN_SEGMENT) {
      inSegment = ++token;
      inSegmentAt = at;
    } else if (
      expected === text.charAt(at) ||
      expected === ANY_ONE ||
      (expected === ONE_IN_SEGMENT && text.charAt(at) !== ":")
    ) {
      token++;
      at++;
    } else if (inSegment >= 0 && text.charAt(inSegmentAt) !== ":") {
      token = inSegment;
      at = ++inSegmentAt;
    } else if (anywhere >= 0) {
      inSegment = -1;
      token = anywhere;
      at = ++anywhereAt;
    } else {
      spend(budget, steps);
      return false;
    }
  }
  spend(budget, steps);
  while (glob[token] === ANY_TEXT || glob[token] === ANY_IN_SEGMENT) token++;
  return token === glob.length;
}

/** Any character of a set; with `many`, any number of them. */
export interface CharacterClass {
  readonly has: (character: string) => boolean;
  /** Some characters of the set, for examples. */
  readonly samples: string;
  readonly many: boolean;
}

/** A form that texts must have: characters, and sets of characters. */
export type Shape = readonly (string | CharacterClass)[];

/** Any text. */
export const ANY_SHAPE: Readonly<Shape> = [{ has: () => true, samples: "xyz", many: true }];

/** A way in which a text can match some of several patterns. */
export interface MatchClass {
  /** A shortest text of its kind. */
  readonly text: string;
  /** The indices of the patterns that match it, in order. */
  readonly matched: readonly number[];
}

/** A pattern that may still match, and the tokens that could be next, in order. */
interface Progress {
  readonly pattern: number;
  readonly positions: readonly number[];
}

/** The steps to begin a search. */
const STEPS_OF_SEARCH = 1000;

/** The steps to make a position of a state, and to write its number. */
const STEPS_OF_POSITION = 10;

interface State {
  readonly text: string;
  /** The positions in the shape. */
  readonly shape: readonly number[];
  readonly globs: readonly Progress[];
}

/**
 * Finds which combinations of patterns a text of some shape can match, each with a shortest text.
 *
 * 1. Start with the empty text, at the beginning of all patterns and of the shape.
 * 2. Add each character that the shape allows and a pattern spells out next, and one that no pattern does.
 * 3. Keep the patterns that can still match, with their possible positions. Go on from each combination
 *    of positions once, shortest text first. Where the shape ends, note which patterns match.
 *
 * Example: `a*` and `*b`, and any text. "" matches no pattern, "a" the first, "b" the second, "ab" both.
 *
 * @param globs patterns without variables.
 * @param used the tokens of these patterns, and possibly more.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY` when the budget is spent
 */
export function matchClasses(
  globs: readonly Glob[],
  shape: Shape,
  budget: Budget,
  used: ReadonlySet<Token> = tokensOf(globs),
): MatchClass[] {
  spend(budget, STEPS_OF_SEARCH);
  // Look once for a character that each set has beside those used: there may be thousands of them.
  const others = new Map<CharacterClass, string | undefined>();
  for (const expected of shape) {
    if (typeof expected === "object") others.set(expected, otherCharacter(expected, used));
  }
  const start: State = {
    text: "",
    shape: closure(shape, [0]),
    globs: globs.map((glob, pattern) => ({ pattern, positions: closure(glob, [0]) })),
  };
  const seen = new Set([keyOf(start)]);
  const classes = new Map<string, MatchClass>();
  const queue = [start];
  // The queue grows while it is walked.
  for (const state of queue) {
    if (state.shape.at(-1) === shape.length) {
      const matched = state.globs.flatMap(({ pattern, positions }) =>
        positions.at(-1) === globs[pattern]?.length ? [pattern] : [],
      );
      const kind = matched.join();
      if (!classes.has(kind)) classes.set(kind, { text: state.text, matched });
    }
    const positions = state.globs.reduce((sum, one) => sum + one.positions.length, 1);
    spend(budget, STEPS_OF_POSITION * positions);
    for (const character of nextCharacters(state, globs, shape, others)) {
      spend(budget, STEPS_OF_POSITION * (positions + state.shape.length));
      const next: State = {
        text: state.text + character,
        shape: step(shape, state.shape, character),
        globs: advance(globs, state.globs, character),
      };
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  return [...classes.values()];
}

/** Returns the tokens of some patterns. */
export function tokensOf(globs: readonly Glob[]): Set<Token> {
  const tokens = new Set<Token>();
  for (const glob of globs) for (const token of glob) tokens.add(token);
  return tokens;
}

/** Returns the patterns that can still match after one more character. */
function advance(
  globs: readonly Glob[],
  progress: readonly Progress[],
  character: string,
): Progress[] {
  const advanced: Progress[] = [];
  for (const { pattern, positions } of progress) {
    const moved = step(globs[pattern] ?? [], positions, character);
    if (moved.length > 0) advanced.push({ pattern, positions: moved });
  }
  return advanced;
}

/** Returns the next characters that the shape allows, one for each kind that the patterns distinguish. */
function nextCharacters(
  state: State,
  globs: readonly Glob[],
  shape: Shape,
  others: ReadonlyMap<CharacterClass, string | undefined>,
): Set<string> {
  const spelled = new Set<string>();
  for (const { pattern, positions } of state.globs) {
    for (const position of positions) {
      const token = globs[pattern]?.[position];
      if (typeof token === "string") spelled.add(token);
      else if (token === ANY_IN_SEGMENT || token === ONE_IN_SEGMENT) spelled.add(":");
    }
  }
  const next = new Set<string>();
  for (const position of state.shape) {
    const expected = shape[position];
    if (expected === undefined) continue;
    if (typeof expected === "string") {
      next.add(expected);
      continue;
    }
    for (const character of spelled) if (expected.has(character)) next.add(character);
    const other = others.get(expected) ?? otherCharacter(expected, spelled);
    if (other !== undefined) next.add(other);
  }
  return next;
}

/** Returns a character of a set that is not taken yet. */
function otherCharacter(
  { has, samples }: CharacterClass,
  taken: ReadonlySet<Token>,
): string | undefined {
  for (const character of samples) if (!taken.has(character)) return character;
  for (let code = 0x21; code < 0xd800; code++) {
    const character = String.fromCharCode(code);
    if (!taken.has(character) && has(character)) return character;
    // Sets hold ASCII only, except the set of all characters.
    if (code === 0x7e && !has("\u00e9")) return undefined;
  }
  return undefined;
}

type AnyToken = Token | CharacterClass | undefined;

function isMany(token: AnyToken): boolean {
  if (typeof token === "object") return "many" in token && token.many;
  return token === ANY_TEXT || token === ANY_IN_SEGMENT;
}

function takes(token: AnyToken, character: string): boolean {
  if (typeof token === "string") return token === character;
  if (typeof token === "object") return "has" in token && token.has(character);
  if (token === ANY_TEXT || token === ANY_ONE) return true;
  return (token === ANY_IN_SEGMENT || token === ONE_IN_SEGMENT) && character !== ":";
}

/** Returns positions in order, with the positions after each `*`, which may match nothing. */
function closure(tokens: readonly AnyToken[], positions: readonly number[]): number[] {
  const all: number[] = [];
  for (const first of positions) {
    for (let position = first; ; position++) {
      if ((all.at(-1) ?? -1) < position) all.push(position);
      if (!isMany(tokens[position])) break;
    }
  }
  return all;
}

function step(
  tokens: readonly AnyToken[],
  positions: readonly number[],
  character: string,
): number[] {
  const moved: number[] = [];
  for (const position of positions) {
    const token = tokens[position];
    if (typeof token === "string" && token !== character) continue;
    if (takes(token, character)) moved.push(isMany(token) ? position : position + 1);
  }
  return closure(tokens, moved);
}

function keyOf({ shape, globs }: State): string {
  let key = shape.join();
  for (const { pattern, positions } of globs) {
    key +=
      positions.length === 1 ? ` ${pattern}:${positions[0]}` : ` ${pattern}:${positions.join()}`;
  }
  return key;
}

/** Tells whether some text of a shape matches a pattern without variables. */
export function intersects(glob: Glob, shape: Shape, budget: Budget): boolean {
  const width = shape.length + 1;
  const seen = new Set([0]);
  const reach = (i: number, j: number) => seen.add(i * width + j);
  // The set grows while it is walked.
  for (const place of seen) {
    spend(budget, STEPS_OF_POSITION);
    const i = Math.floor(place / width);
    const j = place % width;
    const token = glob[i];
    const expected = shape[j];
    if (token === undefined && expected === undefined) return true;
    if (isMany(token)) reach(i + 1, j);
    if (isMany(expected)) reach(i, j + 1);
    if (token === undefined || expected === undefined || !shareCharacter(token, expected)) continue;
    reach(isMany(token) ? i : i + 1, isMany(expected) ? j : j + 1);
  }
  return false;
}

function shareCharacter(token: Token, expected: string | CharacterClass): boolean {
  if (typeof expected === "string") return takes(token, expected);
  // Every set holds more than a colon, the only character that some wildcards do not match.
  return typeof token === "string" ? expected.has(token) : true;
}
