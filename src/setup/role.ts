/**
 * Reads the policies that a catalog's sessions depend on, and decides requests by them.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * @module
 */
import { type Budget, newBudget } from "../analysis/budget.ts";
import { decideParsed, type ParsedRequest, type PartialDecision } from "../analysis/decide.ts";
import { matches } from "../analysis/glob.ts";
import {
  type ParsedStatement,
  type Patterns,
  type PolicyInput,
  parsePolicy,
} from "../analysis/policy-document.ts";
import { isAccount } from "../analysis/principals.ts";
import { fault, reading } from "../errors.ts";
import { isRecord, readList, readRecord } from "../input.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { rolePolicy } from "./role-policy.ts";
import { type ReadStorage, readStorage } from "./storage.ts";

/** The policies that a catalog's sessions depend on. */
export interface RoleSetup {
  readonly storageConfig: AwsStorageConfig;
  /** The role's permissions policies, inline and attached, as documents or as `aws iam` prints them. */
  readonly policies: readonly PolicyInput[];
  /** The role's permissions boundary. */
  readonly boundary?: PolicyInput | undefined;
  /** The role's trust policy. */
  readonly trust?: PolicyInput | undefined;
  /**
   * The policies of the KMS keys: a list, or an object of policies by the keys' ARNs. If left out, the
   * audit assumes that they leave access to the role's policies. In a list, a policy belongs to the keys
   * that its Resource names, and with `"*"` to any key.
   */
  readonly keyPolicies?: readonly PolicyInput[] | Readonly<Record<string, PolicyInput>> | undefined;
  /** Whether sessions carry tags, so that the trust policy must allow sts:TagSession. Default false. */
  readonly tags?: boolean | undefined;
  /** The options of the sessions. */
  readonly options?: SessionPolicyOptions | undefined;
}

/** The policy in which something is missing. */
export type Where = "policies" | "boundary" | "keyPolicies" | "trust";

/** One layer of policies. All layers must allow a request. */
interface Layer {
  readonly where: Where;
  readonly statements: readonly ParsedStatement[];
}

/** The policy of a key, or of any key. */
interface KeyPolicy {
  /** Undefined in a list of policies. */
  readonly arn?: string | undefined;
  readonly statements: readonly ParsedStatement[];
}

/** The parsed policies of a role. */
export interface Role {
  readonly storage: ReadStorage;
  /** What sessions need. */
  readonly need: readonly ParsedStatement[];
  readonly policies: readonly (readonly ParsedStatement[])[];
  readonly layers: readonly Layer[];
  readonly keyPolicies: readonly KeyPolicy[] | undefined;
  readonly trust: readonly ParsedStatement[] | undefined;
  readonly tags: boolean;
  readonly budget: Budget;
  /** What the resources of statements begin with, up to their wildcards. */
  readonly beginnings: Map<Patterns, readonly string[]>;
}

const FIELDS = [
  "storageConfig",
  "policies",
  "boundary",
  "trust",
  "keyPolicies",
  "tags",
  "options",
] as const;

/**
 * Steps of an audit, which take a second or two. A role may have twenty managed policies of 6,144
 * characters, and these together need up to 45,000,000.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const MOST_STEPS = 60_000_000;

/** @throws SessionPolicyError as `auditRole` says */
export function readRole(setup: RoleSetup): Role {
  const read = reading("INVALID_OPTIONS", "The setup", () => readRecord(setup, FIELDS));
  if (read === undefined) {
    throw fault(
      "INVALID_OPTIONS",
      [],
      "The setup must be an object with storageConfig and policies.",
    );
  }
  const { boundary, trust, keyPolicies, tags = false } = read;
  if (typeof tags !== "boolean") throw fault("INVALID_OPTIONS", ["tags"], "must be true or false.");
  const storage = readStorage(read.storageConfig as AwsStorageConfig);
  const options = read.options as SessionPolicyOptions | undefined;
  const list = reading("INVALID_OPTIONS", "The policies", () => readList(read.policies));
  if (list === undefined) {
    throw fault("INVALID_OPTIONS", ["policies"], "must be a list of policy documents.");
  }
  const policies = list.map(parse);
  const layers: Layer[] = [{ where: "policies", statements: policies.flat() }];
  if (boundary != null) layers.push({ where: "boundary", statements: parse(boundary) });
  return {
    storage,
    need: parsePolicy(rolePolicy(storage.fields, options)),
    policies,
    layers,
    keyPolicies: keyPolicies == null ? undefined : readKeyPolicies(keyPolicies),
    trust: trust == null ? undefined : parse(trust),
    tags,
    budget: newBudget(MOST_STEPS),
    beginnings: new Map(),
  };
}

function parse(policy: unknown): ParsedStatement[] {
  return parsePolicy(policy as PolicyInput);
}

function readKeyPolicies(input: unknown): KeyPolicy[] {
  return reading("INVALID_OPTIONS", "The policies of the keys", () => {
    const list = readList(input);
    if (list !== undefined) return list.map((policy) => ({ statements: parse(policy) }));
    const keys = isRecord(input) ? Object.keys(input) : [];
    if (!isRecord(input) || !keys.every((key) => /^arn:[^:]*:kms:/.test(key))) {
      throw fault(
        "INVALID_OPTIONS",
        ["keyPolicies"],
        "must be a list of policies, or an object of policies by the keys' ARNs.",
      );
    }
    return keys.map((arn) => ({ arn, statements: parse(input[arn]) }));
  });
}

/** The decision of one layer. */
export interface Verdict extends PartialDecision {
  readonly where: Where;
}

/** Decides a request by each layer. It is allowed if all of them allow it. */
export function decideByLayers(role: Role, request: ParsedRequest): Verdict[] {
  const verdicts: Verdict[] = role.layers.map(({ where, statements }) => ({
    where,
    ...decideParsed(statements, request, role.budget),
  }));
  const ofKey = request.action.startsWith("kms:") ? decideByKey(role, request) : undefined;
  if (ofKey !== undefined) {
    // If a key policy names the role itself, the role's own policies need not allow the request, except for
    // a key of another account.
    // https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    const isOfAccount = accountOf(request.resource) === accountOf(role.storage.fields.roleArn);
    if (ofKey.namesRole && isOfAccount && verdicts[0]?.decision === "implicitlyDenied") {
      verdicts.shift();
    }
    verdicts.push(ofKey.verdict);
  }
  return verdicts;
}

function accountOf(arn: string | null | undefined): string | undefined {
  return arn?.split(":")[4];
}

/** Tells whether a layer denies a request. */
export function isDenied({ decision }: Verdict): boolean {
  return decision.endsWith("Denied");
}

/**
 * Decides a request by the policy of its key; undefined if that policy is unknown.
 *
 * @throws SessionPolicyError `INVALID_OPTIONS` if several policies may belong to the key, and they decide
 *   differently
 */
function decideByKey(
  role: Role,
  request: ParsedRequest,
): { readonly verdict: Verdict; readonly namesRole: boolean } | undefined {
  if (role.keyPolicies === undefined) return undefined;
  const { keys } = role.storage.config;
  const isConfigured = keys.some(({ arn }) => arn === request.resource);
  // Where no key is configured, sessions may use any.
  const candidates = keyPoliciesOf(role, request.resource, isConfigured || keys.length === 0);
  if (candidates.length === 0 && !isConfigured) return undefined;
  const decided = candidates.map((statements) => {
    const verdict = decideParsed(statements, request, role.budget);
    const names = verdict.statements.flatMap((i) => statements[i]?.principals?.names ?? []);
    const namesRole = verdict.decision === "allowed" && names.some((name) => !isAccount(name));
    return { verdict: { where: "keyPolicies", ...verdict } as const, namesRole };
  });
  if (new Set(decided.map(({ verdict }) => verdict.decision)).size > 1) {
    throw fault(
      "INVALID_OPTIONS",
      ["keyPolicies"],
      "don't say which policy belongs to which key. Give an object of policies by the keys' ARNs.",
    );
  }
  const verdict = {
    where: "keyPolicies",
    decision: "implicitlyDenied",
    statements: [],
    keys: [],
  } as const;
  return decided[0] ?? { verdict, namesRole: false };
}

/** Returns the policies that may belong to a key: those that name it, else those that name no key. */
function keyPoliciesOf(
  { keyPolicies = [], budget }: Role,
  key: string,
  orAny: boolean,
): (readonly ParsedStatement[])[] {
  const own = keyPolicies.filter(({ arn }) => arn === key);
  if (own.length > 0) return own.map(({ statements }) => statements);
  const inList = keyPolicies.filter(({ arn }) => arn === undefined);
  const named = inList.filter(({ statements }) =>
    statements.some(({ resources }) =>
      resources?.globs.some(
        (glob, i) => resources.written[i] !== "*" && matches(glob, key, budget),
      ),
    ),
  );
  if (named.length > 0) return named.map(({ statements }) => statements);
  const ofAny = inList.filter(({ statements }) =>
    statements.every(({ resources }) => resources?.written.includes("*") ?? true),
  );
  return orAny ? ofAny.map(({ statements }) => statements) : [];
}
