/**
 * Decides, compares and lists what policies allow. All functions are pure.
 * @module
 */
export { type Comparison, compareAccess } from "./compare.ts";
export { type Decision, decide, isAllowed, type PartialDecision } from "./decide.ts";
export { decideStrictly } from "./decide-strictly.ts";
export { type AccessRow, listAccess } from "./list-access.ts";
export type { AccessRequest, AnyPolicyDocument, PolicyInput } from "./policy-document.ts";
