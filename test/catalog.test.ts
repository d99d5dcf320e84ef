import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildSessionPolicy, storageConfigOf } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const BASE = "s3://wh-bucket/db";
const catalogOf = (info: object | null, base: unknown = BASE) => ({
  type: "INTERNAL",
  name: "lake",
  properties: { "default-base-location": base },
  storageConfigInfo: info,
});

describe("the storage configuration of a catalog", () => {
  test.each([[{}], [{ allowedLocations: [] }], [{ allowedLocations: null }]])(
    "%j without allowed locations allows the base location alone",
    (info) => {
      const config = storageConfigOf(catalogOf(info));
      expect(config.allowedLocations).toEqual([BASE]);
      expect(faultOf(() => buildSessionPolicy(config, { read: ["s3://wh-bucket/dbx"] })).code).toBe(
        "LOCATION_NOT_ALLOWED",
      );
      expect(faultOf(() => buildSessionPolicy(config, { read: [`${BASE}/t`] })).code).toBe("none");
    },
  );

  test("with allowed locations is as it stands", () => {
    const info = {
      storageType: "S3",
      allowedLocations: ["s3a://wh-bucket", "s3://*"],
      kmsUnavailable: "true",
      roleArn: null,
    };
    expect(storageConfigOf(catalogOf(info))).toEqual({ ...info, kmsUnavailable: true });
  });

  test("may lie in a bucket whose name only S3 keeps for itself, outside AWS", () => {
    const base = "s3://lake--table-s3/db";
    const store = { endpoint: "http://minio:9000", allowedLocations: [base] };
    expect(storageConfigOf(catalogOf(store, base)).allowedLocations).toEqual([base]);
    const onAws = catalogOf({ allowedLocations: [base] }, base);
    expect(faultOf(() => storageConfigOf(onAws)).paths).toEqual([
      "properties.default-base-location",
    ]);
  });

  test.each([
    ["a catalog that is none", "catalog", ""],
    ["a storage configuration itself", { roleArn: "arn:aws:iam::1:role/x" }, ""],
    ["null for the configuration", catalogOf(null), ""],
    ["a list of catalogs", [catalogOf({})], ""],
    ["no base location", catalogOf({}, null), "properties.default-base-location"],
    ["a number for it", catalogOf({}, 1), "properties.default-base-location"],
    ["a base location elsewhere", catalogOf({}, "gs://lake"), "properties.default-base-location"],
    ["one without a scheme", catalogOf({}, "lake/x"), "properties.default-base-location"],
    [
      "a base location outside the allowed ones",
      catalogOf({ allowedLocations: ["s3://wh-bucket/d", "s3://wh-bucket/db/t"] }),
      "properties.default-base-location",
    ],
    ["another storage type", catalogOf({ storageType: "GCS" }), "storageConfigInfo.storageType"],
    ["a field misspelled", catalogOf({ role_arn: "x" }), "storageConfigInfo.role_arn"],
  ])("%s is refused as INVALID_STORAGE_CONFIG", (_, catalog, path) => {
    const { code, paths } = faultOf(() => storageConfigOf(catalog));
    expect([code, ...paths]).toEqual(["INVALID_STORAGE_CONFIG", path]);
  });

  test("keeps the code of a key's fault, and hides what a getter throws", () => {
    expect(
      faultOf(() => storageConfigOf(catalogOf({ encryptionKeys: ["alias/x"] }))),
    ).toMatchObject({ code: "INVALID_KMS_KEY", paths: ["storageConfigInfo.encryptionKeys.0"] });
    const throwing = {
      get storageConfigInfo() {
        throw new Error("s3cr3t");
      },
    };
    const { code, message } = faultOf(() => storageConfigOf(throwing));
    expect(code).toBe("INVALID_STORAGE_CONFIG");
    expect(message).not.toContain("s3cr3t");
  });

  test.each(["quickstart_catalog.json", "quickstart_catalog_1.8.json"])(
    "docs/examples/%s gives the same policy in either generation of key fields",
    (file) => {
      const read = (name: string): unknown =>
        JSON.parse(readFileSync(new URL(`../docs/examples/${name}`, import.meta.url), "utf8"));
      const table = ["s3://polaris-quickstart/warehouse/ns/t1"];
      const locations = { read: table, write: table };
      const policy = buildSessionPolicy(storageConfigOf(read(file)), locations);
      expect(policy).toEqual(
        buildSessionPolicy(storageConfigOf(read("quickstart_catalog.json")), locations),
      );
      expect(policy.Statement.map(({ Action }) => [Action].flat().at(-1))).toContain(
        "kms:GenerateDataKey",
      );
    },
  );
});
