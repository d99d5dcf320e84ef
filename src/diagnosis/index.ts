/**
 * Why AWS denied a request of a session, and what to change.
 *
 * Data flows one way: `text.ts` cleans, `forms.ts` and `context.ts` say what to look for, `denials.ts`
 * finds, `session.ts` holds what the session was made of, `causes.ts` decides, `words.ts` says it.
 *
 * @see https://polaris.apache.org/blog/2025/12/24/securing-s3-data-with-aws-kms/
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @module
 */
import { fault, reading } from "../errors.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { type Cause, type Decision, decideCause } from "./causes.ts";
import { type Denial, type DeniedBy, type Found, type KeyFault, readDenials } from "./denials.ts";
import type { Remedy, RemedyStatement } from "./remedies.ts";
import { sessionOf } from "./session.ts";
import { docsOf, explain } from "./words.ts";

export type { Cause, Denial, DeniedBy, KeyFault, Remedy, RemedyStatement };

/** A denied request, why it was denied, and what to do. Fields of the message are as it has them. */
export interface Diagnosis extends Denial {
  readonly cause: Cause;
  /** `certain`: this is why. `possible`: this may be why, as far as message and input tell. */
  readonly certainty: "certain" | "possible";
  readonly explanation: string;
  readonly remedy?: Remedy;
  /** Other changes, each of which would do as well, or the other causes that there may be. */
  readonly alternatives?: readonly Remedy[];
  /** The page and heading of the documents that tell more: `docs/troubleshooting.md#keys`. */
  readonly docs: string;
  /** How often the text says so. */
  readonly count: number;
  /** The first few of the objects and keys that it says so of, where there are several. */
  readonly resources?: readonly string[];
  /** The lines of the text, from 1, where it first and last says so. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/**
 * Finds every AWS access-denied message in a text, and explains each by the storage configuration,
 * the locations and the options that the session's policy was made of. The more of these are given,
 * the more is certain.
 *
 * Messages that differ in nothing but request ids are one diagnosis with a count. Certain ones come
 * first, in the order of the text. Every ARN in a diagnosis is from the text or from what was passed
 * in. The time taken is linear in the length of the text.
 *
 * @param text logs, stack traces, error bodies: anything.
 * @param storageConfig `AwsStorageConfigInfo` as Polaris' management API returns it; a key that is an
 *   alias is no error here but a cause.
 * @param locations as for `buildSessionPolicy`.
 * @param options as for `buildSessionPolicy`; `maxLength` does not matter.
 * @returns the diagnoses; none if the text holds no such message.
 * @throws SessionPolicyError `INVALID_REQUEST` if `text` is no string; as `buildSessionPolicy` for the
 *   rest of the input.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 * @example
 * ```ts
 * import { diagnoseAccessDenied } from "polaris-session-policy/diagnosis";
 *
 * const log =
 *   "S3Exception: User: arn:aws:sts::123456789012:assumed-role/polaris/etl is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444 because no session policy allows the kms:Decrypt action (Service: S3, Status Code: 403)";
 * const [diagnosis] = diagnoseAccessDenied(log, { region: "us-west-2" });
 * diagnosis?.cause;
 * // "kms-key-not-configured"
 * diagnosis?.remedy?.cliFlag;
 * // "--current-kms-key"
 * ```
 */
export function diagnoseAccessDenied(
  text: string,
  storageConfig?: AwsStorageConfig,
  locations?: Locations,
  options?: SessionPolicyOptions,
): Diagnosis[] {
  if (typeof text !== "string") throw fault("INVALID_REQUEST", [], "The text must be a string.");
  const session = reading("INVALID_STORAGE_CONFIG", "The storage configuration", () =>
    sessionOf(storageConfig, locations, options),
  );
  const found = readDenials(text);
  const encrypting = new Set(
    found
      .filter(({ denial }) => denial.action?.toLowerCase() === "kms:generatedatakey")
      .map(({ denial }) => denial.resource),
  );
  const decided = new Map<string, Decision>();
  const groups = new Map<string, Group>();
  for (const one of found) {
    const { at, end, line, ...what } = one;
    const id = JSON.stringify(what);
    const decision =
      decided.get(id) ?? decideCause(one, session, encrypting.has(one.denial.resource));
    decided.set(id, decision);
    addTo(groups, one, decision);
  }
  return [...groups.values()]
    .sort((a, b) => Number(isCertain(b)) - Number(isCertain(a)))
    .slice(0, MOST_FINDINGS)
    .map(diagnosisOf);
}

/** As many findings as a person reads. */
const MOST_FINDINGS = 12;
/** As many objects as a finding names. */
const MOST_RESOURCES = 5;

/** The messages that have one cause, one remedy and one role. */
interface Group {
  readonly first: Found;
  readonly decision: Decision;
  readonly resources: Set<string>;
  count: number;
  lastLine: number;
}

function addTo(groups: Map<string, Group>, one: Found, decision: Decision): void {
  const { cause, certainty, remedy, facts } = decision;
  const { principal = "", action, deniedBy, resource } = one.denial;
  const role = principal.split("/").slice(0, 2).join("/");
  // What is said without a remedy is said of the resource.
  const about = remedy === undefined && /^(?:kms|access)/.test(cause) ? resource : undefined;
  const id = JSON.stringify([
    cause,
    certainty,
    remedy,
    role,
    action,
    deniedBy,
    facts.variant,
    about,
  ]);
  const known = groups.get(id);
  const group = known ?? {
    first: one,
    decision,
    resources: new Set<string>(),
    count: 0,
    lastLine: one.line,
  };
  const name = nameOf(one.denial);
  if (name !== undefined && group.resources.size < MOST_RESOURCES) group.resources.add(name);
  group.count++;
  group.lastLine = Math.max(group.lastLine, one.line);
  if (known === undefined) groups.set(id, group);
}

function nameOf({ resource, bucket, key }: Denial): string | undefined {
  if (resource !== undefined) return resource;
  return bucket === undefined ? key : `s3://${bucket}/${key ?? ""}`;
}

function isCertain({ decision }: Group): boolean {
  return decision.certainty === "certain";
}

function diagnosisOf({ first, decision, resources, count, lastLine }: Group): Diagnosis {
  const { cause, certainty, remedy, alternatives } = decision;
  return {
    ...first.denial,
    cause,
    certainty,
    explanation: explain(decision),
    ...(remedy === undefined ? {} : { remedy }),
    ...(alternatives === undefined ? {} : { alternatives }),
    docs: docsOf(cause),
    count,
    ...(resources.size > 1 ? { resources: [...resources] } : {}),
    firstLine: first.line,
    lastLine,
  };
}
