/**
 * Lists what one policy allows beyond another, in rows.
 * @module
 */
import type { PolicyDocument } from "polaris-session-policy";
import { type AccessRow, compareAccess, listAccess } from "polaris-session-policy/analysis";

/** Returns the rows of `policy` that `other` does not allow as a whole, each with those actions. */
export function accessBeyond(policy: PolicyDocument, other: PolicyDocument): AccessRow[] {
  const others = listAccess(other);
  const known = new Set(others.flatMap((row) => row.actions.map((a) => idOf(row, a))));
  // Both policies are of this library, which spells actions out.
  const named = new Set(others.flatMap(({ actions }) => actions));
  return listAccess(policy).flatMap((row) => {
    const statement = policy.Statement[row.statement];
    if (row.effect === "Deny" || statement === undefined) return [];
    const actions = row.actions.filter((action) => {
      if (known.has(idOf(row, action))) return false;
      if (!named.has(action)) return true;
      // Another resource of the other policy may contain this one.
      const Statement = [{ ...statement, Action: action, Resource: row.resource }];
      const { relation } = compareAccess({ Version: "2012-10-17", Statement }, other);
      return relation !== "equal" && relation !== "narrower";
    });
    return actions.length === 0 ? [] : [{ ...row, actions }];
  });
}

function idOf({ effect, resource, condition }: AccessRow, action: string): string {
  return JSON.stringify([effect, action, resource, condition]);
}
