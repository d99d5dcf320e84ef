/**
 * Extends jest's global `expect` with the policy matchers, with their types for `@types/jest`. Only this
 * module and `testing/vitest` do something when they are imported.
 *
 * With `injectGlobals: false` there is no global `expect`: call `expect.extend(policyMatchers)`.
 *
 * @see https://jestjs.io/docs/expect#expectextendmatchers
 * @module
 */
import type { AccessRequest, PolicyInput } from "../analysis/policy-document.ts";
import { policyMatchers } from "./matchers.ts";

declare global {
  // jest's types are a global namespace, which only another one extends.
  namespace jest {
    interface Matchers<R> {
      /** The policy allows the request. */
      toAllow(request: AccessRequest): R;
      /** The policy denies the request, in a statement or by default. */
      toDeny(request: AccessRequest): R;
      /** Whatever the policy allows, the other allows too. */
      toBeNoBroaderThan(other: PolicyInput): R;
    }
  }
}

declare const expect: { readonly extend: (matchers: typeof policyMatchers) => void };

expect.extend(policyMatchers);
