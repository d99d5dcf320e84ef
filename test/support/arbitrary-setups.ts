/** Storage configurations with allowed locations, options, and sessions inside them. */
import fc, { type Arbitrary } from "fast-check";
import type { AwsStorageConfig, Locations, SessionPolicyOptions } from "../../src/index.ts";
import { leastPrivilegeOptions } from "../../src/testing/arbitraries.ts";

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const OLD = "arn:aws:kms:eu-west-1:123456789012:key/00000000-1111-2222-3333-444444444444";
const MULTI = "arn:aws:kms:us-west-2:123456789012:key/mrk-00000000000000000000000000000000";
const key = fc.constantFrom(KEY, OLD, MULTI);
const keys = fc.uniqueArray(key);
const PLACES = ["s3://lake/a", "s3://lake/a/b", "s3://pond", "s3://pond/x*", "s3://sea/c d"];

export type SetupConfig = AwsStorageConfig & { readonly allowedLocations: readonly string[] };

/** With every field that a policy depends on, the key fields of all versions of Polaris among them. */
export const setupConfig: Arbitrary<SetupConfig> = fc.record(
  {
    allowedLocations: fc.uniqueArray(fc.constantFrom(...PLACES), { minLength: 1 }),
    roleArn: fc.constant("arn:aws:iam::123456789012:role/polaris"),
    region: fc.constantFrom("us-west-2", "eu-west-1"),
    currentKmsKey: key,
    allowedKmsKeys: keys,
    encryptionKeys: keys,
    decryptionKeys: keys,
    kmsUnavailable: fc.boolean(),
    endpoint: fc.constantFrom("https://minio.example.com", "https://s3.us-west-2.amazonaws.com"),
  },
  { requiredKeys: ["allowedLocations"] },
);

export const setupOptions: Arbitrary<SessionPolicyOptions> = fc.oneof(
  leastPrivilegeOptions,
  fc.constant({ profile: "polaris" } as const),
);

/** A session inside some of the allowed locations, or at them. */
export function sessionIn({ allowedLocations }: SetupConfig): Arbitrary<Locations> {
  const below = fc.constantFrom("", "/", "/t", "/t/u", "/b", "//", "/t$");
  const uri = fc
    .tuple(fc.constantFrom(...allowedLocations), below)
    .map(([outer, below]) => outer + below);
  const list = fc.array(uri, { maxLength: 3 });
  return fc.record({ read: list, list, write: list, delete: list }, { requiredKeys: [] });
}
