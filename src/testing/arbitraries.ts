/**
 * Draws storage configurations, locations and requests for property tests with fast-check. They shrink to
 * few locations with short names. Some names are hostile.
 *
 * @see https://fast-check.dev/docs/core-blocks/arbitraries/
 * @module
 */
import fc, { type Arbitrary } from "fast-check";
import type { AccessRequest } from "../analysis/policy-document.ts";
import type { Locations } from "../locations.ts";
import type { SessionPolicyOptions } from "../options.ts";
import type { PolicyDocument } from "../policy.ts";
import type { AwsStorageConfig } from "../storage-config.ts";
import { accesses } from "./model.ts";
import { namesOfPolicy, nearRequests, requestNear } from "./requests.ts";

/** What {@link storageConfigArbitrary} may draw. */
export interface StorageConfigConstraints {
  /** Partitions of roles and keys. Default: `aws`, `aws-cn`, `aws-us-gov` and `aws-iso`. */
  readonly partitions?: readonly string[];
  /** The most keys in each list of keys. Default 3. With 0 there is no current key either. */
  readonly maxKmsKeys?: number;
  /** Whether some configurations have an S3 endpoint outside AWS. Default true. */
  readonly customEndpoints?: boolean;
}

/** What {@link locationsArbitrary} may draw. */
export interface LocationsConstraints {
  /** Names of buckets. Default: four names that are alike. */
  readonly buckets?: readonly string[];
  /** The most locations of each access. Default 16. */
  readonly maxLocations?: number;
  /** Whether prefixes hold wildcards, variables, quotes, other scripts and dots. Default true. */
  readonly hostile?: boolean;
}

const MINIO = "http://minio.local:9000";

const REGIONS: Readonly<Record<string, readonly [string, string]>> = {
  aws: ["us-west-2", "eu-central-1"],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
  "aws-iso": ["us-iso-east-1", "us-iso-west-1"],
};

/**
 * Draws valid storage configurations: with and without role and region, with keys of two regions and
 * accounts, and with the current key among the older keys.
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
          "ABCD1234-1111-2222-3333-444444444444",
          "mrk-1234abcd12ab34cd56ef1234567890ab",
        ),
      )
      .map(([r, account, id]) => `arn:${partition}:kms:${r}:${account}:key/${id}`);
    const roleArn = fc.constantFrom(
      `arn:${partition}:iam::123456789012:role/team/polaris`,
      `arn:${partition}:iam::123456789012:role/team:a:b/polaris`,
    );
    const some = maxKmsKeys > 0;
    const isKnown = REGIONS[partition] !== undefined;
    return fc
      .record(
        {
          storageType: fc.constant("S3" as const),
          roleArn,
          externalId: fc.constant("ext-1"),
          region,
          currentKmsKey: some ? key : fc.constant(null),
          allowedKmsKeys: fc.array(key, { maxLength: maxKmsKeys }),
          encryptionKeys: fc.array(key, { maxLength: maxKmsKeys }),
          decryptionKeys: fc.array(key, { maxLength: maxKmsKeys }),
          kmsUnavailable: fc.boolean(),
          endpoint: customEndpoints
            ? fc.constantFrom(null, "https://s3.us-west-2.amazonaws.com", MINIO)
            : fc.constant(null),
        },
        { requiredKeys: isKnown ? [] : ["roleArn"] },
      )
      .map((config) => {
        if (config.endpoint === MINIO && config.externalId !== undefined) {
          // Another vendor's store, with the roles of its own STS.
          return { ...config, roleArn: `urn:ecs:iam::ns1:role/${partition}` };
        }
        // The role or else the region must name the partition.
        if (partition === "aws" || config.roleArn !== undefined || config.region !== undefined) {
          return config;
        }
        return { ...config, region: REGIONS[partition]?.[0] ?? "local" };
      });
  });
}

/** In the order of IAM policies, so that a list of all names ends with the last. */
const TAME: readonly string[] = ["data", "db", "db2", "o", "orders"];
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
 * Draws locations for the four accesses, near one another: siblings, parents with children, the same place
 * with another scheme or with a slash at its end.
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
    buckets = ["wh-bucket", "wh-bucket2", "wh.bucket", "WH-bucket"],
    maxLocations = 16,
    hostile = true,
  } = constraints;
  const segment = fc.constantFrom(...TAME, ...(hostile ? HOSTILE : []));
  // Half of all locations are in the first bucket, so that its lists are long.
  const bucket = fc.constantFrom(...buckets.map(() => buckets[0] ?? ""), ...buckets);
  const location = fc.record({
    scheme: fc.constantFrom("s3", "s3a", "s3n", "S3"),
    bucket,
    path: fc.array(segment, { maxLength: 3 }),
    slash: fc.constantFrom("", "/"),
  });
  const list = fc.array(location, { maxLength: Math.ceil(maxLocations / 6) });
  const lists = fc.record({ read: list, list, write: list, delete: list }, { requiredKeys: [] });
  const access = fc.constantFrom(...accesses);
  const as = fc.constantFrom(
    ...Object.keys(ECHOES).filter((name) => hostile || name !== "capitals"),
  );
  const sometimes = <T>(weight: number, arbitrary: Arbitrary<T>) =>
    fc.oneof(
      { withCrossShrink: true },
      { weight: 6 - weight, arbitrary: fc.constant(null) },
      { weight, arbitrary },
    );
  // A folder with many tables, because lists differ most often at their end.
  const family = sometimes(3, fc.record({ access, folder: fc.array(segment, { maxLength: 1 }) }));
  // Another bucket has the same list, or nearly the same.
  const alike = fc.oneof(as, fc.constantFrom("otherLast", "joined"));
  const others = fc.constantFrom(...(buckets.length > 1 ? buckets.slice(1) : buckets));
  const twin = sometimes(3, fc.record({ bucket: others, as: alike }));
  const echo = fc.record({ of: access, to: access, as });
  const echoes = fc.array(echo, { maxLength: 2 });
  return fc.tuple(lists, family, twin, echoes).map(([drawn, tables, other, near]) => {
    const all: { -readonly [access in keyof Locations]: readonly Location[] } = { ...drawn };
    const [first = ""] = buckets;
    const add = (to: Access, name: string, paths: Paths) => {
      if (paths.length === 0) return;
      const added = paths.map((path) => ({ scheme: "s3", bucket: name, path, slash: "" }));
      all[to] = [...(all[to] ?? []), ...added].slice(0, maxLocations);
    };
    const pathsOf = (of: Access) =>
      (all[of] ?? []).filter((one) => one.bucket === first).map(({ path }) => path);
    if (tables !== null) {
      const paths = TAME.map((name) => [...tables.folder, name]);
      for (const to of new Set([tables.access, "list" as const])) add(to, first, paths);
    }
    const echoOf = (of: Access, name: string) => {
      const paths = pathsOf(of);
      return paths.length === 0 ? [] : (ECHOES[name]?.(paths) ?? []);
    };
    for (const { of, to, as: name } of near) add(to, first, echoOf(of, name));
    if (other !== null) for (const of of accesses) add(of, other.bucket, echoOf(of, other.as));
    const uris = (some: Iterable<Location>) =>
      [...some].map(
        ({ scheme, bucket: name, path, slash }) => [`${scheme}:/`, name, ...path].join("/") + slash,
      );
    return Object.fromEntries(
      accesses.flatMap((to) => {
        const some = all[to];
        return some === undefined ? [] : [[to, uris(some)]];
      }),
    );
  });
}

interface Location {
  readonly scheme: string;
  readonly bucket: string;
  readonly path: readonly string[];
  readonly slash: string;
}

type Access = keyof Locations;
type Paths = readonly (readonly string[])[];

/** Makes the paths of another list from the paths of one. Nearly equal lists show wrong caches. */
const ECHOES: Readonly<Record<string, (paths: Paths) => Paths>> = {
  same: (paths) => paths,
  fewer: (paths) => paths.slice(0, -1),
  otherLast: (paths) => {
    const sorted = [...paths].sort((a, b) => (a.join("/") < b.join("/") ? -1 : 1));
    return [...sorted.slice(0, -1), [...(sorted.at(-1) ?? []), "o"]];
  },
  joined: (paths) => [paths.flat()],
  split: (paths) => paths.flatMap((path) => path.map((segment) => [segment])),
  siblings: (paths) => paths.map((path) => [...path.slice(0, -1), `${path.at(-1) ?? "o"}2`]),
  parents: (paths) => paths.map((path) => path.slice(0, -1)),
  children: (paths) => paths.map((path) => [...path, "o"]),
  capitals: (paths) => paths.map((path) => path.map((segment) => segment.toUpperCase())),
};

/** The options of profile "least-privilege", each set or left out. */
export const leastPrivilegeOptions: Arbitrary<SessionPolicyOptions> = fc.record(
  {
    kmsViaService: fc.constant(false),
    objectVersions: fc.boolean(),
    abortMultipartUploads: fc.boolean(),
    listMultipartUploads: fc.boolean(),
    objectTags: fc.boolean(),
    objectAcls: fc.boolean(),
    barePaths: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** Draws many locations, some with names so long that few fit a policy. */
export const largeLocations: Arbitrary<Locations> = fc
  .tuple(
    locationsArbitrary({ maxLocations: 24 }),
    fc.array(fc.tuple(fc.constantFrom(...accesses), fc.nat({ max: 11 }), fc.nat({ max: 220 })), {
      maxLength: 4,
    }),
  )
  .map(([locations, longer]) => {
    const lists = new Map(accesses.map((access) => [access, [...(locations[access] ?? [])]]));
    for (const [access, at, length] of longer) {
      const list = lists.get(access) ?? [];
      const uri = list[at % Math.max(1, list.length)];
      if (uri !== undefined) list[at % list.length] = `${uri}/${"n".repeat(length)}`;
    }
    return Object.fromEntries(
      accesses.flatMap((access) => (locations[access] ? [[access, lists.get(access) ?? []]] : [])),
    );
  });

/**
 * Draws meaningful requests: object actions on objects, bucket actions on buckets, KMS actions on keys.
 * With a policy, they are about the names in it, and about names near them.
 *
 * @param policy a source of buckets, keys and prefixes. Without it a few fixed names are used.
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
  const names = namesOfPolicy(policy);
  return nearRequests.map((drawn) => requestNear(drawn, names));
}
