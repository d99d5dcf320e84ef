/**
 * Extends vitest's `expect` with the policy matchers, with their types. Only this module and
 * `testing/jest` do something when they are imported.
 *
 * @see https://vitest.dev/guide/extending-matchers.html
 * @module
 */
import { expect } from "vitest";
import type { AccessRequest, PolicyInput } from "../analysis/policy-document.ts";
import { policyMatchers } from "./matchers.ts";

/** The matchers of `policyMatchers`, as `expect(policy)` has them. */
export interface PolicyMatchers<R> {
  /** The policy allows the request. */
  toAllow: (request: AccessRequest) => R;
  /** The policy denies the request, in a statement or by default. */
  toDeny: (request: AccessRequest) => R;
  /** Whatever the policy allows, the other allows too. */
  toBeNoBroaderThan: (other: PolicyInput) => R;
}

declare module "vitest" {
  interface Matchers<T> extends PolicyMatchers<T> {}
}

expect.extend(policyMatchers);
