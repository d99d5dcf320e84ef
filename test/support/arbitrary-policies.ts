/** Policies and requests over a small alphabet, so that they meet often. */
import fc, { type Arbitrary } from "fast-check";
import type { Request } from "./iam.ts";

export interface ArbitraryPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow" | "Deny";
    readonly Action: string | string[];
    readonly Resource: string | string[];
    readonly Condition?: Record<string, Record<string, string | string[]>>;
  }[];
}

const oneOrMany = <T>(value: Arbitrary<T>): Arbitrary<T | T[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
const text = (...parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 4 }).map((all) => all.join(""));

const pattern = text("a", "b", "/", "*", "?", "${*}", "${?}", "${$}", "$", "{", "}");
const literal = text("a", "b", "/", "*", "?", "$", "{", "}", "A");
const action = text("a", "A", "b", "*", "?");
const operator = fc.constantFrom(
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "StringEqualsIfExists",
  "StringNotEqualsIfExists",
  "StringLikeIfExists",
  "StringNotLikeIfExists",
);
const key = fc.constantFrom("k", "K", "j");
const block = fc.dictionary(key, oneOrMany(pattern), {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
});
const nullBlock = fc.dictionary(key, oneOrMany(fc.constantFrom("true", "false")), {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
});
const condition = fc
  .tuple(
    fc.dictionary(operator, block, { maxKeys: 2, noNullPrototype: true }),
    fc.option(nullBlock, { nil: undefined }),
  )
  .map(([operators, Null]) => ({ ...operators, ...(Null && { Null }) }));

export const arbitraryPolicy: Arbitrary<ArbitraryPolicy> = fc
  .record({
    Version: fc.constant("2012-10-17" as const),
    Statement: fc.array(
      fc.record(
        {
          Effect: fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const),
          Action: oneOrMany(action),
          Resource: oneOrMany(
            pattern.filter((p) => !p.includes("${}") && !/\$\{(?![*?$]\})/.test(p)),
          ),
          Condition: condition,
        },
        { requiredKeys: ["Effect", "Action", "Resource"] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .filter((policy) => !/\$\{(?![*?$]\})/.test(JSON.stringify(policy)));

export const arbitraryRequest: Arbitrary<Request> = fc
  .record(
    {
      action: text("a", "A", "b"),
      resource: literal,
      context: fc.dictionary(key, oneOrMany(literal), { maxKeys: 2, noNullPrototype: true }),
    },
    { requiredKeys: ["action", "resource"] },
  )
  .filter(({ context = {} }) => !("k" in context && "K" in context));
