import { createHash } from "node:crypto";
import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import {
  createAssumeRoleRequestBuilder,
  type Locations,
  type SessionSettings,
  storageConfigOf,
} from "polaris-session-policy";

/** Vends credentials of a catalog, as `config` and `storage-credentials` of an Iceberg REST response. */
export function createVendor(sts: STSClient, catalog: unknown) {
  const storageConfig = storageConfigOf(catalog);
  const prepare = createAssumeRoleRequestBuilder(storageConfig);
  const cache = new Map<string, Awaited<ReturnType<typeof credentials>>>();

  /** `table` is `namespaces/NAMESPACE/tables/TABLE`, below the catalog's own path. */
  return async (table: string, locations: Locations, session: SessionSettings) => {
    const { request, cacheKey } = prepare(locations, session);
    const key = createHash("sha256").update(cacheKey).digest("hex");
    let vended = cache.get(key);
    // Half of the duration is left for the longest query.
    if (vended === undefined || vended.expires - Date.now() < request.DurationSeconds * 500) {
      vended = await credentials(sts, request);
      cache.set(key, vended);
    }
    const { endpoint, pathStyleAccess, region } = storageConfig;
    const config = {
      ...vended.properties,
      "client.refresh-credentials-endpoint": `v1/${name(catalog)}/${table}/credentials`,
      ...(region && { "client.region": region }),
      ...(endpoint && { "s3.endpoint": endpoint }),
      ...(pathStyleAccess && { "s3.path-style-access": "true" }),
    };
    const [prefix = ""] = locations.read ?? [];
    return { config, "storage-credentials": [{ prefix, config }] };
  };
}

async function credentials(sts: STSClient, request: AssumeRoleCommand["input"]) {
  const { Credentials } = await sts.send(new AssumeRoleCommand(request));
  const expires = Credentials?.Expiration?.getTime() ?? 0;
  const properties = {
    "s3.access-key-id": Credentials?.AccessKeyId,
    "s3.secret-access-key": Credentials?.SecretAccessKey,
    "s3.session-token": Credentials?.SessionToken,
    "s3.session-token-expires-at-ms": String(expires),
  };
  return { expires, properties };
}

function name(catalog: unknown): string {
  return encodeURIComponent((catalog as { readonly name: string }).name);
}
