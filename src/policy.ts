/**
 * The IAM policy document: its types, its escapes, its JSON.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */
import { fault } from "./errors.ts";
import { MOST_ELEMENTS } from "./input.ts";

/** A value of a policy element: IAM takes one string or a list of them. */
export type OneOrMany = string | readonly string[];

/** A statement of a session policy, with the elements that this library emits. */
export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: OneOrMany;
  readonly Resource: OneOrMany;
  /** Operator to condition key to values, e.g. `{ StringLike: { "s3:prefix": "db/orders/*" } }`. */
  readonly Condition?: {
    readonly [operator: string]: { readonly [conditionKey: string]: OneOrMany };
  };
}

/** An IAM policy document, ready for JSON. */
export interface PolicyDocument<S = Statement> {
  readonly Version: "2012-10-17";
  readonly Statement: readonly S[];
}

const SPECIAL = /[*?$]/g;

/**
 * Escapes `*`, `?` and `$`. In `Resource` and in string conditions, a policy of version 2012-10-17 reads
 * them as wildcards and as the start of a policy variable.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
export function escapePattern(literal: string): string {
  return literal.replace(SPECIAL, (character) => `\${${character}}`);
}

/** A literal as a pattern holds it, and its serialized length without quotes. */
export interface Pattern {
  readonly text: string;
  readonly length: number;
}

/** Characters that neither a pattern nor JSON escapes. Nearly every prefix has only these. */
const LITERAL = /^[ !#%-)+->@-[\]-~\xa1-\xff]*$/;

/** Makes a pattern that matches only one text, and measures it. */
export function patternOf(literal: string): Pattern {
  if (LITERAL.test(literal)) return { text: literal, length: literal.length };
  const text = escapePattern(literal);
  return { text, length: serializedLength(text) - '""'.length };
}

const RAW = /^[\x20-\x7e\xa1-\xff]*$/;
const NOT_RAW = /[^\x20-\x7e\xa1-\xff]/g;

/**
 * Serializes a policy to the `Policy` parameter of AssumeRole: minified JSON in which every character
 * outside U+0020–U+007E and U+00A1–U+00FF is a `\uXXXX` escape. STS refuses raw characters above U+00FF in
 * this parameter; with the escape, object keys may still hold them.
 *
 * @param policy a document that {@link buildSessionPolicy} returned, or any other policy document.
 * @returns the JSON; its length is what STS counts against 2,048 characters.
 * @throws SessionPolicyError `INVALID_POLICY` if `policy` is not an object that JSON can hold.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @example
 * ```ts
 * import { serializePolicy } from "polaris-session-policy";
 *
 * serializePolicy({
 *   Version: "2012-10-17",
 *   Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/\u58f2/*" }],
 * });
 * // {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/\u58f2/*"}]}
 * ```
 */
export function serializePolicy(policy: PolicyDocument): string {
  let json: string | undefined;
  let left = MOST_ELEMENTS;
  // A few objects that hold one another twice have more values than memory can hold.
  const counted = (_: string, value: unknown) => {
    if (left-- === 0) throw new RangeError("too large");
    return value;
  };
  try {
    json =
      typeof policy === "object" && policy !== null ? JSON.stringify(policy, counted) : undefined;
  } catch {
    // A cycle, a BigInt or a throwing getter: refused below, with the rest.
  }
  if (json === undefined) {
    throw fault("INVALID_POLICY", [], "A policy must be an object that JSON can hold.");
  }
  // This test saves half of the time of JSON.stringify, and mostly succeeds.
  return RAW.test(json) ? json : json.replace(NOT_RAW, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Characters without quotes and backslashes: what {@link serializePolicy} writes as it is. */
const UNESCAPED = /^[ !#-[\]-~\xa1-\xff]*$/;

/** Counts the characters that {@link serializePolicy} writes for a string, with its quotes. */
export function serializedLength(text: string): number {
  if (UNESCAPED.test(text)) return text.length + 2;
  return JSON.stringify(text).replace(NOT_RAW, unicodeEscape).length;
}

/** Strings of a list in a policy, and their serialized length, each with a comma. */
export interface Names {
  readonly names: readonly string[];
  readonly length: number;
}

export function namesOf(names: readonly string[]): Names {
  let length = 0;
  for (const name of names) length += serializedLength(name) + ",".length;
  return { names, length };
}
