/**
 * The kinds of requests that policies can distinguish: kinds of actions and of resources, each with an
 * example.
 * @module
 */
import { isOfKnownService, knownActions, shapesOf, typesOf, UNKNOWN_TYPE } from "./actions.ts";
import { type Budget, spend } from "./budget.ts";
import {
  type CharacterClass,
  type Glob,
  type MatchClass,
  matchClasses,
  matches,
  type Shape,
  type Token,
  tokensOf,
} from "./glob.ts";
import type { ParsedStatement, Patterns } from "./policy-document.ts";

/** An example of a kind of text, and the statements that apply to it, in order. */
export interface Example {
  readonly text: string;
  readonly statements: readonly number[];
}

/** An example of a kind of actions, and the types of resources that they apply to. */
export interface ActionExample extends Example {
  readonly types: readonly string[];
}

const LOWER: Readonly<CharacterClass> = {
  has: (character) => /^[a-z0-9]$/.test(character),
  samples: "xyz",
  many: false,
};

const OF_SERVICE: Readonly<CharacterClass> = {
  ...LOWER,
  has: (character) => /^[a-z0-9-]$/.test(character),
};

/** Actions of other services, in lower case, for example of sqs or s3-outposts. */
const OTHER_ACTION: Readonly<Shape> = [
  OF_SERVICE,
  { ...OF_SERVICE, many: true },
  ":",
  LOWER,
  { ...LOWER, many: true },
];

/** Returns one example for all actions with the same statements and the same types. */
export function actionExamples(
  statements: readonly ParsedStatement[],
  budget: Budget,
): ActionExample[] {
  const patterns = statements.map(({ actions }) => actions);
  const examples = new Map<string, ActionExample>();
  const add = (text: string, types: readonly string[], about: readonly number[]) => {
    const kind = `${types.join()} ${about.join()}`;
    spend(budget, about.length);
    if (about.length > 0 && !examples.has(kind)) {
      examples.set(kind, { text, types, statements: about });
    }
  };
  for (const { name, lower } of knownActions()) {
    const about = patterns.flatMap(({ not, globs }, i) => {
      spend(budget, 1);
      return globs.some((glob) => matches(glob, lower, budget)) === not ? [] : [i];
    });
    add(name, typesOf(name), about);
  }
  const isOther = (text: string) => !isOfKnownService(text);
  const used = tokensOf(patterns.flatMap(({ globs }) => globs));
  const others = examplesOf(patterns, [OTHER_ACTION], used, budget, isOther);
  for (const { text, statements: about } of others) {
    add(text, [UNKNOWN_TYPE], about);
  }
  return [...examples.values()];
}

/** Returns a function that gives examples of a type's resources, for some of the statements. */
export function resourceExamples(
  statements: readonly ParsedStatement[],
  budget: Budget,
): (which: readonly number[], type: string) => readonly Example[] {
  const all = statements.map(({ resources }) => resources ?? EVERYTHING);
  const foreign = all.map(({ written }) => written.some(isForeign));
  const used = tokensOf(all.flatMap(({ globs }) => globs));
  // Actions with the same statements have the same examples.
  const known = new Map<string, readonly Example[]>();
  return (which, type) => {
    spend(budget, which.length);
    const kind = `${type} ${which.join()}`;
    const examples =
      known.get(kind) ??
      examplesOf(
        which.map((i) => all[i] ?? EVERYTHING),
        shapesOf(
          type,
          which.some((i) => foreign[i]),
        ),
        used,
        budget,
      ).map(({ text, statements: about }) => ({
        text,
        statements: about.flatMap((i) => which[i] ?? []),
      }));
    known.set(kind, examples);
    return examples;
  };
}

/** The resources of a statement without Resource: all. */
const EVERYTHING: Readonly<Patterns> = { not: true, globs: [], written: [], variables: false };

/** Tells whether a pattern names a partition or a key that is not AWS'. */
function isForeign(pattern: string): boolean {
  return (
    pattern !== "*" &&
    (!/^arn:(?:aws|[*?])/.test(pattern) || /^arn:[^:]*:kms:(?::|[^:]*::)/.test(pattern))
  );
}

/**
 * Returns examples of texts of some shapes, one for each set of statements that apply.
 *
 * @param used the tokens of all the patterns, and possibly more.
 * @param isAsked whether a text can be an example.
 */
function examplesOf(
  patterns: readonly Patterns[],
  shapes: readonly Shape[],
  used: ReadonlySet<Token>,
  budget: Budget,
  isAsked: (text: string) => boolean = () => true,
): Example[] {
  const globs: Glob[] = [];
  const indexOf = new Map<string, number>();
  // A pattern of many statements is run once. A pattern with ${ differs by the policy's version.
  const uses: number[][] = [];
  patterns.forEach((one, statement) => {
    spend(budget, one.globs.length);
    one.globs.forEach((glob, i) => {
      const written = one.written[i] ?? "";
      const key = written.includes("${") ? `${written} ${statement}` : written;
      const at = indexOf.get(key) ?? globs.length;
      if (at === globs.length) {
        indexOf.set(key, at);
        globs.push(glob);
        uses.push([]);
      }
      uses[at]?.push(statement);
    });
  });
  const opposites = patterns.flatMap(({ not }, i) => (not ? [i] : []));
  const examples = new Map<string, Example>();
  for (const shape of shapes) {
    for (const { text, matched } of matchClasses(globs, shape, budget, used)) {
      if (!isAsked(text)) continue;
      const about = statementsOf(matched, uses, patterns, opposites, budget);
      const kind = about.join();
      if (!examples.has(kind)) examples.set(kind, { text, statements: about });
    }
  }
  return [...examples.values()];
}

function statementsOf(
  matched: MatchClass["matched"],
  uses: readonly (readonly number[])[],
  patterns: readonly Patterns[],
  opposites: readonly number[],
  budget: Budget,
): number[] {
  const hit = new Set<number>();
  for (const glob of matched) {
    const using = uses[glob] ?? [];
    spend(budget, using.length);
    for (const statement of using) hit.add(statement);
  }
  spend(budget, hit.size + opposites.length);
  const about = [...hit].filter((i) => patterns[i]?.not === false);
  for (const i of opposites) if (!hit.has(i)) about.push(i);
  return about.sort((a, b) => a - b);
}
