import { describe, expect, test } from "vitest";
import { buildSessionPolicy, createSessionPolicyBuilder, type Locations } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";
import { allows } from "./support/iam.ts";

const build = (locations: unknown, config = {}) =>
  buildSessionPolicy(config, locations as Locations);
const read = (...uris: unknown[]) => build({ read: uris });
const objects = (...uris: string[]) =>
  read(...uris)
    .Statement.flatMap(({ Resource }) => Resource)
    .filter((arn) => arn.includes("/"))
    .map((arn) => arn.slice("arn:aws:s3:::".length));

describe("a location is refused as INVALID_LOCATION, with its list and index:", () => {
  test.each([
    ["", "is not a URI"],
    ["wh-bucket/db", "is not a URI"],
    ["s3:/wh-bucket/db", "is not a URI"],
    ["://wh-bucket/db", "must begin with s3://"],
    ["gs://wh-bucket/db", "must begin with s3://"],
    [" s3://wh-bucket/db", "must begin with s3://"],
    ["https://wh-bucket/db", "must begin with s3://"],
    ["s3x://wh-bucket/db", "must begin with s3://"],
    ["s3ab://wh-bucket/db", "must begin with s3://"],
    ["x\ns3://wh-bucket/db", "must begin with s3://"],
    ["s3://", "no bucket"],
    ["s3:///db", "no bucket"],
    ["s3://ab/db", "no S3 store accepts"],
    [`s3://${"b".repeat(256)}/db`, "no S3 store accepts"],
    ["s3://wh bucket/db", "no S3 store accepts"],
    ["s3://wh*/db", "no S3 store accepts"],
    ["s3://${aws:username}/db", "no S3 store accepts"],
    ["s3://wh-bucket:9000/db", "no S3 store accepts"],
    ["s3://key:secret@wh-bucket/db", "no S3 store accepts"],
    ["s3://bücket/db", "no S3 store accepts"],
    ["s3://wh-bucket?versionId=3", "no S3 store accepts"],
    ["s3://192.168.5.4/db", "no S3 store accepts"],
    ["s3://1.2.34.5/db", "no S3 store accepts"],
    ["s3://1.2.3.45", "no S3 store accepts"],
    ["s3://ab", "no S3 store accepts"],
    ["s3://arn:aws:s3:us-west-2:123456789012:accesspoint/db", "access point"],
    ["s3://orders--usw2-az1--x-s3/db", "directory bucket"],
    ["s3://wh-bucket/a\tb", "control character"],
    ["s3://wh-bucket/a\nb", "control character"],
    ["s3://wh-bucket/a\u0000b", "control character"],
    ["s3://wh-bucket/a\u0085b", "control character"],
    ["s3://wh-bucket/a\ud83d/b", "surrogate"],
    ["s3://wh-bucket/a\udce6b", "surrogate"],
    [`s3://wh-bucket/${"a".repeat(1025)}`, "1024"],
    [`s3://wh-bucket/${"é".repeat(513)}`, "1024"],
    [`s3://wh-bucket/${"📦".repeat(257)}`, "1024"],
    [`s3://wh-bucket/${"a".repeat(1_000_000)}`, "1024"],
    [7, "must be a string"],
    [null, "must be a string"],
    [["s3://wh-bucket"], "must be a string"],
  ])("%j: %s", (uri, reason) => {
    const fault = faultOf(() =>
      build({ list: ["s3://wh-bucket/ok"], read: ["s3://wh-bucket/ok", uri] }),
    );
    expect(fault).toMatchObject({ code: "INVALID_LOCATION", paths: ["read.1"] });
    expect(fault.message).toMatch(/^read\[1\]: /);
    expect(fault.message).toContain(reason);
    if (typeof uri === "string" && uri.length > 12) expect(fault.message).not.toContain(uri);
  });

  test.each([
    ["a string instead of a list", { read: "s3://wh-bucket/db" }, "read"],
    ["null instead of a list", { write: null }, "write"],
    ["an unknown access", { reads: [] }, "reads"],
    ["an array of lists", [["s3://wh-bucket"]], ""],
    ["a Map", new Map([["read", []]]), ""],
    ["nothing", undefined, ""],
    ["null", null, ""],
    ["a string", "s3://wh-bucket/db", ""],
    ["an array with holes", { read: new Array(3) }, "read.0"],
  ])("%s", (_, locations, path) => {
    const { code, paths } = faultOf(() => build(locations));
    expect([code, paths[0]]).toEqual(["INVALID_LOCATION", path]);
  });

  test("of many, the first ten are told", () => {
    expect(faultOf(() => read(...new Array(1000).fill("x"))).paths).toHaveLength(10);
    expect(faultOf(() => build({ read: new Set(["x", "y"]) })).paths).toEqual(["read.0", "read.1"]);
    const holes = new Array(4_000_000_000);
    expect(faultOf(() => build({ read: holes, list: holes })).paths).toEqual(["read.0"]);
    expect(faultOf(() => build({ read: holes, list: [...holes.slice(0, 1)] })).paths).toEqual([
      "read.0",
      "list.0",
    ]);
  });

  test("a scheme is taken in any case, as Polaris takes it", () => {
    expect(read("S3://wh-bucket/db", "S3A://wh-bucket/db/b")).toEqual(read("s3://wh-bucket/db"));
  });

  test("getters that throw and endless sets end in the same error", () => {
    const throwing = {
      get read(): string[] {
        throw new Error("secret");
      },
    };
    expect(faultOf(() => build(throwing)).code).toBe("INVALID_LOCATION");
    class Endless extends Set<string> {
      override *[Symbol.iterator](): SetIterator<string> {
        for (;;) yield "s3://wh-bucket/db";
      }
    }
    expect(build({ read: new Endless() }).Statement[0]?.Effect).toBe("Deny");
  });
});

describe("a location means every key below its prefix:", () => {
  test("s3, s3a and s3n, with and without a trailing slash, are one place", () => {
    const spellings = ["s3://wh-bucket/db", "s3a://wh-bucket/db", "s3n://wh-bucket/db/"];
    expect(objects(...spellings)).toEqual(["wh-bucket/db/*"]);
    expect(objects("s3://wh-bucket", "s3a://wh-bucket/")).toEqual(["wh-bucket/*"]);
  });

  test("lists may be Sets", () => {
    expect(build({ read: new Set(["s3://wh-bucket/db"]) })).toEqual(read("s3://wh-bucket/db"));
  });

  test("siblings are not covered", () => {
    const policy = read("s3://wh-bucket/db/a");
    const get = (key: string) =>
      allows(policy, { action: "s3:GetObject", resource: `arn:aws:s3:::wh-bucket/${key}` });
    expect([get("db/a/x"), get("db/a"), get("db/ab"), get("db/ab/x")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("keys are literal: %2F, //, . and .. stay as they are", () => {
    for (const key of ["a%2Fb", "a//b", "a/./b", "a/../b", "/a", "a?x=1#f", " a "]) {
      expect(objects(`s3://wh-bucket/${key}`)).toEqual([`wh-bucket/${key.replace("?", "${?}")}/*`]);
    }
    expect(objects("s3://wh-bucket/a//")).toEqual(["wh-bucket/a//*"]);
    expect(objects("s3://wh-bucket//")).toEqual(["wh-bucket//*"]);
  });

  test("places inside others of the same list are left out", () => {
    expect(objects("s3://wh-bucket/a/b", "s3://wh-bucket/a", "s3://wh-bucket/ab")).toEqual([
      "wh-bucket/a/*",
      "wh-bucket/ab/*",
    ]);
  });

  test("bucket names of older regions and other stores are accepted", () => {
    expect(objects("s3://Acme_Lake/db", "s3://a.b-c/db")).toEqual(["Acme_Lake/db/*", "a.b-c/db/*"]);
    expect(objects(`s3://${"b".repeat(255)}/db`)).toHaveLength(1);
  });

  test("a prefix may have 1,024 bytes", () => {
    const prefixes = ["a".repeat(1024), `${"a".repeat(1024)}/`, "é".repeat(512), "📦".repeat(256)];
    for (const prefix of prefixes) {
      const list = [`s3://wh-bucket/${prefix}`];
      const policy = buildSessionPolicy({}, { list }, { maxLength: Number.POSITIVE_INFINITY });
      expect(policy.Statement).toHaveLength(2);
    }
  });
});

test.each([
  [["a", "a!", "a/b", "b"], undefined],
  [["a", "a/b", "a/b/c", "a0"], undefined],
  [["a/", "a/b/", "a/c", "b/"], undefined],
  [["a", "a", "b"], undefined],
  [["a", "a/", "b"], undefined],
  [["a", "b", ""], undefined],
  [
    ["a", "a!", "a!/b", "a/b"],
    ["a", "a!"],
  ],
  [
    ["a", "a-x", "a/x", "b"],
    ["a", "a-x", "b/"],
  ],
  [
    ["db/a", "db/b", "db2/a", "e"],
    ["db", "db2", "e"],
  ],
  [
    ["db", "db/b", "db0"],
    ["db", "db0"],
  ],
  [
    ["d", "e/x", "e/y", "f"],
    ["d", "e", "f"],
  ],
])("%j, in order or not, allowed in %j, give the same", (prefixes, allowed) => {
  const uris = prefixes.map((prefix) => `s3://lake/${prefix}`);
  const config = { allowedLocations: allowed?.map((prefix) => `s3://lake/${prefix}`) };
  const all = (list: string[]) => ({ read: list, list, write: list, delete: list });
  expect(build(all(uris), config)).toEqual(build(all([...uris].reverse()), config));
  const more = [...uris, "s3://pond/a"];
  const both = { allowedLocations: config.allowedLocations?.concat("s3://pond") };
  expect(build(all(more), both)).toEqual(build(all([...more].reverse()), both));
});

test("names near those of IP addresses and directory buckets are buckets", () => {
  const uris = ["x1.2.3.4", "1.2.3.4x", "1.2.3.4.5", "1.2.3", "a--x-s3b", "ab--x-s3-"];
  expect(objects(...uris.map((bucket) => `s3://${bucket}`))).toHaveLength(uris.length);
  expect(objects(...uris.map((bucket) => `s3://${bucket}/a`))).toHaveLength(uris.length);
});

test("no more than ten faults are told, of whichever kind", () => {
  const config = { allowedLocations: ["s3://wh-bucket/db"] };
  const mixed = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? "x" : `s3://other/${i}`));
  expect(faultOf(() => build({ read: mixed }, config)).paths).toEqual(
    [0, 2, 4, 6, 8].map((i) => `read.${i}`),
  );
});

describe("allowedLocations", () => {
  const config = { allowedLocations: ["s3a://wh-bucket/db", "s3://other"] };
  test("must contain every location", () => {
    const inside = ["s3://wh-bucket/db", "s3n://wh-bucket/db/t/", "s3://other/x", "s3://other"];
    expect(build({ read: inside, delete: inside }, config).Statement[0]?.Effect).toBe("Allow");
    const outside = ["s3://wh-bucket", "s3://wh-bucket/dbx", "s3://wh-bucket/d", "s3://other2/x"];
    for (const uri of outside) {
      expect(faultOf(() => build({ write: ["s3://other/x", uri] }, config))).toMatchObject({
        code: "LOCATION_NOT_ALLOWED",
        paths: ["write.1"],
      });
    }
  });

  test.each([
    [["lake/db", "lake/db-x"], ["lake/db"], 1],
    [["lake/db", "lake/db!/a"], ["lake/db"], 1],
    [["lake/db/a", "lake/db/b", "lake/db0"], ["lake/db"], 2],
    [["lake/db/", "lake/db/a", "lake/db2/a"], ["lake/db"], 2],
    [["lake/a/b", "lake/a/c", "lake/ab"], ["lake/a/"], 2],
    [["lake/a", "lake/b"], ["lake/a", "lake/c"], 1],
    [["lake/a", "lake/b", "lake/c"], ["lake/a", "lake/c"], 1],
    [["lake/a", "pond/a"], ["lake"], 1],
    [["lake/a", "lake2/a"], ["lake/", "pond"], 1],
    [["lake/a/x", "lake/a/y"], ["lake/a/x"], 1],
    [["lake/a"], ["lake/a/b"], 0],
  ])("%j, in order: of these, %j does not allow the one at %i", (places, allowed, at) => {
    const config = { allowedLocations: allowed.map((place) => `s3://${place}`) };
    for (const scheme of ["s3", "s3a"]) {
      const read = places.map((place) => `${scheme}://${place}`);
      expect(faultOf(() => build({ read }, config))).toMatchObject({
        code: "LOCATION_NOT_ALLOWED",
        paths: [`read.${at}`],
      });
      expect(build({ read: read.slice(0, at) }, config).Statement).not.toHaveLength(0);
    }
  });

  test("may lie inside one another, in any order", () => {
    const nested = {
      allowedLocations: ["s3://lake/a/c", "s3://lake/a", "s3://lake/a/b/", "s3://z-1"],
    };
    const uris = [
      "s3://lake/a/d",
      "s3://lake/a/c/x",
      "s3://lake/a/bb",
      "s3://lake/a",
      "s3://z-1/x",
    ];
    for (const uri of uris) {
      expect(build({ read: [uri] }, nested).Statement[0]?.Effect, uri).toBe("Allow");
    }
    expect(build({ read: uris }, nested).Statement[0]?.Effect).toBe("Allow");
    expect(faultOf(() => build({ read: ["s3://lake/b"] }, nested)).paths).toEqual(["read.0"]);
  });

  test("that are empty allow nothing", () => {
    const none = { allowedLocations: [] };
    expect(faultOf(() => build({ list: ["s3://wh-bucket"] }, none)).code).toBe(
      "LOCATION_NOT_ALLOWED",
    );
    expect(build({}, none).Statement[0]?.Effect).toBe("Deny");
  });
});

test("a prepared builder's policies share nothing that a caller could change", () => {
  const key = (id: string) => `arn:aws:kms:us-west-2:123456789012:key/${id}`;
  const config = { currentKmsKey: key("1"), allowedKmsKeys: [key("2"), key("3")] };
  const locations = { read: ["s3://lake/a", "s3://lake/b"], write: ["s3://lake/a"] };
  const prepared = createSessionPolicyBuilder(config);
  const first = prepared(locations);
  const spoil = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    Object.values(value).forEach(spoil);
    if (Array.isArray(value)) value.push("spoiled");
    else Object.assign(value, { spoiled: true });
  };
  spoil(first);
  expect(prepared(locations)).toEqual(buildSessionPolicy(config, locations));
});

test("a prepared builder gives the same policies, and keeps nothing of what was passed in", () => {
  const config = {
    roleArn: "arn:aws:iam::123456789012:role/x",
    allowedLocations: ["s3://wh-bucket"],
  };
  const locations = { read: ["s3://wh-bucket/a"], write: ["s3://wh-bucket/b"] };
  const prepared = createSessionPolicyBuilder(config);
  const expected = buildSessionPolicy(config, locations);
  config.allowedLocations.length = 0;
  const first = prepared(locations);
  expect(first).toEqual(expected);
  (first.Statement as unknown[]).length = 0;
  expect(prepared(locations)).toEqual(expected);
});
