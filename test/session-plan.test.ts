import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  planSessionPolicies,
  type SessionPolicyOptions,
  serializePolicy,
} from "../src/index.ts";
import { locationsArbitrary, storageConfigArbitrary } from "../src/testing/index.ts";
import { faultOf } from "./support/errors.ts";
import { grantSet } from "./support/grant-sets.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 1000);
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const config = { roleArn: "arn:aws:iam::123456789012:role/polaris", currentKmsKey: KEY };
const all = (uris: string[]) => ({ read: uris, list: uris, write: uris, delete: uris });
const numbered = (count: number, name: (n: string) => string) =>
  Array.from({ length: count }, (_, i) => name(String(i).padStart(2, "0")));
const short = (count: number) => all(numbered(count, (n) => `s3://wh-bucket/db/table_${n}`));
const long = (count: number) =>
  all(
    numbered(
      count,
      (n) =>
        `s3://acme-lakehouse-prod/warehouse/sales/orders-${n}-0f9e8d7c-5555-6666-7777-888888888888`,
    ),
  );

describe("the capacity of a session, read, list, write and delete with one KMS key,", () => {
  test.each([
    ["short tables", short, 27],
    ["long tables", long, 8],
  ])("is what it was for %s", (_, tables, capacity) => {
    expect(
      serializePolicy(buildSessionPolicy(config, tables(capacity))).length,
    ).toBeLessThanOrEqual(2048);
    expect(faultOf(() => buildSessionPolicy(config, tables(capacity + 1))).code).toBe(
      "POLICY_TOO_LARGE",
    );
  });

  test("is told when it is exceeded, with the shortest possible length", () => {
    const { length } = serializePolicy(
      buildSessionPolicy(config, short(40), { maxLength: Number.POSITIVE_INFINITY }),
    );
    const { message } = faultOf(() => buildSessionPolicy(config, short(40)));
    expect(message).toContain(
      `The policy needs ${length.toLocaleString("en")} characters; 2,048 are allowed.`,
    );
    expect(message).toContain("27 of the 40 locations would fit");
  });

  test("counts the short locations first, and each bucket alone", () => {
    const read = [`s3://a-bucket/${"x".repeat(900)}`, "s3://a-bucket/y", "s3://a-bucket/z"];
    const fault = (uris: string[]) =>
      faultOf(() => buildSessionPolicy({}, { read: uris }, { maxLength: 300 }));
    expect(fault(read).message).toContain("2 of the 3 locations would fit");
    const others = numbered(30, (n) => `s3://bucket-${n}/t`);
    expect(
      fault([...others, ...numbered(9, (n) => `s3://lake/${n}${"t".repeat(6)}`)]).message,
    ).toContain("5 of the 39 locations would fit");
    expect(fault([read[0] ?? ""]).message).toContain("0 of the 1 locations would fit");
  });
});

describe("more names than a call takes arguments are no more than a policy that is long:", () => {
  const MANY = 150_000;
  const many = (head: string) => Array.from({ length: MANY }, (_, i) => `s3://${head}${i}`);
  test.each([
    [
      "prefixes of a bucket that joins two others",
      [...many("lake/a"), "s3://lake/z", "s3://pond/y", "s3://pond/z", "s3://well/y"],
      4,
    ],
    ["buckets that list the same", many("lake-").map((uri) => `${uri}/t`), 2],
    ["buckets that list what no other does", many("lake-").map((uri, i) => `${uri}/${i}`), MANY],
  ])("%s", (_, list, statements) => {
    const { Statement } = buildSessionPolicy({}, { list }, { maxLength: Number.POSITIVE_INFINITY });
    expect(Statement.length).toBeGreaterThanOrEqual(statements);
    expect(JSON.stringify(Statement).length).toBeGreaterThan(MANY * "a123456/*".length);
  });
});

function together(plan: readonly { readonly policy: PolicyDocument }[]) {
  return grantSet({ Statement: plan.flatMap(({ policy }) => policy.Statement) });
}

describe("planSessionPolicies", () => {
  test("splits locations over sessions that together grant exactly the whole, in any profile", () => {
    const options: fc.Arbitrary<SessionPolicyOptions> = fc.record(
      {
        profile: fc.constantFrom("least-privilege" as const, "polaris" as const),
        objectVersions: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        storageConfigArbitrary(),
        locationsArbitrary({ maxLocations: 6 }),
        options,
        fc.integer({ min: 700, max: 2048 }),
        (storageConfig, locations, some, maxLength) => {
          let plan: ReturnType<typeof planSessionPolicies>;
          try {
            plan = planSessionPolicies(storageConfig, locations, { ...some, maxLength });
          } catch (error) {
            // One location alone is too long; then so is that session.
            expect(
              faultOf(() => {
                throw error;
              }).code,
            ).toBe("POLICY_TOO_LARGE");
            return;
          }
          const whole = buildSessionPolicy(storageConfig, locations, {
            ...some,
            maxLength: Number.POSITIVE_INFINITY,
          });
          if (serializePolicy(whole).length <= maxLength) expect(plan).toHaveLength(1);
          // Polaris gives all keys of the account to each session that may not write, if none is set.
          const isCompared = (grant: unknown) =>
            some.profile !== "polaris" || !String(grant).includes("key/*");
          expect(together(plan).filter(isCompared)).toEqual(grantSet(whole).filter(isCompared));
          for (const session of plan) {
            expect(serializePolicy(session.policy).length).toBeLessThanOrEqual(maxLength);
            expect(
              buildSessionPolicy(storageConfig, session.locations, { ...some, maxLength }),
            ).toEqual(session.policy);
          }
        },
      ),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  });

  test("fills sessions: 100 short tables take four, not more", () => {
    const plan = planSessionPolicies(config, short(100));
    expect(plan.map(({ locations }) => [...(locations.write ?? [])].length)).toEqual([
      27, 27, 27, 19,
    ]);
    expect(plan[0]?.locations.list).toContain("s3://wh-bucket/db/table_00");
  });

  test("fills sessions to the last character that is allowed", () => {
    const tables = (from: number, to: number) => all(short(100).read.slice(from, to));
    const length = (from: number, to: number) =>
      serializePolicy(buildSessionPolicy(config, tables(from, to))).length;
    const maxLength = length(0, 3);
    const counts = (most: number) =>
      planSessionPolicies(config, tables(0, 6), { maxLength: most }).map(
        ({ locations }) => [...(locations.read ?? [])].length,
      );
    expect([maxLength, maxLength - 1, length(0, 6), length(0, 6) - 1].map(counts)).toEqual([
      [3, 3],
      [2, 2, 2],
      [6],
      [5, 1],
    ]);
    expect(counts(length(0, 1))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(faultOf(() => counts(length(0, 1) - 1))).toMatchObject({
      code: "POLICY_TOO_LARGE",
      paths: ["read.0"],
    });
    const { message } = faultOf(() => buildSessionPolicy(config, tables(0, 6), { maxLength }));
    expect(message).toContain("3 of the 6 locations would fit");
  });

  test("goes bucket by bucket, and within one access by access", () => {
    const write = ["s3://lake/b", "s3://lake/d", "s3://pond/b"];
    const read = ["s3://lake/a", "s3://lake/b", "s3://lake/c", "s3://pond/a"];
    const plan = planSessionPolicies({}, { read, write }, { maxLength: 230 });
    expect(plan.map(({ locations }) => locations)).toEqual([
      { read: ["s3://lake/a", "s3://lake/c"] },
      { read: ["s3://lake/b"], write: ["s3://lake/b"] },
      { write: ["s3://lake/d", "s3://pond/b"] },
      { read: ["s3://pond/a"] },
    ]);
  });

  test("names locations as they were, but for a slash that makes no difference", () => {
    const read = ["s3://lake/a//", "s3://lake/b/", "s3://pond", "s3://pond-2/"];
    expect(planSessionPolicies({}, { read })[0]?.locations.read).toEqual([
      "s3://lake/a//",
      "s3://lake/b",
      "s3://pond-2",
      "s3://pond",
    ]);
  });

  test("of the prediction is what Polaris sends for each session, all keys included", () => {
    const account = { roleArn: "arn:aws:iam::123456789012:role/polaris", region: "us-west-2" };
    const read = numbered(12, (n) => `s3://lake/table_${n}`);
    const options = { profile: "polaris", maxLength: 500 } as const;
    for (const locations of [{ read }, { read, write: ["s3://lake/z"] }]) {
      const plans = planSessionPolicies(account, locations, options);
      expect(plans.length).toBeGreaterThan(1);
      for (const plan of plans) {
        expect(plan.policy).toEqual(buildSessionPolicy(account, plan.locations, options));
      }
    }
  });

  test("of whole buckets that are listed, in both profiles", () => {
    const list = ["s3://lake", "s3://pond", "s3://lake/db"];
    const prefixes = (profile: "polaris" | "least-privilege") =>
      planSessionPolicies({}, { list }, { profile, maxLength: 300 }).map(
        ({ locations }) => locations.list,
      );
    expect(prefixes("least-privilege")).toEqual([["s3://lake", "s3://pond"]]);
    expect(prefixes("polaris")).toEqual([["s3://lake", "s3://lake/db"], ["s3://pond"]]);
  });

  test("does not depend on order, repeats or spelling", () => {
    const { read } = short(60);
    const respelled = [...read, ...read].reverse().map((uri) => `${uri.replace("s3:", "s3a:")}/`);
    expect(planSessionPolicies(config, { read: respelled })).toEqual(
      planSessionPolicies(config, { read }),
    );
  });

  test("of nothing is one session that may do nothing", () => {
    expect(planSessionPolicies(config, {})).toEqual([
      { policy: buildSessionPolicy(config, {}), locations: {} },
    ]);
  });

  test("of nothing is refused where not even a refusal of everything has room", () => {
    for (const profile of ["least-privilege", "polaris"] as const) {
      const region = "us-west-2";
      const plan = () => planSessionPolicies({ ...config, region }, {}, { profile, maxLength: 50 });
      expect(faultOf(plan).code).toBe("POLICY_TOO_LARGE");
    }
  });

  test("names the location that is too long alone", () => {
    const read = ["s3://wh-bucket/a", `s3://wh-bucket/${"売".repeat(300)}`];
    const fault = faultOf(() => planSessionPolicies(config, { write: ["s3://wh-bucket/b"], read }));
    expect(fault).toMatchObject({ code: "POLICY_TOO_LARGE", paths: ["read.1"] });
  });

  test("names it, and not the location around it, which fits", () => {
    const long = `s3://wh-bucket/db/${"t".repeat(900)}`;
    const fault = faultOf(() =>
      planSessionPolicies(
        config,
        { read: ["s3://wh-bucket/db"], write: [long, "s3://wh-bucket/x"] },
        { maxLength: 900 },
      ),
    );
    expect(fault).toMatchObject({ code: "POLICY_TOO_LARGE", paths: ["write.0"] });
  });

  test("is a first fit: bucket by bucket and access by access, each location where there is room", () => {
    const names = ["a", "b", "cc", "ddd", "e".repeat(40), "f".repeat(60), "é", "g".repeat(120)];
    const accesses = ["read", "list", "write", "delete"] as const;
    const table = fc.record({
      place: fc
        .tuple(
          fc.constantFrom("lake", "wh-bucket"),
          fc.constantFrom(...names, ...names.map((n) => `x/${n}`)),
        )
        .map((parts) => parts.join("/")),
      access: fc.subarray([...accesses], { minLength: 1 }),
    });
    // Buckets that list the same prefixes share a statement: there, two locations may fit where one of
    // them does not, and a group finds more room than a first fit.
    const selector = ({ place }: { place: string }) => place.slice(place.indexOf("/"));
    const tables = fc.uniqueArray(table, { selector, maxLength: 14 });
    const maxLength = fc.integer({ min: 330, max: 1200 });
    type Table = { place: string; access: readonly (typeof accesses)[number][] };
    const locationsOf = (some: readonly Table[]): Locations =>
      Object.fromEntries(
        accesses.flatMap((access) => {
          const uris = some.filter((one) => one.access.includes(access));
          return uris.length === 0 ? [] : [[access, uris.map(({ place }) => `s3://${place}`)]];
        }),
      );
    fc.assert(
      fc.property(tables, maxLength, (all, maxLength) => {
        const build = (some: readonly Table[]) =>
          buildSessionPolicy(config, locationsOf(some), { maxLength });
        const fits = (some: readonly Table[]) => faultOf(() => build(some)).code === "none";
        fc.pre(all.every((one) => fits([one])));
        const inOrder = [...all].sort((a, b) => (`${a.place}/` < `${b.place}/` ? -1 : 1));
        const likeness = ({ place, access }: Table) => `${place.split("/")[0]} ${access}`;
        const kinds = [...new Set(inOrder.map(likeness))];
        const sessions: Table[][] = fits(all) ? [inOrder] : [];
        if (!fits(all)) {
          for (const one of kinds.flatMap((kind) => inOrder.filter((t) => likeness(t) === kind))) {
            const room = sessions.find((session) => fits([...session, one]));
            if (room === undefined) sessions.push([one]);
            else room.push(one);
          }
        }
        expect(planSessionPolicies(config, locationsOf(all), { maxLength })).toEqual(
          sessions.map((some) => ({ policy: build(some), locations: locationsOf(some) })),
        );
      }),
      { numRuns: numRuns / 5 },
    );
  });

  test("leaves nested locations to the session of the outer one", () => {
    const locations = { read: ["s3://wh-bucket/a"], write: ["s3://wh-bucket/a/b"] };
    const plan = planSessionPolicies(
      {},
      { ...locations, list: ["s3://wh-bucket/a/b/c"] },
      { maxLength: 300 },
    );
    expect(plan.map((session) => session.locations)).toEqual([
      { read: ["s3://wh-bucket/a"], write: ["s3://wh-bucket/a/b"] },
      { list: ["s3://wh-bucket/a/b/c"] },
    ]);
  });
});
