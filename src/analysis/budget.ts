/**
 * Gives each call a budget of work, so that no policy and no request can make it run for long.
 * @module
 */
import { fault } from "../errors.ts";

/**
 * What a call may still spend. A step takes about ten nanoseconds: it compares one position of a pattern,
 * or asks one statement about a request. Slower work, for example making a set or a text, counts as
 * several steps.
 */
export interface Budget {
  readonly most: number;
  left: number;
}

/** The steps of a call. They take less than a second. */
const MOST_STEPS = 30_000_000;

/** Makes a new budget, for one call. */
export function newBudget(most = MOST_STEPS): Budget {
  return { most, left: most };
}

/** @throws SessionPolicyError `UNSUPPORTED_POLICY` when the budget is spent */
export function spend(budget: Budget, steps: number): void {
  budget.left -= steps;
  if (budget.left >= 0) return;
  throw fault(
    "UNSUPPORTED_POLICY",
    [],
    `The policies are too complex: this takes more than ${budget.most} steps. Ask about fewer statements at a time, or use shorter patterns.`,
  );
}
