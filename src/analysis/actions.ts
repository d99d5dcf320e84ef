/**
 * The actions that AWS knows, and the resources that requests for them name.
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { type CharacterClass, lowerCase, type Shape } from "./glob.ts";
import { ACTION_GROUPS } from "./service-actions.ts";

/** An action of S3, KMS or STS. */
export interface KnownAction {
  /** As AWS spells it. */
  readonly name: string;
  /** In lower case, as patterns are. */
  readonly lower: string;
  /** The types of resources that it applies to; empty if its requests name no resource. */
  readonly types: readonly string[];
}

const REFERENCE: ReadonlyMap<string, KnownAction> = /* @__PURE__ */ new Map(
  ACTION_GROUPS.flatMap(({ service, types, names }) =>
    words(names).map((name): [string, KnownAction] => {
      const action = `${service}:${name}`;
      const lower = lowerCase(action);
      return [lower, { name: action, lower, types: words(types) }];
    }),
  ),
);

/** All of them, the actions of sessions first: examples are drawn in this order. */
const ACTIONS_BY_NAME: ReadonlyMap<string, KnownAction> = /* @__PURE__ */ new Map([
  ...ACTIONS.flatMap(({ action }): [string, KnownAction][] => {
    const known = REFERENCE.get(lowerCase(action));
    return known === undefined ? [] : [[lowerCase(action), known]];
  }),
  ...REFERENCE,
]);

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** The services all of whose actions are known. */
const SERVICES: ReadonlySet<string> = /* @__PURE__ */ new Set(
  ACTION_GROUPS.map(({ service }) => service),
);

/** Finds an action by its name in any case; undefined for other services and for misspelled names. */
export function knownAction(name: string): KnownAction | undefined {
  return ACTIONS_BY_NAME.get(lowerCase(name));
}

/** Returns all known actions. */
export function knownActions(): Iterable<KnownAction> {
  return ACTIONS_BY_NAME.values();
}

/** Tells whether all actions of an action's service are known. */
export function isOfKnownService(action: string): boolean {
  return SERVICES.has(lowerCase(action.slice(0, Math.max(0, action.indexOf(":")))));
}

/** Stands for requests that name no resource, which only the pattern `*` matches. */
export const NO_RESOURCE = "*";

const one = (samples: string, pattern: RegExp): CharacterClass => ({
  has: (character) => pattern.test(character),
  samples,
  many: false,
});
const any = (set: CharacterClass): CharacterClass => ({ ...set, many: true });

const LETTER: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[a-z]$/);
const LOWER: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[a-z0-9-]$/);
const DIGIT: Readonly<CharacterClass> = /* @__PURE__ */ one("1023456789", /^\d$/);
const NAME: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[\w.-]$/);
const PATH: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[\w+=,.@/-]$/);
const ANY: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[\s\S]$/);
/** An ARN of a request has no wildcard before its last segment. */
const NO_COLON: Readonly<CharacterClass> = /* @__PURE__ */ one("xyz", /^[^:*?]$/);

/** What stands for a part of an ARN in the forms below. */
const PARTS: Readonly<Record<string, Shape>> = /* @__PURE__ */ Object.freeze({
  // All partitions of AWS, and all regions, are of these forms.
  P: ["a", "w", "s", any(LOWER)],
  R: [LETTER, LETTER, any(LOWER), "-", DIGIT, any(DIGIT)],
  A: Array.from({ length: 12 }, () => DIGIT),
  // A store outside AWS may have any partition, and leave region and account empty.
  p: [any(NO_COLON)],
  r: [any(NAME)],
  N: [NAME, any(NAME)],
  L: [PATH, any(PATH)],
  K: [ANY, any(ANY)],
  S: [NO_COLON, any(NO_COLON)],
  s: [any(NO_COLON)],
});

/**
 * The forms of the ARNs of each type of resource.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-resources-for-iam-policies
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html#awskeymanagementservice-resources-for-iam-policies
 */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  object: ["arn:{P}:s3:::{N}/{K}"],
  bucket: ["arn:{P}:s3:::{N}"],
  // Multi-Region access points have no region.
  accesspointobject: [
    "arn:{P}:s3:{R}:{A}:accesspoint/{N}/object/{K}",
    "arn:{P}:s3::{A}:accesspoint/{N}/object/{K}",
  ],
  accesspoint: ["arn:{P}:s3:{R}:{A}:accesspoint/{N}"],
  objectlambdaaccesspoint: ["arn:{P}:s3-object-lambda:{R}:{A}:accesspoint/{N}"],
  multiregionaccesspoint: ["arn:{P}:s3::{A}:accesspoint/{N}"],
  multiregionaccesspointrequestarn: ["arn:{P}:s3:us-west-2:{A}:async-request/mrap/{N}/{N}"],
  job: ["arn:{P}:s3:{R}:{A}:job/{N}"],
  storagelensconfiguration: ["arn:{P}:s3:{R}:{A}:storage-lens/{N}"],
  storagelensgroup: ["arn:{P}:s3:{R}:{A}:storage-lens-group/{N}"],
  accessgrantsinstance: ["arn:{P}:s3:{R}:{A}:access-grants/default"],
  accessgrantslocation: ["arn:{P}:s3:{R}:{A}:access-grants/default/location/{N}"],
  accessgrant: ["arn:{P}:s3:{R}:{A}:access-grants/default/grant/{N}"],
  key: ["arn:{P}:kms:{R}:{A}:key/{N}"],
  alias: ["arn:{P}:kms:{R}:{A}:alias/{L}"],
  role: ["arn:{P}:iam::{A}:role/{L}"],
  "root-user": ["arn:{P}:iam::{A}:root"],
  "federated-user": ["arn:{P}:sts::{A}:federated-user/{L}"],
  "self-session": ["arn:{P}:sts::{A}:self"],
};

/** The forms of objects, buckets and keys in stores that are not AWS. */
const FOREIGN_FORMS: Readonly<Record<string, readonly string[]>> = {
  object: ["arn:{p}:s3:::{N}/{K}"],
  bucket: ["arn:{p}:s3:::{N}"],
  key: ["arn:{p}:kms:{r}:{r}:key/{N}"],
};

/** The form of any ARN, for services whose resources are not known. */
const ANY_FORM = "arn:{S}:{S}:{s}:{s}:{K}";

/** A type of resource whose actions are not known. */
export const UNKNOWN_TYPE = "unknown";

/** A type for requests that name no resource. */
export const NO_TYPE = "";

/**
 * Returns the forms of the ARNs of a type.
 *
 * @param foreign whether to add the forms of stores that are not AWS.
 */
export function shapesOf(type: string, foreign: boolean): readonly Shape[] {
  if (type === NO_TYPE) return [[NO_RESOURCE]];
  if (type === UNKNOWN_TYPE) return [[NO_RESOURCE], ANY_ARN];
  const shapes = SHAPES.get(type) ?? [];
  return foreign ? [...shapes, ...(FOREIGN_SHAPES.get(type) ?? [])] : shapes;
}

const ANY_ARN: Readonly<Shape> = /* @__PURE__ */ shapeOf(ANY_FORM);
const SHAPES = /* @__PURE__ */ shapesByType(FORMS);
const FOREIGN_SHAPES = /* @__PURE__ */ shapesByType(FOREIGN_FORMS);

function shapesByType(
  forms: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, readonly Shape[]> {
  return new Map(Object.entries(forms).map(([type, some]) => [type, some.map(shapeOf)]));
}

function shapeOf(form: string): Shape {
  return form
    .split(/\{(\w)\}/)
    .flatMap((part, i): Shape => (i % 2 === 0 ? [...part] : (PARTS[part] ?? [])));
}

/** Returns the types of resources that an action applies to. */
export function typesOf(action: string): readonly string[] {
  const known = knownAction(action);
  if (known === undefined) return [UNKNOWN_TYPE];
  return known.types.length === 0 ? [NO_TYPE] : known.types;
}
