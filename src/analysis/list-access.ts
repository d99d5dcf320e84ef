/**
 * What a policy says, in rows for people.
 * @module
 */
import { reading } from "../errors.ts";
import { kindsOf, resourceKindOf } from "./actions.ts";
import { type AnyPolicyDocument, parsePolicy, type Test } from "./policy-document.ts";

/** One thing that a statement allows or denies: actions on a resource. */
export interface AccessRow {
  /** The statement's index in the policy. */
  readonly statement: number;
  readonly effect: "Allow" | "Deny";
  /** As written; those that apply to no such resource are left out. */
  readonly actions: readonly string[];
  /** The resource as written. */
  readonly resource: string;
  /** The bucket, if the resource is one or lies in one. */
  readonly bucket?: string;
  /** What objects' keys must look like, if the resource is objects: a pattern, as written. */
  readonly objects?: string;
  /** The KMS key's ARN, if the resource is one. */
  readonly key?: string;
  /** The condition in words, empty if there is none. */
  readonly condition: string;
}

/**
 * Lists what a policy allows and denies, a row for each resource of each statement.
 *
 * @param policy a policy in the grammar of {@link decide}.
 * @throws SessionPolicyError `UNSUPPORTED_POLICY`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 * @example
 * ```ts
 * import { buildSessionPolicy } from "polaris-session-policy";
 * import { listAccess } from "polaris-session-policy/analysis";
 *
 * const policy = buildSessionPolicy({}, { list: ["s3://wh-bucket/db"] });
 * listAccess(policy).map(({ actions, bucket, condition }) => [actions[0], bucket, condition]);
 * // [["s3:GetBucketLocation", "wh-bucket", ""], ["s3:ListBucket", "wh-bucket", 's3:prefix is like "db/*"']]
 * ```
 */
export function listAccess(policy: AnyPolicyDocument): AccessRow[] {
  const statements = reading("UNSUPPORTED_POLICY", "The policy", () => parsePolicy(policy));
  return statements.flatMap(({ effect, tests, written }, statement) => {
    const condition = tests.map(inWords).join(", and ");
    return written.resources.flatMap((resource) => {
      const [, bucket, objects] = /^arn:[^:]*:s3:::([^/]*)(?:\/(.*))?$/s.exec(resource) ?? [];
      const kinds = kindsOf(resource);
      // A bucket with a wildcard may stand for objects too: arn:aws:s3:::lake*
      const either = bucket !== undefined && /[*?]/.test(bucket);
      const actions = written.actions.filter((action) => {
        const kind = resourceKindOf(action);
        return (
          kind === undefined || kinds.size === 0 || kinds.has(kind) || (either && kind === "object")
        );
      });
      if (actions.length === 0) return [];
      return [
        {
          statement,
          effect,
          actions,
          resource,
          ...(bucket === undefined ? {} : { bucket }),
          ...(objects === undefined ? {} : { objects }),
          ...(kinds.has("key") ? { key: resource } : {}),
          condition,
        },
      ];
    });
  });
}

function inWords({ operator, key, written }: Test): string {
  if (operator === "Null") {
    const states = written.map((absent) => (absent === "true" ? "absent" : "present"));
    return `${key} is ${[...new Set(states)].join(" or ")}`;
  }
  const wanted = written.map((value) => JSON.stringify(value)).join(" or ");
  const like = operator.includes("Like") ? "like " : "";
  const not = operator.includes("Not") ? "not " : "";
  const ifExists = operator.endsWith("IfExists") ? ", if it is present" : "";
  return `${key} is ${not}${like}${wanted}${ifExists}`;
}
