/**
 * One budget of work a call, so that no policy and no request can make it run for long.
 * @module
 */
import { fault } from "../errors.ts";

/**
 * What a call may still spend. A step takes about ten nanoseconds: one position of a pattern looked
 * at, or one statement asked about a request. What takes longer, such as a set or a text that is
 * made, is several steps.
 */
export interface Budget {
  readonly most: number;
  left: number;
}

/** Steps of a call, which take less than a second. */
const MOST_STEPS = 30_000_000;

/** A new budget, for one call. */
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
    `The policies are too complex: this takes more than ${budget.most} steps. Ask of fewer statements at a time, or of shorter patterns.`,
  );
}
