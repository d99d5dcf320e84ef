/**
 * What a storage configuration and the options decide for every session, and the policy of one session.
 * @module
 */
import { s3ViaService } from "./arn.ts";
import { fault, reading } from "./errors.ts";
import { type GrantRules, grantRules, keyGrants, s3Grants } from "./grants.ts";
import { type PlaceAccess, placesByBucket } from "./locations.ts";
import { ADDITIONS, type Options, parseOptions, type SessionPolicyOptions } from "./options.ts";
import { polarisStatements } from "./polaris-statements.ts";
import { type PolicyDocument, type Statement, serializePolicy } from "./policy.ts";
import { type KeyStatements, keyStatements, s3Statements } from "./statements.ts";
import { type AwsStorageConfig, parseStorageConfig, type StorageConfig } from "./storage-config.ts";

/** What is decided before any location is known. */
export interface Session {
  readonly config: StorageConfig;
  readonly options: Options;
  readonly rules: GrantRules;
  /** The KMS statements for the accesses, as bits, that a session has anywhere. */
  readonly keyStatementsFor: (accesses: number) => KeyStatements;
}

/** A policy, and its length when {@link serializePolicy} writes it. */
export interface MeasuredPolicy {
  readonly policy: PolicyDocument;
  readonly length: number;
}

/** @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, `INVALID_KMS_KEY`, `INVALID_OPTIONS` */
export function createSession(
  storageConfig: AwsStorageConfig,
  givenOptions?: SessionPolicyOptions,
): Session {
  const options = reading("INVALID_OPTIONS", "The options", () => parseOptions(givenOptions));
  const config = parseStorageConfig(storageConfig);
  refuseImpossible(options, config);
  const rules = grantRules(options, config);
  const known: KeyStatements[] = [];
  const keyStatementsFor = (accesses: number) => {
    known[accesses] ??= keyStatements(keyGrants(options, rules, config, accesses));
    return known[accesses];
  };
  return { config, options, rules, keyStatementsFor };
}

/** @throws SessionPolicyError `INVALID_OPTIONS` if the profile cannot do what the options insist on. */
function refuseImpossible(options: Options, { keys, onAws }: StorageConfig): void {
  if (options.profile === "polaris") {
    // Polaris always grants older versions, and never any of the others.
    for (const option of ["kmsViaService", ...ADDITIONS] as const) {
      if (options[option] !== true || option === "objectVersions") continue;
      throw fault(
        "INVALID_OPTIONS",
        [option],
        'is not granted by Polaris. Leave it out, or use profile "least-privilege".',
      );
    }
  } else if (options.kmsViaService === true) {
    if (onAws && keys.every((key) => s3ViaService(key) !== undefined)) return;
    if (keys.length === 0) return;
    throw fault(
      "INVALID_OPTIONS",
      ["kmsViaService"],
      "needs S3's name, which AWS documents for aws, aws-cn and aws-us-gov with endpoints of AWS. Leave it out.",
    );
  }
}

/** A place, and the accesses to it, as bits. */
export type GrantedPlace = Pick<PlaceAccess, "place" | "accesses">;

/** Makes the policy for what a session may do at each place. */
export function policyFor(session: Session, asked: readonly GrantedPlace[]): MeasuredPolicy {
  const { config, options, rules } = session;
  if (options.profile === "polaris") {
    const policy = policyOf(polarisStatements(config, asked));
    return { policy, length: serializePolicy(policy).length };
  }
  const s3 = s3Statements(rules, s3Grants(rules, placesByBucket(asked)));
  const kms = session.keyStatementsFor(accessesOf(asked));
  const policy = policyOf(s3.statements.concat(kms.statements()));
  // Each statement was counted with a comma, and the last one needs none.
  const length = s3.statements.length === 0 ? DENY_ALL.length : s3.length + kms.length - 1;
  return { policy, length: ENVELOPE.length + length };
}

const ENVELOPE = '{"Version":"2012-10-17","Statement":[]}';
const DENY_ALL = '{"Effect":"Deny","Action":"*","Resource":"*"}';

function policyOf(statements: readonly Statement[]): PolicyDocument {
  // A policy without statements is not valid, and AssumeRole without a policy hands out the role.
  const Statement: readonly Statement[] =
    statements.length === 0 ? [{ Effect: "Deny", Action: "*", Resource: "*" }] : statements;
  return { Version: "2012-10-17", Statement };
}

/** Returns all accesses that are asked for anywhere, as bits. */
function accessesOf(asked: readonly GrantedPlace[]): number {
  let all = 0;
  for (const { accesses } of asked) all |= accesses;
  return all;
}
