/**
 * 118 catalogs as they were posted to a running Polaris 1.7.0, what it answered, and what we answer.
 * `created` is the status of the post, `loaded` that of vending credentials for a table in it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildAssumeRoleRequest, buildSessionPolicy, storageConfigOf } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const posted: readonly { name: string; created: number; loaded?: number }[] = JSON.parse(
  readFileSync(new URL("vectors/catalogs-1.7.0.json", import.meta.url), "utf8"),
);

const BASE = "s3://pol-wh/c1";
const role = "arn:aws:iam::123456789012:role/polaris";
const key = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const MINIO = {
  roleArn: undefined,
  endpoint: "http://minio:9000",
  stsEndpoint: "http://minio:9000",
};

/** The code of the fault, or none: of the catalog or the policy, and of the request. */
type Answer = readonly [policy: string, request?: string];
const OK: Answer = ["none", "none"];
const CONFIG: Answer = ["INVALID_STORAGE_CONFIG"];
const KEY: Answer = ["INVALID_KMS_KEY"];
const NO_REQUEST: Answer = ["none", "INVALID_STORAGE_CONFIG"];

const base = (location: unknown) => ({ base: location });
const allowed = (...uris: unknown[]) => ({ info: { allowedLocations: uris } });
const info = (fields: object) => ({ info: fields });

const CASES: Readonly<Record<string, readonly [{ base?: unknown; info?: object }, Answer]>> = {
  plain: [{}, OK],
  "base with trailing slash": [base("s3://pol-wh/c1/"), OK],
  "base s3a": [base("s3a://pol-wh/c1"), OK],
  "base S3 upper case": [base("S3://pol-wh/c1"), OK],
  "base without scheme": [base("pol-wh/x"), CONFIG],
  "base gs://": [base("gs://pol-wh/c1"), CONFIG],
  "base is a bucket": [base("s3://pol-b"), OK],
  "base is a bucket/": [base("s3://pol-c/"), OK],
  "base with a space": [base("s3://pol-wh/c1/a b"), OK],
  "base with %20": [base("s3://pol-wh/c1/a%20b"), OK],
  "base with //": [base("s3://pol-wh/c1//x"), OK],
  "base with ..": [base("s3://pol-wh/c1/a/../b"), OK],
  "base with *": [base("s3://pol-wh/c1/a*b"), OK],
  "base with ? and #": [base("s3://pol-wh/c1/a?b#c"), OK],
  "base with 日本": [base("s3://pol-wh/c1/日本"), OK],
  "no base": [base(undefined), CONFIG],
  "allowed absent": [info({ allowedLocations: undefined }), OK],
  "allowed []": [allowed(), OK],
  "allowed null": [info({ allowedLocations: null }), OK],
  "allowed another bucket": [allowed("s3://other-bucket/x"), CONFIG],
  "allowed = base + /": [allowed(`${BASE}/`), OK],
  // Refused there because another catalog of the same server overlapped.
  "allowed is the bucket": [allowed("s3://pol-wh"), OK],
  "allowed is the bucket/": [allowed("s3://pol-wh/"), OK],
  "allowed s3a, base s3": [allowed("s3a://pol-wh/c1"), OK],
  // The same location, which Polaris tells apart by the letters of the scheme.
  "allowed S3://": [allowed("S3://pol-wh/c1"), OK],
  "allowed *": [allowed("*"), CONFIG],
  "allowed s3://*": [allowed(BASE, "s3://*"), OK],
  "allowed empty string": [allowed(BASE, ""), CONFIG],
  "allowed s3://": [allowed(BASE, "s3://"), CONFIG],
  "allowed without scheme": [allowed(BASE, "pol-wh/x"), CONFIG],
  "allowed file:": [allowed(BASE, "file:///tmp"), CONFIG],
  "allowed gs:": [allowed(BASE, "gs://b/x"), CONFIG],
  "allowed twice": [allowed(BASE, BASE), OK],
  "allowed with a prefix that is no folder (b/db, base b/dbx)": [allowed("s3://pol-wh/c"), CONFIG],
  "allowed with null inside": [allowed(BASE, null), CONFIG],
  "allowed as a string": [info({ allowedLocations: BASE }), CONFIG],
  "allowed upper-case bucket": [allowed(BASE, "s3://Pol-WH/x"), OK],
  "allowed IP bucket": [allowed(BASE, "s3://10.0.0.1/x"), OK],
  "allowed short bucket": [allowed(BASE, "s3://ab/x"), OK],
  "allowed express bucket": [allowed(BASE, "s3://lake--usw2-az1--x-s3/x"), OK],
  "allowed access point arn": [
    allowed(BASE, "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/lake/x"),
    OK,
  ],
  "allowed tab": [allowed(BASE, "s3://pol-wh/a\tb"), OK],
  "MinIO, no role": [info({ ...MINIO, region: undefined }), OK],
  "MinIO, no role, region": [info(MINIO), OK],
  "MinIO, no role, stsUnavailable": [
    info({ ...MINIO, stsUnavailable: true }),
    ["none", "STS_UNAVAILABLE"],
  ],
  "MinIO arn:minio role": [info({ ...MINIO, roleArn: "arn:minio:iam:::role/dummy-internal" }), OK],
  "Ceph role": [info({ ...MINIO, roleArn: "arn:aws:iam:::role/polaris" }), OK],
  "Ceph role with tenant": [info({ ...MINIO, roleArn: "arn:aws:iam::tenant:role/polaris" }), OK],
  "StorageGRID role": [info({ ...MINIO, roleArn: "urn:sgws:identity::12345:role/polaris" }), OK],
  "ECS role": [info({ ...MINIO, roleArn: "urn:ecs:iam::ns1:role/polaris" }), OK],
  "Dell ObjectScale role": [info({ ...MINIO, roleArn: "urn:osc:iam::osai1:role/polaris" }), OK],
  "role with a path": [info({ roleArn: "arn:aws:iam::123456789012:role/team/polaris" }), OK],
  "role with colons in the path": [info({ roleArn: "arn:aws:iam::123456789012:role/a:b/p" }), OK],
  "user ARN as role": [info({ roleArn: "arn:aws:iam::123456789012:user/polaris" }), OK],
  "assumed-role ARN": [info({ roleArn: "arn:aws:sts::123456789012:assumed-role/p/s" }), OK],
  "role GovCloud": [
    info({ roleArn: "arn:aws-us-gov:iam::123456789012:role/polaris", region: "us-gov-west-1" }),
    OK,
  ],
  "role GovCloud, no region": [
    info({ roleArn: "arn:aws-us-gov:iam::123456789012:role/polaris", region: undefined }),
    NO_REQUEST,
  ],
  "role China": [
    info({ roleArn: "arn:aws-cn:iam::123456789012:role/polaris", region: "cn-north-1" }),
    OK,
  ],
  "role iso": [
    info({ roleArn: "arn:aws-iso:iam::123456789012:role/polaris", region: "us-iso-east-1" }),
    OK,
  ],
  "role eusc": [
    info({ roleArn: "arn:aws-eusc:iam::123456789012:role/polaris", region: "eusc-de-east-1" }),
    OK,
  ],
  "role of another partition than the region": [
    info({ roleArn: "arn:aws-cn:iam::123456789012:role/polaris", region: "us-west-2" }),
    OK,
  ],
  "role empty string": [info({ roleArn: "" }), CONFIG],
  "role garbage": [info({ roleArn: "polaris" }), CONFIG],
  "role with a space before": [info({ roleArn: ` ${role}` }), OK],
  "role with newline after": [info({ roleArn: `${role}\n` }), CONFIG],
  "role short account": [info({ roleArn: "arn:aws:iam::42:role/polaris" }), OK],
  "role without name": [info({ roleArn: "arn:aws:iam::123456789012:role/" }), OK],
  "role *": [info({ roleArn: "arn:aws:iam::123456789012:role/*" }), OK],
  "kms current": [info({ currentKmsKey: key }), OK],
  "kms current + allowed": [info({ currentKmsKey: key, allowedKmsKeys: [`${key}5`] }), OK],
  "kms alias": [info({ currentKmsKey: "arn:aws:kms:us-west-2:123456789012:alias/lake" }), KEY],
  "kms alias name": [info({ currentKmsKey: "alias/lake" }), KEY],
  "kms bare id": [info({ currentKmsKey: "abcd1234-1111-2222-3333-444444444444" }), KEY],
  "kms empty string": [info({ currentKmsKey: "" }), KEY],
  "kms wildcard": [info({ currentKmsKey: "arn:aws:kms:us-west-2:123456789012:key/*" }), KEY],
  "kms *": [info({ currentKmsKey: "*" }), KEY],
  "kms other account": [info({ currentKmsKey: key.replace("123456789012", "444455556666") }), OK],
  "kms other region": [info({ currentKmsKey: key.replace("us-west-2", "eu-west-1") }), OK],
  // The key was of the role's partition there.
  "kms other partition": [
    info({
      roleArn: "arn:aws-cn:iam::123456789012:role/polaris",
      region: "cn-north-1",
      currentKmsKey: "arn:aws-cn:kms:cn-north-1:123456789012:key/abcd1234",
    }),
    OK,
  ],
  "kms allowed []": [info({ allowedKmsKeys: [] }), OK],
  "kms allowed null": [info({ allowedKmsKeys: null }), OK],
  "kms allowed with empty string": [info({ allowedKmsKeys: [""] }), KEY],
  "kms allowed alias": [info({ allowedKmsKeys: ["alias/lake"] }), KEY],
  "kms allowed as a string": [info({ allowedKmsKeys: key }), KEY],
  "kms unavailable + key": [info({ kmsUnavailable: true, currentKmsKey: key }), OK],
  "kms unavailable + bad key": [info({ kmsUnavailable: true, currentKmsKey: "x" }), OK],
  "kms with MinIO key": [info({ ...MINIO, currentKmsKey: "arn:minio:kms:::lake" }), KEY],
  "kms with region-less key, MinIO": [
    info({ ...MINIO, currentKmsKey: "arn:aws:kms:::key/lake" }),
    OK,
  ],
  "endpoint without scheme": [info({ endpoint: "minio:9000" }), NO_REQUEST],
  "endpoint host only": [info({ endpoint: "s3.us-west-2.amazonaws.com" }), NO_REQUEST],
  "endpoint with path": [info({ endpoint: "http://minio:9000/path" }), OK],
  "endpoint empty": [info({ endpoint: "" }), NO_REQUEST],
  "endpoint with space": [info({ endpoint: "http://mi nio:9000" }), CONFIG],
  "endpoint http:// only": [info({ endpoint: "http://" }), CONFIG],
  "stsEndpoint without scheme": [info({ stsEndpoint: "127.0.0.1:7531" }), CONFIG],
  "stsEndpoint not a URI": [info({ stsEndpoint: "http://a b" }), CONFIG],
  endpointInternal: [info({ endpointInternal: "http://minio:9000" }), OK],
  "endpointInternal garbage": [info({ endpointInternal: "::::" }), CONFIG],
  "region empty": [info({ region: "" }), CONFIG],
  "region with space": [info({ region: "us east 1" }), CONFIG],
  "region unknown": [info({ region: "mars-north-1" }), OK],
  "region star": [info({ region: "*" }), CONFIG],
  externalId: [info({ externalId: "ext-1" }), OK],
  "externalId empty": [info({ externalId: "" }), NO_REQUEST],
  "externalId one character": [info({ externalId: "x" }), NO_REQUEST],
  "externalId with a space": [info({ externalId: "ext 1" }), NO_REQUEST],
  userArn: [info({ userArn: "arn:aws:iam::123456789012:user/polaris" }), OK],
  storageName: [info({ storageName: "s1" }), OK],
  "storageName odd": [info({ storageName: "a b/c" }), OK],
  "storageName empty": [info({ storageName: "" }), OK],
  "unknown field": [info({ futureField: { deep: [1] } }), OK],
  "pathStyleAccess as a string": [info({ pathStyleAccess: "true" }), OK],
  "stsUnavailable as a string": [info({ stsUnavailable: "yes" }), CONFIG],
  "kmsUnavailable as number": [info({ kmsUnavailable: 1 }), CONFIG],
  "storageType s3": [info({ storageType: "s3" }), CONFIG],
  // Polaris tells the class by it; here it tells nothing that is not known.
  "storageType absent": [info({ storageType: undefined }), OK],
  "storageType FILE": [info({ storageType: "FILE" }), CONFIG],
  "region as number": [info({ region: 1 }), CONFIG],
};

describe("a catalog that was posted to Polaris 1.7.0", () => {
  test.each(posted.map(({ name }) => name))("%s", (name) => {
    const [{ base: location, info: fields }, [policy, request = policy]] = CASES[name] ?? [
      {},
      ["there is no case of this name"],
    ];
    const hasBase = name !== "no base";
    const baseLocation = hasBase ? (location ?? BASE) : undefined;
    const catalog = {
      name: "lake",
      properties: { "default-base-location": baseLocation },
      storageConfigInfo: {
        storageType: "S3",
        allowedLocations: [baseLocation ?? BASE],
        roleArn: role,
        region: "us-west-2",
        ...fields,
      },
    };
    // As JSON carries it: what is undefined here is not there.
    const read = () => storageConfigOf(JSON.parse(JSON.stringify(catalog)));
    const table = `${String(baseLocation ?? BASE).replace(/\/$/, "")}/ns/t`;
    const locations = { read: [table], list: [table], write: [table] };
    expect(faultOf(() => buildSessionPolicy(read(), locations)).code).toBe(policy);
    expect(faultOf(() => buildAssumeRoleRequest(read(), locations)).code).toBe(request);
  });

  test("each has a case, and each case was posted", () => {
    expect(posted).toHaveLength(118);
    expect(Object.keys(CASES).sort()).toEqual(posted.map(({ name }) => name).sort());
  });

  test("is refused by the request wherever Polaris fails, except where stated", () => {
    const failed = posted.filter(({ created, loaded }) => created !== 201 || loaded !== 200);
    const taken = failed.filter(({ name }) => CASES[name]?.[1] === OK).map(({ name }) => name);
    expect(taken).toEqual([
      "allowed is the bucket",
      "allowed is the bucket/",
      "allowed S3://",
      "storageType absent",
    ]);
  });

  test("is taken for a policy wherever Polaris vends, except where stated", () => {
    const vended = posted.filter(({ loaded }) => loaded === 200);
    const refused = vended.filter(({ name }) => CASES[name]?.[1][0] !== "none");
    expect(refused.map(({ name }) => name)).toEqual([
      "kms alias",
      "kms alias name",
      "kms bare id",
      "kms empty string",
      "kms wildcard",
      "kms *",
      "kms allowed with empty string",
      "kms allowed alias",
      "kms with MinIO key",
      "kmsUnavailable as number",
      "region as number",
    ]);
  });
});
