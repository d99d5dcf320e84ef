/** Why a statement is there, and what of Polaris' policy stays. Both are asked of the library. */

import { REASONS } from "virtual:action-reasons";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type PolicyDocument,
  type Statement,
} from "polaris-session-policy";
import { compareAccess } from "polaris-session-policy/analysis";
import { ACCESSES, type Access, attempt, type Input, locationsOf, optionsOf } from "./input.ts";

const all = (value: string | readonly string[]): readonly string[] =>
  typeof value === "string" ? [value] : value;

export interface Reason {
  readonly action: string;
  /** The accesses whose own policy has this action on a resource of the statement. */
  readonly accesses: readonly Access[];
  readonly why: readonly string[];
  readonly link: string;
}

/** For each statement, why it has each of its actions. */
export function reasonsOf(
  policy: PolicyDocument,
  config: AwsStorageConfig,
  input: Input,
): Reason[][] {
  const locations = locationsOf(input);
  const options = { ...optionsOf(input), maxLength: Number.POSITIVE_INFINITY };
  const alone = ACCESSES.flatMap((access) => {
    if (locations[access].length === 0) return [];
    const one = attempt(() => buildSessionPolicy(config, { [access]: locations[access] }, options));
    return "value" in one ? [{ access, policy: one.value }] : [];
  });
  const named = (one: PolicyDocument, action: string, resources: ReadonlySet<string>) =>
    one.Statement.some(
      ({ Action, Resource }) =>
        all(Action).includes(action) && all(Resource).some((resource) => resources.has(resource)),
    );
  return policy.Statement.map(({ Action, Resource }) => {
    const resources = new Set(all(Resource));
    return all(Action).map((action) => {
      const accesses = alone
        .filter((one) => named(one.policy, action, resources))
        .map(({ access }) => access);
      const rows = REASONS.filter((row) => row.action === action);
      const fitting = rows.filter(({ access }) => accesses.some((name) => access.includes(name)));
      const used = fitting.length > 0 ? fitting : rows;
      return {
        action,
        accesses,
        why: [
          ...new Set(
            used.map(({ why }) => why).filter((why) => /\w{3}/.test(why) && why !== "see below"),
          ),
        ],
        link: used[0]?.link ?? "",
      };
    });
  });
}

/** What a statement is about, in a few words. */
export function subjectOf({ Effect, Action, Resource }: Statement): string {
  if (Effect === "Deny") return "Nothing is granted";
  if (all(Action).some((action) => action.startsWith("kms:"))) {
    return all(Resource).length === 1 ? "A KMS key" : "KMS keys";
  }
  return all(Action).every((action) => action === "s3:ListBucket") ? "Names" : "Objects";
}

export interface Fate {
  readonly action: string;
  readonly resource: string;
  /** Of one policy's grant in the other: it stays, only a part of it does, or it is gone. */
  readonly fate: "stays" | "narrowed" | "gone";
}

/** A grant of one action on one resource, as a policy of its own. */
function grantsOf(
  policy: PolicyDocument,
): { action: string; resource: string; alone: PolicyDocument }[] {
  return policy.Statement.flatMap((statement) =>
    all(statement.Action).flatMap((action) =>
      all(statement.Resource).map((resource) => ({
        action,
        resource,
        alone: {
          Version: "2012-10-17" as const,
          Statement: [{ ...statement, Action: action, Resource: resource }],
        },
      })),
    ),
  );
}

const NOTHING: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
};

/** Each grant takes some milliseconds to judge, and a page that stands still for a second is broken. */
const MOST_GRANTS = 200;

/** The statements that decide about an action; a comparison takes longer with each statement. */
const about = (policy: PolicyDocument, action: string): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.filter(
    ({ Effect, Action }) => Effect === "Deny" || all(Action).includes(action),
  ),
});

/**
 * What becomes of each grant of `from` in `whole`; undefined if there are too many to ask. Grants that
 * allow no request are left out.
 */
export function fatesIn(from: PolicyDocument, whole: PolicyDocument): Fate[] | undefined {
  const grants = grantsOf(from);
  if (grants.length > MOST_GRANTS) return undefined;
  return grants.flatMap(({ action, resource, alone }) => {
    if (alone.Statement[0]?.Effect !== "Allow") return [];
    const to = about(whole, action);
    if (to.Statement.length === 0) return [{ action, resource, fate: "gone" as const }];
    const judged = attempt(() => {
      if (compareAccess(alone, NOTHING).relation === "equal") return undefined;
      const { relation } = compareAccess(alone, to);
      if (relation === "equal" || relation === "narrower") return "stays";
      const shared = to.Statement.some(
        (statement) =>
          all(statement.Action).includes(action) && all(statement.Resource).includes(resource),
      );
      return relation === "incomparable" && !shared ? "gone" : shared ? "narrowed" : "gone";
    });
    const fate = "value" in judged ? judged.value : undefined;
    return fate === undefined ? [] : [{ action, resource, fate }];
  });
}
