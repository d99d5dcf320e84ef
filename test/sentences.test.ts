/**
 * What a person reads, word for word: every error says where the fault is, below which argument, and what
 * to do about it. The table is the list to proof-read when a sentence changes.
 */
import { describe, expect, test } from "vitest";
import {
  type AnyPolicyDocument,
  compareAccess,
  decide,
  listAccess,
} from "../src/analysis/index.ts";
import { diagnoseAccessDenied } from "../src/diagnosis/index.ts";
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  createSessionPolicyBuilder,
  type Locations,
  planSessionPolicies,
  roleSessionName,
  type SessionPolicyOptions,
  type SessionSettings,
  serializePolicy,
  sessionTags,
} from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

type Case = [run: () => unknown, sentence: string];

const thrower = {
  get any(): never {
    throw new Error("a secret");
  },
};
const throwing = (field: string) =>
  Object.defineProperty({}, field, {
    enumerable: true,
    get: () => thrower.any,
  }) as never;

const config = (input: unknown) => () => buildSessionPolicy(input as AwsStorageConfig, {});
const read = (uri: unknown, allowed?: string[]) => () =>
  buildSessionPolicy(allowed ? { allowedLocations: allowed } : {}, { read: [uri as string] });
const locations = (input: unknown) => () => buildSessionPolicy({}, input as Locations);
const options = (input: unknown) => () => buildSessionPolicy({}, {}, input as SessionPolicyOptions);
const roleArn = "arn:aws:iam::123456789012:role/polaris";
const session = (input: unknown) => () =>
  buildAssumeRoleRequest({ roleArn }, {}, input as SessionSettings);
const role = (input: AwsStorageConfig) => () => buildAssumeRoleRequest(input, {});
const policy =
  (Statement: unknown, others: object = {}) =>
  () =>
    listAccess({ Version: "2012-10-17", Statement, ...others } as AnyPolicyDocument);
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const request = (input: unknown) => () =>
  decide({ Version: "2012-10-17", Statement: allow }, input as never);
const key = (id: string) => `arn:aws:kms:eu-west-1:123456789012:key/${id}`;

const cases: Record<string, Case[]> = {
  "a storage configuration": [
    [
      config(null),
      "INVALID_STORAGE_CONFIG The storage configuration must be an object. Pass one, with fields like roleArn.",
    ],
    [
      config([]),
      "INVALID_STORAGE_CONFIG The storage configuration must be an object. Pass one, with fields like roleArn.",
    ],
    [
      config(throwing("region")),
      "INVALID_STORAGE_CONFIG The storage configuration could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      config({ storageType: "GCS" }),
      'INVALID_STORAGE_CONFIG storageType: must be "S3": other storage types have no AWS policy.',
    ],
    [
      config({ storageType: "S3", storageName: 1 }),
      "INVALID_STORAGE_CONFIG storageName: must be a string.",
    ],
    [config({ storageName: 1 }), "INVALID_STORAGE_CONFIG storageName: must be a string."],
    [config({ roleArn: 1 }), "INVALID_STORAGE_CONFIG roleArn: must be a string."],
    [config({ externalId: 1 }), "INVALID_STORAGE_CONFIG externalId: must be a string."],
    [config({ userArn: 1 }), "INVALID_STORAGE_CONFIG userArn: must be a string."],
    [config({ region: 1 }), "INVALID_STORAGE_CONFIG region: must be a string."],
    [config({ endpoint: 1 }), "INVALID_STORAGE_CONFIG endpoint: must be a string."],
    [config({ endpointInternal: 1 }), "INVALID_STORAGE_CONFIG endpointInternal: must be a string."],
    [config({ stsEndpoint: 1 }), "INVALID_STORAGE_CONFIG stsEndpoint: must be a string."],
    [
      config({ stsUnavailable: 1 }),
      "INVALID_STORAGE_CONFIG stsUnavailable: must be true or false.",
    ],
    [
      config({ pathStyleAccess: 1 }),
      "INVALID_STORAGE_CONFIG pathStyleAccess: must be true or false.",
    ],
    [
      config({ kmsUnavailable: 1 }),
      "INVALID_STORAGE_CONFIG kmsUnavailable: must be true or false.",
    ],
    [config({ currentKmsKey: 1 }), "INVALID_KMS_KEY currentKmsKey: must be a string."],
    [
      config({ allowedKmsKeys: "x" }),
      "INVALID_KMS_KEY allowedKmsKeys: must be a list of KMS key ARNs.",
    ],
    [
      config({ allowedKmsKeys: [key("a"), 1] }),
      "INVALID_KMS_KEY allowedKmsKeys[1]: must be a string.",
    ],
    [
      config({ allowedLocations: "s3://wh-bucket" }),
      "INVALID_STORAGE_CONFIG allowedLocations: must be a list of S3 URIs.",
    ],
    [
      config({ allowedLocations: ["s3://wh-bucket", 1] }),
      "INVALID_STORAGE_CONFIG allowedLocations[1]: must be a string.",
    ],
    [
      config({ allowedLocations: ["s3://wh-bucket", "gs://b"] }),
      "INVALID_STORAGE_CONFIG allowedLocations[1]: must begin with s3://, s3a:// or s3n://.",
    ],
    [
      config({ endpoint: "http://" }),
      "INVALID_STORAGE_CONFIG endpoint: must be a URL with a host, like https://s3.example.com:9000.",
    ],
    [
      config({ endpointInternal: "::::" }),
      "INVALID_STORAGE_CONFIG endpointInternal: must be a URL with a host, like https://s3.example.com:9000.",
    ],
    [
      config({ roleArn: "polaris" }),
      "INVALID_STORAGE_CONFIG roleArn: must be a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME.",
    ],
    [
      config({ region: 1, currentKmsKey: 1 }),
      "INVALID_STORAGE_CONFIG region: must be a string.\ncurrentKmsKey: must be a string.",
    ],
    [
      config({ roleArn: "polaris", allowedKmsKeys: ["x"] }),
      "INVALID_STORAGE_CONFIG roleArn: must be a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME.\nallowedKmsKeys[0]: is not an ARN, and a policy cannot name a bare key id. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID, which `aws kms describe-key` prints.",
    ],
  ],
  "a KMS key": [
    [
      config({ currentKmsKey: "" }),
      "INVALID_KMS_KEY currentKmsKey: must not be empty. Leave the field out, or configure the key ARN.",
    ],
    [
      config({ currentKmsKey: key("*") }),
      "INVALID_KMS_KEY currentKmsKey: must name one key, without wildcards or variables. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "alias/lake" }),
      "INVALID_KMS_KEY currentKmsKey: is an alias, and a policy that names an alias grants no use of its key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID, which `aws kms describe-key --key-id ALIAS` prints.",
    ],
    [
      config({ currentKmsKey: "1234abcd-12ab-34cd-56ef-1234567890ab" }),
      "INVALID_KMS_KEY currentKmsKey: is not an ARN, and a policy cannot name a bare key id. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID, which `aws kms describe-key` prints.",
    ],
    [
      config({ currentKmsKey: "arn:aws:s3:eu-west-1:123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: is an ARN of another service. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ allowedKmsKeys: [key("a"), "arn:aws:kms:eu-west-1:123456789012:alias/a"] }),
      "INVALID_KMS_KEY allowedKmsKeys[1]: is an alias, and a policy that names an alias grants no use of its key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID, which `aws kms describe-key --key-id ALIAS` prints.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms:eu-west-1:123456789012:grant/a" }),
      "INVALID_KMS_KEY currentKmsKey: does not name a key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:a_b:kms:eu-west-1:123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: has no valid partition. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms::123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: lacks the region of the key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms:eu-west-1!:123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: lacks the region of the key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms:eu-west-1::key/a" }),
      "INVALID_KMS_KEY currentKmsKey: lacks the 12-digit account of the key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms:eu-west-1:12345678901:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: lacks the 12-digit account of the key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ currentKmsKey: "arn:aws:kms:eu-west-1:1234567890123:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: lacks the 12-digit account of the key. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ endpoint: "http://minio:9000", currentKmsKey: "arn:x:kms:a b:123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: has no valid region or account. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ endpoint: "http://minio:9000", currentKmsKey: "arn:x:kms:a:1!:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: has no valid region or account. Configure the key ARN, arn:PARTITION:kms:REGION:ACCOUNT:key/ID.",
    ],
    [
      config({ roleArn, currentKmsKey: "arn:aws-cn:kms:cn-north-1:123456789012:key/a" }),
      "INVALID_KMS_KEY currentKmsKey: is a key of another partition than the role, the region or the other keys. Configure a key of the bucket's partition.",
    ],
  ],
  locations: [
    [
      locations(null),
      "INVALID_LOCATION Locations must be an object with the lists read, list, write and delete.",
    ],
    [
      locations(["s3://wh-bucket/db"]),
      "INVALID_LOCATION Locations must be an object with the lists read, list, write and delete.",
    ],
    [
      locations("s3://wh-bucket/db"),
      "INVALID_LOCATION Locations must be an object with the lists read, list, write and delete.",
    ],
    [
      locations(throwing("read")),
      "INVALID_LOCATION The locations could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      locations({ reads: [] }),
      "INVALID_LOCATION reads: is not an access. Use read, list, write or delete.",
    ],
    [
      locations({ write: "s3://wh-bucket/db" }),
      "INVALID_LOCATION write: must be a list: an array or a Set of S3 URIs.",
    ],
    [
      locations({ read: ["s3://wh-bucket/db"], write: ["s3://wh-bucket/db", 1] }),
      "INVALID_LOCATION write[1]: must be a string, s3://bucket/prefix.",
    ],
    [read("wh-bucket/db"), "INVALID_LOCATION read[0]: is not a URI. Write s3://bucket/prefix."],
    [
      read("S4://wh-bucket/db"),
      "INVALID_LOCATION read[0]: must begin with s3://, s3a:// or s3n://.",
    ],
    [read("s3:///db"), "INVALID_LOCATION read[0]: has no bucket. Write s3://bucket/prefix."],
    [
      read("s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/a"),
      "INVALID_LOCATION read[0]: names an access point. Grant the bucket itself, as s3://bucket/prefix.",
    ],
    [
      read("s3://lake--use1-az4--x-s3/db"),
      "INVALID_LOCATION read[0]: names an S3 Express directory bucket, which needs s3express:CreateSession. Use a general purpose bucket.",
    ],
    [
      read("s3://a/db"),
      "INVALID_LOCATION read[0]: names a bucket that no S3 store accepts. Use 3 to 255 letters, digits, dots, hyphens and underscores.",
    ],
    [
      read("s3://127.0.0.1/db"),
      "INVALID_LOCATION read[0]: names a bucket that no S3 store accepts. Use 3 to 255 letters, digits, dots, hyphens and underscores.",
    ],
    [
      read("s3://wh-bucket/d\u0007b"),
      "INVALID_LOCATION read[0]: holds a control character. Leave it out.",
    ],
    [
      read("s3://wh-bucket/d\ud800b"),
      "INVALID_LOCATION read[0]: holds half of a surrogate pair. Write valid Unicode.",
    ],
    [
      read(`s3://wh-bucket/${"d".repeat(1025)}`),
      "INVALID_LOCATION read[0]: has a prefix of more than 1024 UTF-8 bytes, the most that an S3 key may have. Grant a shorter one.",
    ],
    [
      read("s3://wh-bucket/other", ["s3://wh-bucket/db", "s3://wh-bucket/z"]),
      "LOCATION_NOT_ALLOWED read[0]: lies outside the storage configuration's allowedLocations. Grant less, or have the location allowed there.",
    ],
  ],
  options: [
    [options(null), "INVALID_OPTIONS The options must be an object. Pass one, or leave it out."],
    [options([]), "INVALID_OPTIONS The options must be an object. Pass one, or leave it out."],
    [
      options(throwing("profile")),
      "INVALID_OPTIONS The options could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      options({ minify: true }),
      "INVALID_OPTIONS An option is unknown. Use profile, maxLength, kmsViaService, objectVersions, abortMultipartUploads, listMultipartUploads, objectTags, objectAcls, barePaths.",
    ],
    [
      options({ profile: "Polaris" }),
      'INVALID_OPTIONS profile: must be "least-privilege" or "polaris".',
    ],
    [
      options({ maxLength: 0 }),
      "INVALID_OPTIONS maxLength: must be a whole number of characters above 0, or Infinity.",
    ],
    [
      options({ maxLength: 10.5 }),
      "INVALID_OPTIONS maxLength: must be a whole number of characters above 0, or Infinity.",
    ],
    [
      options({ maxLength: "2048" }),
      "INVALID_OPTIONS maxLength: must be a whole number of characters above 0, or Infinity.",
    ],
    [
      options({ profile: "polaris", kmsViaService: true }),
      'INVALID_OPTIONS kmsViaService: is not granted by Polaris. Leave it out, or use profile "least-privilege".',
    ],
    [
      options({ profile: "polaris", abortMultipartUploads: true }),
      'INVALID_OPTIONS abortMultipartUploads: is not granted by Polaris. Leave it out, or use profile "least-privilege".',
    ],
    [
      () =>
        buildSessionPolicy(
          { currentKmsKey: key("k"), endpoint: "http://minio" },
          {},
          { kmsViaService: true },
        ),
      "INVALID_OPTIONS kmsViaService: needs S3's name, which AWS documents for aws, aws-cn and aws-us-gov with endpoints of AWS. Leave it out.",
    ],
    [options({ kmsViaService: 1 }), "INVALID_OPTIONS kmsViaService: must be true or false."],
    [options({ objectVersions: 1 }), "INVALID_OPTIONS objectVersions: must be true or false."],
    [
      options({ abortMultipartUploads: 1 }),
      "INVALID_OPTIONS abortMultipartUploads: must be true or false.",
    ],
    [
      () => createSessionPolicyBuilder({}, { maxLength: -1 }),
      "INVALID_OPTIONS maxLength: must be a whole number of characters above 0, or Infinity.",
    ],
  ],
  "a policy that is too large": [
    [
      () =>
        buildSessionPolicy(
          { currentKmsKey: key("a") },
          { read: ["s3://wh-bucket/db/one", "s3://wh-bucket/db/two"] },
          { maxLength: 300 },
        ),
      "POLICY_TOO_LARGE The policy needs 385 characters; 300 are allowed. 0 of the 2 locations would fit, as the keys take too much. Leave out keys that no data needs any more, or set kmsViaService to false.\nread: 2 locations take 66 characters.\ncurrentKmsKey: 1 key takes 42 characters.",
    ],
    [
      () => buildSessionPolicy({}, { write: ["s3://wh-bucket/db"] }, { maxLength: 10 }),
      "POLICY_TOO_LARGE The policy needs 174 characters; 10 are allowed. 0 of the 1 locations would fit. Grant a location with a shorter name.\nwrite: 1 location takes 29 characters.",
    ],
    [
      () =>
        planSessionPolicies(
          { currentKmsKey: key("a"), allowedKmsKeys: [key("b")] },
          { read: ["s3://wh-bucket/db"] },
          { maxLength: 300 },
        ),
      "POLICY_TOO_LARGE read[0]: alone needs a policy of 392 characters; 300 are allowed. Grant a location with a shorter name, or allow longer policies.",
    ],
    [
      () =>
        buildSessionPolicy(
          { currentKmsKey: key("a"), allowedKmsKeys: [key("b"), key("c")] },
          {
            read: ["s3://wh-bucket/db/é", "s3://wh-bucket/db", "s3://lake/db/${x}"],
            list: ["s3://wh-bucket/db/é", "s3://wh-bucket/l"],
            write: ["s3://wh-bucket/w"],
            delete: ["s3://wh-bucket/w"],
          },
          { maxLength: 500 },
        ),
      "POLICY_TOO_LARGE The policy needs 883 characters; 500 are allowed. 2 of the 5 locations would fit. Split them (planSessionPolicies), or grant one common parent.\nread: 2 locations take 61 characters.\nlist: 2 locations take 13 characters.\nwrite: 1 location takes 28 characters.\ndelete: 1 location takes 28 characters.\ncurrentKmsKey: 1 key takes 42 characters.\nallowedKmsKeys: 2 keys take 84 characters.",
    ],
    ...(["least-privilege", "polaris"] as const).map((profile): [() => unknown, string] => [
      () =>
        buildSessionPolicy(
          {},
          { list: ["s3://wh-bucket", "s3://lake/db"], read: ["s3://wh-bucket/db"] },
          { maxLength: 100, profile },
        ),
      {
        "least-privilege":
          "POLICY_TOO_LARGE The policy needs 395 characters; 100 are allowed. 0 of the 3 locations would fit. Grant a location with a shorter name.\nread: 1 location takes 29 characters.\nlist: 2 locations take 6 characters.",
        polaris:
          "POLICY_TOO_LARGE The policy needs 564 characters; 100 are allowed. 0 of the 3 locations would fit. Grant a location with a shorter name.\nread: 1 location takes 29 characters.\nlist: 2 locations take 10 characters.",
      }[profile],
    ]),
    [
      () =>
        planSessionPolicies(
          {},
          { list: ["s3://lake"], write: ["s3://wh-bucket/db"] },
          { maxLength: 160 },
        ),
      "POLICY_TOO_LARGE write[0]: alone needs a policy of 174 characters; 160 are allowed. Grant a location with a shorter name, or allow longer policies.",
    ],
    [
      () => planSessionPolicies({}, { delete: ["s3://wh-bucket/db"] }, { maxLength: 160 }),
      "POLICY_TOO_LARGE delete[0]: alone needs a policy of 177 characters; 160 are allowed. Grant a location with a shorter name, or allow longer policies.",
    ],
  ],
  "a session": [
    [session(null), "INVALID_SESSION The session must be an object."],
    [
      session({ duration: 1 }),
      "INVALID_SESSION duration: Unknown name. Use context, nameFields, includePrincipal, tagFields, durationSeconds.",
    ],
    [
      session(throwing("context")),
      "INVALID_SESSION The session could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      session({ durationSeconds: 899 }),
      "INVALID_SESSION durationSeconds: must be 900 to 43,200 whole seconds.",
    ],
    [
      session({ durationSeconds: 43_201 }),
      "INVALID_SESSION durationSeconds: must be 900 to 43,200 whole seconds.",
    ],
    [
      session({ durationSeconds: "900" }),
      "INVALID_SESSION durationSeconds: must be 900 to 43,200 whole seconds.",
    ],
    [session({ includePrincipal: 1 }), "INVALID_SESSION includePrincipal: must be true or false."],
    [
      session({ nameFields: "table" }),
      "INVALID_SESSION nameFields: must be a list of name fields.",
    ],
    [
      session({ nameFields: ["table", "roles"] }),
      "INVALID_SESSION nameFields[1]: Unknown name field. Use realm, catalog, namespace, table, principal, or prefix- and a prefix.",
    ],
    [
      session({ tagFields: ["roles", "prefix-x"] }),
      "INVALID_SESSION tagFields[1]: Unknown tag field. Use realm, catalog, namespace, table, principal, roles, trace_id.",
    ],
    [session({ context: null }), "INVALID_SESSION context: must be an object."],
    [
      session({ context: { user: "x" } }),
      "INVALID_SESSION context.user: Unknown name. Use realm, catalog, namespace, table, principal, traceId, roles.",
    ],
    [session({ context: { traceId: 1 } }), "INVALID_SESSION context.traceId: must be a string."],
    [
      session({ context: { roles: "x" } }),
      "INVALID_SESSION context.roles: must be a list of strings.",
    ],
    [
      session({ context: { roles: ["x", 1] } }),
      "INVALID_SESSION context.roles[1]: must be a string.",
    ],
    [
      () => roleSessionName(throwing("context")),
      "INVALID_SESSION The session could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      () => sessionTags(throwing("context")),
      "INVALID_SESSION The session could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [role({}), "INVALID_STORAGE_CONFIG roleArn: is needed on AWS. Configure the role to assume."],
    [
      role({ roleArn: "a:b:c:d:e:f" }),
      "INVALID_STORAGE_CONFIG roleArn: must have 20 to 2,048 characters that STS takes, without control characters.",
    ],
    [
      role({ roleArn, externalId: "x" }),
      "INVALID_STORAGE_CONFIG externalId: must have 2 to 1,224 letters, digits and characters of _+=,.@:/- for STS.",
    ],
    [
      role({ roleArn, externalId: "a b" }),
      "INVALID_STORAGE_CONFIG externalId: must have 2 to 1,224 letters, digits and characters of _+=,.@:/- for STS.",
    ],
    [
      role({ roleArn, stsUnavailable: true }),
      "STS_UNAVAILABLE stsUnavailable: says that there is no STS to assume a role with. Vend no credentials for this catalog.",
    ],
    [
      role({ roleArn: roleArn.replace("aws", "aws-us-gov") }),
      "INVALID_STORAGE_CONFIG region: is needed for a role in GovCloud. Configure it.",
    ],
  ],
  "a policy to serialize": [
    [
      () => serializePolicy(null as never),
      "INVALID_POLICY A policy must be an object that JSON can hold.",
    ],
    [
      () => serializePolicy(throwing("Statement")),
      "INVALID_POLICY A policy must be an object that JSON can hold.",
    ],
  ],
  "a policy to analyse": [
    [() => listAccess(null as never), "UNSUPPORTED_POLICY The policy must be an object."],
    [
      () => listAccess(throwing("Statement")),
      "UNSUPPORTED_POLICY The policy could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      () => decide(throwing("Statement"), { action: "a:b", resource: "arn:aws:s3:::x" }),
      "UNSUPPORTED_POLICY The policy could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      () => compareAccess(throwing("Statement"), throwing("Statement")),
      "UNSUPPORTED_POLICY The policy could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      policy(allow, { Version: "2020-01-01" }),
      'UNSUPPORTED_POLICY Version: must be "2012-10-17", or "2008-10-17" in older policies.',
    ],
    [
      policy(allow, { Statements: [] }),
      "UNSUPPORTED_POLICY Statements: is not a supported element. Use Version, Id, Statement.",
    ],
    [policy([]), "UNSUPPORTED_POLICY Statement: must not be empty."],
    [policy(new Array(2)), "UNSUPPORTED_POLICY Statement[0]: must be an object."],
    [policy([allow, null]), "UNSUPPORTED_POLICY Statement[1]: must be an object."],
    [
      policy({ ...allow, Principals: "*" }),
      "UNSUPPORTED_POLICY Statement.Principals: is not a supported element. Use Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition.",
    ],
    [
      policy({ ...allow, Effect: "allow" }),
      'UNSUPPORTED_POLICY Statement.Effect: must be "Allow" or "Deny".',
    ],
    [
      policy([allow, { ...allow, Action: [] }]),
      "UNSUPPORTED_POLICY Statement[1].Action: must not be an empty list.",
    ],
    [
      policy({ ...allow, Action: new Array(2) }),
      "UNSUPPORTED_POLICY Statement.Action: must be a string or a list of strings.",
    ],
    [
      policy({ ...allow, Action: 1 }),
      "UNSUPPORTED_POLICY Statement.Action: must be a string or a list of strings.",
    ],
    [
      policy({ ...allow, Action: "s3:${aws:x}" }),
      "UNSUPPORTED_POLICY Statement.Action: must not hold variables.",
    ],
    [
      policy({ ...allow, Resource: [1] }),
      "UNSUPPORTED_POLICY Statement.Resource: must be a string or a list of strings.",
    ],
    [
      policy({ ...allow, Resource: "${aws:x}" }),
      "UNSUPPORTED_POLICY Statement.Resource: must be * or an ARN, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.",
    ],
    [
      policy({ ...allow, Resource: "arn:aws:s3:::b/${x}" }),
      "UNSUPPORTED_POLICY Statement.Resource: must not hold the beginning of a policy variable. Write ${$} for a dollar sign.",
    ],
    [
      policy({ ...allow, Condition: null }),
      "UNSUPPORTED_POLICY Statement.Condition: must be an object.",
    ],
    [
      policy({ ...allow, Condition: { StringEquals: null } }),
      "UNSUPPORTED_POLICY Statement.Condition.StringEquals: must be an object.",
    ],
    [
      policy({ ...allow, Condition: { StringEqualsX: { k: "v" } } }),
      "UNSUPPORTED_POLICY Statement.Condition.StringEqualsX: is not an operator of IAM.",
    ],
    [
      policy({ ...allow, Condition: { XStringEquals: { k: "v" } } }),
      "UNSUPPORTED_POLICY Statement.Condition.XStringEquals: is not an operator of IAM.",
    ],
    [
      policy({ ...allow, Condition: { StringLike: { k: null } } }),
      "UNSUPPORTED_POLICY Statement.Condition.StringLike.k: must be a string or a list of strings.",
    ],
    [
      policy({ ...allow, Condition: { StringLike: { k: "${x}" } } }),
      "UNSUPPORTED_POLICY Statement.Condition.StringLike.k: must not hold the beginning of a policy variable. Write ${$} for a dollar sign.",
    ],
    [
      policy({ ...allow, Condition: { Null: { k: "yes" } } }),
      "UNSUPPORTED_POLICY Statement.Condition.Null.k: must be true or false.",
    ],
    [
      policy({ ...allow, Condition: { Null: { k: [] } } }),
      "UNSUPPORTED_POLICY Statement.Condition.Null.k: must not be an empty list.",
    ],
  ],
  "what would take too long": [
    [
      () =>
        decide(
          {
            Version: "2012-10-17",
            Statement: { ...allow, Resource: `arn:aws:s3:::*${"a".repeat(9000)}b` },
          },
          { action: "s3:GetObject", resource: `arn:aws:s3:::${"a".repeat(99_000)}` },
        ),
      "UNSUPPORTED_POLICY The policies are too complex: this takes more than 30000000 steps. Ask about fewer statements at a time, or use shorter patterns.",
    ],
    [
      () => {
        const Resource = Array.from({ length: 20_000 }, (_, i) => `arn:aws:s3:::*${i}*`);
        const policy = { Version: "2012-10-17", Statement: { ...allow, Resource } } as const;
        return compareAccess(policy as AnyPolicyDocument, policy as AnyPolicyDocument);
      },
      "UNSUPPORTED_POLICY The policies are too complex: this takes more than 30000000 steps. Ask about fewer statements at a time, or use shorter patterns.",
    ],
  ],
  "a request": [
    [request(null), "INVALID_REQUEST The request must be an object with action and resource."],
    [
      request(throwing("action")),
      "INVALID_REQUEST The request could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [request({ resource: "x" }), "INVALID_REQUEST action: must be a string."],
    [request({ action: "a:b", resource: 1 }), "INVALID_REQUEST resource: must be a string."],
    [
      request({ action: "a:b", resource: "arn:aws:s3:::x", context: [] }),
      "INVALID_REQUEST context: must be an object of condition keys.",
    ],
    [
      request({ action: "a:b", resource: "arn:aws:s3:::x", context: { k: 1 } }),
      "INVALID_REQUEST context.k: must be a string or a list of strings.",
    ],
    [
      request({ action: "a:b", resource: "arn:aws:s3:::x", context: { k: ["v", 1] } }),
      "INVALID_REQUEST context.k: must be a string or a list of strings.",
    ],
  ],
  "a text to diagnose": [
    [() => diagnoseAccessDenied(1 as never), "INVALID_REQUEST The text must be a string."],
    [
      () => diagnoseAccessDenied("", throwing("region")),
      "INVALID_STORAGE_CONFIG The storage configuration could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      () => diagnoseAccessDenied("", { roleArn: "x" }),
      "INVALID_STORAGE_CONFIG roleArn: must be a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME.",
    ],
    [
      () => diagnoseAccessDenied("", {}, throwing("read")),
      "INVALID_LOCATION The locations could not be read. Pass a plain object, as JSON.parse returns.",
    ],
    [
      () => diagnoseAccessDenied("", {}, {}, throwing("profile")),
      "INVALID_OPTIONS The options could not be read. Pass a plain object, as JSON.parse returns.",
    ],
  ],
};

describe.each(Object.entries(cases))("of %s", (_, table) => {
  test.each(table.map(([run, sentence]) => [sentence, run] as const))("%s", (sentence, run) => {
    const { code, message } = faultOf(run);
    expect(`${code} ${message}`).toBe(sentence);
  });
});

test("an error shows what it is, and each of its places, where it is printed", () => {
  const print = () => {
    try {
      buildSessionPolicy({ roleArn: "x", currentKmsKey: "alias/a" }, {});
    } catch (error) {
      return String(error);
    }
  };
  expect(print()).toMatch(/^SessionPolicyError: roleArn: must be .*\ncurrentKmsKey: is an alias/);
});
