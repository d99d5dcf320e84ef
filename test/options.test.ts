import { describe, expect, test } from "vitest";
import { buildSessionPolicy, type SessionPolicyOptions, serializePolicy } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const table = ["s3://wh-bucket/db"];
const all = { read: table, list: table, write: table, delete: table };
const build = (options?: unknown, config = {}) =>
  buildSessionPolicy({ currentKmsKey: KEY, ...config }, all, options as SessionPolicyOptions);
const actions = (options?: unknown) => build(options).Statement.flatMap(({ Action }) => Action);

describe("options", () => {
  test.each([
    [null, ""],
    [7, ""],
    [{ profile: "spark" }, "profile"],
    [{ maxLength: 0 }, "maxLength"],
    [{ maxLength: -1 }, "maxLength"],
    [{ maxLength: 1.5 }, "maxLength"],
    [{ maxLength: Number.NaN }, "maxLength"],
    [{ maxLength: "2048" }, "maxLength"],
    [{ kmsViaService: "no" }, "kmsViaService"],
    [{ maxlength: 10 }, ""],
    [{ profile: "polaris", kmsViaService: true }, "kmsViaService"],
    [{ profile: "polaris", abortMultipartUploads: true }, "abortMultipartUploads"],
  ])("%j are refused as INVALID_OPTIONS", (options, path) => {
    expect(faultOf(() => build(options))).toMatchObject({ code: "INVALID_OPTIONS", paths: [path] });
  });

  test("that are undefined are the defaults", () => {
    const options = { profile: undefined, maxLength: undefined, kmsViaService: undefined };
    expect(build(options)).toEqual(build());
    expect(build(undefined)).toEqual(build());
  });

  test("objectVersions and abortMultipartUploads add their actions, and nothing else", () => {
    const plain = actions();
    expect(plain).not.toContain("s3:GetObjectVersion");
    expect(actions({ objectVersions: true }).sort()).toEqual(
      [...plain, "s3:GetObjectVersion"].sort(),
    );
    expect(actions({ abortMultipartUploads: true }).sort()).toEqual(
      [...plain, "s3:AbortMultipartUpload"].sort(),
    );
  });

  test("kmsViaService: false leaves the condition out, true insists on it", () => {
    expect(build({ kmsViaService: true })).toEqual(build());
    expect(build({ kmsViaService: false }).Statement.at(-1)?.Condition).toBeUndefined();
    const unknown = [
      { endpoint: "http://minio:9000" },
      { currentKmsKey: "arn:aws-iso:kms:us-iso-east-1:123456789012:key/1" },
    ];
    for (const config of unknown) {
      expect(faultOf(() => build({ kmsViaService: true }, config))).toMatchObject({
        code: "INVALID_OPTIONS",
        paths: ["kmsViaService"],
      });
    }
    const noKms = { endpoint: "http://minio:9000", kmsUnavailable: true };
    expect(faultOf(() => build({ kmsViaService: true }, noKms)).code).toBe("none");
  });
});

describe("maxLength", () => {
  const { length } = serializePolicy(build());
  test("is kept to the character", () => {
    expect(serializePolicy(build({ maxLength: length }))).toHaveLength(length);
    expect(faultOf(() => build({ maxLength: length - 1 })).code).toBe("POLICY_TOO_LARGE");
  });

  test("also bounds the policy that denies all", () => {
    const nothing = (maxLength: number) => buildSessionPolicy({}, {}, { maxLength });
    expect(serializePolicy(nothing(84))).toHaveLength(84);
    expect(faultOf(() => nothing(83)).code).toBe("POLICY_TOO_LARGE");
  });

  test("is told with both lengths, and what each list and key takes", () => {
    const { message, paths } = faultOf(() => build({ maxLength: 100 }));
    expect(message).toContain(`${length} characters`);
    expect(message).toContain("100 are allowed");
    expect(paths).toEqual(["", "read", "list", "write", "delete", "currentKmsKey"]);
    expect(message).toContain("read: 1 location takes 29 characters.");
    expect(message).toContain("list: 1 location takes 6 characters.");
    expect(message).toContain("currentKmsKey: 1 key takes 77 characters.");
  });

  test("is 2,048 unless told, and Infinity is allowed", () => {
    const read = Array.from({ length: 200 }, (_, i) => `s3://wh-bucket/db/table_${i}`);
    expect(faultOf(() => buildSessionPolicy({}, { read })).code).toBe("POLICY_TOO_LARGE");
    const options = { maxLength: Number.POSITIVE_INFINITY };
    expect(serializePolicy(buildSessionPolicy({}, { read }, options)).length).toBeGreaterThan(2048);
  });
});
