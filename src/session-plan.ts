/**
 * How many locations fit into a policy, and how to split those that don't.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */

import { fault, SessionPolicyError, type SessionPolicyIssue } from "./errors.ts";
import { kmsGrants, nest } from "./grants.ts";
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
import { type Session, statementsFor } from "./session.ts";
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
  /** What its patterns take in a policy, in characters. */
  readonly length: number;
  /** What a policy for it must name, and what that takes: its patterns and its bucket. */
  readonly names: ReadonlyMap<string, number>;
}

/** A session to be, and what its policy names. */
interface Bin {
  readonly units: Unit[];
  readonly named: Set<string>;
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
  for (const kind of byLikeness(units)) {
    // The least that a session refused of this kind: it has no room for more than that either.
    const refused = new Map<Bin, number>();
    for (const unit of kind) {
      const add = (bin: Bin) => {
        const { length } = statementsFor(each, placesOf([...bin.units, unit]));
        if (length > session.maxLength) return length;
        bin.units.push(unit);
        for (const name of unit.names.keys()) bin.named.add(name);
        bin.length = length;
        return length;
      };
      const room = sessions.find((bin) => {
        const growth = leastGrowth(bin, unit);
        if (bin.length + growth > session.maxLength) return false;
        if (growth >= (refused.get(bin) ?? Infinity)) return false;
        if (add(bin) <= session.maxLength) return true;
        if (growth > 0) refused.set(bin, growth);
        return false;
      });
      if (room !== undefined) continue;
      const bin: Bin = { units: [], named: new Set(), length: 0 };
      const alone = add(bin);
      if (alone > session.maxLength) throw tooLargeAlone(unit, alone, session.maxLength, indexOf);
      sessions.push(bin);
    }
  }
  return sessions.map(({ units }) => planOf(statementsFor(each, placesOf(units)).Statement, units));
}

/**
 * What a unit adds at least to the policy of a session: all that only it names. It is nothing where
 * its bucket is listed already and its prefix too, but not both together: then the bucket may come to
 * list the same as another, and share the statement of that.
 */
function leastGrowth({ named }: Bin, { bucket, listed, names }: Unit): number {
  if (listed !== undefined && named.has(listed) && named.has(listOf(bucket))) return 0;
  let growth = 0;
  for (const [name, length] of names) if (!named.has(name)) growth += length;
  return growth;
}

/** Stands for the bucket's ARN in the statements that list it. */
function listOf(bucket: string): string {
  return `list ${bucket}`;
}

/** Like with like: a statement names many places of a bucket and of the same accesses best. */
function byLikeness(units: readonly Unit[]): Unit[][] {
  const kinds = new Map<string, Unit[]>();
  for (const unit of units) {
    const name = `${unit.bucket} ${unit.accesses}`;
    const kind = kinds.get(name);
    if (kind === undefined) kinds.set(name, [unit]);
    else kind.push(unit);
  }
  return [...kinds.values()];
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
    const names = new Map<string, number>();
    const name = (text: string, as = text) => {
      const length = serializedLength(text) + ",".length;
      names.set(as, length);
      return length;
    };
    const arn = profile.s3Arn + bucket;
    name(arn);
    let length = 0;
    const objects = `${profile.s3Arn}${escapePattern(place)}*`;
    if (accesses & ~BIT.list) length += name(objects);
    const prefix = place.slice(bucket.length + 1);
    let listed: string | undefined;
    if (accesses & BIT.list && (prefix !== "" || !profile.rootListsBucket)) {
      listed = `${escapePattern(prefix || "/")}*`;
      length += name(listed);
      name(arn, listOf(bucket));
    }
    units.push({ bucket, place, accesses, objects, listed, length, names });
  };
  for (const asked of places) {
    const { bucket, root, prefixes } = asked;
    add(bucket, `${bucket}/`, root);
    const everywhere = profile.rootListsBucket ? root : root & ~BIT.list;
    nest(prefixes, everywhere, (around, prefix, i) => {
      const accesses = accessesTo(asked, i);
      add(bucket, `${bucket}/${prefix}/`, accesses & ~around);
      return accesses | around;
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
  for (const [path, encrypts] of [
    ["currentKmsKey", true],
    ["allowedKmsKeys", false],
  ] as const) {
    const keys = config.keys.filter((key) => key.encrypts === encrypts);
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
  const shortFirst = [...units].sort((a, b) => a.length - b.length);
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
