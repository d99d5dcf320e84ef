/**
 * Reports which parts of a too long policy take how many characters, and how many locations would fit.
 * @module
 */
import { SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { ACCESSES, BIT, type PlaceAccess, withoutNested } from "./locations.ts";
import { patternOf, serializedLength } from "./policy.ts";
import { type GrantedPlace, policyFor, type Session } from "./session.ts";

/** Makes the error for a policy that is longer than `maxLength`. */
export function tooLarge(
  session: Session,
  asked: readonly PlaceAccess[],
  length: number,
): SessionPolicyError {
  const { options, rules } = session;
  const places = withoutNested(asked, options.profile !== "polaris");
  const fitting = mostThatFit(session, places);
  const issues: SessionPolicyIssue[] = [
    { path: [], message: summary(session, places, fitting, length) },
  ];
  for (const access of ACCESSES) {
    const given = places.filter(({ accesses }) => accesses & BIT[access]);
    if (given.length === 0) continue;
    let taken = 0;
    for (const { bucket, place } of given) {
      const prefix = place.slice(bucket.length + 1);
      if (access !== "list") taken += rules.s3Arn.length + patternOf(place).length + '"*"'.length;
      else if (prefix !== "") taken += patternOf(prefix).length + '"*"'.length;
      else if (options.profile === "polaris") taken += '"/*"'.length;
    }
    issues.push({
      path: [access],
      message: `${counted(given.length, "location")} ${withCommas(taken)} characters.`,
    });
  }
  return new SessionPolicyError("POLICY_TOO_LARGE", [...issues, ...keyIssues(session)]);
}

function summary(
  session: Session,
  places: readonly GrantedPlace[],
  fitting: number,
  length: number,
): string {
  const { maxLength } = session.options;
  const needed = `The policy needs ${withCommas(length)} characters; ${withCommas(maxLength)} are allowed.`;
  const ofAll = `${withCommas(fitting)} of the ${withCommas(places.length)} locations would fit`;
  if (fitting > 0) {
    return `${needed} ${ofAll}. Split them (planSessionPolicies), or grant one common parent.`;
  }
  const keys = session.config.keys.length;
  if (keys === 0) return `${needed} ${ofAll}. Grant a location with a shorter name.`;
  const via = session.rules.viaService ? ", or set kmsViaService to false" : "";
  return `${needed} ${ofAll}, as the keys take too much. Leave out keys that no data needs any more${via}.`;
}

const KEY_FIELDS = ["currentKmsKey", "encryptionKeys", "allowedKmsKeys", "decryptionKeys"] as const;

/** Counts the characters of each field's keys in the policy. */
function keyIssues({ config }: Session): SessionPolicyIssue[] {
  return KEY_FIELDS.flatMap((field) => {
    const keys = config.keys.filter(({ path }) => path[0] === field);
    if (keys.length === 0) return [];
    const taken = keys.reduce((sum, { arn }) => sum + serializedLength(arn), 0);
    return [
      { path: [field], message: `${counted(keys.length, "key")} ${withCommas(taken)} characters.` },
    ];
  });
}

/**
 * Counts how many locations fit, the short ones first, of all buckets and of each bucket alone. The count
 * is the largest possible if all locations have the same bucket and accesses.
 */
function mostThatFit(session: Session, places: ReturnType<typeof withoutNested>): number {
  const lengthOf = ({ bucket, place, accesses }: (typeof places)[number]) =>
    (accesses & ~BIT.list ? session.rules.s3Arn.length + place.length : 0) +
    (accesses & BIT.list ? place.length - bucket.length : 0);
  const shortFirst = [...places].sort((a, b) => lengthOf(a) - lengthOf(b));
  const byBucket = new Map<string, (typeof places)[number][]>();
  for (const one of shortFirst) {
    const known = byBucket.get(one.bucket);
    if (known === undefined) byBucket.set(one.bucket, [one]);
    else known.push(one);
  }
  const largest = [...byBucket.values()]
    .sort((a, b) => b.length - a.length)
    .slice(0, MOST_BUCKETS_TRIED);
  const fits = (some: readonly GrantedPlace[]) =>
    policyFor(session, some).length <= session.options.maxLength;
  let most = 0;
  for (const order of [shortFirst, ...largest]) {
    // The length grows with the locations, except where equal lists merge and save a few characters.
    let enough = most;
    let tooMany = order.length + 1;
    while (tooMany - enough > 1) {
      const middle = Math.min((enough + tooMany) >> 1, enough + Math.max(enough, FIRST_TRIED));
      if (fits(order.slice(0, middle))) enough = middle;
      else tooMany = middle;
    }
    most = Math.max(most, enough);
  }
  return most;
}

const MOST_BUCKETS_TRIED = 20;
const FIRST_TRIED = 16;

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} takes` : `${withCommas(count)} ${noun}s take`;
}

/** 2048 becomes 2,048. */
function withCommas(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
