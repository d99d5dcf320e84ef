/**
 * The principals of trust, key and bucket policies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @module
 */

/** The principals that a statement names, by their kind. */
export interface Principals {
  /** Whether it applies to all other principals: NotPrincipal. */
  readonly not: boolean;
  /** ARNs, accounts, services and so on; `*` for everyone. */
  readonly names: readonly string[];
}

/** Tells whether a statement applies to a principal. */
export function isAbout({ not, names }: Principals, principal: string): boolean {
  return names.some((name) => covers(name, principal)) !== not;
}

/** Tells whether a name stands for a whole account, whose own policies decide further. */
export function isAccount(name: string): boolean {
  return name === "*" || accountOf(name) !== undefined;
}

/**
 * Tells whether a name in a policy stands for a principal: `*` for everyone, an account for all its
 * principals, a role for its sessions, or the principal itself.
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
