/**
 * Makes requests to try on a policy, from the names of the session, the names of its policy, and names near
 * them.
 * @module
 */
import fc, { type Arbitrary } from "fast-check";
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { OneOrMany, PolicyDocument, Statement } from "../policy.ts";
import {
  OBJECT_ACTIONS as ASKED_OF_OBJECTS,
  keysOf,
  partitionOf,
  placesOf,
  type Session,
  servicesOf,
} from "./model.ts";

/** Actions that a session may ask for, and actions that no session may. */
const OBJECT_ACTIONS: readonly string[] = [
  ...Object.keys(ASKED_OF_OBJECTS),
  "s3:DeleteObjectVersion",
  "s3:BypassGovernanceRetention",
];
const BUCKET_ACTIONS: readonly string[] = [
  "s3:ListBucket",
  "s3:GetBucketLocation",
  "s3:ListBucketMultipartUploads",
  "s3:ListBucketVersions",
  "s3:DeleteBucket",
  "s3:PutBucketPolicy",
];
const KEY_ACTIONS: readonly string[] = [
  "kms:Decrypt",
  "kms:GenerateDataKey",
  "kms:Encrypt",
  "kms:DescribeKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ScheduleKeyDeletion",
  "kms:CreateGrant",
];
const ALL_ACTIONS: readonly string[] = [...OBJECT_ACTIONS, ...BUCKET_ACTIONS, ...KEY_ACTIONS];

/** Names to make requests of: ARNs of objects, buckets and keys, prefixes, services. */
export interface Names {
  readonly objects: readonly string[];
  readonly prefixes: readonly string[];
  readonly keys: readonly string[];
  readonly services: readonly string[];
}

const SOME: Readonly<Names> = {
  objects: ["arn:aws:s3:::wh-bucket/db/"],
  prefixes: ["db/"],
  keys: ["arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444"],
  services: ["s3.us-west-2.amazonaws.com", "ec2.us-west-2.amazonaws.com"],
};

/** Returns the names in a policy, without wildcards and escapes. */
export function namesOfPolicy(policy: PolicyDocument | undefined): Names {
  const statements = policy?.Statement ?? [];
  const literals = (value: OneOrMany) => listOf(value).map((pattern) => filled(pattern, ""));
  const resources = statements.flatMap(({ Resource }) => literals(Resource));
  const values = (key: string) =>
    statements.flatMap(({ Condition = {} }) =>
      Object.values(Condition).flatMap((block) => literals(block[key] ?? [])),
    );
  const objects = resources.filter((resource) => /:s3:::/.test(resource));
  return {
    objects: [...SOME.objects, ...objects],
    prefixes: [
      ...SOME.prefixes,
      ...values("s3:prefix"),
      ...objects.map((arn) => arn.replace(/^.*?:::[^/]*\/?/s, "")),
    ],
    keys: [...SOME.keys, ...resources.filter((resource) => /:kms:/.test(resource))],
    services: [...SOME.services, ...values("kms:ViaService")],
  };
}

/** Returns the names of a session, whatever its policy names. */
export function namesOfSession(session: Session): Names {
  const places = placesOf(session);
  const keys = keysOf(session).map(({ arn }) => arn);
  const s3 = `arn:${partitionOf(session)}:s3:::`;
  const { options: _, ...unchanged } = session;
  return {
    objects: [...SOME.objects, ...places.map(({ bucket, prefix }) => `${s3}${bucket}/${prefix}`)],
    prefixes: [...SOME.prefixes, ...places.map(({ prefix }) => prefix)],
    keys: [...SOME.keys, ...keys],
    services: [...SOME.services, ...keys.flatMap((key) => servicesOf(unchanged, key) ?? [])],
  };
}

/** Returns the names of a session and of its policy. */
export function namesOfBoth(session: Session, policy: PolicyDocument): Names {
  const [ours, theirs] = [namesOfSession(session), namesOfPolicy(policy)];
  const both = (field: keyof Names) => [...new Set([...ours[field], ...theirs[field]])];
  return {
    objects: both("objects"),
    prefixes: both("prefixes"),
    keys: both("keys"),
    services: both("services"),
  };
}

/** A choice of a name, how much to cut from its end, and what to append. */
interface Near {
  readonly name: number;
  readonly cut: number;
  readonly more: string;
}

/** A request whose names are chosen later. */
export type NearRequest =
  | { readonly about: "object"; readonly action: string; readonly near: Near }
  | {
      readonly about: "bucket";
      readonly action: string;
      readonly near: Near;
      readonly prefix: Near | null;
    }
  | {
      readonly about: "key";
      readonly action: string;
      readonly near: Near;
      readonly service: number | null;
    };

const index = fc.nat({ max: 9999 });
const near: Arbitrary<Near> = fc.record({
  name: index,
  cut: fc.nat({ max: 2 }),
  more: fc.constantFrom("", "x", "/", "0/x", "b/y", "*", "é"),
});
const exact: Arbitrary<Near> = index.map((name) => ({ name, cut: 0, more: "" }));
const mostlyExact = fc.oneof({ weight: 4, arbitrary: exact }, near);

/** Requests near names: object actions on objects, bucket actions on buckets, KMS actions on keys. */
export const nearRequests: Arbitrary<NearRequest> = fc.oneof(
  fc.record({
    about: fc.constant("object" as const),
    action: fc.constantFrom(...OBJECT_ACTIONS),
    near,
  }),
  fc.record({
    about: fc.constant("bucket" as const),
    action: fc.constantFrom(...BUCKET_ACTIONS),
    near: mostlyExact,
    prefix: fc.option(near),
  }),
  fc.record({
    about: fc.constant("key" as const),
    action: fc.constantFrom(...KEY_ACTIONS),
    near: mostlyExact,
    service: fc.option(index),
  }),
);

/** Makes the request from some names. */
export function requestNear(drawn: NearRequest, names: Names): AccessRequest {
  const pick = (some: readonly string[], i: number) => some[i % some.length] ?? "";
  const beside = (some: readonly string[], { name, cut, more }: Near) => {
    const found = pick(some, name);
    return found.slice(0, found.length - cut) + more;
  };
  const { about, action } = drawn;
  if (about === "object") {
    const arn = beside(names.objects, drawn.near);
    return { action, resource: /:::[^/]*\//.test(arn) ? arn : `${arn}/x` };
  }
  const contextOf = (key: string, value: string | undefined) =>
    value === undefined ? {} : { [key]: value };
  if (about === "bucket") {
    const buckets = [...new Set(names.objects.map(bucketOf))];
    const prefix = drawn.prefix === null ? undefined : beside(names.prefixes, drawn.prefix);
    const resource = bucketOf(beside(buckets, drawn.near));
    return { action, resource, context: contextOf("s3:prefix", prefix) };
  }
  const service = drawn.service === null ? undefined : pick(names.services, drawn.service);
  const resource = beside(names.keys, drawn.near);
  return { action, resource, context: contextOf("kms:ViaService", service) };
}

function bucketOf(arn: string): string {
  return arn.replace(/(:::[^/]*).*/s, "$1");
}

/** Texts that a `*` may stand for. */
const FILLERS: readonly string[] = ["", "x/y"];

/** Resources outside all sessions, for patterns that may match anything. */
const FOREIGN: readonly string[] = ["aws", "aws-cn"].flatMap((partition) => [
  `arn:${partition}:s3:::foreign-bucket`,
  `arn:${partition}:s3:::foreign-bucket/x`,
  `arn:${partition}:kms:us-west-2:999999999999:key/0000aaaa-1111-2222-3333-444444444444`,
]);

/**
 * Returns examples of all that the Allow statements of a policy name: each action on each resource
 * that it applies to, in each context that the conditions name, and without context.
 */
export function requestsNamedBy(policy: PolicyDocument): AccessRequest[] {
  return policy.Statement.flatMap((statement) => {
    if (statement.Effect !== "Allow") return [];
    const resources = [...new Set(listOf(statement.Resource).flatMap(resourcesOf))];
    const contexts = contextsOf(statement.Condition);
    return listOf(statement.Action)
      .flatMap(actionsOf)
      .flatMap((action) =>
        resources
          .filter((resource) => appliesTo(action, resource))
          .flatMap((resource) => contexts.map((context) => ({ action, resource, context }))),
      );
  });
}

function resourcesOf(pattern: string): string[] {
  const isWide = /[*?](?!$)|[^/]\*$|^\*$/.test(pattern.replace(/\$\{[*?$]\}/g, ""));
  const named = FILLERS.map((filler) => filled(pattern, filler));
  return [...named.filter((resource) => /^arn:/.test(resource)), ...(isWide ? FOREIGN : [])];
}

function actionsOf(pattern: string): readonly string[] {
  if (!/[*?]/.test(pattern)) return [pattern];
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const named = new RegExp(`^${literal.replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "i");
  return ALL_ACTIONS.filter((action) => named.test(action));
}

function contextsOf(condition: Statement["Condition"]): Record<string, string>[] {
  const keys = Object.entries(condition ?? {}).flatMap(([operator, block]) =>
    Object.entries(block).map(([key, values]) => {
      const named = listOf(values).flatMap((value) => FILLERS.map((text) => filled(value, text)));
      return { key, values: /Not/.test(operator) ? [...named, "other"] : named };
    }),
  );
  const most = Math.max(0, ...keys.map(({ values }) => values.length));
  const named = Array.from({ length: most }, (_, i) =>
    Object.fromEntries(keys.map(({ key, values }) => [key, values[i % values.length] ?? ""])),
  );
  return [{}, ...new Map(named.map((context) => [JSON.stringify(context), context])).values()];
}

/** Tells whether an action applies to a resource; true for actions that are not listed. */
function appliesTo(action: string, resource: string): boolean {
  const isOneOf = (actions: readonly string[]) =>
    actions.some((known) => known.toLowerCase() === action.toLowerCase());
  if (isOneOf(KEY_ACTIONS)) return /^arn:[^:]*:kms:/.test(resource);
  if (isOneOf(OBJECT_ACTIONS)) return /^arn:[^:]*:s3:[^/]*\//.test(resource);
  if (isOneOf(BUCKET_ACTIONS)) return /^arn:[^:]*:s3:[^/]*$/.test(resource);
  return true;
}

/**
 * Returns each action on all resources of a session: below each location and on its bare path, on its
 * bucket with each prefix and without, on each key through S3 and not through S3.
 */
export function requestsAbout(session: Session): AccessRequest[] {
  const s3 = `arn:${partitionOf(session)}:s3:::`;
  const places = new Map(
    placesOf(session).map((place) => [`${place.bucket}/${place.prefix}`, place]),
  );
  const requests: AccessRequest[] = [];
  for (const { bucket, prefix } of places.values()) {
    const bare = prefix.replace(/\/$/, "");
    const keys = new Set([...FILLERS.map((filler) => prefix + filler), bare]);
    for (const action of OBJECT_ACTIONS) {
      for (const key of [`${prefix}x`, bare])
        requests.push({ action, resource: `${s3}${bucket}/${key}` });
    }
    for (const action of BUCKET_ACTIONS) {
      requests.push({ action, resource: s3 + bucket });
      for (const key of keys) {
        requests.push({ action, resource: s3 + bucket, context: { "s3:prefix": key } });
      }
    }
  }
  for (const { arn: resource } of keysOf(session)) {
    for (const action of KEY_ACTIONS) {
      requests.push({ action, resource });
      for (const service of servicesOf(session, resource) ?? []) {
        requests.push({ action, resource, context: { "kms:ViaService": service } });
      }
    }
  }
  return requests;
}

/** Replaces each `*` of a pattern by a text and each `?` by a character, and undoes escapes. */
export function filled(pattern: string, text: string): string {
  return pattern.replace(/\$\{([*?$])\}|\*|\?/g, (found, literal: string | undefined) => {
    if (literal !== undefined) return literal;
    return found === "*" ? text : "x";
  });
}

export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
