/**
 * Makes and checks what a session depends on: the role's permissions and trust, the keys' policies, and
 * the storage configuration. All functions are pure.
 * @module
 */
export {
  auditRole,
  type ExcessAccess,
  type MissingAccess,
  type RoleAudit,
  type UnknownAccess,
} from "./audit-role.ts";
export {
  checkStorageConfig,
  type Finding,
  type FindingCode,
} from "./check-storage-config.ts";
export { type KeyPolicyStatement, keyPolicyStatements } from "./key-policy.ts";
export type { RoleSetup } from "./role.ts";
export { rolePolicy } from "./role-policy.ts";
export { type TrustPolicyOptions, type TrustStatement, trustPolicy } from "./trust-policy.ts";
