/**
 * The IAM session policy for Apache Polaris' S3 credentials, as a pure function.
 * @module
 */
export {
  type AssumeRoleRequest,
  buildAssumeRoleRequest,
  cacheKey,
  createAssumeRoleRequestBuilder,
  roleSessionName,
  type SessionContext,
  type SessionSettings,
  type SessionTag,
  sessionTags,
} from "./assume-role.ts";
export {
  SessionPolicyError,
  type SessionPolicyErrorCode,
  type SessionPolicyIssue,
} from "./errors.ts";
export type { Locations } from "./locations.ts";
export type { SessionPolicyOptions } from "./options.ts";
export { type OneOrMany, type PolicyDocument, type Statement, serializePolicy } from "./policy.ts";
export type { SessionPlan } from "./session-plan.ts";
export {
  buildSessionPolicy,
  createSessionPolicyBuilder,
  planSessionPolicies,
} from "./session-policy.ts";
export { type AwsStorageConfig, storageConfigSchema } from "./storage-config.ts";
