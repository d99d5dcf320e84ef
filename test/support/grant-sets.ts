/**
 * A policy as the set of its grants, to compare two policies whose statements are grouped otherwise.
 * Shares no code with src/.
 */
import { type AnyPolicy, asList } from "./iam.ts";

/** What an action applies to; grants of it on other resources mean nothing and are left out. */
function applies(action: string, resource: string): boolean {
  if (resource === "*") return true;
  if (action.startsWith("kms:")) return !/:s3:::/.test(resource);
  const isObject = /^arn:[^:]*:s3:::[^/]*\//.test(resource);
  return /:s3:::/.test(resource) && isObject === !/Bucket/.test(action);
}

/**
 * (effect, action, resource, condition) of a policy, one for each combination of its values, without
 * repeats and without those that another covers.
 */
export function grantSet(policy: AnyPolicy): string[] {
  const grants = new Map<string, { head: string; resource: string; condition: string[] }>();
  for (const statement of asList(policy.Statement)) {
    const conditions = Object.entries(statement.Condition ?? {}).flatMap(([operator, block]) =>
      Object.entries(block).flatMap(([key, values]) =>
        asList(values as string).map((value) => [operator, key, value]),
      ),
    );
    for (const action of asList(statement.Action ?? [])) {
      for (const resource of asList(statement.Resource ?? [])) {
        if (!applies(action, resource)) continue;
        for (const condition of conditions.length > 0 ? conditions : [[]]) {
          const head = `${statement.Effect} ${action}`;
          grants.set(JSON.stringify([head, resource, condition]), { head, resource, condition });
        }
      }
    }
  }
  const all = [...grants.values()];
  const covers = (outer: (typeof all)[number], inner: (typeof all)[number]) =>
    outer !== inner &&
    outer.head === inner.head &&
    coversPattern(outer.resource, inner.resource) &&
    (outer.condition.length === 0 ||
      (outer.condition.slice(0, 2).join() === inner.condition.slice(0, 2).join() &&
        coversPattern(outer.condition[2] ?? "", inner.condition[2] ?? "")));
  return all
    .filter((grant) => !all.some((other) => covers(other, grant)))
    .map(({ head, resource, condition }) => [head, resource, ...condition].join(" "))
    .sort();
}

/** For literals that end with `*`, which is all the patterns there are but for one. */
function coversPattern(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  return outer.endsWith("*") && !outer.endsWith("${*}") && inner.startsWith(outer.slice(0, -1));
}
