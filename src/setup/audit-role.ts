/**
 * Whether a role has what sessions need, and what it has beyond that.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { knownAction, knownActions, shapesOf, typesOf } from "../analysis/actions.ts";
import { type Budget, newBudget } from "../analysis/budget.ts";
import { decideParsed, type ParsedRequest, type PartialDecision } from "../analysis/decide.ts";
import {
  ANY_SHAPE,
  type Glob,
  intersects,
  lowerCase,
  matchClasses,
  matches,
} from "../analysis/glob.ts";
import { type AccessRow, rowsOf } from "../analysis/list-access.ts";
import {
  type AccessRequest,
  type ParsedStatement,
  type PolicyInput,
  parsePolicy,
} from "../analysis/policy-document.ts";
import { isAccount } from "../analysis/principals.ts";
import { s3ViaService } from "../arn.ts";
import { fault, reading } from "../errors.ts";
import { readList, readRecord } from "../input.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { Statement } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { keyPolicyStatements } from "./key-policy.ts";
import { rolePolicy } from "./role-policy.ts";
import { type ReadStorage, readStorage } from "./storage.ts";

/** What stands behind the sessions of a catalog. */
export interface RoleSetup {
  readonly storageConfig: AwsStorageConfig;
  /** The role's permissions policies, inline and attached, as documents or as `aws iam` prints them. */
  readonly policies: readonly PolicyInput[];
  /** The role's permissions boundary. */
  readonly boundary?: PolicyInput | undefined;
  /** The role's trust policy. */
  readonly trust?: PolicyInput | undefined;
  /** The policies of the KMS keys. Left out, they are taken to leave access to the role's policies. */
  readonly keyPolicies?: readonly PolicyInput[] | undefined;
  /** The options of the sessions. */
  readonly options?: SessionPolicyOptions | undefined;
}

/** What a session may need and does not get. */
export interface MissingAccess {
  /** A request that fails. */
  readonly request: AccessRequest;
  /** The statement to add. Where a Deny takes the access away, that has to go too: `why` says so. */
  readonly statement: object;
  /** Where the access is missing. */
  readonly where: "policies" | "boundary" | "keyPolicies" | "trust";
  readonly why: string;
}

/** What the role allows beyond what sessions need, as a row of `listAccess`. */
export interface ExcessAccess extends AccessRow {
  /** The index of the policy that the row is of. */
  readonly policy: number;
  /** In the one row about services other than S3 and KMS: how many actions they are, as written. */
  readonly otherServices?: number;
}

/** What hangs on a condition key that nobody told. */
export interface UnknownAccess {
  /** The condition key, as the policy writes it. */
  readonly key: string;
  /** A request that is allowed or denied by its value. */
  readonly request: AccessRequest;
}

/** What an audit found. */
export interface RoleAudit {
  readonly missing: readonly MissingAccess[];
  readonly excess: readonly ExcessAccess[];
  readonly unknown: readonly UnknownAccess[];
}

/** One layer of policies, all of which must allow a request. */
interface Layer {
  readonly where: MissingAccess["where"];
  readonly statements: readonly ParsedStatement[];
}

/** The policies of a role, read. */
interface Role {
  readonly storage: ReadStorage;
  readonly need: readonly ParsedStatement[];
  readonly policies: readonly (readonly ParsedStatement[])[];
  readonly layers: readonly Layer[];
  readonly keyPolicies: readonly (readonly ParsedStatement[])[] | undefined;
  readonly trust: readonly ParsedStatement[] | undefined;
  readonly budget: Budget;
}

/** Steps of an audit: some seconds at worst. */
const MOST_STEPS = 30_000_000;

/**
 * Audits the role that sessions assume: what they may need and the role does not allow, what it allows
 * beyond that, and what hangs on condition keys that nobody told, such as `aws:SourceVpce`.
 *
 * Requests carry what is known: TLS unless an endpoint is http, the region, the role as principal, and
 * for KMS that S3 calls it. What sessions need is what {@link rolePolicy} allows.
 *
 * @param setup see {@link RoleSetup}. A key's policy is not told apart from another's: a key counts as
 *   allowed if one of them allows it.
 * @throws SessionPolicyError as {@link rolePolicy} does; `UNSUPPORTED_POLICY` for policies that IAM
 *   would not take, and where they take more than 30,000,000 steps to audit, some seconds.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * @example
 * ```ts
 * import { auditRole, rolePolicy } from "polaris-session-policy/setup";
 *
 * const storageConfig = { allowedLocations: ["s3://wh-bucket/db"] };
 * auditRole({ storageConfig, policies: [rolePolicy(storageConfig)] });
 * // { missing: [], excess: [], unknown: [] }
 * ```
 */
export function auditRole(setup: RoleSetup): RoleAudit {
  const role = readRole(setup);
  const unknown = new Map<string, UnknownAccess>();
  const missing = [...missingAccess(role, unknown), ...missingTrust(role)];
  return { missing, excess: excessAccess(role), unknown: [...unknown.values()] };
}

function readRole(setup: RoleSetup): Role {
  const fields = [
    "storageConfig",
    "policies",
    "boundary",
    "trust",
    "keyPolicies",
    "options",
  ] as const;
  const read = reading("INVALID_OPTIONS", "The setup", () => readRecord(setup, fields));
  if (read === undefined) {
    throw fault(
      "INVALID_OPTIONS",
      [],
      "The setup must be an object with storageConfig and policies.",
    );
  }
  const listOf = (field: "policies" | "keyPolicies") => {
    const list = reading("INVALID_OPTIONS", "The policies", () => readList(read[field]));
    if (list !== undefined) return list.map((policy) => parse(policy));
    throw fault("INVALID_OPTIONS", [field], "must be a list of policy documents.");
  };
  const parse = (policy: unknown) =>
    reading("UNSUPPORTED_POLICY", "The policy", () => parsePolicy(policy as PolicyInput));
  const storage = readStorage(read.storageConfig as AwsStorageConfig);
  const options = read.options as SessionPolicyOptions | undefined;
  const policies = listOf("policies");
  const layers: Layer[] = [{ where: "policies", statements: policies.flat() }];
  if (read.boundary != null) layers.push({ where: "boundary", statements: parse(read.boundary) });
  return {
    storage,
    need: parsePolicy(rolePolicy(storage.fields, options)),
    policies,
    layers,
    keyPolicies: read.keyPolicies == null ? undefined : listOf("keyPolicies"),
    trust: read.trust == null ? undefined : parse(read.trust),
    budget: newBudget(MOST_STEPS),
  };
}

/** The keys whose values the requests of an audit vary. */
const PREFIX = "s3:prefix";
const VIA_SERVICE = "kms:viaservice";

/** What is known of every request that sessions make. */
function knownContext({ fields, config }: ReadStorage): Map<string, readonly string[]> {
  const context = new Map<string, readonly string[]>();
  const urls = [fields.endpoint, fields.endpointInternal];
  const isHttp = urls.some((url) => url != null && /^http:\/\//i.test(url));
  context.set("aws:securetransport", [String(!isHttp)]);
  if (fields.region) context.set("aws:requestedregion", [fields.region]);
  const account = /^arn:[^:]*:iam::(\d{12}):role\//.exec(fields.roleArn ?? "")?.[1];
  if (config.onAws && fields.roleArn && account !== undefined) {
    context.set("aws:principalarn", [fields.roleArn]);
    context.set("aws:principalaccount", [account]);
    context.set("aws:principaltype", ["AssumedRole"]);
    context.set("kms:calleraccount", [account]);
  }
  return context;
}

/** A decision of all layers, and the first that does not allow. */
interface Verdict extends PartialDecision {
  readonly where: MissingAccess["where"];
}

function decideAll(role: Role, request: ParsedRequest): Verdict {
  const verdicts: Verdict[] = role.layers.map(({ where, statements }) => ({
    where,
    ...decideParsed(statements, request, role.budget),
  }));
  if (role.keyPolicies !== undefined && request.action.startsWith("kms:")) {
    const ofKeys = role.keyPolicies.map((statements) => ({
      statements,
      verdict: decideParsed(statements, request, role.budget),
    }));
    const rank = ["allowed", "unknown", "explicitlyDenied", "implicitlyDenied"];
    ofKeys.sort((a, b) => rank.indexOf(a.verdict.decision) - rank.indexOf(b.verdict.decision));
    const best = ofKeys[0];
    // A key policy that names the role itself needs no policy of the role beside it.
    const named = best?.verdict.statements.some((i) =>
      best.statements[i]?.principals?.names.some((name) => !isAccount(name)),
    );
    if (best?.verdict.decision === "allowed" && named) {
      const [own] = verdicts;
      if (own?.decision === "implicitlyDenied") verdicts.shift();
    }
    verdicts.push({
      where: "keyPolicies",
      ...(best?.verdict ?? { decision: "implicitlyDenied", statements: [], keys: [] }),
    });
  }
  return (
    verdicts.find(({ decision }) => decision.endsWith("Denied")) ??
    verdicts.find(({ decision }) => decision === "unknown") ??
    verdicts[0] ?? { where: "policies", decision: "allowed", statements: [], keys: [] }
  );
}

/** The kinds of resources of an action that some patterns tell apart, of those that one matches. */
function resourcesOf(role: Role, action: string, pattern: Glob, others: readonly Glob[]): string[] {
  const { budget } = role;
  const globs = [pattern, ...others].filter(isPlain);
  return typesOf(action)
    .flatMap((type) => shapesOf(type, !role.storage.config.onAws))
    .filter((shape) => intersects(pattern, shape, budget))
    .flatMap((shape) => matchClasses(globs, shape, budget))
    .filter(({ matched }) => matched[0] === 0)
    .map(({ text }) => text);
}

function isPlain(glob: Glob): boolean {
  return !glob.some((token) => typeof token === "object");
}

/** The values of a key that some statements tell apart; undefined for none. */
function valuesOf(
  statements: readonly ParsedStatement[],
  name: string,
  budget: Budget,
): (string | undefined)[] {
  const globs = statements.flatMap(({ tests }) =>
    tests.flatMap((test) =>
      test.name === name ? test.wanted.flatMap(({ glob }) => (glob ? [glob] : [])) : [],
    ),
  );
  return [undefined, ...matchClasses(globs, ANY_SHAPE, budget).map(({ text }) => text)];
}

function isAbout({ actions }: ParsedStatement, action: string, budget: Budget): boolean {
  const name = lowerCase(action);
  return actions.globs.some((glob) => matches(glob, name, budget)) !== actions.not;
}

/** The contexts of requests for an action on a resource, beside what is always known. */
function contextsOf(
  role: Role,
  action: string,
  resource: string,
  about: readonly ParsedStatement[],
): ReadonlyMap<string, readonly string[]>[] {
  const known = knownContext(role.storage);
  const vary = (name: string, values: readonly (string | undefined)[]) =>
    [...new Set(values)].map((value) =>
      new Map(known).set(name, value === undefined ? [] : [value]),
    );
  if (/^s3:ListBucket(?:Versions)?$/.test(action)) {
    return vary(PREFIX, valuesOf(about, PREFIX, role.budget));
  }
  if (action.startsWith("kms:")) {
    const key = role.storage.config.keys.find(({ arn }) => arn === resource);
    const through = key && role.storage.config.onAws ? s3ViaService(key) : undefined;
    return vary(VIA_SERVICE, [through, ...valuesOf(about, VIA_SERVICE, role.budget)]);
  }
  return [known];
}

function requestOf(
  role: Role,
  action: string,
  resource: string,
  context: ReadonlyMap<string, readonly string[]>,
): ParsedRequest {
  return {
    action: lowerCase(action),
    resource,
    context,
    principal: role.storage.fields.roleArn ?? undefined,
    partial: true,
  };
}

const SHOWN: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  [PREFIX, "s3:prefix"],
  [VIA_SERVICE, "kms:ViaService"],
  ["aws:securetransport", "aws:SecureTransport"],
  ["aws:requestedregion", "aws:RequestedRegion"],
]);

/** A request as callers write it, with the context that it was asked in. */
function shown(action: string, request: ParsedRequest): AccessRequest {
  const context: Record<string, string> = {};
  for (const [name, [value]] of request.context) {
    const key = SHOWN.get(name);
    if (key !== undefined && value !== undefined) context[key] = value;
  }
  return { action, resource: request.resource, context };
}

/** One row for each statement that is needed and each of its actions. */
function missingAccess(role: Role, unknown: Map<string, UnknownAccess>): MissingAccess[] {
  const have = [
    ...role.layers.flatMap(({ statements }) => statements),
    ...(role.keyPolicies ?? []).flat(),
  ];
  const missing: MissingAccess[] = [];
  for (const statement of role.need) {
    if (statement.effect !== "Allow" || statement.resources === undefined) continue;
    const { globs, written } = statement.resources;
    for (const action of statement.actions.written) {
      const about = have.filter((one) => isAbout(one, action, role.budget));
      const others = about.flatMap(({ resources }) => resources?.globs ?? []);
      const failing: string[] = [];
      let first: { readonly request: AccessRequest; readonly verdict: Verdict } | undefined;
      globs.forEach((glob, i) => {
        let fails = false;
        for (const resource of resourcesOf(role, action, glob, others)) {
          for (const context of contextsOf(role, action, resource, [statement, ...about])) {
            const request = requestOf(role, action, resource, context);
            if (decideParsed([statement], request, role.budget).decision !== "allowed") continue;
            const verdict = decideAll(role, request);
            if (verdict.decision === "allowed") continue;
            const asked = shown(action, request);
            if (verdict.decision === "unknown") {
              for (const key of verdict.keys) {
                const name = lowerCase(key);
                if (!unknown.has(name)) unknown.set(name, { key, request: asked });
              }
              continue;
            }
            fails = true;
            first ??= { request: asked, verdict };
          }
        }
        if (fails) failing.push(written[i] ?? "");
      });
      if (first !== undefined) missing.push(missingRow(role, statement, action, failing, first));
    }
  }
  return missing;
}

function missingRow(
  role: Role,
  needed: ParsedStatement,
  action: string,
  resources: readonly string[],
  { request, verdict }: { readonly request: AccessRequest; readonly verdict: Verdict },
): MissingAccess {
  const [resource = ""] = resources;
  const Condition: Record<string, Record<string, string | readonly string[]>> = {};
  for (const { operator, key, written } of needed.tests) {
    const [only = ""] = written;
    Condition[operator] = { ...Condition[operator], [key]: written.length === 1 ? only : written };
  }
  const ofRole: Statement = {
    Effect: "Allow",
    Action: action,
    Resource: resources.length === 1 ? resource : resources,
    ...(needed.tests.length > 0 && { Condition }),
  };
  const ofKey =
    verdict.where === "keyPolicies"
      ? keyPolicyStatements(role.storage.fields).find((one) => one.Resource === resource)
      : undefined;
  const accesses = ACTIONS.filter((row) => row.action === action).flatMap(({ access }) => access);
  const purpose = [...new Set(accesses)].join(", ");
  const layer = {
    policies: "The role's policies do",
    boundary: "The boundary does",
    keyPolicies: "The key's policy does",
    trust: "The trust policy does",
  }[verdict.where];
  const why =
    verdict.decision === "explicitlyDenied"
      ? `A Deny statement takes away ${action}, which sessions need to ${purpose}. Remove or narrow that statement.`
      : `${layer} not allow ${action}, which sessions need to ${purpose}.`;
  return { request, statement: ofKey ?? ofRole, where: verdict.where, why };
}

/** Whether the trust policy lets the catalog server assume the role, as far as it is known who that is. */
function missingTrust({ storage, trust, budget }: Role): MissingAccess[] {
  const { roleArn, externalId, userArn } = storage.fields;
  if (trust === undefined || !roleArn) return [];
  const context = new Map([["sts:externalid", externalId ? [externalId] : []]]);
  const principal = userArn ?? undefined;
  const action = "sts:AssumeRole";
  const request = {
    action: lowerCase(action),
    resource: roleArn,
    context,
    principal,
    partial: true,
  };
  const { decision } = decideParsed(trust, request, budget);
  if (decision === "allowed" || decision === "unknown") return [];
  return [
    {
      request: { action, resource: roleArn, ...(userArn ? { principal: userArn } : {}) },
      statement: {
        Effect: "Allow",
        Principal: { AWS: userArn ?? "CATALOG_SERVER_ARN" },
        Action: action,
        ...(externalId && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
      },
      where: "trust",
      why: "The trust policy does not let the catalog server assume the role with the external id of the storage configuration. trustPolicy makes one that does.",
    },
  ];
}

/** The rows of the role's Allow statements that go beyond what sessions need. */
function excessAccess(role: Role): ExcessAccess[] {
  const excess: ExcessAccess[] = [];
  const otherActions = new Set<string>();
  let firstOther: { readonly policy: number; readonly statement: number } | undefined;
  role.policies.forEach((statements, policy) => {
    for (const row of rowsOf(statements, role.budget)) {
      const statement = statements[row.statement];
      if (statement === undefined || row.effect !== "Allow") continue;
      const others = row.actions.filter((action) => !/^(?:s3|kms):/i.test(action));
      for (const action of others) otherActions.add(action);
      if (others.length > 0) firstOther ??= { policy, statement: row.statement };
      const actions = excessActions(role, statement, row);
      if (actions.length > 0) excess.push({ ...row, policy, actions });
    }
  });
  if (firstOther !== undefined) {
    excess.push({
      ...firstOther,
      effect: "Allow",
      actions: [...otherActions],
      resource: "*",
      condition: "",
      otherServices: otherActions.size,
    });
  }
  return excess;
}

/** The actions of a row, as written, with which it allows something that no session needs. */
function excessActions(role: Role, statement: ParsedStatement, row: AccessRow): string[] {
  const { budget } = role;
  const index =
    statement.resources?.not === false ? statement.resources.written.indexOf(row.resource) : -1;
  const pattern: Glob = statement.resources?.globs[index] ?? [0];
  const exceeds = (name: string): boolean => {
    const needed = role.need.filter((one) => isAbout(one, name, budget));
    const have = role.layers.flatMap(({ statements }) => statements);
    const about = [...needed, ...have.filter((one) => isAbout(one, name, budget))];
    const others = about.flatMap(({ resources }) => resources?.globs ?? []);
    return resourcesOf(role, name, pattern, others).some((resource) =>
      contextsOf(role, name, resource, about).some((context) => {
        const request = requestOf(role, name, resource, context);
        if (decideParsed(needed, request, budget).decision === "allowed") return false;
        const own = decideParsed([statement], request, budget).decision;
        if (own !== "allowed" && own !== "unknown") return false;
        return !decideAll(role, request).decision.endsWith("Denied");
      }),
    );
  };
  const known = new Map<string, boolean>();
  const exceedsOnce = (name: string) => {
    const found = known.get(name) ?? exceeds(name);
    known.set(name, found);
    return found;
  };
  const names = [...knownActions()]
    .map(({ name }) => name)
    .filter((name) => /^(?:s3|kms):/.test(name));
  if (statement.actions.not) {
    return names.some((name) => isAbout(statement, name, budget) && exceedsOnce(name)) ? ["*"] : [];
  }
  return row.actions.filter((written) => {
    const i = statement.actions.written.indexOf(written);
    const glob = statement.actions.globs[i] ?? [];
    const exact = knownAction(written);
    const matching =
      exact === undefined
        ? names.filter((name) => matches(glob, lowerCase(name), budget))
        : [exact.name];
    return matching.some((name) => /^(?:s3|kms):/.test(name) && exceedsOnce(name));
  });
}
