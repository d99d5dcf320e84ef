/**
 * The permissions policy of the role that sessions assume.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 * @module
 */
import { ACTIONS } from "../actions.ts";
import { getOrInsertComputed } from "../analysis/memo.ts";
import { reading, SessionPolicyError, type SessionPolicyIssue } from "../errors.ts";
import { outermost } from "../locations.ts";
import { parseOptions, type SessionPolicyOptions } from "../options.ts";
import { escapePattern, type PolicyDocument, type Statement, serializePolicy } from "../policy.ts";
import { buildSessionPolicy } from "../session-policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { allowedPlacesOf, type ReadStorage, readStorage } from "./storage.ts";

/**
 * The characters of a managed policy, white space not counted.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const MANAGED_POLICY_LIMIT = 6144;

/** One error names at most so many parents. */
const MOST_PARENTS = 10;

/**
 * Builds a minimal permissions policy of the role. It allows all that any session inside
 * `allowedLocations` may need, and nothing else in S3 and KMS.
 *
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it.
 * @param options the options of the sessions. `maxLength`, the limit of a session policy, is not used.
 * @returns the policy, of at most 6,144 characters, the limit of a managed policy.
 * @throws SessionPolicyError `INVALID_STORAGE_CONFIG`, also without `allowedLocations`.
 *   `INVALID_KMS_KEY`, `INVALID_OPTIONS`. `POLICY_TOO_LARGE` with the nearest common parents that fit.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @example
 * ```ts
 * import { rolePolicy } from "polaris-session-policy/setup";
 *
 * const policy = rolePolicy({
 *   roleArn: "arn:aws:iam::123456789012:role/polaris",
 *   allowedLocations: ["s3://wh-bucket/db"],
 * });
 * policy.Statement.map(({ Action }) => Action);
 * // [["s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject"], "s3:ListBucket"]
 * ```
 */
export function rolePolicy(
  storageConfig: AwsStorageConfig,
  options?: SessionPolicyOptions,
): PolicyDocument {
  const storage = readStorage(storageConfig);
  const read = reading("INVALID_OPTIONS", "The options", () => parseOptions(options));
  const places = allowedPlacesOf(storage);
  const policy = policyFor(storage, places, read);
  const { length } = serializePolicy(policy);
  if (length > MANAGED_POLICY_LIMIT) throw tooLarge(storage, places, read, length);
  return policy;
}

/** Builds the policy for all accesses to some places. */
function policyFor(
  { fields, config }: ReadStorage,
  places: readonly string[],
  options: SessionPolicyOptions,
): PolicyDocument {
  const uris = places.map((place) => `s3://${place}`);
  const build = (write: readonly string[]) =>
    buildSessionPolicy(
      // Without allowed locations, since a common parent lies outside them.
      { ...fields, allowedLocations: undefined },
      { read: uris, list: uris, write, delete: write },
      { ...options, maxLength: Infinity },
    );
  const all = build(uris);
  if (options.profile !== "polaris") return all;
  // Sessions of Polaris may have two accesses beyond one session for everything. Without configured keys
  // a reader may use every key of the account. A list of a bucket's root covers only the prefix `/`.
  const roots = places.filter((place) => place.indexOf("/") === place.length - 1);
  const statements: Statement[] = [...all.Statement, ...build([]).Statement.filter(isKmsStatement)];
  if (roots.length > 0) {
    const Resource = roots.map(
      (place) => `arn:${escapePattern(config.partition)}:s3:::${place.slice(0, -1)}`,
    );
    statements.push({ Effect: "Allow", Action: "s3:ListBucket", Resource });
  }
  const distinct = new Map(statements.map((one) => [JSON.stringify(one), one]));
  return { Version: "2012-10-17", Statement: [...distinct.values()] };
}

/**
 * Returns a function that finds the statements of the role's policy that allow an action, each reduced to
 * that action. The policy is built once, for the first action.
 */
export function roleStatementsOf(
  storage: ReadStorage,
  places: readonly string[],
  options: SessionPolicyOptions,
): (action: string) => readonly Statement[] {
  let all: readonly Statement[] | undefined;
  const known = new Map<string, readonly Statement[]>();
  return (action) => {
    const name = action.toLowerCase();
    return getOrInsertComputed(known, name, () => {
      all ??= policyFor(storage, places, options).Statement;
      return all.flatMap((one) => reducedTo(name, one));
    });
  };
}

/** Reduces a statement to one of its actions, and to the resources that this action applies to. */
function reducedTo(name: string, statement: Statement): Statement[] {
  const Action = [statement.Action].flat().find((action) => action.toLowerCase() === name);
  if (Action === undefined) return [];
  const isOfObjects = ACTIONS.some(({ action, resource }) => {
    return action === Action && resource === "object";
  });
  const resources = [statement.Resource].flat();
  // Bucket and object actions may share a statement. Each applies only to its own resources.
  const own = Action.startsWith("s3:")
    ? resources.filter((arn) => arn.includes("/", arn.indexOf(":::")) === isOfObjects)
    : resources;
  const [only = ""] = own;
  return own.length === 0
    ? []
    : [{ ...statement, Action, Resource: own.length === 1 ? only : own }];
}

function isKmsStatement({ Action }: Statement): boolean {
  return [Action].flat().every((action) => action.startsWith("kms:"));
}

/**
 * Makes the error for a policy that is too long. It names the nearest common parents with which the policy
 * fits. Folders are cut from the longest locations first, and only if that merges two locations.
 */
function tooLarge(
  storage: ReadStorage,
  places: readonly string[],
  options: SessionPolicyOptions,
  length: number,
): SessionPolicyError {
  const fits = (some: readonly string[]) =>
    serializePolicy(policyFor(storage, some, options)).length <= MANAGED_POLICY_LIMIT;
  // A parent with fewer folders merges more locations, so a binary search finds the most folders.
  let most = Math.max(...places.map(foldersOf));
  let best: string[] | undefined;
  for (let least = 0; least <= most; ) {
    const folders = (least + most) >> 1;
    const parents = mergedAt(places, folders);
    if (fits(parents)) {
      best = parents;
      least = folders + 1;
    } else {
      most = folders - 1;
    }
  }
  const issues: SessionPolicyIssue[] = [
    {
      path: ["allowedLocations"],
      message: `need a role policy of ${length} characters; a managed policy may have ${MANAGED_POLICY_LIMIT}. ${
        best === undefined
          ? "Even whole buckets are too many: divide them among several catalogs, each with a role of its own."
          : `Allow the nearest common parents instead, with which it fits: ${named(best, places)}.`
      }`,
    },
  ];
  return new SessionPolicyError("POLICY_TOO_LARGE", issues);
}

function named(parents: readonly string[], places: readonly string[]): string {
  const before = new Set(places);
  const merged = parents.filter((place) => !before.has(place)).map((place) => `s3://${place}`);
  const rest = merged.length - MOST_PARENTS;
  return [...merged.slice(0, MOST_PARENTS), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}

/** Counts the folders of a place below its bucket. */
function foldersOf(place: string): number {
  return place.split("/").length - 2;
}

/** Returns the places, each cut to so many folders if that merges it with another place. */
function mergedAt(places: readonly string[], folders: number): string[] {
  const parentOf = (place: string) => `${place.split("/", folders + 1).join("/")}/`;
  const children = new Map<string, number>();
  for (const place of places) {
    const parent = parentOf(place);
    children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  return outermost(
    places.map((place) => {
      const parent = parentOf(place);
      return foldersOf(place) > folders && (children.get(parent) ?? 0) > 1 ? parent : place;
    }),
  );
}
