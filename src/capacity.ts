/**
 * How many locations fit into a policy, and how to split those that don't.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import { type Session, statementsFor } from "./assembly.ts";
import { fault, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { isBelow, kmsGrants } from "./grants.ts";
import {
  ACCESSES,
  type Access,
  accessesOf,
  accessesTo,
  BIT,
  type BucketPlaces,
  bucketsOf,
  type Locations,
} from "./locations.ts";
import { escapePattern, type PolicyDocument, serializedLength } from "./policy.ts";
import { keyUses } from "./statements.ts";

/** One of several sessions: its policy, and the locations that it is for. */
export interface SessionPlan {
  readonly policy: PolicyDocument;
  readonly locations: Locations;
}

/** A place, with the accesses that no place around it has. */
interface Unit {
  readonly bucket: string;
  readonly place: string;
  readonly accesses: number;
  /** The pattern of its objects. */
  readonly objects: string;
  /** The pattern under which it is listed, if it is. */
  readonly listed: string | undefined;
  /** What the place takes in any policy, in characters; the policy may be longer by much more. */
  readonly atLeast: number;
}

/** A session to be. */
interface Bin {
  readonly units: Unit[];
  readonly listed: Set<string | undefined>;
  length: number;
}

/** See `planSessionPolicies`. */
export function splitOverSessions(
  session: Session,
  places: readonly BucketPlaces[],
  indexOf: (access: Access, place: string) => number,
): SessionPlan[] {
  const whole = statementsFor(session, places);
  const units = unitsOf(session, places);
  if (whole.length <= session.maxLength) return [planOf(whole.Statement, units)];

  // Polaris' fallback to all keys is for sessions that may not write, here: if none of them may.
  const mayWrite = (accessesOf(places) & (BIT.write | BIT.delete)) !== 0;
  const profile = mayWrite ? { ...session.profile, wildcardKey: undefined } : session.profile;
  const keyUsesFor = (accesses: number) => keyUses(kmsGrants(profile, session.config, accesses));
  const each = { ...session, profile, keyUsesFor };

  const sessions: Bin[] = [];
  // Those that may have room: a location may be as long as a session, and so there may be many.
  let open: Bin[] = [];
  const timesListed = new Map<string | undefined, number>();
  for (const { listed } of units) timesListed.set(listed, (timesListed.get(listed) ?? 0) + 1);
  const smallest = units.reduce((least, { atLeast }) => Math.min(least, atLeast), Infinity);
  for (const unit of byLikeness(units)) {
    const add = (bin: Bin) => {
      const { length } = statementsFor(each, placesOf([...bin.units, unit]));
      if (length > session.maxLength) return length;
      bin.units.push(unit);
      bin.listed.add(unit.listed);
      bin.length = length;
      return length;
    };
    // What another bucket lists under the same pattern may share its statement, at less than nothing.
    const isShared = unit.listed !== undefined && (timesListed.get(unit.listed) ?? 0) > 1;
    const room = (isShared ? sessions : open).find((bin) => {
      const mayShare = isShared && bin.listed.has(unit.listed);
      if (!mayShare && bin.length + unit.atLeast > session.maxLength) return false;
      return add(bin) <= session.maxLength;
    });
    if (room !== undefined) continue;
    const bin: Bin = { units: [], listed: new Set(), length: 0 };
    const alone = add(bin);
    if (alone > session.maxLength) throw tooLargeAlone(unit, alone, session.maxLength, indexOf);
    sessions.push(bin);
    open = [...open, bin].filter(({ length }) => length + smallest <= session.maxLength);
  }
  return sessions.map(({ units }) => planOf(statementsFor(each, placesOf(units)).Statement, units));
}

/** Like with like: a statement names many places of a bucket and of the same accesses best. */
function byLikeness(units: readonly Unit[]): Unit[] {
  const groups = new Map<string, Unit[]>();
  for (const unit of units) {
    const kind = `${unit.bucket} ${unit.accesses}`;
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [unit]);
    else group.push(unit);
  }
  return [...groups.values()].flat();
}

function planOf(Statement: PolicyDocument["Statement"], units: readonly Unit[]): SessionPlan {
  const locations: { -readonly [A in keyof Locations]: string[] } = {};
  for (const access of ACCESSES) {
    const uris = units
      .filter(({ accesses }) => accesses & BIT[access])
      // Without a slash at its end, unless its absence would make another place of it.
      .map(({ place }) => `s3://${place.endsWith("//") ? place : place.slice(0, -1)}`);
    if (uris.length > 0) locations[access] = uris;
  }
  return { policy: { Version: "2012-10-17", Statement }, locations };
}

function placesOf(units: readonly Unit[]): BucketPlaces[] {
  return bucketsOf(new Map(units.map(({ place, accesses }) => [place, accesses])));
}

/** The places with the accesses that no place around them has, in the order of places. */
function unitsOf({ profile }: Session, places: readonly BucketPlaces[]): Unit[] {
  const units: Unit[] = [];
  const add = (bucket: string, place: string, accesses: number) => {
    if (accesses === 0) return;
    const objects = `${profile.s3Arn}${escapePattern(place)}*`;
    const prefix = place.slice(bucket.length + 1);
    const isListed = accesses & BIT.list && (prefix !== "" || !profile.rootListsBucket);
    const listed = isListed ? `${escapePattern(prefix || "/")}*` : undefined;
    let atLeast = accesses & ~BIT.list ? serializedLength(objects) + ",".length : 0;
    if (listed !== undefined) atLeast += serializedLength(listed) + ",".length;
    units.push({ bucket, place, accesses, objects, listed, atLeast });
  };
  for (const asked of places) {
    const { bucket, root, prefixes } = asked;
    add(bucket, `${bucket}/`, root);
    const everywhere = profile.rootListsBucket ? root : root & ~BIT.list;
    const around: { readonly prefix: string; readonly accesses: number }[] = [];
    prefixes.forEach((prefix, i) => {
      while (around.length > 0 && !isBelow(prefix, around.at(-1)?.prefix ?? "")) around.pop();
      const inherited = around.at(-1)?.accesses ?? everywhere;
      const accesses = accessesTo(asked, i);
      add(bucket, `${bucket}/${prefix}/`, accesses & ~inherited);
      around.push({ prefix, accesses: accesses | inherited });
    });
  }
  return units;
}

/** The error for a policy that is too long; it tells what takes how much, and how much would fit. */
export function tooLarge(
  session: Session,
  places: readonly BucketPlaces[],
  length: number,
): SessionPolicyError {
  const { config, maxLength } = session;
  const units = unitsOf(session, places);
  const issues: SessionPolicyIssue[] = [
    {
      path: [],
      message: `The shortest possible policy has ${length} characters, and ${maxLength} are allowed. ${mostThatFit(session, units)} of the ${units.length} locations would fit: ask for fewer at a time, as planSessionPolicies does, or for a location around them.`,
    },
  ];
  for (const access of ACCESSES) {
    const asked = units.filter(({ accesses }) => accesses & BIT[access]);
    if (asked.length === 0) continue;
    const taken = asked.flatMap(({ objects, listed }) =>
      access === "list" ? (listed ?? []) : objects,
    );
    issues.push({
      path: [access],
      message: `${counted(asked.length, "location")} ${lengthOf(taken)} characters.`,
    });
  }
  for (const [path, current] of [
    ["currentKmsKey", true],
    ["allowedKmsKeys", false],
  ] as const) {
    const keys = config.keys.filter((key) => key.current === current);
    if (keys.length === 0) continue;
    issues.push({
      path: [path],
      message: `${counted(keys.length, "key")} ${lengthOf(keys.map(({ arn }) => arn))} characters.`,
    });
  }
  return new SessionPolicyError("POLICY_TOO_LARGE", issues);
}

function tooLargeAlone(
  { place, accesses }: Unit,
  length: number,
  maxLength: number,
  indexOf: (access: Access, place: string) => number,
): SessionPolicyError {
  const access = ACCESSES.find((one) => accesses & BIT[one]) ?? "read";
  return fault(
    "POLICY_TOO_LARGE",
    [access, indexOf(access, place)],
    `alone takes a policy of ${length} characters, and ${maxLength} are allowed.`,
  );
}

/**
 * How many locations fit, the short ones first: of all, and of each bucket alone. That is the largest
 * number wherever the locations are of one bucket and for the same accesses.
 */
function mostThatFit(session: Session, units: readonly Unit[]): number {
  const shortFirst = [...units].sort((a, b) => a.atLeast - b.atLeast);
  const buckets = new Set(units.map(({ bucket }) => bucket));
  const tries = [shortFirst];
  if (buckets.size > 1) {
    for (const bucket of [...buckets].slice(0, MOST_BUCKETS_TRIED)) {
      tries.push(shortFirst.filter((unit) => unit.bucket === bucket));
    }
  }
  const fits = (some: readonly Unit[]) =>
    statementsFor(session, placesOf(some)).length <= session.maxLength;
  let most = 0;
  for (const order of tries) {
    while (most < order.length && fits(order.slice(0, most + 1))) most++;
  }
  return most;
}

const MOST_BUCKETS_TRIED = 100;

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} takes` : `${count} ${noun}s take`;
}

function lengthOf(values: readonly string[]): number {
  return values.reduce((length, value) => length + serializedLength(value), 0);
}
