/**
 * Finds what a role lacks for its sessions, and what it allows beyond their needs.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { knownActions, shapesOf, typesOf } from "../analysis/actions.ts";
import { type Budget, spend } from "../analysis/budget.ts";
import { decideParsed, type ParsedRequest, parseRequest } from "../analysis/decide.ts";
import {
  ANY_SHAPE,
  ANY_TEXT,
  type Glob,
  intersects,
  lowerCase,
  matchClasses,
  matches,
  type Shape,
} from "../analysis/glob.ts";
import { type AccessRow, rowsOf } from "../analysis/list-access.ts";
import { getOrInsertComputed } from "../analysis/memo.ts";
import type { AccessRequest, ParsedStatement } from "../analysis/policy-document.ts";
import { s3ViaService } from "../arn.ts";
import type { Statement } from "../policy.ts";
import { TAG_FIELDS } from "../session-name.ts";
import { keyPolicyStatements } from "./key-policy.ts";
import {
  decideByLayers,
  isDenied,
  type Role,
  type RoleSetup,
  readRole,
  type Verdict,
  type Where,
} from "./role.ts";
import type { ReadStorage } from "./storage.ts";
import { trustStatements } from "./trust-policy.ts";

/** What a session may need and does not get. */
export interface MissingAccess {
  /** A request that fails. */
  readonly request: AccessRequest;
  /** The statement to add. If a Deny takes the access away, the Deny must go too: `why` says so. */
  readonly statement: object;
  /** Where the access is missing. */
  readonly where: Where;
  readonly why: string;
}

/** What the role allows beyond what sessions need, as a row of `listAccess`. */
export interface ExcessAccess extends AccessRow {
  /** The index of the row's policy. */
  readonly policy: number;
  /** How many actions of services other than S3 and KMS there are, as written. One row counts them. */
  readonly otherServices?: number;
}

/** A request that depends on a condition key with an unknown value. */
export interface UnknownAccess {
  /** The condition key, as the policy writes it. */
  readonly key: string;
  /** A request that the key's value decides. */
  readonly request: AccessRequest;
}

/** What an audit found. */
export interface RoleAudit {
  readonly missing: readonly MissingAccess[];
  readonly excess: readonly ExcessAccess[];
  readonly unknown: readonly UnknownAccess[];
}

/**
 * Audits the role that sessions assume: what they may need and the role does not allow, what it allows
 * beyond that, and what depends on condition keys with unknown values, for example `aws:SourceVpce`.
 *
 * The requests have the condition keys whose values are known: TLS (except with an http endpoint), the
 * region, the role as principal, and S3 as the caller of KMS. Sessions need what `rolePolicy` allows.
 *
 * @param setup see {@link RoleSetup}.
 * @throws SessionPolicyError as `rolePolicy` does. `UNSUPPORTED_POLICY` for policies that IAM would not
 *   accept, and if the audit takes more than 60,000,000 steps (a second or two). `INVALID_OPTIONS` if a
 *   list of key policies does not say which policy belongs to which key.
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
  const missing = [...missingAccess(role, unknown), ...missingTrust(role, unknown)];
  return { missing, excess: excessAccess(role), unknown: [...unknown.values()] };
}

/** The condition keys whose values the audit varies. */
const PREFIX = "s3:prefix";
const VIA_SERVICE = "kms:viaservice";

/** Returns the context that every request of a session has. */
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

/** Returns examples of the resources that a pattern matches, one for each set of statements. */
function resourcesOf(
  role: Role,
  action: string,
  pattern: Glob,
  about: readonly ParsedStatement[],
): string[] {
  const { budget } = role;
  // Many statements name the same resource.
  const others = new Map<string, Glob>();
  for (const { resources } of about) {
    resources?.globs.forEach((glob, i) => {
      if (isPlain(glob)) others.set(resources.written[i] ?? "", glob);
    });
  }
  const globs = [pattern, ...others.values()];
  return shapesNear(role, action, pattern)
    .flatMap((shape) => matchClasses(globs, shape, budget))
    .filter(({ matched }) => matched[0] === 0)
    .map(({ text }) => text);
}

/** The forms of an action's resources that a pattern matches some of. */
function shapesNear({ storage, budget }: Role, action: string, pattern: Glob): Shape[] {
  return typesOf(action)
    .flatMap((type) => shapesOf(type, !storage.config.onAws))
    .filter((shape) => intersects(pattern, shape, budget));
}

function isPlain(glob: Glob): boolean {
  return !glob.some((token) => typeof token === "object");
}

/** Returns examples of the values of a key that statements distinguish; undefined for no value. */
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

/** What a pattern begins with, and so every resource that matches it. */
function beginningOf(pattern: string): string {
  return /^[^*?$]*/.exec(pattern)?.[0] ?? "";
}

/**
 * Leaves out the statements, and of the others the resources, that are not about anything that a
 * pattern matches. A role may name thousands of resources, and an audit asks about each.
 */
function near(
  { beginnings, budget }: Role,
  statements: readonly ParsedStatement[],
  pattern: string,
): ParsedStatement[] {
  const beginning = beginningOf(pattern);
  return statements.flatMap((statement) => {
    const { resources } = statement;
    spend(budget, 1);
    if (resources === undefined || resources.not) return [statement];
    const known = getOrInsertComputed(beginnings, resources, () =>
      resources.written.map(beginningOf),
    );
    spend(budget, known.length);
    const isNear = known.map((one) => one.startsWith(beginning) || beginning.startsWith(one));
    if (!isNear.includes(true)) return [];
    const globs = resources.globs.filter((_, i) => isNear[i]);
    const written = resources.written.filter((_, i) => isNear[i]);
    return [{ ...statement, resources: { ...resources, globs, written } }];
  });
}

/** A role as far as its statements are about what a pattern matches. */
function roleNear(role: Role, pattern: string): Role {
  return {
    ...role,
    need: near(role, role.need, pattern),
    layers: role.layers.map(({ where, statements }) => ({
      where,
      statements: near(role, statements, pattern),
    })),
  };
}

/** The statements of a role's layers that are about an action. */
function aboutAction({ layers, budget }: Role, action: string): ParsedStatement[] {
  return layers
    .flatMap(({ statements }) => statements)
    .filter((statement) => isAbout(statement, action, budget));
}

/** Returns the contexts to try for an action on a resource. */
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

/** Returns a request as callers write it, with its context. */
function shown(action: string, request: ParsedRequest): AccessRequest {
  const context: Record<string, string> = {};
  for (const [name, [value]] of request.context) {
    const key = SHOWN.get(name);
    if (key !== undefined && value !== undefined) context[key] = value;
  }
  return { action, resource: request.resource, context };
}

/** The denied requests of one layer, one needed statement and one of its actions. */
interface Lack {
  readonly request: AccessRequest;
  readonly verdict: Verdict;
  /** The patterns of the needed statement that the requests match. */
  readonly resources: Set<string>;
}

/** Returns a row for each needed statement, each of its actions, and each layer that denies it. */
function missingAccess(role: Role, unknown: Map<string, UnknownAccess>): MissingAccess[] {
  return role.need.flatMap((statement) =>
    statement.actions.written.flatMap((action) =>
      [...lacksOf(role, statement, action, unknown).values()].map((lack) =>
        missingRow(role, statement, action, lack),
      ),
    ),
  );
}

/** Returns what the layers deny of a needed statement's action, by layer, and for key policies by key. */
function lacksOf(
  role: Role,
  statement: ParsedStatement,
  action: string,
  unknown: Map<string, UnknownAccess>,
): ReadonlyMap<string, Lack> {
  const lacks = new Map<string, Lack>();
  if (statement.effect !== "Allow" || statement.resources === undefined) return lacks;
  const { globs, written } = statement.resources;
  const ofKeys = (role.keyPolicies ?? []).flatMap(({ statements }) => statements);
  const requests = globs.flatMap((glob, i) => {
    const pattern = written[i] ?? "";
    const here = roleNear(role, pattern);
    const about = [
      ...aboutAction(here, action),
      ...near(role, ofKeys, pattern).filter((one) => isAbout(one, action, role.budget)),
    ];
    return resourcesOf(role, action, glob, about).flatMap((resource) =>
      contextsOf(role, action, resource, [statement, ...about]).map((context) => ({
        pattern,
        here,
        request: requestOf(role, action, resource, context),
      })),
    );
  });
  for (const { pattern, here, request } of requests) {
    if (decideParsed([statement], request, role.budget).decision !== "allowed") continue;
    const verdicts = decideByLayers(here, request);
    const denying = verdicts.filter(isDenied);
    for (const verdict of denying) {
      const id = verdict.where === "keyPolicies" ? pattern : verdict.where;
      const lack = lacks.get(id) ?? {
        request: shown(action, request),
        verdict,
        resources: new Set(),
      };
      lack.resources.add(pattern);
      lacks.set(id, lack);
    }
    if (denying.length > 0) continue;
    const keys = verdicts.flatMap(({ keys }) => keys);
    note(unknown, keys, shown(action, request));
  }
  return lacks;
}

function missingRow(
  role: Role,
  needed: ParsedStatement,
  action: string,
  { request, verdict, resources }: Lack,
): MissingAccess {
  const { where } = verdict;
  const [resource = "", ...more] = resources;
  const Condition: Record<string, Record<string, string | readonly string[]>> = {};
  for (const { operator, key, written } of needed.tests) {
    const [only = ""] = written;
    Condition[operator] = { ...Condition[operator], [key]: written.length === 1 ? only : written };
  }
  const ofRole: Statement = {
    Effect: "Allow",
    Action: action,
    Resource: more.length === 0 ? resource : [resource, ...more],
    ...(needed.tests.length > 0 && { Condition }),
  };
  const ofKey =
    where === "keyPolicies"
      ? keyPolicyStatements(role.storage.fields).find((one) => one.Resource === resource)
      : undefined;
  const accesses = ACTIONS.filter((row) => row.action === action).flatMap(({ access }) => access);
  const purpose = [...new Set(accesses)].join(", ");
  const layer = {
    policies: "The role's policies do",
    boundary: "The boundary does",
    keyPolicies: "The key's policy does",
    trust: "The trust policy does",
  }[where];
  const why =
    verdict.decision === "explicitlyDenied"
      ? `A Deny statement takes away ${action}, which sessions need to ${purpose}. Remove or narrow that statement.`
      : `${layer} not allow ${action}, which sessions need to ${purpose}.`;
  const statement = ofKey === undefined ? ofRole : { ...ofKey, Action: action };
  return { request, statement, where, why };
}

/** Returns what the trust policy lacks, as far as the caller's identity is known. */
function missingTrust(role: Role, unknown: Map<string, UnknownAccess>): MissingAccess[] {
  const { storage, trust, tags, budget } = role;
  const { roleArn, externalId, userArn } = storage.fields;
  if (trust === undefined || !roleArn) return [];
  const { assume, tag } = trustStatements(userArn ?? "CATALOG_SERVER_ARN", externalId || undefined);
  const asked: { action: string; statement: object; context: Record<string, string[]> }[] = [
    {
      action: "sts:AssumeRole",
      statement: assume,
      context: { "sts:ExternalId": externalId ? [externalId] : [] },
    },
  ];
  if (tags) {
    const keys = TAG_FIELDS.map((field) => `polaris:${field}`);
    const context = { "aws:TagKeys": keys, "sts:TransitiveTagKeys": keys };
    asked.push({ action: "sts:TagSession", statement: tag, context });
  }
  // Whoever the catalog server is, it is no service of AWS and no identity provider.
  const trusting = trust.filter(
    ({ principals }) => principals?.not !== false || !principals.names.every(isServiceOrProvider),
  );
  return asked.flatMap(({ action, statement, context }): MissingAccess[] => {
    const request = {
      action,
      resource: roleArn,
      context,
      ...(userArn == null ? {} : { principal: userArn }),
    };
    const known = { ...request, context: { ...contextOfPrincipal(userArn), ...context } };
    const verdict = decideParsed(trusting, { ...parseRequest(known), partial: true }, budget);
    if (verdict.decision === "allowed") return [];
    if (verdict.decision === "unknown") {
      // Without a principal it is unknown who asks, so that key is not reported.
      const hidden = userArn == null ? "aws:principalarn" : undefined;
      note(
        unknown,
        verdict.keys.filter((key) => lowerCase(key) !== hidden),
        request,
      );
      return [];
    }
    const what =
      action === "sts:TagSession"
        ? "tag its sessions"
        : `assume the role ${externalId ? "with the external id of the storage configuration" : "without an external id"}`;
    const why =
      verdict.decision === "explicitlyDenied"
        ? `A Deny statement of the trust policy takes away ${action}. Remove or narrow that statement.`
        : `The trust policy does not let the catalog server ${what}.`;
    return [{ request, statement, where: "trust", why }];
  });
}

function isServiceOrProvider(name: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)+$|^arn:[^:]*:iam::[^:]*:(?:oidc|saml)-provider\//.test(name);
}

/** The condition keys that the ARN of a role or user tells. */
function contextOfPrincipal(arn: string | null | undefined): Record<string, string> {
  const [, account] = /^arn:[^:]*:iam::(\d{12}):(?:role|user)\//.exec(arn ?? "") ?? [];
  if (arn == null || account === undefined) return {};
  return { "aws:PrincipalArn": arn, "aws:PrincipalAccount": account };
}

/** Notes the keys that an answer depends on, each with the first request. */
function note(
  unknown: Map<string, UnknownAccess>,
  keys: readonly string[],
  request: AccessRequest,
): void {
  for (const key of keys) {
    const name = lowerCase(key);
    if (!unknown.has(name)) unknown.set(name, { key, request });
  }
}

/** Returns the rows of the role's Allow statements that go beyond what sessions need. */
function excessAccess(role: Role): ExcessAccess[] {
  const excess: ExcessAccess[] = [];
  const otherActions = new Set<string>();
  let firstOther: { readonly policy: number; readonly statement: number } | undefined;
  const askedOf = askedNear(role);
  const namesOf = namesMatching(role.budget);
  role.policies.forEach((statements, policy) => {
    for (const row of rowsOf(statements, role.budget)) {
      const statement = statements[row.statement];
      if (statement === undefined || row.effect !== "Allow") continue;
      const others = row.actions.filter((action) => !/^(?:s3|kms):/i.test(action));
      for (const action of others) otherActions.add(action);
      if (others.length > 0) firstOther ??= { policy, statement: row.statement };
      const actions = excessActions(role, statement, row, askedOf, namesOf);
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

/** The requests for an action on what a pattern matches, and the role as far as it is about them. */
interface Asked {
  readonly here: Role;
  readonly requests: readonly ParsedRequest[];
}

/** A function to the requests for an action on a pattern, made once, as many rows are of one bucket. */
function askedNear(role: Role): (action: string, written: string, pattern: Glob) => Asked {
  const roles = new Map<string, Role>();
  const known = new Map<string, Asked>();
  return (action, written, pattern) =>
    getOrInsertComputed(known, `${action} ${written}`, () => {
      if (shapesNear(role, action, pattern).length === 0) return { here: role, requests: [] };
      const here = getOrInsertComputed(roles, written, () => roleNear(role, written));
      const needed = here.need.filter((one) => isAbout(one, action, role.budget));
      const about = [...needed, ...aboutAction(here, action)];
      const requests = resourcesOf(role, action, pattern, about).flatMap((resource) =>
        contextsOf(role, action, resource, about).map((context) =>
          requestOf(role, action, resource, context),
        ),
      );
      return { here, requests };
    });
}

/** Returns the actions of a row, as written, that allow something that no session needs. */
function excessActions(
  role: Role,
  statement: ParsedStatement,
  row: AccessRow,
  askedOf: ReturnType<typeof askedNear>,
  namesOf: ReturnType<typeof namesMatching>,
): string[] {
  const { budget } = role;
  const index =
    statement.resources?.not === false ? statement.resources.written.indexOf(row.resource) : -1;
  // A variable may have any value.
  const pattern: Glob = (statement.resources?.globs[index] ?? [ANY_TEXT]).map((token) =>
    typeof token === "object" ? ANY_TEXT : token,
  );
  // All requests are about resources of the row's pattern.
  const own = index < 0 ? statement : { ...statement, resources: undefined };
  const exceeds = (name: string): boolean => {
    const { here, requests } = askedOf(name, row.resource, pattern);
    return requests.some((request) => {
      const { decision } = decideParsed([own], request, budget);
      if (decision !== "allowed" && decision !== "unknown") return false;
      if (decideParsed(here.need, request, budget).decision === "allowed") return false;
      return !decideByLayers(here, request).some(isDenied);
    });
  };
  const known = new Map<string, boolean>();
  const exceedsOnce = (name: string) => getOrInsertComputed(known, name, () => exceeds(name));
  if (statement.actions.not) {
    return knownNames().some((name) => isAbout(statement, name, budget) && exceedsOnce(name))
      ? ["*"]
      : [];
  }
  return row.actions.filter((written) => {
    const i = statement.actions.written.indexOf(written);
    return namesOf(written, statement.actions.globs[i] ?? []).some(exceedsOnce);
  });
}

/** The actions of S3 and KMS. */
function knownNames(): string[] {
  return [...knownActions()].flatMap(({ name, lower }) =>
    /^(?:s3|kms):/.test(lower) ? [name] : [],
  );
}

/** A function to the actions of S3 and KMS that a pattern matches, looked for once. */
function namesMatching(budget: Budget): (written: string, glob: Glob) => readonly string[] {
  const names = knownNames();
  const known = new Map<string, readonly string[]>();
  return (written, glob) =>
    getOrInsertComputed(known, written, () =>
      names.filter((name) => matches(glob, lowerCase(name), budget)),
    );
}
