/** Vends the credentials of one catalog's tables, and keeps them while they last. */
import { createHash } from "node:crypto";
import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import {
  type AwsStorageConfig,
  createAssumeRoleRequestBuilder,
  type Locations,
  type SessionSettings,
} from "polaris-session-policy";

/** Iceberg asks again with less than five minutes left. The cache must have dropped the old ones. */
const LEAST_LEFT_MS = 10 * 60_000;

/** The properties of S3FileIO with which an engine signs its requests. Other engines read them too. */
export type Credentials = Readonly<Record<string, string>>;

/**
 * Returns a function that vends credentials for locations. Calls with equal AssumeRole requests share
 * one call of STS and its credentials.
 */
export function createVendor(sts: STSClient, storageConfig: AwsStorageConfig, now = Date.now) {
  const prepare = createAssumeRoleRequestBuilder(storageConfig);
  const cache = new Map<string, { until: number; credentials: Promise<Credentials> }>();

  return (locations: Locations, session?: SessionSettings): Promise<Credentials> => {
    const { request, cacheKey } = prepare(locations, session);
    // The key holds the external id, so only its digest is kept.
    const key = createHash("sha256").update(cacheKey).digest("hex");
    const cached = cache.get(key);
    if (cached !== undefined && cached.until > now()) return cached.credentials;
    for (const [old, { until }] of cache) if (until <= now()) cache.delete(old);

    const entry = { until: Number.POSITIVE_INFINITY, credentials: assumeRole() };
    cache.set(key, entry);
    return entry.credentials;

    async function assumeRole(): Promise<Credentials> {
      try {
        const { Credentials } = await sts.send(new AssumeRoleCommand(request));
        const ends = Credentials?.Expiration?.getTime() ?? 0;
        entry.until = ends - LEAST_LEFT_MS;
        return {
          "s3.access-key-id": Credentials?.AccessKeyId ?? "",
          "s3.secret-access-key": Credentials?.SecretAccessKey ?? "",
          "s3.session-token": Credentials?.SessionToken ?? "",
          "s3.session-token-expires-at-ms": String(ends),
        };
      } catch (error) {
        cache.delete(key);
        throw error;
      }
    }
  };
}

/**
 * Returns `config` and `storage-credentials` of a table's response, as Polaris fills them. Some engines
 * read credentials from `config`, some from `storage-credentials`.
 */
export function tableProperties(
  storageConfig: AwsStorageConfig,
  table: { readonly location: string; readonly refreshEndpoint: string },
  credentials: Credentials | undefined,
) {
  const { endpoint, pathStyleAccess, region } = storageConfig;
  const store = {
    ...(region && { "client.region": region }),
    ...(endpoint && { "s3.endpoint": endpoint }),
    ...(pathStyleAccess && { "s3.path-style-access": "true" }),
  };
  if (credentials === undefined) return { config: store };
  const refresh = { "client.refresh-credentials-endpoint": table.refreshEndpoint };
  return {
    config: { ...store, ...credentials, ...refresh },
    "storage-credentials": [{ prefix: table.location, config: { ...credentials } }],
  };
}
