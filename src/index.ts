/**
 * The IAM session policy for Apache Polaris' S3 credentials, as a pure function.
 * @module
 */
export {
  type AssumeRoleRequest,
  buildAssumeRoleRequest,
  type CacheableRequest,
  cacheKey,
  createAssumeRoleRequestBuilder,
} from "./assume-role.ts";
export { storageConfigOf } from "./catalog.ts";
export {
  SessionPolicyError,
  type SessionPolicyErrorCode,
  type SessionPolicyIssue,
} from "./errors.ts";
export type { Locations } from "./locations.ts";
export type { SessionPolicyOptions } from "./options.ts";
export { type OneOrMany, type PolicyDocument, type Statement, serializePolicy } from "./policy.ts";
export {
  roleSessionName,
  type SessionContext,
  type SessionNameField,
  type SessionSettings,
  type SessionTag,
  type SessionTagField,
  sessionTags,
} from "./session-name.ts";
export type { SessionPlan } from "./session-plan.ts";
export {
  buildSessionPolicy,
  createSessionPolicyBuilder,
  planSessionPolicies,
} from "./session-policy.ts";
export { type AwsStorageConfig, storageConfigSchema } from "./storage-config.ts";
