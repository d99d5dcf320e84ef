/**
 * Property tests of policy generators, for teams with their own; needs fast-check.
 * @module
 */
export {
  accessRequestArbitrary,
  type LocationsConstraints,
  locationsArbitrary,
  type StorageConfigConstraints,
  storageConfigArbitrary,
} from "./arbitraries.ts";
export { type MatcherResult, policyMatchers } from "./matchers.ts";
export type { SessionPolicyGenerator } from "./model.ts";
export {
  type AssertLeastPrivilegeOptions,
  assertLeastPrivilege,
  type LeastPrivilegeProperty,
  leastPrivilegeProperties,
  type PropertyParameters,
} from "./properties.ts";
