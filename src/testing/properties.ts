/**
 * Least privilege as named properties, for any function with the signature of `buildSessionPolicy`.
 *
 * A property draws a case, says how to call the generator, and judges the answers. It does not call the
 * generator itself, so the same property serves synchronous and asynchronous generators.
 * @module
 */
import fc, { type Arbitrary } from "fast-check";
import { requestsAllowedBy } from "../analysis/decide.ts";
import type { AccessRequest, PolicyInput } from "../analysis/policy-document.ts";
import { unwrapPolicy } from "../analysis/unwrap.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import { type PolicyDocument, serializePolicy } from "../policy.ts";
import { buildSessionPolicy } from "../session-policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import {
  largeLocations,
  leastPrivilegeOptions,
  locationsArbitrary,
  storageConfigArbitrary,
} from "./arbitraries.ts";
import {
  accesses,
  askedBy,
  keysOf,
  OBJECT_ACTIONS,
  partitionOf,
  placesOf,
  type Session,
} from "./model.ts";
import {
  listOf,
  type NearRequest,
  namesOfBoth,
  nearRequests,
  requestNear,
  requestsAbout,
  requestsNamedBy,
} from "./requests.ts";

/**
 * A function with the signature of `buildSessionPolicy`. It may return the policy as a document, as
 * JSON text, or as an AssumeRole request.
 */
export type SessionPolicyGenerator = (
  storageConfig: AwsStorageConfig,
  locations: Locations,
  options?: SessionPolicyOptions,
) => PolicyInput;

/** A {@link SessionPolicyGenerator} that returns a promise of the policy. */
export type AsyncSessionPolicyGenerator = (
  storageConfig: AwsStorageConfig,
  locations: Locations,
  options?: SessionPolicyOptions,
) => Promise<PolicyInput>;

/** How often to run a property, and on what. */
export interface PropertyParameters {
  /**
   * How many sessions to try. By default 300, or as many as 250 ms allow, but at least one. So all
   * properties together fit into the five seconds that a test runner gives a test.
   */
  readonly numRuns?: number | undefined;
  /** The seed of an earlier run, to repeat it. */
  readonly seed?: number | undefined;
  /** The storage configurations to draw. Default: those of `storageConfigArbitrary()`. */
  readonly storageConfig?: Arbitrary<AwsStorageConfig> | undefined;
  /** The locations to draw. Default: those of `locationsArbitrary()`. */
  readonly locations?: Arbitrary<Locations> | undefined;
  /**
   * The options to draw, without `maxLength`. Default: all options of profile "least-privilege". With
   * `false` the generator gets two arguments, and sessions so small that STS' limit can't matter.
   */
  readonly options?: Arbitrary<SessionPolicyOptions> | false | undefined;
}

/** A promise that a policy generator keeps, and how to check it. */
export interface LeastPrivilegeProperty {
  /** A stable name, in kebab case. */
  readonly name: string;
  /** The promise in words. */
  readonly statement: string;
  /**
   * Throws fast-check's report, with the smallest session that breaks the promise. For a generator
   * that returns promises it returns a promise, which rejects with the report.
   */
  readonly check: {
    (generate: SessionPolicyGenerator, parameters?: PropertyParameters): void;
    (generate: AsyncSessionPolicyGenerator, parameters?: PropertyParameters): Promise<void>;
  };
}

/** Returns a function that tells whether a policy allows a request. */
export type Judge = (policy: PolicyDocument) => (request: AccessRequest) => boolean;

type AnyGenerator = (...args: unknown[]) => unknown;

/** Returns what a generator returned, parsed. It throws what the generator threw. */
type Answer = () => { readonly policy: PolicyDocument; readonly text: string };

interface Draws {
  readonly configs: Arbitrary<AwsStorageConfig>;
  readonly locations: Arbitrary<Locations>;
  /** Undefined for a generator that knows no options. */
  readonly options: Arbitrary<SessionPolicyOptions> | undefined;
  readonly sessions: Arbitrary<Session>;
}

interface Property<Case> {
  readonly name: string;
  readonly statement: string;
  readonly draw: (draws: Draws) => Arbitrary<Case>;
  /** The arguments of each call of the generator. */
  readonly ask: (drawn: Case) => readonly (readonly unknown[])[];
  readonly judge: (drawn: Case, answers: readonly Answer[], allows: Judge) => void;
}

/** Returns the properties, with `allows` as the judge of policies. */
export function propertiesJudgedBy(allows: Judge): readonly LeastPrivilegeProperty[] {
  const of = <Case>({ name, statement, draw, ask, judge }: Property<Case>) => ({
    name,
    statement,
    check: ((generate: AnyGenerator, parameters: PropertyParameters = {}) =>
      run(generate, parameters, draw, ask, (drawn, answers) =>
        judge(drawn, answers, allows),
      )) as LeastPrivilegeProperty["check"],
  });
  return [
    of(onlyWhatWasAsked),
    of(allThatWasAsked),
    of(closedVocabulary),
    of(noWriteWithoutWrite),
    of(kmsOnlyOnConfiguredKeys),
    of(noDataNoKms),
    of(neverBroaderThanPolaris),
    of(specialCharactersStayLiteral),
    of(monotone),
    of(canonical),
    of(fitsOrThrows),
    of(inputsUntouched),
    of(errorsAreTyped),
    of(independentOfOtherSessions),
  ];
}

const onlyWhatWasAsked: Readonly<Property<[Session, NearRequest[]]>> = {
  name: "only-what-was-asked",
  statement: "Every request that the policy allows was asked for.",
  draw: withRequests,
  ask: ([session]) => [call(session)],
  judge: ([session, near], [answer], allows) => {
    const { policy } = answerOf(answer);
    const isAllowedBy = allows(policy);
    const isAsked = askedBy(session);
    for (const request of requestsToTry(session, policy, near)) {
      if (isAsked(request) || !isAllowedBy(request)) continue;
      throw new Error(`allowed, but not asked for: ${JSON.stringify(request)}`);
    }
  },
};

const allThatWasAsked: Readonly<Property<[Session, NearRequest[]]>> = {
  name: "all-that-was-asked",
  statement: "Every request that was asked for is allowed.",
  draw: withRequests,
  ask: ([session]) => [call(session)],
  judge: ([session, near], [answer], allows) => {
    const { policy } = answerOf(answer);
    const isAllowedBy = allows(policy);
    const names = namesOfBoth(session, policy);
    const requests = [...requestsAbout(session), ...near.map((drawn) => requestNear(drawn, names))];
    for (const request of requests.filter(askedBy(session))) {
      if (isAllowedBy(request)) continue;
      throw new Error(`asked for, but not allowed: ${JSON.stringify(request)}`);
    }
  },
};

const closedVocabulary: Readonly<Property<Session>> = {
  name: "closed-vocabulary",
  statement:
    'Actions are spelled out. Only a sole Deny of everything has Resource "*". There is no NotAction, NotResource or other element.',
  draw: ({ sessions }) => sessions,
  ask: (session) => [call(session)],
  judge: (session, [answer]) => {
    const { policy, text } = answerOf(answer);
    const { Version, Statement, ...others } = policy;
    assertThat(
      namesIn(text) === namesIn(JSON.stringify(policy)),
      "no object of the JSON text has a name twice",
    );
    assertThat(Version === "2012-10-17", "Version is 2012-10-17");
    assertThat(Object.keys(others).length === 0, "a policy has Version and Statement only");
    assertThat(Statement.length > 0, "there is a statement");
    for (const statement of Statement) {
      const { Effect, Action, Resource, Condition, ...rest } = statement;
      assertThat(Object.keys(rest).length === 0, "no element but the usual four");
      const denyAll = Effect === "Deny" && Action === "*" && Resource === "*";
      if (denyAll && Condition === undefined && Statement.length === 1) continue;
      assertThat(Effect === "Allow", "every other statement allows");
      for (const action of listOf(Action)) {
        assertThat(isInVocabulary(action, session), "actions are known ones");
      }
      assertThat(listOf(Resource).length > 0, "there is a resource");
      for (const resource of listOf(Resource)) {
        const literal = resource.replace(/\$\{[*?$]\}|\/\*$/g, "");
        assertThat(/^arn:[^*?]*$/.test(literal), `${resource} names one place`);
      }
      for (const [operator, block] of Object.entries(Condition ?? {})) {
        for (const key of Object.keys(block)) {
          assertThat(CONDITIONS.has(`${operator} ${key}`), "conditions are known ones");
        }
      }
    }
  },
};

/** How many names the objects in a JSON text have. */
function namesIn(text: string): number {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon).length;
}

const noWriteWithoutWrite: Readonly<Property<[Session, "write" | "delete"]>> = {
  name: "no-write-without-write",
  statement:
    "Without a write location no action writes or encrypts. Without a delete location no action deletes.",
  draw: ({ sessions }) =>
    fc
      .tuple(sessions, fc.constantFrom("write" as const, "delete" as const))
      .map(([session, access]) => {
        const { [access]: _, ...locations } = session.locations;
        return [{ ...session, locations }, access];
      }),
  ask: ([session]) => [call(session)],
  judge: ([, access], [answer]) => {
    const forbidden = access === "write" ? WRITES : DELETES;
    for (const action of actionsOf(answerOf(answer).policy)) {
      assertThat(!matchesOneOf(action, forbidden), `${action} is not granted`);
    }
  },
};

const kmsOnlyOnConfiguredKeys: Readonly<Property<Session>> = {
  name: "kms-only-on-configured-keys",
  statement:
    "KMS actions name only configured keys. Actions that encrypt name only keys that are configured to encrypt.",
  draw: ({ sessions }) => sessions,
  ask: (session) => [call(session)],
  judge: (session, [answer]) => {
    const keys = new Map(keysOf(session).map(({ arn, encrypts }) => [arn, encrypts]));
    for (const { Effect, Action, Resource } of answerOf(answer).policy.Statement) {
      const kms = listOf(Action).filter((action) => action.toLowerCase().startsWith("kms:"));
      if (Effect !== "Allow" || kms.length === 0) continue;
      for (const key of listOf(Resource)) {
        assertThat(keys.has(key), `${key} is configured`);
        if (!kms.some((action) => matchesOneOf(action, WRITES))) continue;
        assertThat(keys.get(key) === true, `${key} is not for encryption`);
      }
    }
  },
};

const noDataNoKms: Readonly<Property<[Session, boolean]>> = {
  name: "no-data-no-kms",
  statement:
    "A session that neither reads nor writes, or whose store has no KMS, gets no KMS action.",
  draw: ({ sessions }) =>
    fc.tuple(sessions, fc.boolean()).map(([session, noKms]) => {
      const { read: _, write: __, ...locations } = session.locations;
      const storageConfig = { ...session.storageConfig, kmsUnavailable: true };
      return [noKms ? { ...session, storageConfig } : { ...session, locations }, noKms];
    }),
  ask: ([session]) => [call(session)],
  judge: ([, noKms], [answer]) => {
    // A generator that needs KMS may refuse a store without KMS. Then there is no policy.
    const policy = noKms ? policyIfAny(answer) : answerOf(answer).policy;
    const kms = policy === undefined ? [] : actionsOf(policy).filter((a) => /^kms:/i.test(a));
    assertThat(kms.length === 0, "there is no KMS action");
  },
};

const neverBroaderThanPolaris: Readonly<Property<[Session, NearRequest[]]>> = {
  name: "never-broader-than-polaris",
  statement:
    "Apache Polaris allows whatever the policy allows, in the partition that Polaris assumes. Exceptions: to list the root of a bucket, and what an option adds.",
  draw: withRequests,
  ask: ([session]) => [call(session)],
  judge: ([session, near], [answer], allows) => {
    const { policy } = answerOf(answer);
    const polaris = buildSessionPolicy(session.storageConfig, session.locations, {
      profile: "polaris",
      maxLength: Number.POSITIVE_INFINITY,
    });
    // Without a role Polaris assumes aws in every region, and it misreads roles whose path has colons.
    const [, partition] =
      polaris.Statement.flatMap(({ Resource }) => listOf(Resource))
        .find((resource) => resource.includes(":s3:::"))
        ?.match(/^arn:(.*?):s3:::/s) ?? [];
    const [isAllowedHere, isAllowedThere] = [allows(policy), allows(polaris)];
    const { options: _, ...plain } = session;
    const [isAsked, isAskedWithoutOptions] = [askedBy(session), askedBy(plain)];
    const roots = placesOf(session).filter((p) => p.access === "list" && p.prefix === "");
    for (const request of requestsToTry(session, policy, near)) {
      if (!isAllowedHere(request)) continue;
      const own = `arn:${partitionOf(session)}:s3:::`;
      const resource =
        partition !== undefined && request.resource.startsWith(own)
          ? `arn:${partition}:s3:::${request.resource.slice(own.length)}`
          : request.resource;
      if (isAllowedThere({ ...request, resource })) continue;
      const isRoot = roots.some(({ bucket }) => request.resource === own + bucket);
      if (request.action === "s3:ListBucket" && isRoot) continue;
      if (isAsked(request) && !isAskedWithoutOptions(request)) continue;
      throw new Error(`broader than Polaris: ${JSON.stringify(request)}`);
    }
  },
};

const specialCharactersStayLiteral: Readonly<Property<[Session, string]>> = {
  name: "special-characters-stay-literal",
  statement: "The characters * ? $ { } in a location stand only for themselves.",
  draw: ({ sessions }) => fc.tuple(sessions, fc.constantFrom("", "x", "xy", "x/y", "AIDAEXAMPLE")),
  ask: ([session]) => [call(session)],
  judge: ([session, instead], [answer], allows) => {
    const isAllowedBy = allows(answerOf(answer).policy);
    const isAsked = askedBy(session);
    const s3 = `arn:${partitionOf(session)}:s3:::`;
    for (const { bucket, prefix } of placesOf(session)) {
      const other = prefix.replace(/\$\{[^}]*\}|[*?$]/g, instead);
      if (other === prefix) continue;
      const requests: AccessRequest[] = [
        { action: "s3:GetObject", resource: `${s3}${bucket}/${other}x` },
        { action: "s3:PutObject", resource: `${s3}${bucket}/${other}x` },
        { action: "s3:DeleteObject", resource: `${s3}${bucket}/${other}x` },
        { action: "s3:ListBucket", resource: s3 + bucket, context: { "s3:prefix": other } },
      ];
      for (const request of requests) {
        if (isAsked(request)) continue;
        assertThat(!isAllowedBy(request), `not widened to ${JSON.stringify(request)}`);
      }
    }
  },
};

const monotone: Readonly<
  Property<{
    session: Session;
    fewer: Session;
    keyless: Session;
    near: NearRequest[];
  }>
> = {
  name: "monotone",
  statement: "Adding a location never removes access. Removing a key never adds any.",
  draw: (draws) =>
    fc
      .tuple(withRequests(draws), fc.constantFrom(...accesses), fc.constantFrom(...KEY_FIELDS))
      .map(([[session, near], access, field]) => {
        const { storageConfig, locations } = session;
        const list = [...(locations[access] ?? [])];
        const keys = storageConfig[field];
        const { [field]: _, ...without } = storageConfig;
        return {
          session,
          near,
          fewer: { ...session, locations: { ...locations, [access]: list.slice(1) } },
          keyless: {
            ...session,
            storageConfig:
              typeof keys === "string" ? without : { ...without, [field]: keys?.slice(1) },
          },
        };
      }),
  ask: ({ session, fewer, keyless }) => [session, fewer, keyless].map(call),
  judge: ({ session, near }, [answer, fewer, keyless], allows) => {
    const { policy } = answerOf(answer);
    const isAllowedBy = allows(policy);
    // A generator that needs the removed key may refuse. Then there is no policy.
    for (const smaller of [answerOf(fewer).policy, policyIfAny(keyless)]) {
      if (smaller === undefined) continue;
      const isAllowedInSmaller = allows(smaller);
      for (const request of requestsToTry(session, smaller, near)) {
        const lost = isAllowedInSmaller(request) && !isAllowedBy(request);
        assertThat(!lost, `still allowed: ${JSON.stringify(request)}`);
      }
    }
  },
};

const canonical: Readonly<Property<Session>> = {
  name: "canonical",
  statement:
    "Order, repetition, a trailing slash and the spelling of the scheme do not change the serialized policy.",
  draw: ({ sessions }) => sessions,
  ask: (session) => [call(session), call(respelled(session))],
  judge: (session, [answer, other]) => {
    const [one, two] = [answerOf(answer).text, answerOf(other).text];
    const lists = Object.keys(respelled(session).locations);
    assertThat(one === two, `${one} is what ${lists} in another spelling gives too: ${two}`);
  },
};

function respelled(session: Session): Session {
  const respell = (uri: string) =>
    uri.replace(/^s3[an]?:/i, "s3n:") + (uri.endsWith("/") ? "" : "/");
  const locations: Locations = Object.fromEntries(
    Object.entries(session.locations)
      .reverse()
      .map(([access, list]) => {
        const backwards = [...list].reverse();
        return [access, new Set(backwards.flatMap((uri: string) => [uri, respell(uri)]))];
      }),
  );
  const reversed = KEY_FIELDS.flatMap((field) => {
    const keys = session.storageConfig[field];
    return Array.isArray(keys) ? [[field, [...keys].reverse()]] : [];
  });
  const storageConfig = { ...session.storageConfig, ...Object.fromEntries(reversed) };
  return { ...session, storageConfig, locations };
}

const fitsOrThrows: Readonly<Property<[Session, number | undefined]>> = {
  name: "fits-or-throws",
  statement:
    "A serialized policy has at most maxLength characters, by default 2,048, all of U+0020–U+00FF. There is an error only if it would have more.",
  draw: ({ configs, options }) =>
    fc
      .tuple(
        fc.record({ storageConfig: configs, locations: largeLocations }),
        fc.option(fc.oneof(fc.constantFrom("exact", "one less"), fc.nat({ max: 1100 })), {
          nil: undefined,
        }),
      )
      .map(([session, limit]) => {
        if (options === undefined || limit === undefined) return [session, undefined];
        // Limits that matter lie between 1 and what is needed.
        const length = needed(session);
        if (typeof limit === "string") return [session, limit === "exact" ? length : length - 1];
        return [session, 1 + Math.floor((length * limit) / 1000)];
      }),
  ask: ([{ storageConfig, locations }, max]) =>
    max === undefined
      ? [[storageConfig, locations]]
      : [max, Number.POSITIVE_INFINITY].map((maxLength) => [
          storageConfig,
          locations,
          { maxLength },
        ]),
  judge: ([, max], [answer, unlimited]) => {
    let text: string | undefined;
    try {
      text = answerOf(answer).text;
    } catch {
      if (unlimited === undefined || max === undefined) return;
      const { length } = unlimited().text;
      assertThat(length > max, `no error for ${length} characters, which fit into ${max}`);
      return;
    }
    assertThat(text.length <= (max ?? 2048), `${text.length} characters`);
    assertThat(/^[\x20-\xff]*$/.test(text), "characters that STS takes");
  },
};

function needed({ storageConfig, locations }: Session): number {
  const maxLength = Number.POSITIVE_INFINITY;
  return serializePolicy(buildSessionPolicy(storageConfig, locations, { maxLength })).length;
}

const inputsUntouched: Readonly<Property<[Session, string]>> = {
  name: "inputs-untouched",
  statement: "The input is never changed, frozen or not.",
  draw: ({ sessions }) =>
    fc.tuple(sessions, fc.constantFrom("arrays", "frozen", "Sets")).map(([drawn, how]) => {
      const session = how === "Sets" ? withSets(drawn) : drawn;
      return [how === "frozen" ? deepFreeze(session) : session, jsonOf(session)];
    }),
  ask: ([session]) => [call(session)],
  judge: ([session, before], [answer]) => {
    answerOf(answer);
    assertThat(jsonOf(session) === before, "the input is as it was");
  },
};

function withSets(session: Session): Session {
  const lists = Object.entries(session.locations);
  const sets = lists.map(([access, uris]) => [access, new Set(uris)]);
  return { ...session, locations: Object.fromEntries(sets) };
}

function jsonOf(session: Session): string {
  return JSON.stringify(session, (_, value) => (value instanceof Set ? [...value] : value));
}

const errorsAreTyped: Readonly<Property<unknown[]>> = {
  name: "errors-are-typed",
  statement: "Any JSON value for any argument gives a policy or an error with a code and issues.",
  draw: ({ configs, locations, options }) => {
    const [config, lists] = [almost(configs), almost(locations)];
    return options === undefined
      ? fc.tuple(config, lists)
      : fc.tuple(config, lists, almost(options));
  },
  ask: (args) => [args],
  judge: (_, [answer]) => {
    let policy: PolicyDocument;
    try {
      policy = answerOf(answer).policy;
    } catch (error) {
      const { code, issues, message } = error as Record<string, unknown>;
      assertThat(typeof code === "string" && /^[A-Z_]+$/.test(code), `a code, not ${error}`);
      assertThat(Array.isArray(issues) && issues.length > 0, "issues");
      assertThat(typeof message === "string" && message !== "", "a message");
      return;
    }
    assertThat(policy.Statement.length > 0, "a policy");
  },
};

const independentOfOtherSessions: Readonly<Property<[Session, Session]>> = {
  name: "independent-of-other-sessions",
  statement: "A policy does not depend on what other sessions ask for, before or at the same time.",
  draw: ({ sessions }) =>
    fc
      .tuple(sessions, sessions, fc.constantFrom(...Object.keys(OTHER_SESSIONS)))
      .map(([one, drawn, how]) => [one, OTHER_SESSIONS[how]?.(one, drawn) ?? drawn]),
  ask: ([one, other]) => [call(one), call(other), call(one)],
  judge: ([one, other], answers, allows) => {
    for (const [i, session] of [other, one].entries()) {
      const { policy } = answerOf(answers[i + 1]);
      const isAllowedBy = allows(policy);
      const isAsked = askedBy(session);
      const own = requestsAbout(session).filter(isAsked);
      const others = requestsNamedBy(policy).filter((request) => !isAsked(request));
      for (const request of own) {
        assertThat(isAllowedBy(request), `session ${i + 2} allows ${JSON.stringify(request)}`);
      }
      for (const request of others) {
        assertThat(!isAllowedBy(request), `session ${i + 2} denies ${JSON.stringify(request)}`);
      }
    }
  },
};

/** Sessions that a cache with too short a key mistakes for the first session. */
const OTHER_SESSIONS: Readonly<Record<string, (one: Session, drawn: Session) => Session>> = {
  ofAnotherCatalog: (one, { storageConfig }) => ({ ...one, storageConfig }),
  elsewhere: (one, { locations }) => ({ ...one, locations }),
  withOtherOptions: (one, { options }) => (options === undefined ? one : { ...one, options }),
  withOtherAccesses: ({ locations: { read, list, write, delete: remove }, ...one }) => ({
    ...one,
    locations: {
      ...(read && { write: read }),
      ...(write && { delete: write }),
      ...(remove && { list: remove }),
      ...(list && { read: list }),
    },
  }),
  // Each list keeps a key, for generators that need one.
  withFewerKeys: (one) => ({
    ...one,
    storageConfig: Object.fromEntries(
      Object.entries(one.storageConfig).map(([field, value]) => [
        field,
        Array.isArray(value) && KEY_FIELDS.some((key) => key === field) ? value.slice(0, 1) : value,
      ]),
    ),
  }),
  withFewer: (one) => ({ ...one, locations: eachList(one, (uris) => uris.slice(1)) }),
  inAnotherBucket: (one) => ({
    ...one,
    locations: eachList(one, (uris) => uris.map((uri) => uri.replace(/:\/\/[^/]*/, "$&2"))),
  }),
  besides: (one) => ({
    ...one,
    locations: eachList(one, (uris) => uris.map((uri) => `${uri.replace(/\/$/, "")}/o`)),
  }),
  inCapitals: (one) => ({
    ...one,
    locations: eachList(one, (uris) =>
      uris.map((uri) =>
        uri.replace(/^([^/]*\/\/[^/]*)(.*)$/s, (_, head, path) => head + path.toUpperCase()),
      ),
    ),
  }),
};

function eachList({ locations }: Session, change: (uris: string[]) => string[]): Locations {
  return Object.fromEntries(
    Object.entries(locations).map(([access, list]) => [access, change([...list])]),
  );
}

/**
 * The promises of a least-privilege session policy, as data. Each property has a name, a sentence, and a
 * check for any function with the signature of `buildSessionPolicy`.
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
  propertiesJudgedBy(requestsAllowedBy);

/** How to run the properties. */
export interface AssertLeastPrivilegeOptions extends PropertyParameters {
  /** Names of the properties to run. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Names of properties not to run. */
  readonly except?: readonly string[] | undefined;
}

/**
 * Runs the least-privilege properties against a policy generator, and throws at the first broken one. The
 * error has its name and sentence, the seed, and the smallest session that breaks it.
 *
 * By default it tries 300 sessions for each property, or as many as 250 ms allow. With `numRuns` it always
 * tries that many. A generator that returns promises gets all sessions of a case at once.
 *
 * @param generate a function with the signature of `buildSessionPolicy`, which may also return JSON
 *   text, an AssumeRole request, or a promise of any of them.
 * @param options how often, from which seed, which properties, and which sessions.
 * @returns nothing; a promise of nothing if the generator returns promises.
 * @throws Error for a broken property, and for a name in `only` or `except` that is unknown.
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
  options?: AssertLeastPrivilegeOptions,
): void;
export function assertLeastPrivilege(
  generate: AsyncSessionPolicyGenerator,
  options?: AssertLeastPrivilegeOptions,
): Promise<void>;
export function assertLeastPrivilege(
  generate: SessionPolicyGenerator | AsyncSessionPolicyGenerator,
  options: AssertLeastPrivilegeOptions = {},
): void | Promise<void> {
  const { only, except = [], ...parameters } = options;
  for (const name of [...(only ?? []), ...except]) {
    if (leastPrivilegeProperties.some((property) => property.name === name)) continue;
    throw new Error(
      `Unknown property ${JSON.stringify(name)}. Use a name of leastPrivilegeProperties.`,
    );
  }
  const chosen = leastPrivilegeProperties.filter(
    ({ name }) => only?.includes(name) !== false && !except.includes(name),
  );
  return checkInOrder(chosen, generate as SessionPolicyGenerator, parameters);
}

function checkInOrder(
  [first, ...rest]: readonly LeastPrivilegeProperty[],
  generate: SessionPolicyGenerator,
  parameters: PropertyParameters,
): void | Promise<void> {
  if (first === undefined) return;
  const explain = (error: unknown) => {
    const report = error instanceof Error ? error.message : String(error);
    throw new Error(`${first.name}: ${first.statement}\n\n${report}`);
  };
  let checked: unknown;
  try {
    checked = first.check(generate, parameters);
  } catch (error) {
    explain(error);
  }
  const goOn = () => checkInOrder(rest, generate, parameters);
  return isPromise(checked) ? checked.then(goOn, explain) : goOn();
}

/** Sessions for each property by default. They catch each planted fault. */
const RUNS = 300;
/** A test runner gives a test five seconds, which must be enough for all properties. */
const MILLISECONDS = 250;

/**
 * Runs a property against a generator.
 *
 * 1. Draw cases, call the generator for each, and judge what it returns.
 * 2. If it returns a promise, stop judging: the generator is asynchronous.
 * 3. Then start again from the same seed, and await the answers of each case together.
 */
function run<Case>(
  generate: AnyGenerator,
  parameters: PropertyParameters,
  draw: Property<Case>["draw"],
  ask: Property<Case>["ask"],
  judge: (drawn: Case, answers: readonly Answer[]) => void,
): void | Promise<void> {
  const { numRuns, seed = fc.sample(fc.integer(), 1)[0] ?? 0 } = parameters;
  const cases = draw(drawsOf(parameters));
  const untimed = { numRuns: numRuns ?? RUNS, seed, includeErrorInReport: true };
  const settings =
    numRuns === undefined ? { ...untimed, interruptAfterTimeLimit: MILLISECONDS } : untimed;

  let isAsync = false;
  const synchronous = fc.property(cases, (drawn) => {
    if (isAsync) return;
    const answers: Answer[] = [];
    for (const args of ask(drawn)) {
      const answer = answerFrom(() => generate(...args));
      if (!isPromise(answer)) answers.push(answer);
      else isAsync = true;
    }
    if (!isAsync) judge(drawn, answers);
  });
  const details = fc.check(synchronous, settings);
  if (!isAsync) {
    if (!details.failed || !details.interrupted) return report(details);
    // Time ran out before the smallest session was found: go on from the failing session.
    return report(fc.check(synchronous, { ...untimed, path: details.counterexamplePath ?? "" }));
  }
  const property = fc.asyncProperty(cases, async (drawn) => {
    const answers = ask(drawn).map((args) => answerFrom(() => generate(...args)));
    judge(drawn, await Promise.all(answers));
  });
  return fc.check(property, settings).then(report);
}

function report<Case>(details: fc.RunDetails<Case>): void {
  if (details.interrupted && details.numRuns === 0) {
    throw new Error("No session was tried in time. Give numRuns, and the test more time.");
  }
  if (details.failed) throw new Error(fc.defaultReportMessage(details));
}

/** Calls the generator once. What it throws or rejects with is part of the answer. */
function answerFrom(generate: () => unknown): Answer | Promise<Answer> {
  let returned: unknown;
  const failing = (error: unknown) => () => {
    throw error;
  };
  try {
    returned = generate();
  } catch (error) {
    return failing(error);
  }
  return isPromise(returned) ? returned.then(readAnswer, failing) : readAnswer(returned);
}

function readAnswer(returned: unknown): Answer {
  return () => {
    const document = unwrapPolicy(returned) as PolicyDocument;
    const { Statement } = document;
    const text = typeof returned === "string" ? returned : serializePolicy(document);
    return { policy: { ...document, Statement: listOf(Statement) }, text };
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

function drawsOf(parameters: PropertyParameters): Draws {
  const { options = leastPrivilegeOptions } = parameters;
  const configs = copies(parameters.storageConfig ?? storageConfigArbitrary());
  if (options === false) {
    const locations = copies(parameters.locations ?? locationsArbitrary({ maxLocations: 6 }));
    const sessions = fc.record({ storageConfig: configs, locations });
    // A generator whose policies are up to twice as long as the shortest is not at STS' limit.
    const small = sessions.filter((session) => needed(session) <= 1024);
    return { configs, locations, options: undefined, sessions: small };
  }
  const locations = copies(parameters.locations ?? locationsArbitrary());
  const sessions = fc.record({ storageConfig: configs, locations, options: copies(options) });
  return { configs, locations, options, sessions };
}

/** Copies of what is drawn: a generator that changes its input must not change what is drawn next. */
function copies<T>(arbitrary: Arbitrary<T>): Arbitrary<T> {
  return arbitrary.map(copyOf);
}

function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Set) return new Set(value) as T;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, copyOf(own)])) as T;
}

/** Returns the arguments for a session, without a limit: another property is about lengths. */
function call({ storageConfig, locations, options }: Session): readonly unknown[] {
  if (options === undefined) return [storageConfig, locations];
  return [storageConfig, locations, { ...options, maxLength: Number.POSITIVE_INFINITY }];
}

function withRequests({ sessions }: Draws): Arbitrary<[Session, NearRequest[]]> {
  return fc.tuple(sessions, fc.array(nearRequests, { maxLength: 15, size: "max" }));
}

/** Returns requests about the names of the policy, and about names near the names of policy and session. */
function requestsToTry(
  session: Session,
  policy: PolicyDocument,
  near: readonly NearRequest[],
): AccessRequest[] {
  const names = namesOfBoth(session, policy);
  return [...requestsNamedBy(policy), ...near.map((drawn) => requestNear(drawn, names))];
}

function answerOf(answer: Answer | undefined): ReturnType<Answer> {
  if (answer === undefined) throw new Error("There is no answer to judge.");
  return answer();
}

function policyIfAny(answer: Answer | undefined): PolicyDocument | undefined {
  try {
    return answerOf(answer).policy;
  } catch {
    return undefined;
  }
}

const KEY_FIELDS = ["currentKmsKey", "allowedKmsKeys", "encryptionKeys", "decryptionKeys"] as const;

const WRITES: readonly string[] = [
  "s3:PutObject",
  "s3:PutObjectAcl",
  "s3:PutObjectTagging",
  "s3:AbortMultipartUpload",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
];
const DELETES: readonly string[] = ["s3:DeleteObject", "s3:DeleteObjectVersion"];

/** Tells whether an action, which may have wildcards, includes one of some actions. */
function matchesOneOf(pattern: string, actions: readonly string[]): boolean {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const matching = new RegExp(`^${literal.replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "i");
  return actions.some((action) => matching.test(action));
}

/** Actions on buckets and keys that may be emitted, and the option that they need. */
const OTHER_ACTIONS: Readonly<Record<string, keyof SessionPolicyOptions | "">> = {
  "s3:GetBucketLocation": "",
  "s3:ListBucket": "",
  "s3:ListBucketMultipartUploads": "listMultipartUploads",
  "kms:Decrypt": "",
  "kms:GenerateDataKey": "",
};

function isInVocabulary(action: string, { options = {} }: Session): boolean {
  const option = Object.hasOwn(OBJECT_ACTIONS, action)
    ? OBJECT_ACTIONS[action]?.[1]
    : Object.hasOwn(OTHER_ACTIONS, action)
      ? OTHER_ACTIONS[action]
      : undefined;
  return option === "" || (option !== undefined && options[option] === true);
}

const CONDITIONS: ReadonlySet<string> = new Set([
  "StringLike s3:prefix",
  "StringEquals s3:prefix",
  "StringEquals kms:ViaService",
]);

/** Draws a valid value, a value with one wrong part, or any JSON value. */
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

function actionsOf(policy: PolicyDocument): string[] {
  return policy.Statement.flatMap(({ Effect, Action }) =>
    Effect === "Allow" ? listOf(Action) : [],
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
