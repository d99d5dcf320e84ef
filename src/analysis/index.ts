/**
 * What policies allow: decided, compared, listed. Pure, and without dependencies.
 * @module
 */
export { type Comparison, compareAccess } from "./compare.ts";
export { type Decision, decide, isAllowed } from "./decide.ts";
export { type AccessRow, listAccess } from "./list-access.ts";
export type { AccessRequest, AnyPolicyDocument } from "./policy-document.ts";
