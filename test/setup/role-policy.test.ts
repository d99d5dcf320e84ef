import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareAccess } from "../../src/analysis/index.ts";
import { buildSessionPolicy, serializePolicy } from "../../src/index.ts";
import { rolePolicy } from "../../src/setup/index.ts";
import { sessionIn, setupConfig, setupOptions } from "../support/arbitrary-setups.ts";
import { faultOf } from "../support/errors.ts";
import { allows } from "../support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 500);
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const ROLE = "arn:aws:iam::123456789012:role/polaris";
const config = { roleArn: ROLE, allowedLocations: ["s3://lake/db"], currentKmsKey: KEY };

describe("rolePolicy", () => {
  test("allows all that any session inside allowedLocations is allowed, with any option", () => {
    const input = setupConfig.chain((storage) =>
      fc.tuple(fc.constant(storage), setupOptions, sessionIn(storage)),
    );
    fc.assert(
      fc.property(input, ([storage, options, locations]) => {
        const session = buildSessionPolicy(storage, locations, { ...options, maxLength: 100_000 });
        expect(["equal", "narrower"]).toContain(
          compareAccess(session, rolePolicy(storage, options)).relation,
        );
      }),
      { numRuns },
    );
  }, 600_000);

  test("allows no more than the policies for its locations one by one, together", () => {
    fc.assert(
      fc.property(setupConfig, setupOptions, (storage, options) => {
        const Statement = storage.allowedLocations.flatMap(
          (uri) => rolePolicy({ ...storage, allowedLocations: [uri] }, options).Statement,
        );
        const union = { Version: "2012-10-17", Statement };
        expect(compareAccess(rolePolicy(storage, options), union).relation).toBe("equal");
      }),
      { numRuns: numRuns / 2 },
    );
  }, 600_000);

  test("gives the bucket's rights no wider than the locations, and keys only through S3", () => {
    const policy = rolePolicy(config);
    const bucket = { action: "s3:ListBucket", resource: "arn:aws:s3:::lake" };
    expect(allows(policy, { ...bucket, context: { "s3:prefix": "db/t/" } })).toBe(true);
    expect(allows(policy, { ...bucket, context: { "s3:prefix": "other/" } })).toBe(false);
    expect(allows(policy, bucket)).toBe(false);
    const encrypt = { action: "kms:GenerateDataKey", resource: KEY };
    const through = (service: string) => ({ ...encrypt, context: { "kms:ViaService": service } });
    expect(allows(policy, through("s3.us-west-2.amazonaws.com"))).toBe(true);
    expect(allows(policy, through("s3.eu-west-1.amazonaws.com"))).toBe(false);
    expect(allows(policy, encrypt)).toBe(false);
  });

  test.each([undefined, null, []])(
    "refuses a configuration whose locations are %j",
    (locations) => {
      expect(faultOf(() => rolePolicy({ ...config, allowedLocations: locations }))).toMatchObject({
        code: "INVALID_STORAGE_CONFIG",
        paths: ["allowedLocations"],
      });
    },
  );

  test("is not limited by the length of a session's policy", () => {
    expect(rolePolicy(config, { maxLength: 1 })).toEqual(rolePolicy(config));
  });

  test("names the nearest common parents where it would be too long, and they fit", () => {
    const folder = (i: number) => `s3://lake/team${i % 3}/area/table_with_a_long_name_${i}`;
    const many = Array.from({ length: 120 }, (_, i) => folder(i));
    const allowedLocations = [...many, "s3://pond/alone/deep/inside"];
    const { code, paths, message } = faultOf(() => rolePolicy({ ...config, allowedLocations }));
    expect({ code, paths }).toEqual({ code: "POLICY_TOO_LARGE", paths: ["allowedLocations"] });
    const parents = message.match(/s3:\/\/[^,]*\//g) ?? [];
    expect(parents).toEqual([0, 1, 2].map((i) => `s3://lake/team${i}/area/`));
    const smaller = { ...config, allowedLocations: [...parents, "s3://pond/alone/deep/inside"] };
    expect(serializePolicy(rolePolicy(smaller)).length).toBeLessThanOrEqual(6144);
  });

  test("may have 6,144 characters, and not one more", () => {
    const table = (i: number) => `s3://lake/namespace/table-${i}/${"x".repeat(20)}`;
    const allowedLocations = Array.from({ length: 40 }, (_, i) => table(i + 100));
    const withKey = (id: string) =>
      rolePolicy({ roleArn: ROLE, allowedLocations, currentKmsKey: KEY.replace(/[^/]+$/, id) });
    const id = "k".repeat(1 + 6144 - serializePolicy(withKey("k")).length);
    expect(serializePolicy(withKey(id)).length).toBe(6144);
    expect(faultOf(() => withKey(`${id}k`)).code).toBe("POLICY_TOO_LARGE");
  });

  test("says so where not even whole buckets fit", () => {
    const allowedLocations = Array.from({ length: 200 }, (_, i) => `s3://bucket-number-${i}/db`);
    const { code, message } = faultOf(() => rolePolicy({ ...config, allowedLocations }));
    expect(code).toBe("POLICY_TOO_LARGE");
    expect(message).toContain("divide them among several catalogs");
  });

  test("changes nothing that was passed in, and reads it once", () => {
    let reads = 0;
    const allowedLocations = ["s3://lake/db"];
    const storage = {
      get allowedLocations() {
        return reads++ === 0 ? allowedLocations : ["s3://other"];
      },
    };
    expect(rolePolicy(Object.freeze(storage))).toEqual(rolePolicy({ allowedLocations }));
  });
});
