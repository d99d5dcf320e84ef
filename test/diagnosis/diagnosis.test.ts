/** Denials are found in any text, and explained so that the remedy works. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Diagnosis, diagnoseAccessDenied, type Remedy } from "../../src/diagnosis/index.ts";
import { WORDS } from "../../src/diagnosis/words.ts";
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type SessionPolicyOptions,
} from "../../src/index.ts";
import { faultOf } from "../support/errors.ts";
import { allows } from "../support/iam.ts";

const log = (file: string) => readFileSync(new URL(`../logs/${file}`, import.meta.url), "utf8");
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OLDER = "arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888";
const ALIAS = "arn:aws:kms:us-west-2:123456789012:alias/lake";
const SESSION = "arn:aws:sts::123456789012:assumed-role/polaris/etl";
const catalog: AwsStorageConfig = {
  roleArn: "arn:aws:iam::123456789012:role/polaris",
  region: "us-west-2",
  externalId: "ext-7f3a",
};
const table = ["s3://wh1/ns/t1"];
const OBJECT = "arn:aws:s3:::wh1/ns/t1/data/f.parquet";

const denied = (action: string, resource: string, why: string) =>
  `User: ${SESSION} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
const bySession = (action: string, resource: string) =>
  denied(action, resource, `because no session policy allows the ${action} action`);
const one = (diagnoses: readonly Diagnosis[]): Diagnosis => {
  expect(diagnoses).toHaveLength(1);
  return diagnoses[0] as Diagnosis;
};

test("a bucket behind another store may have a name that S3 keeps for itself", () => {
  const store = {
    endpoint: "https://minio.example.com",
    allowedLocations: ["s3://sthree-lake/wh"],
  };
  const message = bySession("s3:PutObject", "arn:aws:s3:::sthree-lake/wh/t/f.parquet");
  const read = ["s3://sthree-lake/wh/t"];
  expect(one(diagnoseAccessDenied(message, store, { read }))).toMatchObject({
    cause: "access-not-granted",
    remedy: { field: "write", value: "s3://sthree-lake/wh/t" },
  });
});

describe("the failures of Polaris' KMS guide", () => {
  test("select: the key may not decrypt, as it is not configured", () => {
    expect(diagnoseAccessDenied(log("spark-select.txt"), catalog)).toEqual([
      {
        principal:
          "arn:aws:sts::123456789012:assumed-role/polaris/PolarisAwsCredentialsStorageIntegration",
        action: "kms:Decrypt",
        resource: KEY,
        deniedBy: "session policy",
        explicit: false,
        service: "S3",
        statusCode: 403,
        cause: "kms-key-not-configured",
        certainty: "certain",
        explanation: expect.stringContaining("--current-kms-key"),
        remedy: {
          field: "currentKmsKey",
          cliFlag: "--current-kms-key",
          value: KEY,
          when: "new data is encrypted with it",
          how: expect.stringContaining("PUT /api/management/v1/catalogs/CATALOG"),
        },
        alternatives: [
          {
            field: "allowedKmsKeys",
            cliFlag: "--allowed-kms-key",
            value: KEY,
            when: "only older data is encrypted with it",
            how: expect.stringContaining("storageConfigInfo"),
          },
        ],
        count: 1,
        docs: "docs/troubleshooting.md#keys",
        firstLine: 2,
        lastLine: 2,
      },
    ]);
  });

  test("insert: the key encrypts, so it must be the current one", () => {
    const diagnosis = one(diagnoseAccessDenied(log("spark-insert.txt"), catalog));
    expect(diagnosis).toMatchObject({ action: "kms:GenerateDataKey", resource: KEY, count: 1 });
    expect(diagnosis.remedy).toMatchObject({
      field: "currentKmsKey",
      cliFlag: "--current-kms-key",
      value: KEY,
    });
    expect(diagnosis.alternatives).toBeUndefined();
  });

  test("both: that it encrypts settles how to configure it for reading too", () => {
    const both = log("spark-select.txt") + log("spark-insert.txt");
    const remedies = diagnoseAccessDenied(both, catalog).map((found) => found.remedy?.field);
    expect(remedies).toEqual(["currentKmsKey", "currentKmsKey"]);
  });

  test("without the configuration the same may be why, no more", () => {
    const diagnosis = one(diagnoseAccessDenied(log("spark-select.txt")));
    expect(diagnosis).toMatchObject({ cause: "kms-key-not-configured", certainty: "possible" });
    expect(diagnosis.remedy?.value).toBe(KEY);
  });
});

describe("messages are found", () => {
  test("in Trino's stack trace, once for both of its causes", () => {
    expect(one(diagnoseAccessDenied(log("trino.txt")))).toMatchObject({
      principal: "arn:aws:sts::123456789012:assumed-role/polaris/p-ns-t1",
      action: "s3:DeleteObject",
      resource: "arn:aws:s3:::polaris-quickstart/warehouse/ns/t1/data/f 1.parquet",
      deniedBy: "session policy",
      count: 2,
    });
  });

  test("in PyIceberg's, of Arrow, which names bucket and key", () => {
    expect(one(diagnoseAccessDenied(log("pyiceberg.txt")))).toMatchObject({
      action: "s3:GetObject",
      operation: "HeadObject",
      bucket: "polaris-quickstart",
      key: "warehouse/ns/t1/metadata/00001-b1f0.metadata.json",
    });
  });

  test("of the AWS CLI, with and without a reason", () => {
    const found = diagnoseAccessDenied(log("aws-cli.txt"));
    expect(found.map(({ action, operation, cause }) => [action, operation, cause])).toEqual([
      [undefined, "GetObject", "kms-key-disabled"],
      ["sts:AssumeRole", "AssumeRole", "role-trust"],
      ["s3:ListBucket", "ListObjectsV2", "location-not-granted"],
      ["s3:GetObject", "HeadObject", "location-not-granted"],
    ]);
  });

  test("in S3's XML, with the key as S3 has it", () => {
    expect(one(diagnoseAccessDenied(log("s3-error.xml")))).toMatchObject({
      resource: "arn:aws:s3:::polaris-quickstart/warehouse/r&d/f",
      deniedBy: "service control policy",
      explicit: true,
      policyArn:
        "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
    });
  });

  test("in JSON of CloudTrail and of log collectors", () => {
    const found = diagnoseAccessDenied(log("cloudtrail.log"));
    expect(found.map(({ action, deniedBy, resource }) => [action, deniedBy, resource])).toEqual([
      [
        "s3:PutObject",
        "identity-based policy",
        "arn:aws:s3:::polaris-quickstart/warehouse/ns/t1/data/f",
      ],
      ["kms:GenerateDataKey", "resource-based policy", undefined],
    ]);
  });

  test("however narrow the terminal broke the lines", () => {
    const text = log("spark-select.txt") + log("spark-insert.txt");
    const found = (log: string) =>
      diagnoseAccessDenied(log, catalog).map(({ firstLine, lastLine, ...diagnosis }) => diagnosis);
    for (let width = 20; width < 140; width++) {
      const folded = text.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
      expect(found(folded), `width ${width}`).toEqual(found(text));
    }
  });

  test.each([
    "AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X; Proxy: null)",
    "S3Exception: null (Service: S3, Status Code: 403, Request ID: ***)",
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    '{"Code":"AccessDenied","Message":"Access Denied"}',
  ])("that say nothing, and are told so: %s", (text) => {
    expect(one(diagnoseAccessDenied(text))).toMatchObject({
      cause: "unspecified",
      statusCode: 403,
    });
  });

  test.each([
    "",
    "Access granted",
    "AccessDenied is the code of S3 for 403",
    "the principal is not authorized to perform: this",
    "MinIO is running (Service: S3, Status Code: 200)",
  ])("but not in %j", (text) => expect(diagnoseAccessDenied(text, catalog)).toEqual([]));
});

interface Case {
  readonly cause: string;
  readonly text: string;
  readonly config?: AwsStorageConfig;
  readonly locations?: Locations;
  readonly options?: SessionPolicyOptions;
  readonly certainty?: "possible";
  /** `cliFlag value` of the remedy, and of what goes with it. */
  readonly remedy?: string;
  /** The same of each alternative, behind its cause. */
  readonly alternatives?: readonly string[];
}

const allOf: Locations = { read: table, list: table, write: table, delete: table };
const readOnly: Locations = { read: table, list: table };
const cases: Record<string, Case> = {
  "a key beside a current one is taken for an older one": {
    cause: "kms-key-not-configured",
    text: bySession("kms:Decrypt", OLDER),
    config: { ...catalog, currentKmsKey: KEY },
    remedy: `--allowed-kms-key ${OLDER}`,
  },
  "a new key moves the current one to the older ones": {
    cause: "kms-key-not-configured",
    text: bySession("kms:GenerateDataKey", OLDER),
    config: { ...catalog, currentKmsKey: KEY },
    remedy: `--current-kms-key ${OLDER}, --allowed-kms-key ${KEY}`,
  },
  "a key of another partition can't be configured": {
    cause: "kms-key-not-configured",
    text: bySession("kms:Decrypt", KEY.replace("aws", "aws-cn")),
    config: catalog,
  },
  "a key for reading only does not encrypt": {
    cause: "kms-key-read-only",
    text: bySession("kms:GenerateDataKey", OLDER),
    config: { ...catalog, currentKmsKey: KEY, allowedKmsKeys: [OLDER] },
    locations: allOf,
    remedy: `--current-kms-key ${OLDER}, --allowed-kms-key ${KEY}`,
  },
  "an alias is not the key": {
    cause: "kms-key-is-alias",
    text: bySession("kms:Decrypt", KEY),
    config: { ...catalog, currentKmsKey: ALIAS },
    certainty: "possible",
    remedy: `--current-kms-key ${KEY}`,
  },
  "an alias among the older keys neither": {
    cause: "kms-key-is-alias",
    text: bySession("kms:Decrypt", OLDER),
    config: { ...catalog, currentKmsKey: KEY, allowedKmsKeys: ["alias/old"] },
    certainty: "possible",
    remedy: `--allowed-kms-key ${OLDER}`,
  },
  "an alias among older keys that are none": {
    cause: "kms-key-is-alias",
    text: bySession("kms:Decrypt", OLDER),
    config: { ...catalog, currentKmsKey: null, allowedKmsKeys: [KEY, "alias/old"] },
    certainty: "possible",
    remedy: `--allowed-kms-key ${OLDER}`,
  },
  "KMS is declared unavailable": {
    cause: "kms-unavailable",
    text: bySession("kms:Decrypt", KEY),
    config: { ...catalog, currentKmsKey: KEY, kmsUnavailable: true },
    remedy: "--no-kms false",
  },
  "KMS is declared unavailable, and the key is missing": {
    cause: "kms-unavailable",
    text: bySession("kms:GenerateDataKey", KEY),
    config: { ...catalog, kmsUnavailable: true },
    locations: allOf,
    remedy: `--no-kms false, --current-kms-key ${KEY}`,
  },
  "a session that only deletes may not decrypt": {
    cause: "access-not-granted",
    text: bySession("kms:Decrypt", KEY),
    config: { ...catalog, currentKmsKey: KEY },
    locations: { delete: table },
    remedy: `--read ${table[0]}`,
  },
  "client-side encryption asks KMS itself, or the session is older": {
    cause: "session-outdated",
    text: `${bySession("kms:Decrypt", KEY)} (Service: Kms, Status Code: 400, Request ID: x)`,
    config: { ...catalog, currentKmsKey: KEY },
    locations: readOnly,
    certainty: "possible",
    alternatives: ["kms-not-through-s3 --no-kms-via-service false"],
  },
  "engines need no other actions on keys": {
    cause: "action-never-granted",
    text: bySession("kms:Encrypt", KEY),
    config: { ...catalog, currentKmsKey: KEY },
  },
  "nor on objects": {
    cause: "action-never-granted",
    text: bySession("s3:PutObjectRetention", OBJECT),
    config: catalog,
    locations: allOf,
  },
  "tags are an option": {
    cause: "option-not-set",
    text: bySession("s3:PutObjectTagging", OBJECT),
    config: catalog,
    locations: allOf,
    remedy: "--object-tags true",
  },
  "the session is older than the configuration": {
    cause: "session-outdated",
    text: bySession("kms:Decrypt", KEY),
    config: { ...catalog, currentKmsKey: KEY },
    locations: allOf,
    certainty: "possible",
  },
  "the session is older than its locations": {
    cause: "session-outdated",
    text: bySession("s3:GetObject", OBJECT),
    config: catalog,
    locations: allOf,
    certainty: "possible",
  },
  "the key is configured, and more is not known": {
    cause: "session-outdated",
    text: bySession("kms:GenerateDataKey", KEY),
    config: { ...catalog, currentKmsKey: KEY },
    certainty: "possible",
  },
  "the location is none of the catalog's": {
    cause: "location-not-allowed",
    text: bySession("s3:GetObject", OBJECT),
    config: { ...catalog, allowedLocations: ["s3://lake/db"] },
    remedy: "--allowed-location s3://wh1/ns/t1, --read s3://wh1/ns/t1",
  },
  "the location is not granted": {
    cause: "location-not-granted",
    text: bySession("s3:GetObject", "arn:aws:s3:::wh1/ns/t2/metadata/v1.json"),
    config: catalog,
    locations: allOf,
    remedy: "--read s3://wh1/ns/t2",
  },
  "deleting is not granted": {
    cause: "access-not-granted",
    text: bySession("s3:DeleteObject", OBJECT),
    config: catalog,
    locations: readOnly,
    remedy: `--delete ${table[0]}`,
  },
  "listing is not granted, and the engine lists": {
    cause: "access-not-granted",
    text: `(AccessDenied) when calling the ListObjectsV2 operation: ${bySession("s3:ListBucket", "arn:aws:s3:::wh1")}`,
    config: catalog,
    locations: { read: table },
    remedy: `--list ${table[0]}`,
  },
  "listing is not granted, and the engine may only read": {
    cause: "object-may-be-missing",
    text: bySession("s3:ListBucket", "arn:aws:s3:::wh1"),
    config: catalog,
    locations: { read: table },
    certainty: "possible",
    alternatives: [`access-not-granted --list ${table[0]}`],
  },
  "listing was asked for without the prefix": {
    cause: "list-prefix",
    text: bySession("s3:ListBucket", "arn:aws:s3:::wh1"),
    config: catalog,
    locations: readOnly,
    certainty: "possible",
  },
  "versions are an option": {
    cause: "option-not-set",
    text: bySession("s3:GetObjectVersion", OBJECT),
    config: catalog,
    locations: allOf,
    remedy: "--object-versions true",
  },
  "versions are read where the location is": {
    cause: "location-not-granted",
    text: bySession("s3:GetObjectVersion", "arn:aws:s3:::wh1/x/f"),
    config: catalog,
    locations: allOf,
    options: { objectVersions: true },
    remedy: "--read s3://wh1/x",
  },
  "uploads are given up where the location is": {
    cause: "location-not-granted",
    text: bySession("s3:AbortMultipartUpload", "arn:aws:s3:::wh1/x/f"),
    config: catalog,
    locations: allOf,
    options: { abortMultipartUploads: true },
    remedy: "--write s3://wh1/x",
  },
  "giving up uploads is an option": {
    cause: "option-not-set",
    text: bySession("s3:AbortMultipartUpload", OBJECT),
    config: catalog,
    locations: allOf,
    remedy: "--abort-multipart-uploads true",
  },
  "nothing at all was granted": {
    cause: "nothing-granted",
    text: denied("s3:GetObject", OBJECT, "with an explicit deny in a session policy"),
    config: catalog,
    locations: {},
    remedy: "--read s3://wh1/ns/t1",
  },
  "the role lacks the key": {
    cause: "role-policy",
    text: denied(
      "kms:Decrypt",
      KEY,
      "because no identity-based policy allows the kms:Decrypt action",
    ),
    config: { ...catalog, currentKmsKey: KEY },
    locations: allOf,
    remedy: `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"${KEY}"}`,
  },
  "the key's policy lacks the role": {
    cause: "key-policy",
    text: denied(
      "kms:Decrypt",
      KEY,
      "because no resource-based policy allows the kms:Decrypt action",
    ),
    config: catalog,
    remedy: `{"Effect":"Allow","Principal":{"AWS":"${catalog.roleArn}"},"Action":"kms:Decrypt","Resource":"*"}`,
  },
  "the key is of another account": {
    cause: "kms-key-cross-account",
    text: denied(
      "kms:Decrypt",
      KEY.replace("123456789012", "999988887777"),
      "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
    ),
    config: catalog,
    remedy: `{"Effect":"Allow","Principal":{"AWS":"${catalog.roleArn}"},"Action":"kms:Decrypt","Resource":"*"}, {"Effect":"Allow","Action":"kms:Decrypt","Resource":"${KEY.replace("123456789012", "999988887777")}"}`,
  },
  "the key is of another account than the role, and who asked is not told": {
    cause: "kms-key-cross-account",
    certainty: "possible",
    text: `not authorized. It is not authorized to perform: kms:Decrypt on resource: ${KEY.replace("123456789012", "999988887777")} because no resource-based policy allows the kms:Decrypt action`,
    config: catalog,
    remedy: `{"Effect":"Allow","Principal":{"AWS":"${catalog.roleArn}"},"Action":"kms:Decrypt","Resource":"*"}, {"Effect":"Allow","Action":"kms:Decrypt","Resource":"${KEY.replace("123456789012", "999988887777")}"}`,
  },
  "the bucket's policy denies": {
    cause: "bucket-policy",
    text: denied("s3:GetObject", OBJECT, "with an explicit deny in a resource-based policy"),
  },
  "a boundary denies": {
    cause: "permissions-boundary",
    text: denied(
      "s3:GetObject",
      OBJECT,
      "because no permissions boundary allows the s3:GetObject action",
    ),
  },
  "the organization denies": {
    cause: "service-control-policy",
    text: `User: ${SESSION} is not authorized to perform:\ns3:GetObject because no service control policy allows the s3:GetObject action`,
  },
  "the organization denies for its resources": {
    cause: "resource-control-policy",
    text: denied(
      "s3:GetObject",
      `"${OBJECT}"`,
      "with an explicit deny in a resource control policy",
    ),
  },
  "the network denies": {
    cause: "vpc-endpoint-policy",
    text: denied(
      "s3:GetObject",
      OBJECT,
      "because no VPC endpoint policy allows the s3:GetObject action",
    ),
  },
  "the role does not trust Polaris": {
    cause: "role-trust",
    text: "User: arn:aws:iam::999988887777:user/polaris is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/polaris because no role trust policy allows the sts:AssumeRole action",
    config: catalog,
    remedy:
      '{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:user/polaris"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"EXTERNAL_ID"}}}',
  },
  "the key is disabled": {
    cause: "kms-key-disabled",
    text: `KMS.DisabledException: ${KEY} is disabled.`,
  },
  "the key is going to be deleted": {
    cause: "kms-key-pending-deletion",
    text: `An error occurred (KMS.KMSInvalidStateException) when calling the GetObject operation: ${KEY} is pending deletion.`,
  },
  "the key has no material": {
    cause: "kms-key-not-usable",
    text: `S3Exception: ${KEY} is pending import. (Service: S3, Status Code: 400)`,
  },
  "the key is gone": {
    cause: "kms-key-not-found",
    text: `Key '${KEY}' does not exist`,
    config: catalog,
  },
  "the key is elsewhere": {
    cause: "kms-key-wrong-region",
    text: `Key '${KEY}' does not exist`,
    config: { ...catalog, region: "eu-west-1" },
    certainty: "possible",
  },
  "the bucket is elsewhere": {
    cause: "kms-key-wrong-region",
    text: "(KMS.NotFoundException) when calling the PutObject operation: Invalid arn us-west-2",
  },
  "a code stands alone": { cause: "kms-key-not-found", text: "Error Code: KMS.NotFoundException" },
  "nobody says anything": {
    cause: "unspecified",
    text: "Access Denied (Service: S3, Status Code: 403)",
    certainty: "possible",
  },
  "the session policy may be why if nobody says": {
    cause: "location-not-granted",
    text: denied("s3:GetObject", "arn:aws:s3:::wh1/x/f.parquet", "."),
    config: catalog,
    locations: allOf,
    certainty: "possible",
    remedy: "--read s3://wh1/x",
  },
};

function told(remedy: Remedy | undefined): string | undefined {
  if (remedy === undefined) return undefined;
  const { cliFlag, value, statement, also } = remedy;
  const one = statement === undefined ? `${cliFlag} ${value}` : JSON.stringify(statement);
  return also === undefined ? one : `${one}, ${told(also)}`;
}

describe("each cause is told", () => {
  test.each(Object.entries(cases))("%s", (_, given) => {
    const { text, config, locations, options, alternatives = [], ...expected } = given;
    const diagnosis = one(diagnoseAccessDenied(text, config, locations, options));
    expect({
      cause: diagnosis.cause,
      certainty: diagnosis.certainty,
      remedy: told(diagnosis.remedy),
    }).toEqual({ certainty: "certain", remedy: undefined, ...expected });
    const others = (diagnosis.alternatives ?? []).map((other) => `${other.cause} ${told(other)}`);
    for (const alternative of alternatives) expect(others).toContain(alternative);
    expect(diagnosis.explanation.length).toBeGreaterThan(40);
    expect(JSON.stringify(diagnosis)).not.toContain("ext-7f3a");
  });

  test("docs/troubleshooting.md has them all, as they are told", () => {
    const page = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
    const rows = page.split(/^### /m).flatMap((section) => {
      const anchor = section.split("\n")[0]?.toLowerCase().replaceAll(" ", "-");
      const lines = section.split("\n").filter((line) => /^\| `[a-z0-9-]+` \|/.test(line));
      return lines.map((line) => `${anchor} ${line}`);
    });
    expect(rows).toEqual(
      Object.entries(WORDS).map(
        ([cause, { anchor, means, change }]) => `${anchor} | \`${cause}\` | ${means} | ${change} |`,
      ),
    );
  });
});

test("what is certain comes first", () => {
  const text = `Access Denied (Service: S3, Status Code: 403)\n${bySession("kms:Decrypt", KEY)}`;
  const certainties = diagnoseAccessDenied(text, catalog).map(({ certainty }) => certainty);
  expect(certainties).toEqual(["certain", "possible"]);
});

test("the alias that a key replaces is told, of whichever field", () => {
  const config = { ...catalog, currentKmsKey: null, allowedKmsKeys: [KEY, "alias/old"] };
  const [found] = diagnoseAccessDenied(
    cases["an alias among older keys that are none"]?.text ?? "",
    config,
  );
  expect(found?.remedy).toMatchObject({ value: OLDER, replaces: "alias/old" });
});

test("input that is none is refused", () => {
  expect(faultOf(() => diagnoseAccessDenied(1 as never))).toMatchObject({
    code: "INVALID_REQUEST",
  });
  expect(faultOf(() => diagnoseAccessDenied("", { currentKmsKey: "lake" }))).toMatchObject({
    code: "INVALID_KMS_KEY",
    paths: ["currentKmsKey"],
  });
  expect(faultOf(() => diagnoseAccessDenied("", { currentKmsKey: "my/alias/lake" })).code).toBe(
    "INVALID_KMS_KEY",
  );
  expect(
    faultOf(() => diagnoseAccessDenied("", { currentKmsKey: "alias/a", allowedKmsKeys: ["x"] })),
  ).toMatchObject({ code: "INVALID_KMS_KEY", paths: ["currentKmsKey", "allowedKmsKeys.0"] });
  expect(faultOf(() => diagnoseAccessDenied("", {}, { read: ["x"] })).code).toBe(
    "INVALID_LOCATION",
  );
});

const actions = [
  "kms:Decrypt",
  "kms:GenerateDataKey",
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:GetObjectVersion",
  "s3:AbortMultipartUpload",
  "s3:ListBucket",
];
const keys = [
  KEY,
  OLDER,
  "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
];
const configs = fc.record(
  {
    roleArn: fc.constant("arn:aws:iam::123456789012:role/polaris"),
    region: fc.constantFrom("us-west-2", null),
    currentKmsKey: fc.constantFrom(...keys, ALIAS),
    allowedKmsKeys: fc.subarray([...keys, "alias/old"]),
    kmsUnavailable: fc.boolean(),
    allowedLocations: fc.constantFrom(["s3://wh1/ns"], ["s3://lake", "s3://wh1"]),
  },
  { requiredKeys: [] },
);
const uris = fc.subarray(["s3://wh1/ns/t1", "s3://wh1/ns/t2/", "s3://wh1/ns"]);
const grants = fc.record(
  { read: uris, list: uris, write: uris, delete: uris },
  { requiredKeys: [] },
);
const requests = fc.constantFrom(...actions).chain((action) => {
  const resource = action.startsWith("kms:")
    ? fc.constantFrom(...keys)
    : action === "s3:ListBucket"
      ? fc.constant("arn:aws:s3:::wh1")
      : fc.constantFrom(OBJECT, "arn:aws:s3:::wh1/ns/t3/d é*/f", "arn:aws:s3:::lake/x/${y}/f");
  return resource.map((arn) => ({ action, resource: arn }));
});

/** Makes the change that a remedy tells, as an operator would by hand. */
function apply(
  remedy: Remedy,
  config: AwsStorageConfig,
  locations: Locations,
  options: SessionPolicyOptions,
): [AwsStorageConfig, Locations, SessionPolicyOptions] {
  const { field = "", value, replaces, also } = remedy;
  let next: [AwsStorageConfig, Locations, SessionPolicyOptions];
  if (["read", "list", "write", "delete"].includes(field)) {
    const list = [...(locations[field as keyof Locations] ?? []), String(value)];
    next = [config, { ...locations, [field]: list }, options];
  } else if (["allowedKmsKeys", "encryptionKeys", "allowedLocations"].includes(field)) {
    const list = config[field as "allowedKmsKeys"] ?? [];
    const kept = list.filter((item) => item !== replaces);
    next = [{ ...config, [field]: [...kept, String(value)] }, locations, options];
  } else if (["kmsUnavailable", "currentKmsKey"].includes(field)) {
    next = [{ ...config, [field]: value }, locations, options];
  } else {
    next = [config, locations, { ...options, [field]: value }];
  }
  return also === undefined ? next : apply(also, ...next);
}

describe("for any input", () => {
  test("the remedy makes the policy allow the request, and so does each alternative", () => {
    let remedied = 0;
    fc.assert(
      fc.property(configs, grants, requests, (config, locations, request) => {
        const { allowedLocations } = config;
        const outside =
          Object.values(locations).flat().length > 0 && allowedLocations?.[0] === "s3://lake";
        fc.pre(!outside || allowedLocations?.length === 2);
        const diagnosis = one(
          diagnoseAccessDenied(bySession(request.action, request.resource), config, locations),
        );
        for (const remedy of [diagnosis.remedy ?? [], diagnosis.alternatives ?? []].flat()) {
          // Where alternatives name other causes, this one is not the remedy of the denial.
          if (remedy.field === undefined || remedy.cause !== undefined) continue;
          // Several aliases, and what is missing besides, are told one after the other.
          let state = apply(remedy, config, locations, {});
          let left: Diagnosis | undefined;
          for (let i = 0; i < 6; i++) {
            [left] = diagnoseAccessDenied(bySession(request.action, request.resource), ...state);
            if (left?.remedy?.field === undefined) break;
            expect(left.remedy, "progress").not.toEqual(i === 0 ? remedy : undefined);
            state = apply(left.remedy, ...state);
          }
          if (left?.cause === "session-outdated" || left?.cause === "list-prefix") {
            const isKms = request.action.startsWith("kms:");
            const context = isKms
              ? { "kms:ViaService": "s3.us-west-2.amazonaws.com" }
              : { "s3:prefix": "ns/t1/" };
            const policy = buildSessionPolicy(...withoutAliases(state));
            const somewhere = ["ns/t1/", "ns/t2/", "ns/"].some((prefix) =>
              allows(policy, { ...request, context: isKms ? context : { "s3:prefix": prefix } }),
            );
            expect(somewhere).toBe(true);
            remedied++;
          } else {
            // A session that was granted nothing anywhere tells no location for a key.
            expect(left?.cause).toBe("access-not-granted");
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(remedied).toBeGreaterThan(500);
  });

  const fragments = fc.oneof(
    fc.constantFrom(
      "User: ",
      SESSION,
      " is not authorized to perform: ",
      "kms:Decrypt",
      "s3:GetObject",
      " on resource: ",
      KEY,
      OBJECT,
      '"',
      "\\",
      "\\n",
      "\n",
      "&quot;",
      " because no session policy allows the ",
      " action",
      " with an explicit deny in a ",
      "service control policy",
      ": ",
      "(Service: S3, Status Code: 403",
      " is disabled",
      "Key '",
      "' does not exist",
      "KMS.DisabledException",
      "Invalid arn ",
      "us-west-2",
      "for key '",
      "' in bucket '",
      "': AWS Error ACCESS_DENIED during ",
      " operation",
      "<Message>",
      "(AccessDenied) when calling the GetObject operation: ",
      "arn:",
      "arn:aws:s3:::",
      " because the resource does not exist in this Region",
    ),
    fc.string({ unit: "binary" }),
  );
  const messages = fc
    .record({
      quote: fc.constantFrom("", '"', '\\"', "&quot;"),
      gap: fc.constantFrom(" ", "\n", "\\n\\t", ""),
      action: fc.constantFrom(...actions),
      resource: fc.oneof(
        fc.constantFrom(KEY, OBJECT, "*"),
        fc.string({ unit: "grapheme" }).map((key) => `${OBJECT}${key}`),
      ),
      why: fc.constantFrom(
        "because no session policy allows the x action",
        "because no identity-based policy allows the x action",
        "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-2",
        "because the resource does not exist in this Region",
        "",
      ),
    })
    .map(({ quote, gap, action, resource, why }) =>
      ["User:", SESSION, "is not authorized to perform:", action, "on resource:"]
        .concat(`${quote}${resource}${quote}`, why)
        .join(gap),
    );
  const texts = fc
    .array(fc.oneof(fragments, messages), { maxLength: 20 })
    .map((parts) => parts.join(""));

  test("no text makes it throw, nor invent an ARN", () => {
    fc.assert(
      fc.property(texts, configs, (text, config) => {
        // A text with NULs is read as UTF-16, so without them.
        const squeezed = text.replace(/\s|\0|\\[nrt]/g, "");
        const known = JSON.stringify([config, arnsOf(config)]);
        for (const { explanation, ...diagnosis } of diagnoseAccessDenied(text, config)) {
          const strings: string[] = [];
          JSON.stringify(diagnosis, (_, value) => {
            if (typeof value === "string") strings.push(value);
            return value;
          });
          strings.push(
            ...(explanation.match(/arn:\S+/g) ?? []).map((arn) => arn.replace(/[),.:;]+$/, "")),
          );
          for (const string of strings.filter((value) => value.startsWith("arn:"))) {
            const squeeze = (form: string) => form.replace(/\s|\\[nrt]/g, "");
            const entities = string.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
            // The message may stand in JSON, where a quote within a key has a backslash.
            const forms = [string, entities, JSON.stringify(string).slice(1, -1)].map(squeeze);
            expect(
              forms.some((form) => squeezed.includes(form)) || known.includes(string),
              string,
            ).toBe(true);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});

/** The ARNs that a statement as wide as the catalog names. */
function arnsOf({ allowedLocations }: AwsStorageConfig): string[] {
  return (allowedLocations ?? []).flatMap((uri) => {
    const [bucket = "", prefix] = uri.slice("s3://".length).split(/\/(.*)/);
    const objects = prefix === undefined ? bucket : `${bucket}/${prefix}`;
    return [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${objects}/*`];
  });
}

/** What is left when an operator has replaced the aliases that matter here. */
function withoutAliases([config, locations, options]: [
  AwsStorageConfig,
  Locations,
  SessionPolicyOptions,
]): [AwsStorageConfig, Locations, SessionPolicyOptions] {
  const isKey = (key: string | null | undefined) => !key?.includes("alias/");
  const { currentKmsKey, allowedKmsKeys } = config;
  const keys = { allowedKmsKeys: allowedKmsKeys?.filter(isKey) };
  return [
    { ...config, ...keys, currentKmsKey: isKey(currentKmsKey) ? currentKmsKey : null },
    locations,
    options,
  ];
}
