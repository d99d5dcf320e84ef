/**
 * What policies allow: decided, compared, listed. Pure, and without dependencies.
 * @module
 */
export { type Comparison, compareAccess } from "./compare.ts";
export { type Decision, decide, isAllowed } from "./decide.ts";
export { type AccessRow, listAccess } from "./list-access.ts";
export type { AccessRequest } from "./policy-document.ts";
export type { AnyPolicyDocument, PolicyForm } from "./policy-forms.ts";
