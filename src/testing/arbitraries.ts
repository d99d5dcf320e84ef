/**
 * Storage configurations, locations and requests for property tests with fast-check. They shrink to
 * few locations with short names, and hostile names are among them.
 *
 * @see https://fast-check.dev/docs/core-blocks/arbitraries/
 * @module
 */
import fc, { type Arbitrary } from "fast-check";
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { Locations } from "../locations.ts";
import type { PolicyDocument } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { accesses, partitionOf, placesOf, type Session, servicesOf } from "./model.ts";

/** What {@link storageConfigArbitrary} may draw. */
export interface StorageConfigConstraints {
  /** Partitions of roles and keys. Default: `aws`, `aws-cn`, `aws-us-gov` and `aws-iso`. */
  readonly partitions?: readonly string[];
  /** Most keys in `allowedKmsKeys`. Default 3; with 0 there is no current key either. */
  readonly maxKmsKeys?: number;
  /** Whether some have an S3 endpoint outside AWS. Default true. */
  readonly customEndpoints?: boolean;
}

/** What {@link locationsArbitrary} may draw. */
export interface LocationsConstraints {
  /** Names of buckets. Default: three whose names begin alike. */
  readonly buckets?: readonly string[];
  /** Most locations of each access. Default 3. */
  readonly maxLocations?: number;
  /** Whether prefixes hold wildcards, variables, quotes, other scripts and dots. Default true. */
  readonly hostile?: boolean;
}

const REGIONS: Readonly<Record<string, readonly [string, string]>> = {
  aws: ["us-west-2", "eu-central-1"],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
  "aws-iso": ["us-iso-east-1", "us-iso-west-1"],
};

/**
 * Valid storage configurations: with and without role, region, keys of two regions and accounts, and
 * with the current key among the older ones.
 *
 * @param constraints what to draw from.
 * @see https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { storageConfigArbitrary } from "polaris-session-policy/testing";
 *
 * fc.sample(storageConfigArbitrary({ partitions: ["aws"], maxKmsKeys: 0 }), 1);
 * // e.g. [{ region: "us-west-2", roleArn: "arn:aws:iam::123456789012:role/team/polaris" }]
 * ```
 */
export function storageConfigArbitrary(
  constraints: StorageConfigConstraints = {},
): Arbitrary<AwsStorageConfig> {
  const { partitions = Object.keys(REGIONS), maxKmsKeys = 3, customEndpoints = true } = constraints;
  return fc.constantFrom(...partitions).chain((partition) => {
    const region = fc.constantFrom(...(REGIONS[partition] ?? ["local", "other"]));
    const key = fc
      .tuple(
        region,
        fc.constantFrom("123456789012", "444455556666"),
        fc.constantFrom(
          "abcd1234-1111-2222-3333-444444444444",
          "mrk-1234abcd12ab34cd56ef1234567890ab",
        ),
      )
      .map(([r, account, id]) => `arn:${partition}:kms:${r}:${account}:key/${id}`);
    // The partition must be told by something: by the role or else by the region or a key.
    const roleArn = fc.constant(`arn:${partition}:iam::123456789012:role/team/polaris`);
    const some = maxKmsKeys > 0;
    return fc.record(
      {
        storageType: fc.constant("S3" as const),
        roleArn,
        externalId: fc.constant("ext-1"),
        region,
        currentKmsKey: some ? key : fc.constant(null),
        allowedKmsKeys: fc.array(key, { maxLength: maxKmsKeys }),
        kmsUnavailable: fc.boolean(),
        endpoint: customEndpoints
          ? fc.constantFrom(null, "https://s3.us-west-2.amazonaws.com", "http://minio.local:9000")
          : fc.constant(null),
      },
      { requiredKeys: partition === "aws" ? [] : ["roleArn"] },
    );
  });
}

const TAME: readonly string[] = ["db", "db2", "orders", "o", "data"];
const HOSTILE: readonly string[] = [
  "*",
  "a*b",
  "?",
  "a?b",
  "$",
  "${*}",
  "${aws:username}",
  "{",
  "}",
  "",
  ".",
  "..",
  " ",
  "%2F",
  "+",
  '"',
  "\\",
  "é",
  "売上",
  "📦",
  "\u2028",
  "a:b",
  "DB",
  "orders*",
];

/**
 * Locations for the four accesses, near one another: siblings, parents with children, the same place
 * under another scheme or with a slash behind it.
 *
 * @param constraints what to draw from.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { locationsArbitrary } from "polaris-session-policy/testing";
 *
 * fc.sample(locationsArbitrary({ buckets: ["wh"], hostile: false, maxLocations: 1 }), 1);
 * // e.g. [{ read: ["s3://wh/db"], write: [] }]
 * ```
 */
export function locationsArbitrary(constraints: LocationsConstraints = {}): Arbitrary<Locations> {
  const {
    buckets = ["wh-bucket", "wh-bucket2", "wh.bucket"],
    maxLocations = 3,
    hostile = true,
  } = constraints;
  const segment = fc.constantFrom(...TAME, ...(hostile ? HOSTILE : []));
  const location = fc
    .tuple(
      fc.constantFrom("s3", "s3a", "s3n"),
      fc.constantFrom(...buckets),
      fc.array(segment, { maxLength: 3 }),
      fc.constantFrom("", "/"),
    )
    .map(
      ([scheme, bucket, segments, slash]) => [`${scheme}:/`, bucket, ...segments].join("/") + slash,
    );
  const list = fc.array(location, { maxLength: maxLocations });
  return fc.record({ read: list, list, write: list, delete: list }, { requiredKeys: [] });
}

const OBJECT_ACTIONS: readonly string[] = [
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:GetObjectVersion",
  "s3:AbortMultipartUpload",
  "s3:PutObjectAcl",
  "s3:DeleteObjectVersion",
  "s3:BypassGovernanceRetention",
];
const BUCKET_ACTIONS: readonly string[] = [
  "s3:ListBucket",
  "s3:GetBucketLocation",
  "s3:ListBucketVersions",
  "s3:DeleteBucket",
  "s3:PutBucketPolicy",
];
const KEY_ACTIONS: readonly string[] = [
  "kms:Decrypt",
  "kms:GenerateDataKey",
  "kms:Encrypt",
  "kms:DescribeKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ScheduleKeyDeletion",
  "kms:CreateGrant",
];

/**
 * Requests that mean something: object actions on objects, bucket actions on buckets, KMS actions on
 * keys. Given a policy, they are drawn from what it names, and from just beside it.
 *
 * @param policy where to look for buckets, keys and prefixes; without it a few fixed names are used.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { accessRequestArbitrary } from "polaris-session-policy/testing";
 *
 * fc.sample(accessRequestArbitrary(), 1);
 * // e.g. [{ action: "s3:GetObject", resource: "arn:aws:s3:::wh-bucket/db/x" }]
 * ```
 */
export function accessRequestArbitrary(policy?: PolicyDocument): Arbitrary<AccessRequest> {
  return requestsBeside(namesOfPolicy(policy));
}

/** Names to make requests of: ARNs of objects, buckets and keys, prefixes, services. */
export interface Names {
  readonly objects: readonly string[];
  readonly prefixes: readonly string[];
  readonly keys: readonly string[];
  readonly services: readonly string[];
}

/** Requests for these names, and for names beside them: more behind, less of it. */
export function requestsBeside(names: Names): Arbitrary<AccessRequest> {
  const more = fc.constantFrom("", "x", "/", "0/x", "b/y", "*", "é");
  const near = (some: readonly string[]) =>
    fc
      .tuple(fc.constantFrom(...some), fc.nat({ max: 2 }), more)
      .map(([name, cut, end]) => name.slice(0, name.length - cut) + end);
  const object = fc.record({
    action: fc.constantFrom(...OBJECT_ACTIONS),
    resource: near(names.objects).map((arn) => (/:::[^/]*\//.test(arn) ? arn : `${arn}/x`)),
  });
  const bucketArn = (arn: string) => arn.replace(/(:::[^/]*).*/s, "$1");
  const bucket = fc.record({
    action: fc.constantFrom(...BUCKET_ACTIONS),
    resource: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...names.objects.map(bucketArn)) },
      near(names.objects.map(bucketArn)).map(bucketArn),
    ),
    context: fc.oneof(
      fc.constant({}),
      near(names.prefixes).map((prefix) => ({ "s3:prefix": prefix })),
    ),
  });
  const key = fc.record({
    action: fc.constantFrom(...KEY_ACTIONS),
    resource: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names.keys) }, near(names.keys)),
    context: fc.oneof(
      fc.constant({}),
      fc.constantFrom(...names.services).map((service) => ({ "kms:ViaService": service })),
    ),
  });
  return fc.oneof(object, bucket, key);
}

const SOME: Readonly<Names> = {
  objects: ["arn:aws:s3:::wh-bucket/db/"],
  prefixes: ["db/"],
  keys: ["arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444"],
  services: ["s3.us-west-2.amazonaws.com", "ec2.us-west-2.amazonaws.com"],
};

/** What a policy names, with its wildcards left out and its escapes undone. */
function namesOfPolicy(policy: PolicyDocument | undefined): Names {
  const literals = (value: string | readonly string[] | undefined) =>
    (typeof value === "string" ? [value] : (value ?? [])).map((pattern) =>
      pattern.replace(/\$\{([*?$])\}|\*/g, "$1"),
    );
  const statements = policy?.Statement ?? [];
  const resources = statements.flatMap(({ Resource }) => literals(Resource));
  const values = (key: string) =>
    statements.flatMap(({ Condition = {} }) =>
      Object.values(Condition).flatMap((block) => literals(block[key])),
    );
  const objects = resources.filter((resource) => /:s3:::/.test(resource));
  return {
    objects: [...SOME.objects, ...objects],
    prefixes: [
      ...SOME.prefixes,
      ...values("s3:prefix"),
      ...objects.map((arn) => arn.replace(/^.*?:::[^/]*\/?/s, "")),
    ],
    keys: [...SOME.keys, ...resources.filter((resource) => /:kms:/.test(resource))],
    services: [...SOME.services, ...values("kms:ViaService")],
  };
}

/** What a session is about, whatever its policy names. */
export function namesOfSession(session: Session): Names {
  const { storageConfig } = session;
  const places = accesses.flatMap((access) => placesOf(session, access));
  const keys = [storageConfig.currentKmsKey, ...(storageConfig.allowedKmsKeys ?? [])].filter(
    (key) => key != null,
  );
  const partition = partitionOf(session);
  return {
    objects: [
      ...SOME.objects,
      ...places.map(({ bucket, prefix }) => `arn:${partition}:s3:::${bucket}/${prefix}`),
    ],
    prefixes: [...SOME.prefixes, ...places.map(({ prefix }) => prefix)],
    keys: [...SOME.keys, ...keys],
    services: [
      ...SOME.services,
      ...keys.flatMap((key) => servicesOf({ storageConfig, locations: {} }, key) ?? []),
    ],
  };
}
