/**
 * The resource types of the actions of S3, KMS and STS, from AWS' service authorization reference as of
 * June 2026.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
 * @module
 */

/** Actions that apply to the same types of resources; no type if their requests name no resource. */
interface ActionGroup {
  readonly service: string;
  readonly types: string;
  readonly names: string;
}

/** The reference's tables, grouped by types. */
export const ACTION_GROUPS: readonly ActionGroup[] = [
  {
    service: "s3",
    types: "accessgrant",
    names: `
      DeleteAccessGrant GetAccessGrant`,
  },
  {
    service: "s3",
    types: "accessgrantsinstance",
    names: `
      AssociateAccessGrantsIdentityCenter CreateAccessGrantsInstance
      CreateAccessGrantsLocation DeleteAccessGrantsInstance
      DeleteAccessGrantsInstanceResourcePolicy DissociateAccessGrantsIdentityCenter
      GetAccessGrantsInstance GetAccessGrantsInstanceForPrefix
      GetAccessGrantsInstanceResourcePolicy GetDataAccess ListAccessGrants
      ListAccessGrantsLocations ListCallerAccessGrants PutAccessGrantsInstanceResourcePolicy`,
  },
  {
    service: "s3",
    types: "accessgrantslocation",
    names: `
      CreateAccessGrant DeleteAccessGrantsLocation GetAccessGrantsLocation
      UpdateAccessGrantsLocation`,
  },
  {
    service: "s3",
    types: "accesspoint",
    names: `
      CreateAccessPoint DeleteAccessPoint DeleteAccessPointPolicy GetAccessPointPolicy
      GetAccessPointPolicyStatus PutAccessPointPolicy`,
  },
  {
    service: "s3",
    types: "bucket",
    names: `
      CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket
      DeleteBucketMetadataTableConfiguration DeleteBucketPolicy DeleteBucketWebsite
      GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketLogging
      GetBucketMetadataTableConfiguration GetBucketObjectLockConfiguration
      GetBucketOwnershipControls GetBucketPolicyStatus GetBucketPublicAccessBlock
      GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
      GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration
      GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration
      ListBucketMultipartUploads PauseReplication PutAccelerateConfiguration
      PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging
      PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls
      PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging
      PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
      PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration
      PutMetricsConfiguration PutReplicationConfiguration
      UpdateBucketMetadataInventoryTableConfiguration
      UpdateBucketMetadataJournalTableConfiguration`,
  },
  {
    service: "s3",
    types: "bucket accesspoint",
    names: `
      GetBucketAcl GetBucketCORS GetBucketLocation GetBucketNotification GetBucketPolicy
      ListBucket ListBucketVersions`,
  },
  {
    service: "s3",
    types:
      "bucket accesspoint accessgrant accessgrantsinstance accessgrantslocation storagelensgroup",
    names: `
      ListTagsForResource TagResource UntagResource`,
  },
  {
    service: "s3",
    types: "job",
    names: `
      DeleteJobTagging DescribeJob GetJobTagging PutJobTagging UpdateJobPriority
      UpdateJobStatus`,
  },
  {
    service: "s3",
    types: "multiregionaccesspoint",
    names: `
      CreateMultiRegionAccessPoint DeleteMultiRegionAccessPoint GetMultiRegionAccessPoint
      GetMultiRegionAccessPointPolicy GetMultiRegionAccessPointPolicyStatus
      GetMultiRegionAccessPointRoutes PutMultiRegionAccessPointPolicy
      SubmitMultiRegionAccessPointRoutes`,
  },
  {
    service: "s3",
    types: "multiregionaccesspointrequestarn",
    names: `
      DescribeMultiRegionAccessPointOperation`,
  },
  {
    service: "s3",
    types: "object",
    names: `
      GetObjectTorrent GetObjectVersionForReplication GetObjectVersionTorrent
      InitiateReplication ObjectOwnerOverrideToBucketOwner ReplicateDelete ReplicateObject
      ReplicateTags`,
  },
  {
    service: "s3",
    types: "object accesspointobject",
    names: `
      AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging
      DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAcl
      GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
      GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging
      ListMultipartUploadParts PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
      PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging RestoreObject
      UpdateObjectEncryption`,
  },
  {
    service: "s3",
    types: "objectlambdaaccesspoint",
    names: `
      CreateAccessPointForObjectLambda DeleteAccessPointForObjectLambda
      DeleteAccessPointPolicyForObjectLambda GetAccessPointConfigurationForObjectLambda
      GetAccessPointForObjectLambda GetAccessPointPolicyForObjectLambda
      GetAccessPointPolicyStatusForObjectLambda PutAccessPointConfigurationForObjectLambda
      PutAccessPointPolicyForObjectLambda`,
  },
  {
    service: "s3",
    types: "storagelensconfiguration",
    names: `
      DeleteStorageLensConfiguration DeleteStorageLensConfigurationTagging
      GetStorageLensConfiguration GetStorageLensConfigurationTagging GetStorageLensDashboard
      PutStorageLensConfigurationTagging`,
  },
  {
    service: "s3",
    types: "storagelensgroup",
    names: `
      DeleteStorageLensGroup GetStorageLensGroup UpdateStorageLensGroup`,
  },
  {
    service: "s3",
    types: "",
    names: `
      CreateJob CreateStorageLensGroup GetAccessPoint GetAccountPublicAccessBlock
      ListAccessGrantsInstances ListAccessPoints ListAccessPointsForObjectLambda
      ListAllMyBuckets ListJobs ListMultiRegionAccessPoints ListStorageLensConfigurations
      ListStorageLensGroups PutAccessPointPublicAccessBlock PutAccountPublicAccessBlock
      PutStorageLensConfiguration`,
  },
  {
    service: "kms",
    types: "key",
    names: `
      CancelKeyDeletion CreateGrant Decrypt DeleteImportedKeyMaterial DeriveSharedSecret
      DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt
      GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext
      GenerateDataKeyWithoutPlaintext GenerateMac GetKeyLastUsage GetKeyPolicy
      GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListGrants
      ListKeyPolicies ListKeyRotations ListResourceTags PutKeyPolicy ReEncryptFrom ReEncryptTo
      ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign
      SynchronizeMultiRegionKey TagResource UntagResource UpdateKeyDescription
      UpdatePrimaryRegion Verify VerifyMac`,
  },
  {
    service: "kms",
    types: "key alias",
    names: `
      CreateAlias DeleteAlias UpdateAlias`,
  },
  {
    service: "kms",
    types: "",
    names: `
      ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore
      DescribeCustomKeyStores DisconnectCustomKeyStore GenerateRandom ListAliases ListKeys
      ListRetirableGrants UpdateCustomKeyStore`,
  },
  {
    service: "sts",
    types: "federated-user",
    names: `
      GetFederationToken`,
  },
  {
    service: "sts",
    types: "role",
    names: `
      AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SetSourceIdentity TagSession`,
  },
  {
    service: "sts",
    types: "role self-session",
    names: `
      SetContext`,
  },
  {
    service: "sts",
    types: "root-user",
    names: `
      AssumeRoot`,
  },
  {
    service: "sts",
    types: "",
    names: `
      DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken
      GetServiceBearerToken GetSessionToken GetWebIdentityToken TagGetWebIdentityToken`,
  },
];
