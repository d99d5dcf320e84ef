/**
 * One budget of work a call, so that no policy and no request can make it run for long.
 * @module
 */
import { fault } from "../errors.ts";

/**
 * What a call may still spend. A step is one position of a pattern looked at, or one statement asked
 * for a request: each takes about as long as any other, some tens of nanoseconds.
 */
export interface Budget {
  readonly steps: number;
  left: number;
}

/** Steps that deciding a request, or listing what policies allow, may take: about half a second. */
const MOST_STEPS = 10_000_000;

/** A new budget, for one call. */
export function newBudget(steps: number = MOST_STEPS): Budget {
  return { steps, left: steps };
}

/** @throws SessionPolicyError `UNSUPPORTED_POLICY` when the budget is spent */

export function spend(budget: Budget, steps: number): void {
  budget.left -= steps;
  if (budget.left >= 0) return;
  throw fault(
    "UNSUPPORTED_POLICY",
    [],
    `The policies are too complex: this takes more than ${budget.steps} steps. Ask of fewer statements at a time, or of shorter patterns.`,
  );
}
