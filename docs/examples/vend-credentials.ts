import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import {
  type AwsStorageConfig,
  createAssumeRoleRequestBuilder,
  type Locations,
  type SessionSettings,
} from "polaris-session-policy";

/** Vends credentials of a catalog, as the `config` of an Iceberg REST response. */
export function createVendor(sts: STSClient, storageConfig: AwsStorageConfig) {
  const requestFor = createAssumeRoleRequestBuilder(storageConfig);
  return async (locations: Locations, session: SessionSettings) => {
    const { Credentials } = await sts.send(new AssumeRoleCommand(requestFor(locations, session)));
    const { endpoint, pathStyleAccess, region } = storageConfig;
    return {
      "s3.access-key-id": Credentials?.AccessKeyId,
      "s3.secret-access-key": Credentials?.SecretAccessKey,
      "s3.session-token": Credentials?.SessionToken,
      "s3.session-token-expires-at-ms": Credentials?.Expiration?.getTime().toString(),
      ...(region && { "client.region": region }),
      ...(endpoint && { "s3.endpoint": endpoint }),
      ...(pathStyleAccess && { "s3.path-style-access": "true" }),
    };
  };
}
