/**
 * Least privilege as named properties, for any function with the signature of `buildSessionPolicy`.
 * @module
 */
import fc, { type Arbitrary } from "fast-check";
import { isAllowed } from "../analysis/decide.ts";
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import { type PolicyDocument, serializePolicy } from "../policy.ts";
import { buildSessionPolicy } from "../session-policy.ts";
import {
  locationsArbitrary,
  namesOfSession,
  requestsBeside,
  storageConfigArbitrary,
} from "./arbitraries.ts";
import {
  accesses,
  isAskedFor,
  placesOf,
  type Session,
  type SessionPolicyGenerator,
} from "./model.ts";

/** How often to run a property, and from which seed. */
export interface PropertyParameters {
  /** Sessions to try. Default 1,000. */
  readonly numRuns?: number | undefined;
  /** The seed of an earlier run, to repeat it. */
  readonly seed?: number | undefined;
}

/** A promise that a policy generator keeps, and how to check it. */
export interface LeastPrivilegeProperty {
  /** Stable, in kebab case. */
  readonly name: string;
  /** What is promised, in a sentence. */
  readonly statement: string;
  /** Throws fast-check's report, with the smallest session that breaks the promise. */
  readonly check: (generate: SessionPolicyGenerator, parameters?: PropertyParameters) => void;
}

/** Decides whether a policy allows a request. */
export type Judge = (policy: PolicyDocument, request: AccessRequest) => boolean;

type Test = (generate: SessionPolicyGenerator) => fc.IRawProperty<unknown>;

/** The properties, with `allows` for the judge of policies. */
export function propertiesJudgedBy(allows: Judge): readonly LeastPrivilegeProperty[] {
  const property = (name: string, statement: string, test: Test): LeastPrivilegeProperty => ({
    name,
    statement,
    check: (generate, { numRuns = 1000, seed } = {}) => {
      const includeErrorInReport = true;
      fc.assert(test(generate), {
        numRuns,
        includeErrorInReport,
        ...(seed === undefined ? {} : { seed }),
      });
    },
  });
  return [
    property(
      "only-what-was-asked",
      "Every request that the policy allows was asked for.",
      (generate) =>
        fc.property(sessionsWithRequests, ([session, requests]) => {
          const policy = run(generate, session);
          for (const request of requests) {
            if (!allows(policy, request) || isAskedFor(session, request)) continue;
            throw new Error(`allowed, but not asked for: ${JSON.stringify(request)}`);
          }
        }),
    ),
    property("all-that-was-asked", "Every request that was asked for is allowed.", (generate) =>
      fc.property(sessionsWithRequests, ([session, requests]) => {
        const policy = run(generate, session);
        for (const request of requests) {
          if (!isAskedFor(session, request) || allows(policy, request)) continue;
          throw new Error(`asked for, but not allowed: ${JSON.stringify(request)}`);
        }
      }),
    ),
    property(
      "closed-vocabulary",
      'Actions are spelled out; there is no Resource "*" but in a sole Deny of everything; no NotAction, NotResource or other element.',
      (generate) =>
        fc.property(sessions, (session) => {
          const { Version, Statement, ...others } = run(generate, session);
          assertThat(Version === "2012-10-17", "Version is 2012-10-17");
          assertThat(Object.keys(others).length === 0, "a policy has Version and Statement only");
          assertThat(Statement.length > 0, "there is a statement");
          for (const statement of Statement) {
            const { Effect, Action, Resource, Condition, ...rest } = statement;
            assertThat(Object.keys(rest).length === 0, "no element but the usual four");
            const denyAll = Effect === "Deny" && Action === "*" && Resource === "*";
            if (denyAll && Condition === undefined && Statement.length === 1) continue;
            assertThat(Effect === "Allow", "every other statement allows");
            assertThat(
              values(Action).every((a) => VOCABULARY.has(a)),
              "actions are known ones",
            );
            assertThat(values(Resource).length > 0, "there is a resource");
            for (const resource of values(Resource)) {
              assertThat(
                /^arn:[^*?]*$/.test(resource.replace(/\$\{[*?$]\}|\/\*$/g, "")),
                `${resource} names one place`,
              );
            }
            for (const [operator, block] of Object.entries(Condition ?? {})) {
              for (const key of Object.keys(block)) {
                assertThat(CONDITIONS.has(`${operator} ${key}`), "conditions are known ones");
              }
            }
          }
        }),
    ),
    property(
      "no-write-without-write",
      "Without a write location there is no action that writes or encrypts; without a delete location none that deletes.",
      (generate) =>
        fc.property(sessions, fc.constantFrom("write", "delete"), (session, access) => {
          const { [access]: _, ...locations } = session.locations;
          const actions = actionsOf(run(generate, { ...session, locations }));
          const forbidden = access === "write" ? WRITES : DELETES;
          for (const action of actions)
            assertThat(!forbidden.has(action), `${action} is not granted`);
        }),
    ),
    property(
      "kms-only-on-configured-keys",
      "KMS actions name configured keys only, and those that encrypt the current key only.",
      (generate) =>
        fc.property(sessions, (session) => {
          const { currentKmsKey, allowedKmsKeys } = session.storageConfig;
          for (const { Action, Resource } of run(generate, session).Statement) {
            const kms = values(Action).filter((action) => action.startsWith("kms:"));
            if (kms.length === 0) continue;
            for (const key of values(Resource)) {
              const isConfigured = key === currentKmsKey || allowedKmsKeys?.includes(key) === true;
              assertThat(isConfigured, `${key} is configured`);
              if (!kms.some((action) => WRITES.has(action))) continue;
              assertThat(key === currentKmsKey, `${key} is not for encryption`);
            }
          }
        }),
    ),
    property(
      "no-data-no-kms",
      "A session that neither reads nor writes, or whose store has no KMS, gets no KMS action.",
      (generate) =>
        fc.property(sessions, fc.boolean(), (session, noKms) => {
          const { read: _, write: __, ...rest } = session.locations;
          const policy = run(
            generate,
            noKms
              ? { ...session, storageConfig: { ...session.storageConfig, kmsUnavailable: true } }
              : { ...session, locations: rest },
          );
          const kms = actionsOf(policy).filter((action) => action.startsWith("kms:"));
          assertThat(kms.length === 0, "there is no KMS action");
        }),
    ),
    property(
      "never-broader-than-polaris",
      "Whatever is allowed, the Apache Polaris server would allow too; but for the root of a bucket, which Polaris does not list.",
      (generate) =>
        fc.property(sessionsWithRequests, ([{ options: _, ...session }, requests]) => {
          const policy = run(generate, session);
          const polaris = run(buildSessionPolicy, { ...session, options: { profile: "polaris" } });
          const roots = placesOf(session, "list").filter(({ prefix }) => prefix === "");
          for (const request of requests) {
            if (!allows(policy, request) || allows(polaris, request)) continue;
            const isRoot = roots.some(({ bucket }) => request.resource.endsWith(`:::${bucket}`));
            if (request.action === "s3:ListBucket" && isRoot) continue;
            throw new Error(`broader than Polaris: ${JSON.stringify(request)}`);
          }
        }),
    ),
    property(
      "special-characters-stay-literal",
      "The characters * ? $ { } in a location stand for themselves, and nothing else may stand in their place.",
      (generate) =>
        fc.property(specialSessions, ([session, instead]) => {
          const policy = run(generate, session);
          for (const access of accesses) {
            for (const { bucket, prefix } of placesOf(session, access)) {
              const other = prefix.replace(/\$\{[^}]*\}|[*?$]/g, instead);
              if (other === prefix) continue;
              const s3 = "arn:aws:s3:::";
              const requests: AccessRequest[] = [
                { action: "s3:GetObject", resource: `${s3}${bucket}/${other}x` },
                { action: "s3:PutObject", resource: `${s3}${bucket}/${other}x` },
                { action: "s3:DeleteObject", resource: `${s3}${bucket}/${other}x` },
                { action: "s3:ListBucket", resource: s3 + bucket, context: { "s3:prefix": other } },
              ];
              for (const request of requests) {
                if (isAskedFor(session, request)) continue;
                assertThat(!allows(policy, request), `not widened to ${JSON.stringify(request)}`);
              }
            }
          }
        }),
    ),
    property(
      "monotone",
      "One more location takes no access away, and one key less adds none.",
      (generate) =>
        fc.property(sessionsWithRequests, changes, ([session, requests], { access, isCurrent }) => {
          const { storageConfig, locations } = session;
          const list = [...(locations[access] ?? [])];
          const fewer = { ...session, locations: { ...locations, [access]: list.slice(1) } };
          const { currentKmsKey: _, ...withoutCurrent } = storageConfig;
          const allowedKmsKeys = storageConfig.allowedKmsKeys?.slice(1) ?? [];
          const keyless = {
            ...session,
            storageConfig: isCurrent ? withoutCurrent : { ...storageConfig, allowedKmsKeys },
          };
          const policy = run(generate, session);
          for (const smaller of [run(generate, fewer), run(generate, keyless)]) {
            for (const request of requests) {
              const lost = allows(smaller, request) && !allows(policy, request);
              assertThat(!lost, `still allowed: ${JSON.stringify(request)}`);
            }
          }
        }),
    ),
    property(
      "canonical",
      "Order, repetition, a trailing slash and the spelling of the scheme leave the serialized policy as it is.",
      (generate) =>
        fc.property(sessions, (session) => {
          const respell = (uri: string) =>
            uri.replace(/^s3[an]?:/, "s3n:") + (uri.endsWith("/") ? "" : "/");
          const locations: Locations = Object.fromEntries(
            Object.entries(session.locations)
              .reverse()
              .map(([access, list]) => {
                const backwards = [...list].reverse();
                return [access, new Set(backwards.flatMap((uri: string) => [uri, respell(uri)]))];
              }),
          );
          const { allowedKmsKeys } = session.storageConfig;
          const storageConfig = {
            ...session.storageConfig,
            ...(allowedKmsKeys ? { allowedKmsKeys: [...allowedKmsKeys].reverse() } : {}),
          };
          const one = serializePolicy(run(generate, session));
          const other = serializePolicy(run(generate, { ...session, storageConfig, locations }));
          assertThat(
            one === other,
            `${one} is what ${Object.keys(locations)} in another spelling gives too: ${other}`,
          );
        }),
    ),
    property(
      "fits-or-throws",
      "A serialized policy has at most maxLength characters, 2,048 unless told, all of U+0020–U+007E; or there is an error.",
      (generate) =>
        fc.property(
          bigSessions,
          fc.option(fc.integer({ min: 1, max: 3000 }), { nil: undefined }),
          (session, max) => {
            const options: SessionPolicyOptions = { maxLength: max };
            let policy: PolicyDocument;
            try {
              policy = generate(session.storageConfig, session.locations, options);
            } catch {
              return;
            }
            const serialized = serializePolicy(policy);
            assertThat(serialized.length <= (max ?? 2048), `${serialized.length} characters`);
            assertThat(/^[\x20-\x7e]*$/.test(serialized), "printable ASCII");
            assertThat(
              JSON.stringify(JSON.parse(serialized)) === JSON.stringify(policy),
              "the same",
            );
          },
        ),
    ),
    property(
      "inputs-untouched",
      "What is passed in, frozen or not, is never changed.",
      (generate) =>
        fc.property(sessions, fc.boolean(), (session, frozen) => {
          const before = JSON.stringify(session);
          run(generate, frozen ? deepFreeze(session) : session);
          assertThat(JSON.stringify(session) === before, "the input is as it was");
        }),
    ),
    property(
      "errors-are-typed",
      "Any JSON value for any argument gives a policy or an error with a code and issues.",
      (generate) =>
        fc.property(fc.tuple(almost(configs), almost(locations), almost(options)), (args) => {
          try {
            // Anything at all may come from JSON.parse; that is what this is about.
            const policy = (generate as (...args: unknown[]) => PolicyDocument)(...args);
            assertThat(policy.Statement.length > 0, "a policy");
          } catch (error) {
            const { code, issues, message } = error as Record<string, unknown>;
            assertThat(typeof code === "string" && /^[A-Z_]+$/.test(code), `a code, not ${error}`);
            assertThat(Array.isArray(issues) && issues.length > 0, "issues");
            assertThat(typeof message === "string" && message !== "", "a message");
          }
        }),
    ),
  ];
}

/**
 * What a least-privilege session policy promises, as data: each property has a name, a sentence, and
 * a check for any function with the signature of `buildSessionPolicy`.
 *
 * @see https://fast-check.dev/docs/introduction/what-is-property-based-testing/
 * @example
 * ```ts
 * import { leastPrivilegeProperties } from "polaris-session-policy/testing";
 *
 * leastPrivilegeProperties.map(({ name }) => name)[0];
 * // "only-what-was-asked"
 * ```
 */
export const leastPrivilegeProperties: readonly LeastPrivilegeProperty[] =
  propertiesJudgedBy(isAllowed);

/** How to run the properties. */
export interface AssertLeastPrivilegeOptions extends PropertyParameters {
  /** Names of the properties to run. Default: all. */
  readonly only?: readonly string[] | undefined;
}

/**
 * Runs the least-privilege properties against a policy generator, and throws at the first that is
 * broken: with its name and sentence, the seed, and the smallest session that breaks it.
 *
 * @param generate a function with the signature of `buildSessionPolicy`.
 * @param options how often, from which seed, and which properties.
 * @throws Error for a broken property, and for a name in `only` that is none.
 * @see https://fast-check.dev/docs/core-blocks/runners/#assert
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { assertLeastPrivilege } from "polaris-session-policy/testing";
 *
 * assertLeastPrivilege(buildSessionPolicy, { numRuns: 50, only: ["canonical", "monotone"] });
 * ```
 */
export function assertLeastPrivilege(
  generate: SessionPolicyGenerator,
  options: AssertLeastPrivilegeOptions = {},
): void {
  const { only, ...parameters } = options;
  for (const name of only ?? []) {
    if (leastPrivilegeProperties.some((property) => property.name === name)) continue;
    throw new Error(`There is no property ${JSON.stringify(name)}: see leastPrivilegeProperties.`);
  }
  for (const { name, statement, check } of leastPrivilegeProperties) {
    if (only !== undefined && !only.includes(name)) continue;
    try {
      check(generate, parameters);
    } catch (error) {
      throw new Error(`${name}: ${statement}\n\n${error instanceof Error ? error.message : error}`);
    }
  }
}

const WRITES: ReadonlySet<string> = new Set([
  "s3:PutObject",
  "s3:AbortMultipartUpload",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
]);
const DELETES: ReadonlySet<string> = new Set(["s3:DeleteObject", "s3:DeleteObjectVersion"]);
const VOCABULARY: ReadonlySet<string> = new Set([
  "s3:GetObject",
  "s3:GetObjectVersion",
  "s3:GetBucketLocation",
  "s3:ListBucket",
  "s3:PutObject",
  "s3:AbortMultipartUpload",
  "s3:DeleteObject",
  "kms:Decrypt",
  "kms:GenerateDataKey",
]);
const CONDITIONS: ReadonlySet<string> = new Set([
  "StringLike s3:prefix",
  "StringEquals kms:ViaService",
]);

const configs = storageConfigArbitrary();
const locations = locationsArbitrary();
const options: Arbitrary<SessionPolicyOptions> = fc.record(
  {
    kmsViaService: fc.constant(false),
    objectVersions: fc.boolean(),
    abortMultipartUploads: fc.boolean(),
  },
  { requiredKeys: [] },
);
const sessions: Arbitrary<Session> = fc.record({ storageConfig: configs, locations, options });
const bigSessions: Arbitrary<Session> = fc.record({
  storageConfig: configs,
  locations: locationsArbitrary({ maxLocations: 12 }),
});
const sessionsWithRequests: Arbitrary<[Session, AccessRequest[]]> = sessions.chain((session) =>
  fc.tuple(
    fc.constant(session),
    fc.array(requestsBeside(namesOfSession(session)), { minLength: 1, maxLength: 25, size: "max" }),
  ),
);
/** Of which access there is one location less, and which key. */
const changes = fc.record({ access: fc.constantFrom(...accesses), isCurrent: fc.boolean() });
const specialSessions = fc.tuple(
  fc.record({
    storageConfig: storageConfigArbitrary({ partitions: ["aws"] }),
    locations: locationsArbitrary({ maxLocations: 4 }),
  }),
  fc.constantFrom("", "x", "xy", "x/y", "AIDAEXAMPLE"),
);

/** A value of the right form, one with a part of the wrong form, or any JSON value. */
function almost(valid: Arbitrary<object>): Arbitrary<unknown> {
  return fc.oneof(
    valid,
    fc.tuple(valid, fc.string(), fc.jsonValue()).map(([object, key, value]) => ({
      ...object,
      [Object.keys(object)[0] ?? key]: value,
    })),
    fc.jsonValue(),
  );
}

/** Lengths are what another property is about. */
function run(generate: SessionPolicyGenerator, session: Session): PolicyDocument {
  return generate(session.storageConfig, session.locations, {
    ...session.options,
    maxLength: Number.POSITIVE_INFINITY,
  });
}

function values(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

function actionsOf(policy: PolicyDocument): string[] {
  return policy.Statement.flatMap(({ Effect, Action }) =>
    Effect === "Allow" ? values(Action) : [],
  );
}

function assertThat(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`broken promise: ${promise}`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null)
    Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
