/** What the library's next version does itself. */
import { createHash } from "node:crypto";
import {
  type AwsStorageConfig,
  createAssumeRoleRequestBuilder as createRequestBuilder,
  type Locations,
  type SessionSettings,
} from "polaris-session-policy";

export function createAssumeRoleRequestBuilder(storageConfig: AwsStorageConfig) {
  const build = createRequestBuilder(storageConfig);
  return (locations: Locations, session?: SessionSettings) => {
    const { request } = build(locations, session);
    const text = JSON.stringify(request);
    return { request, cacheKey: createHash("sha256").update(text).digest("hex") };
  };
}

interface CatalogOfPolaris {
  readonly properties: { readonly "default-base-location": string };
  readonly storageConfigInfo: AwsStorageConfig;
}

export function storageConfigOf({ properties, storageConfigInfo }: CatalogOfPolaris) {
  const { allowedLocations } = storageConfigInfo;
  const locations = allowedLocations?.length
    ? allowedLocations
    : [properties["default-base-location"]];
  return { ...storageConfigInfo, allowedLocations: locations };
}
