/** Random storage configurations and sessions, as catalogs have them, and flaws to put into one. */
import fc, { type Arbitrary } from "fast-check";
import type { Locations } from "../../src/locations.ts";
import type { AwsStorageConfig } from "../../src/storage-config.ts";
import { locationsArbitrary } from "../../src/testing/arbitraries.ts";

export interface RandomSession {
  readonly storageConfig: AwsStorageConfig;
  readonly locations: Readonly<Record<"read" | "list" | "write" | "delete", readonly string[]>>;
}

/** What Polaris takes and we refuse: a rule of docs/polaris-compatibility.md, by its name there. */
export interface Flaw {
  readonly rule: string;
  readonly code: string;
  readonly put: (session: RandomSession) => RandomSession;
}

const REGIONS: Readonly<Record<string, string>> = {
  aws: "us-west-2",
  "aws-cn": "cn-north-1",
  "aws-us-gov": "us-gov-west-1",
  "aws-iso": "us-iso-east-1",
  "aws-iso-b": "us-isob-east-1",
  "aws-eusc": "eusc-de-east-1",
};
const ACCOUNT = "123456789012";
const UUID = "abcd1234-1111-2222-3333-444444444444";
const MINIO = "http://minio.local:9000";

const optional = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const storageConfigs: Arbitrary<AwsStorageConfig> = fc
  .constantFrom(...Object.keys(REGIONS))
  .chain((partition) => {
    const home = REGIONS[partition] ?? "";
    const key = fc
      .tuple(
        fc.constantFrom(home, home.replace(/\d$/, "9")),
        fc.constantFrom(ACCOUNT, "444455556666"),
        fc.oneof(
          fc.constantFrom(UUID, "mrk-1234abcd12ab34cd56ef1234567890ab"),
          fc.uuid().map((id) => id.toLowerCase()),
        ),
      )
      .map(([region, account, id]) => `arn:${partition}:kms:${region}:${account}:key/${id}`);
    const role = fc
      .tuple(
        fc.constantFrom(ACCOUNT, "444455556666"),
        fc.constantFrom(
          "polaris",
          "team/polaris",
          "a/b/c/polaris",
          "team:a/b",
          "a:b:c/p",
          "p+=,.@-_",
        ),
      )
      .map(([account, name]) => `arn:${partition}:iam::${account}:role/${name}`);
    const vendorRole = fc.constantFrom(
      "arn:aws:iam:::role/polaris",
      "arn:aws:iam::tenant:role/polaris",
      "arn:minio:iam:::role/dummy-internal",
      "urn:sgws:identity::12345:role/polaris",
      "urn:ecs:iam::ns1:role/polaris",
      "urn:osc:iam::osai1:role/polaris",
    );
    const region = fc.constant(home);
    const common = {
      storageType: fc.constant("S3" as const),
      storageName: optional(fc.constant("lake")),
      externalId: optional(fc.constant("ext-1")),
      userArn: optional(fc.constant(`arn:aws:iam::${ACCOUNT}:user/polaris`)),
      pathStyleAccess: optional(fc.boolean()),
      stsUnavailable: optional(fc.boolean()),
      kmsUnavailable: fc.constantFrom(undefined, undefined, false, true),
      currentKmsKey: optional(key),
      // A pool of two, so that the current key is often among them, and twice.
      allowedKmsKeys: optional(
        fc
          .array(key, { minLength: 1, maxLength: 2 })
          .chain((pool) => fc.array(fc.constantFrom(...pool), { maxLength: 4 })),
      ),
    };
    const onAws = fc.record({
      ...common,
      roleArn: partition === "aws" ? optional(role) : role,
      region: optional(region),
      endpoint: optional(fc.constant(`https://s3.${home}.amazonaws.com`)),
      stsEndpoint: optional(fc.constant(`https://sts.${home}.amazonaws.com`)),
    });
    const elsewhere = fc.record({
      ...common,
      roleArn: optional(vendorRole),
      region: optional(fc.constantFrom(home, "local")),
      endpoint: fc.constantFrom(MINIO, "https://s3.example.com"),
      endpointInternal: optional(fc.constant(MINIO)),
      stsEndpoint: optional(fc.constant(MINIO)),
      pathStyleAccess: fc.constant(true),
    });
    return fc.oneof({ weight: 3, arbitrary: onAws }, { weight: 1, arbitrary: elsewhere });
  });

/** Any character except control characters and half surrogates. */
const character = fc
  .oneof(fc.integer({ min: 0x20, max: 0x2ff }), fc.integer({ min: 0x20, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code))
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const segment = fc.oneof(
  fc.constantFrom("warehouse", "sales", "orders", "orders2", "data", "metadata", "dt=2026-11-26"),
  fc.constantFrom(
    "*",
    "?",
    "$",
    "${aws:username}",
    "a b",
    "100%",
    "%2F",
    "ü",
    "日本",
    "🧊",
    "",
    "..",
  ),
  fc.string({ unit: character, minLength: 1, maxLength: 6 }),
);
const uri = fc
  .tuple(
    fc.constantFrom("s3", "s3", "s3", "s3a", "s3n", "S3"),
    fc.constantFrom("lake", "lake", "lake2", "lake.archive", "Lake_2"),
    fc.array(segment, { maxLength: 4 }),
    fc.constantFrom("", "/", "//"),
  )
  .map(([scheme, bucket, path, end]) => `${scheme}://${[bucket, ...path].join("/")}${end}`);

/** A few places around one table, each given for some accesses. */
const around: Arbitrary<Locations> = fc.array(uri, { minLength: 1, maxLength: 5 }).chain((pool) => {
  const near = fc.tuple(
    fc.constantFrom(...pool),
    fc.constantFrom("", "/", "/data", "/metadata/", "2"),
  );
  const list = fc.array(
    near.map(([base, end]) => base + end),
    { maxLength: 6 },
  );
  return fc.record({ read: list, list, write: list, delete: list });
});

export const randomSessions: Arbitrary<RandomSession> = fc
  .tuple(
    storageConfigs,
    fc.oneof(around, locationsArbitrary()),
    // Sessions of a reader or a writer have one list for all that they may do.
    fc.constantFrom("as drawn", "reader", "writer"),
    fc.boolean(),
  )
  .map(([config, drawn, as, isRestricted]) => {
    const of = (list: Iterable<string> | undefined) => [...(list ?? [])];
    const read = of(drawn.read);
    const locations =
      as === "as drawn"
        ? { read, list: of(drawn.list), write: of(drawn.write), delete: of(drawn.delete) }
        : { read, list: read, write: as === "writer" ? read : [], delete: [] };
    const uris = Object.values(locations).flat();
    const buckets = new Set(uris.map((one) => `s3a://${one.split("/", 3)[2]}`));
    const storageConfig = isRestricted ? { ...config, allowedLocations: [...buckets] } : config;
    return { storageConfig, locations };
  });

const inConfig =
  (fields: AwsStorageConfig) =>
  ({ storageConfig, locations }: RandomSession): RandomSession => ({
    storageConfig: { ...storageConfig, ...fields },
    locations,
  });
/** AWS itself, where names and keys have strict forms. */
const AWS = {
  roleArn: `arn:aws:iam::${ACCOUNT}:role/polaris`,
  region: "us-west-2",
  endpoint: undefined,
  endpointInternal: undefined,
  stsEndpoint: undefined,
  kmsUnavailable: undefined,
  allowedKmsKeys: [],
  currentKmsKey: undefined,
};
const withKey = (currentKmsKey: string) => inConfig({ ...AWS, currentKmsKey });
const withLocation = (added: string) => (session: RandomSession) => ({
  storageConfig: { ...session.storageConfig, ...AWS, allowedLocations: undefined },
  locations: { ...session.locations, read: [...session.locations.read, added] },
});

export const FLAWS: readonly Flaw[] = [
  ["key alias", "INVALID_KMS_KEY", withKey(`arn:aws:kms:us-west-2:${ACCOUNT}:alias/lake`)],
  ["bare key id", "INVALID_KMS_KEY", withKey(UUID)],
  ["key wildcard", "INVALID_KMS_KEY", withKey(`arn:aws:kms:us-west-2:${ACCOUNT}:key/*`)],
  [
    "key of another partition",
    "INVALID_KMS_KEY",
    withKey(`arn:aws-cn:kms:cn-north-1:${ACCOUNT}:key/${UUID}`),
  ],
  ["control character", "INVALID_LOCATION", withLocation("s3://lake/a\tb")],
  ["half surrogate pair", "INVALID_LOCATION", withLocation("s3://lake/a\ud800b")],
  ["prefix over 1,024 bytes", "INVALID_LOCATION", withLocation(`s3://lake/${"n".repeat(1025)}`)],
  ["bucket name no S3 store accepts", "INVALID_LOCATION", withLocation("s3://la*ke/t")],
  ["bucket name S3 keeps for itself", "INVALID_LOCATION", withLocation("s3://lake--x-s3/t")],
  ["region that is no name", "INVALID_STORAGE_CONFIG", inConfig({ region: "us west 2" })],
  ["endpoint without a host", "INVALID_STORAGE_CONFIG", inConfig({ endpoint: "http://" })],
  [
    "stsEndpoint without a scheme",
    "INVALID_STORAGE_CONFIG",
    inConfig({ stsEndpoint: "127.0.0.1:7531" }),
  ],
].map(([rule, code, put]) => ({ rule, code, put }) as Flaw);

/** Polaris knows two schemes here, though three where tables are. */
export const withS3nAllowed = inConfig({ allowedLocations: ["s3n://lake"] });
