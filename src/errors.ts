/**
 * The one error this library throws.
 * @module
 */

/** Stable identifiers of what is wrong. Messages may be reworded, codes are not. */
export type SessionPolicyErrorCode =
  | "INVALID_STORAGE_CONFIG"
  | "INVALID_KMS_KEY"
  | "INVALID_LOCATION"
  | "LOCATION_NOT_ALLOWED"
  | "INVALID_OPTIONS"
  | "INVALID_POLICY"
  | "UNSUPPORTED_POLICY"
  | "INVALID_REQUEST"
  | "POLICY_TOO_LARGE"
  | "STS_UNAVAILABLE"
  | "INVALID_SESSION";

/** One fault: its place below the argument that `code` is about, and what to do about it. */
export interface SessionPolicyIssue {
  /** E.g. `["allowedKmsKeys", 1]` or `["read", 0]`; empty for the argument as a whole. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * Thrown for every input that gives no policy. Messages name the place of a fault, and not the value
 * found there, which may be a secret like an external id.
 *
 * @example
 * ```ts
 * import { buildSessionPolicy, SessionPolicyError } from "polaris-session-policy";
 *
 * try {
 *   buildSessionPolicy({ currentKmsKey: "alias/lake" }, {});
 * } catch (error) {
 *   if (!(error instanceof SessionPolicyError)) throw error;
 *   console.log(error.code, error.issues[0].path); // INVALID_KMS_KEY [ 'currentKmsKey' ]
 * }
 * ```
 */
export class SessionPolicyError extends Error {
  override readonly name = "SessionPolicyError";
  readonly code: SessionPolicyErrorCode;
  readonly issues: readonly SessionPolicyIssue[];

  constructor(code: SessionPolicyErrorCode, issues: readonly SessionPolicyIssue[]) {
    super(issues.map(sentence).join("\n"));
    this.code = code;
    this.issues = issues;
  }
}

/** Makes the error for a single fault. */
export function fault(
  code: SessionPolicyErrorCode,
  path: SessionPolicyIssue["path"],
  message: string,
): SessionPolicyError {
  return new SessionPolicyError(code, [{ path, message }]);
}

/**
 * Runs `read` over a caller's input. Getters and proxies may throw anything. It becomes a
 * SessionPolicyError of `code`, without the original message, which may hold the input.
 */
export function reading<T>(code: SessionPolicyErrorCode, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SessionPolicyError) throw error;
    throw fault(code, [], `${what} could not be read. Pass a plain object, as JSON.parse returns.`);
  }
}

/** The issues of a zod schema, as this library tells them. */
export function issuesOf({
  issues,
}: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
}): SessionPolicyIssue[] {
  return issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === "number" ? part : String(part))),
    message,
  }));
}

/** As many faults as one error lists; a person mends the first and sees the pattern. */
export const MOST_ISSUES = 10;

function sentence({ path, message }: SessionPolicyIssue): string {
  const place = path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join("");
  return place === "" ? message : `${place}: ${message}`;
}
