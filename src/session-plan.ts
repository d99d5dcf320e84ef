/**
 * Divides locations among several sessions, if one policy can't hold them.
 *
 * 1. Sort places by bucket and by accesses, because places of one kind share statements best.
 * 2. A session takes the first place that is left, then each further place that still fits, in order.
 *    This is a first fit, session by session, up to the 16th place that is refused.
 * 3. Try a place only if the least that it adds fits: the names that the policy does not have yet.
 * 4. Try places in groups, which double in size while they fit and halve when they don't. So a session
 *    is measured about twenty times, and not once for each place. Buckets that list the same prefixes
 *    share a statement, so a group may fit even if its first place alone does not.
 *
 * Example: 49 of 100 tables of one bucket fit. The groups of 1, 2, 4, 8 and 16 fit. The group of 32 does
 * not, so 16 and 1 more are taken. The next session begins with the 50th table.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @module
 */
import { SessionPolicyError } from "./errors.ts";
import { ACCESSES, BIT, type Locations, type PlaceAccess, withoutNested } from "./locations.ts";
import { type PolicyDocument, patternOf, serializedLength } from "./policy.ts";
import { tooLarge } from "./policy-size.ts";
import { type GrantedPlace, policyFor, type Session } from "./session.ts";
import { LIST_FRAME } from "./statements.ts";

/** One of several sessions: its policy, and the locations that it is for. */
export interface SessionPlan {
  readonly policy: PolicyDocument;
  readonly locations: Locations;
}

/** A place to be packed. */
interface Item extends GrantedPlace {
  readonly bucket: string;
  /** The least that it adds to a session that names its bucket, and to a session that does not. */
  readonly growth: number;
  readonly growthWithBucket: number;
  /** The length that its names add; Infinity if another bucket may name some of them already. */
  readonly most: number;
  /** Where the places of its bucket end in the list, and the places of its bucket and accesses. */
  readonly bucketEnd: number;
  readonly kindEnd: number;
}

/** See `planSessionPolicies`. */
export function splitOverSessions(session: Session, asked: readonly PlaceAccess[]): SessionPlan[] {
  const { maxLength, profile } = session.options;
  const places = withoutNested(asked, profile !== "polaris");
  const whole = policyFor(session, places);
  if (whole.length <= maxLength) {
    return [{ policy: whole.policy, locations: locationsOf(places) }];
  }
  // There is nothing to divide: a Deny of everything, or Polaris' keys, is too long by itself.
  if (places.length === 0) throw tooLarge(session, asked, whole.length);
  const items = itemsOf(session, places);
  const left: Left = {
    items,
    byGrowth: minTree(items.map(({ growth }) => growth)),
    byGrowthWithBucket: minTree(items.map(({ growthWithBucket }) => growthWithBucket)),
  };
  const plans: SessionPlan[] = [];
  for (;;) {
    const first = left.byGrowth.next(0, items.length, Infinity);
    if (first < 0) return plans;
    const taken = fill(session, left, first, asked);
    for (const i of taken) {
      left.byGrowth.remove(i);
      left.byGrowthWithBucket.remove(i);
    }
    const chosen = taken.flatMap((i) => items[i] ?? []);
    plans.push({ policy: policyFor(session, chosen).policy, locations: locationsOf(chosen) });
  }
}

/** The places that no session has yet. */
interface Left {
  readonly items: readonly Item[];
  readonly byGrowth: MinTree;
  readonly byGrowthWithBucket: MinTree;
}

/** Fills a session, beginning with one place. Returns the indices of the places that it takes. */
function fill(
  session: Session,
  left: Left,
  first: number,
  asked: readonly PlaceAccess[],
): readonly number[] {
  const { maxLength } = session.options;
  const { items } = left;
  const lengthOf = (indices: readonly number[]) =>
    policyFor(
      session,
      indices.flatMap((i) => items[i] ?? []),
    ).length;
  let taken: readonly number[] = [first];
  let length = lengthOf(taken);
  if (length > maxLength) throw tooLargeAlone(items[first], length, maxLength, asked);
  let from = first + 1;
  let size = 1;
  // The last refused place: no place of its kind that adds as much has room either.
  let refused: Refused = { kindEnd: 0, growth: Infinity };
  let refusals = 0;
  for (;;) {
    const group = nextGroup(left, taken, from, size, maxLength - length, refused);
    const last = group.at(-1);
    if (last === undefined) return taken;
    const more = [...taken, ...group];
    const longer = lengthOf(more);
    if (longer <= maxLength) {
      taken = more;
      length = longer;
      from = last + 1;
      size *= 2;
    } else if (group.length > 1) {
      size = group.length >> 1;
    } else {
      if (++refusals > MOST_REFUSALS) return taken;
      const { kindEnd = 0, most = Infinity } = items[last] ?? {};
      refused = { kindEnd, growth: most };
      from = last + 1;
    }
  }
}

/** After so many refusals there is hardly any room, and each further try takes time. */
const MOST_REFUSALS = 16;

interface Refused {
  readonly kindEnd: number;
  readonly growth: number;
}

/** Returns the next places, at most `size`, that could have room by the least that they add. */
function nextGroup(
  { items, byGrowth, byGrowthWithBucket }: Left,
  taken: readonly number[],
  from: number,
  size: number,
  room: number,
  refused: Refused,
): number[] {
  const group: number[] = [];
  let bucket = items[taken.at(-1) ?? 0]?.bucket;
  let next = from;
  let rest = room;
  while (group.length < size && next < items.length) {
    const here = items[next];
    if (here === undefined) break;
    // Places of a bucket are neighbours, so only the last bucket can have more places.
    const end = here.bucket === bucket ? here.bucketEnd : next;
    const kindEnd = Math.max(next, Math.min(end, refused.kindEnd));
    let found = byGrowth.next(next, kindEnd, Math.min(rest, refused.growth - 1));
    if (found < 0) found = byGrowth.next(kindEnd, end, rest);
    let growth = items[found]?.growth ?? 0;
    if (found < 0) {
      found = byGrowthWithBucket.next(end, items.length, rest);
      growth = items[found]?.growthWithBucket ?? 0;
    }
    if (found < 0) break;
    group.push(found);
    bucket = items[found]?.bucket;
    rest -= growth;
    next = found + 1;
  }
  return group;
}

/** Sorts places by bucket and accesses, and computes the least that each adds. */
function itemsOf(
  { rules, options }: Session,
  places: ReturnType<typeof withoutNested>,
): readonly Item[] {
  const kinds = new Map<string, { readonly bucket: string; accesses: number; place: string }[]>();
  const bucketsListing = new Map<string, string>();
  const SEVERAL = "";
  for (const one of places) {
    const name = `${one.bucket} ${one.accesses}`;
    const kind = kinds.get(name);
    if (kind === undefined) kinds.set(name, [one]);
    else kind.push(one);
    if (one.accesses & BIT.list) {
      const prefix = one.place.slice(one.bucket.length);
      const known = bucketsListing.get(prefix) ?? one.bucket;
      bucketsListing.set(prefix, known === one.bucket ? one.bucket : SEVERAL);
    }
  }
  const sorted = [...kinds.values()].flat();
  const items: Item[] = [];
  let bucketEnd = sorted.length;
  let kindEnd = sorted.length;
  for (let i = sorted.length - 1; i >= 0; i--) {
    const one = sorted[i];
    const after = sorted[i + 1];
    if (one === undefined) continue;
    const { bucket, place, accesses } = one;
    if (after !== undefined && after.bucket !== bucket) bucketEnd = i + 1;
    if (after !== undefined && (after.bucket !== bucket || after.accesses !== accesses)) {
      kindEnd = i + 1;
    }
    const prefix = place.slice(bucket.length);
    const key = patternOf(place.slice(bucket.length + 1)).length + '"*",'.length;
    const arn = serializedLength(rules.s3Arn + bucket) + ",".length;
    let growth = accesses & ~BIT.list ? key + arn - '"",'.length + "/".length : 0;
    let growthWithBucket = arn;
    if (accesses & BIT.list && place.length > bucket.length + 1) {
      growthWithBucket += arn;
      // Another bucket that lists the same prefix may share its statement.
      if (bucketsListing.get(prefix) !== SEVERAL) {
        growth += key;
        if (options.profile !== "polaris") growthWithBucket += LIST_FRAME - 2;
      }
    }
    growthWithBucket += growth;
    const most = accesses & BIT.list && bucketsListing.get(prefix) === SEVERAL ? Infinity : growth;
    items.push({ bucket, place, accesses, growth, growthWithBucket, most, bucketEnd, kindEnd });
  }
  return items.reverse();
}

function locationsOf(places: readonly GrantedPlace[]): Locations {
  const locations: { -readonly [A in keyof Locations]: string[] } = {};
  for (const access of ACCESSES) {
    const uris = places
      .filter(({ accesses }) => accesses & BIT[access])
      // Without the slash at its end, unless that would make another place.
      .map(({ place }) => `s3://${place.endsWith("//") ? place : place.slice(0, -1)}`);
    if (uris.length > 0) locations[access] = uris;
  }
  return locations;
}

function tooLargeAlone(
  item: Item | undefined,
  length: number,
  maxLength: number,
  asked: readonly PlaceAccess[],
): SessionPolicyError {
  const named = asked.find(({ place }) => place === item?.place);
  return new SessionPolicyError("POLICY_TOO_LARGE", [
    {
      path: named === undefined ? [] : [named.access, named.index],
      message: `alone needs a policy of ${length} characters; ${maxLength} are allowed. Grant a location with a shorter name, or allow longer policies.`,
    },
  ]);
}

/** Finds the next number up to a limit in a list that only shrinks. */
interface MinTree {
  /** The first index from `from` to before `to` whose number is at most `limit`; -1 for none. */
  readonly next: (from: number, to: number, limit: number) => number;
  readonly remove: (index: number) => void;
}

/** A complete binary tree in a list: each node holds the smaller of its two children. */
function minTree(numbers: readonly number[]): MinTree {
  let leaves = 1;
  while (leaves < numbers.length) leaves *= 2;
  const nodes = new Float64Array(2 * leaves).fill(Infinity);
  nodes.set(numbers, leaves);
  const refresh = (node: number) => {
    nodes[node] = Math.min(nodes[2 * node] ?? Infinity, nodes[2 * node + 1] ?? Infinity);
  };
  for (let node = leaves - 1; node > 0; node--) refresh(node);
  const has = (node: number, limit: number) => {
    const least = nodes[node] ?? Infinity;
    return least < Infinity && least <= limit;
  };
  return {
    next: (from, to, limit) => {
      let node = leaves + from;
      if (from >= to) return -1;
      // Go up to the first subtree on the right that has one, then down to its first leaf.
      while (!has(node, limit)) {
        while (node % 2 === 1) node >>= 1;
        if (node === 0) return -1;
        node++;
      }
      while (node < leaves) node = has(2 * node, limit) ? 2 * node : 2 * node + 1;
      return node - leaves < to ? node - leaves : -1;
    },
    remove: (index) => {
      let node = leaves + index;
      nodes[node] = Infinity;
      for (node >>= 1; node > 0; node >>= 1) refresh(node);
    },
  };
}
