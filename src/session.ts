/**
 * The statements of a session, and how long their policy is.
 * @module
 */
import { type Profile, s3Grants } from "./grants.ts";
import { accessesOf, type BucketPlaces } from "./locations.ts";
import type { Statement } from "./policy.ts";
import { type KeyUses, keyStatement, s3Statements } from "./statements.ts";
import type { StorageConfig } from "./storage-config.ts";

/** What a storage configuration and the options decide of sessions, once and for all. */
export interface Session {
  readonly config: StorageConfig;
  readonly profile: Profile;
  readonly maxLength: number;
  /** What KMS statements name, for the accesses (as bits) that a session has anywhere. */
  readonly keyUsesFor: (accesses: number) => KeyUses;
}

/** The statements of a session, and the serialized length of the policy that holds them. */
export function statementsFor(
  session: Session,
  places: readonly BucketPlaces[],
): { readonly Statement: readonly Statement[]; readonly length: number } {
  const s3 = s3Statements(s3Grants(session.profile, places));
  const kms = session.keyUsesFor(accessesOf(places));
  const Statement = s3.statements;
  for (const use of kms.uses) Statement.push(keyStatement(use));
  // A policy without statements is not valid, and AssumeRole without a policy hands out the role.
  if (Statement.length === 0) return { Statement: [denyAll()], length: DENY_ALL_LENGTH };
  return { Statement, length: EMPTY.length + s3.length + kms.length - ",".length };
}

const EMPTY = '{"Version":"2012-10-17","Statement":[]}';
const DENY_ALL_LENGTH = EMPTY.length + '{"Effect":"Deny","Action":"*","Resource":"*"}'.length;

function denyAll(): Statement {
  return { Effect: "Deny", Action: "*", Resource: "*" };
}
