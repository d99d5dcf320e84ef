/**
 * Property tests for your own policy generator. They need fast-check.
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
export {
  type AssertLeastPrivilegeOptions,
  type AsyncSessionPolicyGenerator,
  assertLeastPrivilege,
  type LeastPrivilegeProperty,
  leastPrivilegeProperties,
  type PropertyParameters,
  type SessionPolicyGenerator,
} from "./properties.ts";
