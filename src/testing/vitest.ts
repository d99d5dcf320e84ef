/**
 * Types of the matchers for vitest: `import type {} from "polaris-session-policy/testing/vitest"`.
 * @module
 */
import type {} from "vitest";
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { PolicyForm } from "./policy-forms.ts";

/** The matchers of `policyMatchers`, as `expect(policy)` has them. */
export interface PolicyMatchers<R> {
  /** The policy allows the request. */
  toAllow: (request: AccessRequest) => R;
  /** The policy denies the request, in a statement or by default. */
  toDeny: (request: AccessRequest) => R;
  /** Whatever the policy allows, the other allows too. */
  toBeNoBroaderThan: (other: PolicyForm) => R;
}

declare module "vitest" {
  interface Matchers<T> extends PolicyMatchers<T> {}
}
