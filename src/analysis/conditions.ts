/**
 * Condition operators, as functions that tell whether they hold for the values of a request.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * @module
 */
import { type Budget, spend } from "./budget.ts";
import {
  type Glob,
  lowerCase,
  matches,
  parseGlob,
  substitute,
  type Variable,
  variablesOf,
} from "./glob.ts";

/** The name of an operator, taken apart. */
export interface Operator {
  readonly set: "ForAllValues" | "ForAnyValue" | undefined;
  /** Without `Not`, e.g. `StringEquals` for `StringNotEquals`. */
  readonly base: string;
  readonly not: boolean;
  readonly ifExists: boolean;
}

/** The negated operators, and the operators that they negate. */
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
  NotIpAddress: "IpAddress",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
};
const BASES: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...Object.values(NEGATED),
  "NumericLessThan",
  "NumericLessThanEquals",
  "NumericGreaterThan",
  "NumericGreaterThanEquals",
  "DateLessThan",
  "DateLessThanEquals",
  "DateGreaterThan",
  "DateGreaterThanEquals",
  "Bool",
  "BinaryEquals",
  "Null",
]);

/** Takes the name of an operator apart; undefined if IAM has no such operator. */
export function parseOperator(name: string): Operator | undefined {
  const [, set, rest = "", exists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
  const base = Object.hasOwn(NEGATED, rest) ? (NEGATED[rest] ?? "") : rest;
  if (!BASES.has(base)) return undefined;
  // Null asks whether a key exists. So IAM has no NullIfExists, and no set operators for it.
  if (base === "Null" && (exists !== undefined || set !== undefined)) return undefined;
  return {
    set: set === "ForAllValues" || set === "ForAnyValue" ? set : undefined,
    base,
    not: base !== rest,
    ifExists: exists !== undefined,
  };
}

/** Returns a request's value of a key; undefined if the request has none. */
export type ValueOf = (key: string) => string | undefined;

/** The steps to read a number or a date, and to read an address. */
const STEPS_OF_NUMBER = 30;
const STEPS_OF_ADDRESS = 120;

/** A value of a condition, which tells whether a value of the request matches it. */
export interface Wanted {
  readonly variables: readonly Variable[];
  /** Its pattern, if it has no variables; undefined for operators that do not compare text. */
  readonly glob?: Glob;
  readonly holds: (value: string, valueIn: ValueOf, budget: Budget) => boolean;
}

/**
 * Reads a value of a condition.
 *
 * @returns the value, or the sentence that says what it must be.
 */
export function parseWanted(base: string, text: string, variables: boolean): Wanted | string {
  if (base.startsWith("String")) return textWanted(base, text, variables);
  if (base.startsWith("Arn")) return arnWanted(text, variables);
  if (base.startsWith("Numeric")) return ordered(base, text, numberOf, "must be a number.");
  if (base.startsWith("Date")) {
    return ordered(base, text, secondsOf, "must be a date like 2026-11-25T20:00:00Z.");
  }
  if (base === "Bool") {
    const wanted = lowerCase(text);
    if (wanted !== "true" && wanted !== "false") return "must be true or false.";
    return {
      variables: [],
      holds: (value) => value.length === wanted.length && lowerCase(value) === wanted,
    };
  }
  if (base === "BinaryEquals") {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return "must be in Base64.";
    return { variables: [], holds: (value) => value === text };
  }
  const range = rangeOf(text);
  if (range === undefined) return "must be an IP address or a range like 203.0.113.0/24.";
  return {
    variables: [],
    holds: (value, _, budget) => {
      spend(budget, STEPS_OF_ADDRESS);
      return isInRange(value, range);
    },
  };
}

const NOT_A_VARIABLE =
  "must not hold the beginning of a policy variable. Write ${$} for a dollar sign.";

function textWanted(base: string, text: string, variables: boolean): Wanted | string {
  const fold = (value: string) => (base === "StringEqualsIgnoreCase" ? value.toLowerCase() : value);
  const glob = parseGlob(fold(text), { wildcards: base === "StringLike", variables });
  if (glob === undefined) return NOT_A_VARIABLE;
  const found = variablesOf(glob);
  const simple = found.length === 0 && base !== "StringEqualsIgnoreCase";
  return {
    variables: found,
    ...(simple && { glob }),
    holds: (value, valueIn, budget) => {
      if (simple) return matches(glob, value, budget);
      const foldedIn = (key: string) => {
        const own = valueIn(key);
        return own === undefined ? undefined : fold(own);
      };
      const known = found.length === 0 ? glob : substitute(glob, foldedIn, budget);
      spend(budget, value.length);
      return known !== undefined && matches(known, fold(value), budget);
    },
  };
}

/**
 * Reads an ARN of a condition. AWS checks each of the six components on its own, and each may hold `*`
 * and `?`. ArnEquals and ArnLike behave alike.
 */
function arnWanted(text: string, variables: boolean): Wanted | string {
  const parts = segmentsOf(text, variables);
  if (parts === undefined) return "must be an ARN. Each of its segments may hold * and ?.";
  const globs: Glob[] = [];
  for (const part of parts) {
    const glob = parseGlob(part, { variables });
    if (glob === undefined) return NOT_A_VARIABLE;
    globs.push(glob);
  }
  return {
    variables: globs.flatMap(variablesOf),
    holds: (value, valueIn, budget) => {
      spend(budget, value.length);
      const segments = segmentsOf(value, false);
      return (
        segments !== undefined &&
        globs.every((glob, i) => {
          const known = substitute(glob, valueIn, budget);
          return known !== undefined && matches(known, segments[i] ?? "", budget);
        })
      );
    },
  };
}

/** Splits an ARN into its six segments. Colons in variables do not divide. */
function segmentsOf(arn: string, variables: boolean): string[] | undefined {
  const segments: string[] = [];
  let from = 0;
  for (let i = 0; i < arn.length && segments.length < 5; i++) {
    if (variables && arn.startsWith("${", i)) {
      const end = arn.indexOf("}", i);
      if (end < 0) break;
      i = end;
    } else if (arn.charAt(i) === ":") {
      segments.push(arn.slice(from, i));
      from = i + 1;
    }
  }
  return segments.length === 5 && segments[0] === "arn"
    ? [...segments, arn.slice(from)]
    : undefined;
}

function ordered(
  base: string,
  text: string,
  read: (text: string) => number | undefined,
  message: string,
): Wanted | string {
  const wanted = read(text);
  if (wanted === undefined) return message;
  const order = base.replace(/^(?:Numeric|Date)/, "");
  return {
    variables: [],
    holds: (text, _, budget) => {
      spend(budget, STEPS_OF_NUMBER);
      const value = read(text);
      if (value === undefined) return false;
      if (order === "LessThan") return value < wanted;
      if (order === "LessThanEquals") return value <= wanted;
      if (order === "GreaterThan") return value > wanted;
      if (order === "GreaterThanEquals") return value >= wanted;
      return value === wanted;
    },
  };
}

function numberOf(text: string): number | undefined {
  return /^[+-]?\d{1,100}(?:\.\d{1,100})?$/.test(text) ? Number(text) : undefined;
}

/** Returns the seconds since 1970 of a date in the W3C's profile of ISO 8601, or of a number of seconds. */
function secondsOf(text: string): number | undefined {
  if (/^-?\d{5,12}$/.test(text)) return Number(text);
  const [, y, m = "1", d = "1", hours = "0", minutes = "0", seconds = "0", zone = "Z"] =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?(Z|[+-]\d\d:\d\d))?)?)?$/.exec(
      text,
    ) ?? [];
  if (y === undefined) return undefined;
  const month = Number(m);
  const day = Number(d);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) >= 61) return undefined;
  // Days since 1970, with years that begin in March, so that the leap day is their last.
  const year = Number(y) - (month <= 2 ? 1 : 0);
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  const days = year * 365 + leapDays + dayOfYear - 719_468;
  const [, sign, zoneHours = "0", zoneMinutes = "0"] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -60 : 60);
  return days * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) - offset;
}

/** An IP address as numbers of 16 bits (IPv6) or 8 (IPv4), and how many of its bits count. */
interface IpRange {
  readonly parts: readonly number[];
  readonly bits: number;
}

function rangeOf(text: string): IpRange | undefined {
  const [, address = "", length] = /^([0-9a-fA-F:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const parts = addressOf(address);
  if (parts === undefined) return undefined;
  const most = parts.length === 4 ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  return bits > most ? undefined : { parts, bits };
}

function addressOf(text: string): number[] | undefined {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.some((part) => part > 255) ? undefined : parts;
  }
  if (!text.includes(":") || text.includes(".") || text.includes(":::")) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}

function isInRange(value: string, { parts, bits }: IpRange): boolean {
  const address = rangeOf(value)?.parts;
  if (address === undefined || address.length !== parts.length) return false;
  const width = parts.length === 4 ? 8 : 16;
  return parts.every((part, i) => {
    const counted = Math.min(Math.max(bits - i * width, 0), width);
    const ignored = 2 ** (width - counted);
    return Math.floor(part / ignored) === Math.floor((address[i] ?? 0) / ignored);
  });
}
