/**
 * Who a statement of a trust, key or bucket policy is about.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @module
 */

/** The principals that a statement names, by their kind. */
export interface Principals {
  /** Whether it is about all others: NotPrincipal. */
  readonly not: boolean;
  /** ARNs, accounts, services and so on; `*` for everyone. */
  readonly names: readonly string[];
}

/** Whether a statement is about a principal. */
export function isAbout({ not, names }: Principals, principal: string): boolean {
  return names.some((name) => covers(name, principal)) !== not;
}

/** Whether a name stands for whole accounts, whose own policies decide further. */
export function isAccount(name: string): boolean {
  return name === "*" || accountOf(name) !== undefined;
}

/**
 * Whether a name in a policy stands for a principal: everyone, an account for all its principals, a
 * role for its sessions, or the principal itself.
 */
function covers(name: string, principal: string): boolean {
  if (name === "*" || name === principal) return true;
  const account = accountOf(name);
  if (account !== undefined) {
    return accountOf(principal) === account || principal.split(":")[4] === account;
  }
  const [, partition, roleAccount, role] = /^arn:([^:]*):iam::([^:]*):role\/(.+)$/.exec(name) ?? [];
  if (role === undefined) return false;
  // A session's ARN has the role's name without its path.
  const session = `arn:${partition}:sts::${roleAccount}:assumed-role/${role.slice(role.lastIndexOf("/") + 1)}/`;
  return principal.startsWith(session);
}

function accountOf(name: string): string | undefined {
  if (/^\d{12}$/.test(name)) return name;
  return /^arn:[^:]*:iam::([^:]*):root$/.exec(name)?.[1];
}
