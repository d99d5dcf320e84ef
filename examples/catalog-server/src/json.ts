/** JSON with Iceberg's 64-bit snapshot ids, which JavaScript's numbers would round. */
import {
  isSafeNumber,
  parse as parseLossless,
  stringify as stringifyLossless,
} from "lossless-json";

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Numbers that a double cannot hold become bigints. */
export function parse(text: string): Json {
  return parseLossless(text, null, (digits) =>
    isSafeNumber(digits) || !/^-?\d+$/.test(digits) ? Number(digits) : BigInt(digits),
  ) as Json;
}

export function stringify(value: Json): string {
  return stringifyLossless(value) ?? "null";
}

/** Whether two ids are the same, each a number, a bigint or nothing. */
export function same(one: Json | undefined, other: Json | undefined): boolean {
  return String(one ?? null) === String(other ?? null);
}
