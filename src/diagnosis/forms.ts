/**
 * The forms in which services, SDKs and engines say that a request was denied: one row each, with an
 * example that is a test.
 *
 * Patterns run over the text without its whitespace. What a row with an operation or a key matches is
 * read from there; where the request went stands beside it, and `context.ts` reads that.
 * @module
 */
import type { Access } from "../locations.ts";
import type { Cause } from "./causes.ts";

/** A message that tells its cause by itself. */
export interface CauseForm {
  readonly cause: Cause;
  /** Group 1 is a detail for the explanation: a percentage, a region, a setting. */
  readonly pattern: RegExp;
  /** Whether it is a word, which counts where it is not within prose, nor the start of a longer one. */
  readonly isCode?: true;
  /** Whether the message gives no reason, and this is the most likely one. */
  readonly isGuess?: true;
  readonly example: string;
}

/**
 * An error code. Whether it stands alone is not seen without whitespace: `denials.ts` looks at the text
 * around it.
 */
function code(names: string): Pick<CauseForm, "pattern" | "isCode"> {
  return { pattern: new RegExp(`(?:${names})(?:Exception)?`, "g"), isCode: true };
}

export const CAUSE_FORMS: readonly CauseForm[] = [
  {
    cause: "credentials-expired",
    pattern:
      /providedtokenhasexpired|(?<=[>:"'])Requesthasexpired|securitytokenincludedintherequestisexpired/gi,
    example: "S3Exception: The provided token has expired. (Service: S3, Status Code: 400)",
  },
  {
    cause: "credentials-expired",
    ...code("ExpiredToken(?!.{0,90}Tokenexpired:current)|RequestExpired|TokenRefreshRequired"),
    example: "<Error><Code>ExpiredToken</Code></Error>",
  },
  {
    cause: "credentials-unknown",
    pattern:
      /securitytokenincludedintherequestisinvalid|AccessKeyIdyouprovideddoesnotexist|providedtokenismalformedorotherwiseinvalid/gi,
    example: "The AWS Access Key Id you provided does not exist in our records.",
  },
  {
    cause: "credentials-unknown",
    ...code("InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|InvalidToken"),
    example: "An error occurred (InvalidAccessKeyId) when calling the GetObject operation",
  },
  {
    // As Arrow names the codes of the SDK for C++.
    cause: "credentials-expired",
    pattern: /AWSErrorEXPIRED_TOKENduring/g,
    example: "AWS Error EXPIRED_TOKEN during HeadObject operation: No response body.",
  },
  {
    cause: "credentials-unknown",
    pattern: /AWSError(?:INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN_ID|UNRECOGNIZED_CLIENT)during/g,
    example: "AWS Error INVALID_ACCESS_KEY_ID during HeadObject operation: No response body.",
  },
  {
    cause: "signature-mismatch",
    pattern: /AWSErrorSIGNATURE_DOES_NOT_MATCHduring/g,
    example: "AWS Error SIGNATURE_DOES_NOT_MATCH during HeadObject operation: No response body.",
  },
  {
    cause: "signature-mismatch",
    pattern: /requestsignaturewecalculateddoesnotmatch/gi,
    example:
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  },
  {
    cause: "signature-mismatch",
    // STS reports a wrong clock with the same code, and says so after it.
    ...code("SignatureDoesNotMatch(?!.{0,120}Signature(?:expired|notyet))"),
    example: "<Code>SignatureDoesNotMatch</Code>",
  },
  {
    cause: "no-credentials",
    pattern:
      /Unabletolocatecredentials|Unabletoload(?:AWS)?credentialsfromany(?:oftheproviders|provider)|failedtorefreshcachedcredentials|noEC2IMDSrolefound|sendingrequestforurl\(http:\/\/169\.254\.169\.254\/|[Rr]etrievingcredentialsfromtheinstanceprofile|NoAWSCredentialsprovided|NoAWSCredentials(?![A-Za-z])|NoAWSaccesskeycredentials|EC2MetadataServicedidnotreturnanycredentials|novalidprovidersinchain|Unabletoloadcredentialsfromsystemsettings|Partialcredentialsfound|(?:AccessDenied|Forbidden\))AuthenticationFailure-[^*]{0,80}\*Nocredentialsareprovided|Errorperforming(?:GET|PUT)http:\/\/169\.254\.169\.254\/|RequestismissingAuthenticationToken|Anonymous(?:userscannot|accessisforbidden)/gi,
    example:
      "SdkClientException: Unable to load credentials from any of the providers in the chain",
  },
  {
    cause: "no-credentials",
    ...code(
      "NoCredentialsError|NoAwsCredentials|NoCredentialProviders|CredentialsNotLoaded|MissingAuthenticationToken|CredentialsProviderError",
    ),
    example: "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
  },
  {
    cause: "clock-skew",
    pattern:
      /differencebetweentherequesttimeandthe(?:current|server(?:'s)?)timeistoolarge|Signatureexpired:\d{8}T|Signaturenotyetcurrent/gi,
    example: "The difference between the request time and the current time is too large.",
  },
  {
    cause: "clock-skew",
    ...code("RequestTimeTooSkewed|RequestInTheFuture"),
    example: "<Code>RequestTimeTooSkewed</Code>",
  },
  {
    cause: "policy-too-large",
    pattern: /[Pp]acked(?:policy|size(?:ofsessiontags)?)consumes(\d{3,6})%/g,
    example: "Packed policy consumes 118% of allotted space, please use smaller policy.",
  },
  {
    cause: "policy-too-large",
    pattern: /'policy'failedtosatisfyconstraint:Membermusthavelengthlessthanorequalto2048/gi,
    example:
      "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048",
  },
  {
    cause: "policy-too-large",
    ...code("PackedPolicyTooLarge"),
    example: "An error occurred (PackedPolicyTooLarge) when calling the AssumeRole operation",
  },
  {
    cause: "session-duration",
    pattern:
      /DurationSecondsexceedsthe(?:MaxSessionDuration|1hoursessionlimit)|1hoursessionlimitforrolesassumedbyrolechaining|'durationSeconds'failedtosatisfyconstraint/gi,
    example: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  },
  {
    cause: "policy-malformed",
    ...code("MalformedPolicyDocument"),
    example:
      "An error occurred (MalformedPolicyDocument) when calling the AssumeRole operation: This policy contains invalid Json",
  },
  {
    cause: "policy-malformed",
    pattern:
      /Syntaxerrorsinpolicy|Policyhasinvalidresource|policycontains(?:invalidJson|thefollowingerror)|mustbeprefacedbyavendor|'policy'failedtosatisfyconstraint:Membermustsatisfyregular/gi,
    example: "StsException: Syntax errors in policy. (Service: Sts, Status Code: 400)",
  },
  {
    cause: "sts-region",
    pattern: /STSisnotactivatedinthisregion|SecurityTokenServiceisnotactivated/gi,
    example: "STS is not activated in this region for account:444455556666.",
  },
  {
    cause: "sts-region",
    ...code("RegionDisabled"),
    example: "<Code>RegionDisabledException</Code>",
  },
  {
    cause: "sts-region",
    pattern:
      /(UnsupportedactionAssumeRole|impliesfunctionalitythatisnotimplemented)(?=\.?\(Service:Sts|<\/Message>|["'.)]|$)/gi,
    example:
      "Failed to get subscoped credentials: A header you provided implies functionality that is not implemented. (Service: Sts, Status Code: 501)",
  },
  {
    cause: "policy-malformed",
    pattern: /subscopedcredentials:(?:null)?(\(Service:Sts[,;]StatusCode:400)/gi,
    isGuess: true,
    example:
      "Failed to get subscoped credentials: (Service: Sts, Status Code: 400, Request ID: null)",
  },
  {
    cause: "web-identity",
    pattern:
      /(?<!is)[Nn]otauthorizedtoperform:?sts:AssumeRoleWithWebIdentity|NoOpenIDConnectproviderfound|Tokenexpired:currentdate\/time|Couldn'tretrieveverificationkeyfromyouridentityprovider|Incorrecttokenaudience/g,
    example:
      "Not authorized to perform sts:AssumeRoleWithWebIdentity (Service: Sts, Status Code: 403)",
  },
  {
    cause: "web-identity",
    ...code("InvalidIdentityToken|IDPRejectedClaim"),
    example:
      "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation",
  },
  {
    cause: "session-tags",
    pattern:
      /(?<!is)[Nn]otauthorizedtoperform:?sts:TagSession|(tagsandtransitivetags|'tags(?:\.\d{1,3}\.member\.\w{1,10})?'failedtosatisfyconstraint)/g,
    example: "AccessDenied: Not authorized to perform sts:TagSession",
  },
  {
    cause: "role-trust",
    pattern: /Rolesmaynotbeassumedby(root)accounts/gi,
    example: "api error AccessDenied: Roles may not be assumed by root accounts.",
  },
  {
    cause: "role-trust",
    pattern:
      /(?<!is)Notauthorizedtoperform:?sts:AssumeRole(?!With)|ErrorassumingAWS_ROLE\.Please|STSservicefailedwithHTTPstatuscode403|subscopedcredentials:(?:AccessDenied\.?|null)?\(Service:Sts[,;]StatusCode:403/gi,
    example:
      "Error assuming AWS_ROLE. Please verify the role and externalId are configured correctly in your AWS policy.",
  },
  {
    cause: "object-locked",
    pattern: /objectprotectedbyobjectlock|isWORMprotected|Objectisunderlegalhold/gi,
    example: "Access Denied because object protected by object lock.",
  },
  {
    cause: "public-access-block",
    pattern:
      /(BlockPublicPolicy|BlockPublicAcls|IgnorePublicAcls|RestrictPublicBuckets)(?:setting|blockpublicaccess)|(?:prevented|blocked)bythe(?:S3)?BlockPublicAccess|(bucketdoesnotallowACLs)/gi,
    example:
      "because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access.",
  },
  {
    // Polaris' own, before it makes a session.
    cause: "location-not-allowed",
    pattern: /(?<=foridentifier'[^']{1,300}':)(\S{1,1024}?)isnotinthelistofallowedlocations/g,
    example:
      "Invalid locations '[s3://lake/t]' for identifier 'ns.t': s3://lake/t is not in the list of allowed locations: [s3://lake/wh]",
  },
  {
    cause: "action-never-granted",
    pattern: /Insufficient(LakeFormation)permission|\(Service:(LakeFormation)[,;]StatusCode:4/gi,
    example:
      "AccessDeniedException: Insufficient Lake Formation permission(s) on orders (Service: Glue, Status Code: 400)",
  },
  {
    cause: "kms-key-not-usable",
    ...code("KMS\\.(?:CustomKeyStoreInvalidState|KeyUnavailable)"),
    example: "KMS.KeyUnavailableException: The request was rejected",
  },
  {
    cause: "kms-key-not-found",
    pattern: /Aliasarn:aws[\w:-]{1,80}:alias\/[\w/-]{1,250}isnotfound|InvalidkeyId'/gi,
    example: "NotFoundException: Alias arn:aws:kms:eu-west-1:123456789012:alias/lake is not found.",
  },
];

/** A message that says no more than that access is denied. */
export interface BareForm {
  readonly pattern: RegExp;
  /** Where the operation is in the match, if the form has it. */
  readonly operation?: number;
  /** Of forms that say no operation: what was tried, if the form itself tells. */
  readonly tried?: string;
  /** Whether who asked stands beside it, as CloudTrail has it. */
  readonly identity?: true;
  /** Whether another message of the same event may say more, on the lines below. */
  readonly precedes?: true;
  /** Whether it repeats, in short, a message before it. */
  readonly follows?: true;
  readonly example: string;
}

export const BARE_FORMS: readonly BareForm[] = [
  {
    pattern:
      /\((?:AccessDenied(?:Exception)?|403|Forbidden)\)[\x60*"']{0,2}(?:occurred)?whencallingthe(\w{1,60})operation(?:\(reachedmaxretries:\d{1,3}\))?:/gi,
    operation: 1,
    example: "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
  },
  {
    pattern:
      /(?:AccessDenied\.?|Forbidden|null|Exception:|Invalidresponsestatusfromrequest|(?:AccessDenied|Forbidden);request:[^()]{1,2000})\(Service:(?:Amazon)?S3[,;]StatusCode:403/gi,
    example: "S3Exception: null (Service: S3, Status Code: 403, Request ID: X)",
  },
  {
    pattern: /operationerrorS3:(\w{1,60}),httpsresponseerrorStatusCode:403/gi,
    operation: 1,
    precedes: true,
    example:
      "operation error S3: PutObject, https response error StatusCode: 403, RequestID: 1, HostID: 2, api error AccessDenied: Access Denied",
  },
  {
    pattern: /<Code>AccessDenied<\/Code>/gi,
    precedes: true,
    example: "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
  },
  {
    pattern:
      /["']Code\\*["']:\\*["'](?:AccessDenied|403)\\*["'],\\*["']Message\\*["']:\\*["'](?:AccessDenied|Forbidden)/gi,
    example: "{'Error': {'Code': 'AccessDenied', 'Message': 'Access Denied'}}",
  },
  {
    pattern:
      /[Cc]ode:(?:Some\()?\\*["']AccessDenied\\*["']\)?,message:(?:Some\()?\\*["'](?:AccessDenied)?\.?\\*["']/gi,
    example: 'ErrorMetadata { code: Some("AccessDenied"), message: Some("Access Denied") }',
  },
  {
    pattern: /code[=:]AccessDenied,message[=:]AccessDenied/gi,
    example:
      "ErrorResponse(code = AccessDenied, message = Access Denied, bucketName = lake, objectName = t/f)",
  },
  {
    pattern: /httpStatusCode['"]?:403/g,
    precedes: true,
    follows: true,
    example: "UnknownError { '$fault': 'client', '$metadata': { httpStatusCode: 403 } }",
  },
  {
    pattern: /AWSError(?:ACCESS_DENIED|UNKNOWN\(HTTPstatus403\))during(\w{1,60})operation/gi,
    operation: 1,
    example:
      "When reading information for key 't/f' in bucket 'lake': AWS Error ACCESS_DENIED during HeadObject operation: No response body.",
  },
  {
    pattern: /AWSError\[code15\]/g,
    example:
      "When reading information for key 't/f' in bucket 'lake': AWS Error [code 15]: No response body.",
  },
  {
    pattern: /Cannot(?:open|create|delete|get)file(?:info)?,accessdenied:/g,
    follows: true,
    example: "PermissionError: Cannot open file, access denied: s3://lake/t/f",
  },
  {
    pattern:
      /HTTPGETerror(?:reading|on|to)['"][^"']{1,2000}?list-type=2[^"']{0,2000}['"].{0,40}?\(HTTP403(?:Forbidden)?\)/gi,
    tried: "ListObjectsV2",
    precedes: true,
    example:
      "HTTP GET error on 'https://lake.s3.amazonaws.com/?list-type=2&prefix=t%2F' (HTTP 403)",
  },
  {
    // Of a list DuckDB names the location, of a file its URL.
    pattern: /HTTPGETerrorreading['"]s3[an]?:[^"']{1,2000}['"].{0,40}?\(HTTP403(?:Forbidden)?\)/gi,
    tried: "ListObjectsV2",
    precedes: true,
    example: "HTTP GET error reading 's3://lake/t' in region 'eu-west-1' (HTTP 403 Forbidden)",
  },
  {
    pattern:
      /HTTP(GET|HEAD|PUT|POST|DELETE)error(?:reading|on|to)['"](?!s3)[^"']{1,2000}['"].{0,40}?\(HTTP403(?:Forbidden)?\)/gi,
    operation: 1,
    precedes: true,
    example:
      "HTTP GET error reading 'https://lake.s3.eu-west-1.amazonaws.com/t/f' in region 'eu-west-1' (HTTP 403 Forbidden)",
  },
  {
    // DuckDB 1.4 and later say so of writes only.
    pattern: /UnabletoconnecttoURL(?:s3[an]?|https?):[^"']{1,2000}?:Forbidden\(HTTPcode403\)/gi,
    tried: "PutObject",
    precedes: true,
    example: "Unable to connect to URL s3://lake/t/f: Forbidden (HTTP code 403)",
  },
  {
    pattern: /UnabletoconnecttoURL\\*["'][^"']{1,2000}["']:403\(Forbidden\)/gi,
    precedes: true,
    example: 'Unable to connect to URL "https://lake.s3.amazonaws.com/t/f": 403 (Forbidden)',
  },
  {
    pattern: /Couldnotremovefile\\*"[^"]{1,2000}":(?:Forbidden|AccessDenied)/gi,
    tried: "DeleteObject",
    example: 'IO Error: Could not remove file "s3://lake/t/f": Forbidden',
  },
  {
    pattern: /CouldnotrefreshIcebergvendedcredentials/gi,
    example: "Could not refresh Iceberg vended credentials for table orders: NotFound_404",
  },
  {
    pattern:
      /(?:withstatus|statuscode:?)403Forbidden|HTTPstatusclienterror\(403Forbidden\)|resultedina`?403Forbidden/gi,
    precedes: true,
    example: "Generic S3 error: Client error with status 403 Forbidden: No Body",
  },
  {
    pattern: /Message:AccessDenied\.?,(?:Key|[Bb]ucket):/g,
    example: "DB::Exception: Message: Access Denied, Key: t/f, Bucket: lake, Object size: 12.",
  },
  {
    pattern: /AccessDenied,?code=403|AccessDenied\((?:Status|Error)Code:(?:403|AccessDenied);/g,
    example: "failed to put object: AccessDenied Access Denied code=403 type=15, request_id=X",
  },
  {
    pattern: /op:(\w{3,10}),path:[^{}]{1,1500}?Parts\{status:403/g,
    operation: 1,
    precedes: true,
    example: "op: stat, path: t/f, source: response part: Parts { status: 403, version: HTTP/1.1 }",
  },
  {
    pattern:
      /AWSClient:Responsestatus:403|S3ServiceException:AccessDenied,Status(?:Code)?403|HTTPStatusCode:403,S3Service|Unauthorizedtoaccessstore:S3forfile:/g,
    precedes: true,
    example:
      "S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1,ExtRid 2,CanRetry 1",
  },
  {
    pattern: /(\w{3,40})APIrespondedwitherror='AccessDenied'/g,
    operation: 1,
    example: "PutObject API responded with error='AccessDenied', message='Access Denied'",
  },
  {
    pattern: /S3error:403\((?:AccessDenied|Forbidden)\)/g,
    example: "ERROR: S3 error: 403 (AccessDenied): Access Denied",
  },
  {
    pattern:
      /HTTPresponsecode:403|S3exception:['`]?AccessDenied(?!;request)|DB::Exception:AccessDenied|EncounteredAWSError'AccessDenied'|Exceptionname:AccessDenied/gi,
    example: "DB::Exception: Failed to get object info: No response body.. HTTP response code: 403",
  },
  {
    pattern: /code=403\(SdkErrorType:\d{1,4}\)/gi,
    example: "code=403(SdkErrorType:15), message=Access Denied:file = s3://lake/t/f",
  },
  {
    // The SDKs of MinIO.
    pattern:
      /ErrorResponseException:Accessdenied|S3Error:AccessDenied|respondedwithmessage=Accessdenied/gi,
    precedes: true,
    example: "io.minio.errors.ErrorResponseException: Access denied",
  },
  {
    // MinIO's trace and its audit log.
    pattern: /\[403Forbidden\]s3\.|"object":"[^"]{0,1024}","status":"Forbidden","statusCode":403/g,
    example:
      "2025-11-17T16:43:33.434 [403 Forbidden] s3.PutObject localhost:9000/lake/t/f 172.18.0.1",
  },
  {
    // The SDK for Go 1, R's aws.s3, object_store's debug text, Oracle's store.
    pattern:
      /(?:AccessDenied|Forbidden):[^:]{1,80}statuscode:403,requestid|parse_aws_s3_response\([^()]{0,80}\):Forbidden\(HTTP403\)|Status\{status:403|oryouarenotauthorizedtoaccessit/g,
    example: "Failed to copy: AccessDenied: not entitled status code: 403, request id: f93b",
  },
  {
    pattern: /S3:Failto[a-z]{1,40}forobject[^\s:]{1,1100}:AccessDenied/gi,
    example: "S3: Fail to create multipart upload for object lake/t/f: Access Denied",
  },
  {
    // Of a HEAD, S3's answer has neither code nor message.
    pattern: /code:None,message:None.{0,600}?status:(?:StatusCode\()?403/g,
    example:
      "HeadObjectError { kind: Unhandled(Error { code: None, message: None }) }, raw: Response { status: 403 }",
  },
  {
    pattern: /Code='?AccessDenied'?,Message='?AccessDenied/g,
    example: "Failed to delete files: Key='t/f', Code='AccessDenied', Message='Access Denied'",
  },
  {
    // The SDKs for Ruby and .NET.
    pattern:
      /Aws::S3::Errors::(?:AccessDenied|Forbidden)|ErrorCodeForbiddenandHttpStatusCodeForbidden/g,
    follows: true,
    example: "Aws::S3::Errors::AccessDenied (Access Denied)",
  },
  {
    // Athena and CloudFormation.
    pattern:
      /specifieds3resourceisdenied|Icebergcannotaccesstherequestedresource|S3ErrorCode:AccessDenied/gi,
    precedes: true,
    example:
      "Access to the specified s3 resource is denied, please check your iam/s3 bucket policies",
  },
  {
    // The C++ SDK's error 15 is ACCESS_DENIED.
    pattern:
      /SdkResponseCode=403|(?<!Code=403,)SdkErrorType=15(?!\d)|(?<!AccessDenied,?)code=403(?:type=15|,(?:type=15|msg=))|code=FORBIDDEN,type=15|SDKErrorType:15,|AccessDenied,errorcode403/gi,
    precedes: true,
    example: "failed to get object s3://lake/t/f, code=403, msg=Access Denied",
  },
  {
    pattern:
      /AWSHTTPerror:Clienterror:(?:`[^`]{1,2000}`resultedina`)?403Forbidden|Failedtoaccessremotefile:accessdenied|AccesswasdeniedbyS3/gi,
    precedes: true,
    example:
      'Error executing "PutObject" on "https://lake.s3.amazonaws.com/t/f"; AWS HTTP error: Client error: 403 Forbidden',
  },
  {
    pattern:
      /PermissionDenied\((?:persistent|permanent|temporary)\)at(?:(?!Writer|Reader|Lister|Deleter)[\w:]{1,40}::)?(\w{1,20})/g,
    operation: 1,
    precedes: true,
    example: "PermissionDenied (persistent) at write, context: { service: s3, path: t/f }",
  },
  {
    pattern:
      /PermissiondeniedonS3path:|PERMISSION_DENIED:|Accessdeniedwhenwriting(?:output)?to(?:location|url)/gi,
    precedes: true,
    example: "Permission denied on S3 path: s3://lake/t/f",
  },
  {
    pattern:
      /"errorCode\\*":\\*"(?:Client\.)?(?:AccessDenied|AccessDeniedException|UnauthorizedOperation)\\*"/g,
    identity: true,
    precedes: true,
    example:
      '{"eventSource":"s3.amazonaws.com","eventName":"GetObject","errorCode":"AccessDenied","errorMessage":"Access Denied","requestParameters":{"bucketName":"lake","key":"t/f"}}',
  },
];

/** Forms that end with their line, and are thus sought in the text as it is. */
export const LINE_FORMS: readonly BareForm[] = [
  {
    pattern:
      /(?<![\w.])(?:AccessDenied|Forbidden)(?: \(client\))?:[ \t]*(?![ \t])(?:([^\s:"']{1,1024}): )?(?:Access Denied\.?|Access denied\.?|Forbidden|None)?(?=["',;})\]\\ ]*(?:$|\\n|",|'))/gm,
    example: "Error refreshing state: AccessDenied: Access Denied",
  },
  {
    pattern: /^[ \t]{0,8}- key '([^'\n]{1,1024})': (?:Access Denied|Forbidden)\.?/gm,
    tried: "DeleteObject",
    example: "- key 't/f': Access Denied",
  },
  {
    // S3's own access log.
    pattern: /\bREST\.[A-Z]{3,6}\.OBJECT (\S{1,1024}) "[^"\n]{0,2000}" 403 AccessDenied/g,
    identity: true,
    example:
      '0fe1 lake [06/Feb/2025:00:00:38 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT t/f "GET /lake/t/f HTTP/1.1" 403 AccessDenied 243',
  },
  {
    pattern: /\berr(?:or)?=\\*"[^"\n]{0,300}?Access Denied\.\\*"/g,
    example: 'level=error msg="failed to upload block" err="upload: Access Denied."',
  },
  {
    pattern:
      /(?:(?<![\w.])PermissionError|\bmc: <ERROR>[^\n]{0,200})[.:] ?(?:Forbidden|Access Denied\.?)$/gm,
    follows: true,
    example: "PermissionError: Forbidden",
  },
];

/** Deletes that were refused and only logged. */
export const LOGGED_DELETES: readonly BareForm[] = [
  {
    pattern: /Failed to delete (?:object|file)s?(?: at path| at)?:? (?=s3[an]?:\/\/|'?s3)/g,
    tried: "DeleteObject",
    example: "WARN S3FileIO: Failed to delete object at path s3://lake/t/data/f.parquet",
  },
  {
    pattern:
      /Failed to delete \d+(?: of \d+)? (?:files|objects)|Deleted only \d+ of \d+ files|Delete failed for (?:file|manifest|manifest list|other file|data file)/g,
    tried: "DeleteObject",
    example: "Deleted only 3 of 10 files",
  },
];

/** An API operation: the action it needs, and the accesses that give it. */
export interface Operation {
  readonly action: string;
  readonly needs: readonly Access[];
}

const read: Readonly<Operation> = { action: "s3:GetObject", needs: ["read"] };
const write: Readonly<Operation> = { action: "s3:PutObject", needs: ["write"] };
const remove: Readonly<Operation> = { action: "s3:DeleteObject", needs: ["delete"] };
const list: Readonly<Operation> = { action: "s3:ListBucket", needs: ["list"] };

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  HeadObject: read,
  GetObject: read,
  GetObjectAttributes: read,
  SelectObjectContent: read,
  PutObject: write,
  CreateMultipartUpload: write,
  UploadPart: write,
  CompleteMultipartUpload: write,
  CopyObject: { action: "s3:PutObject", needs: ["write", "read"] },
  UploadPartCopy: { action: "s3:PutObject", needs: ["write", "read"] },
  AbortMultipartUpload: { action: "s3:AbortMultipartUpload", needs: ["write"] },
  ListParts: { action: "s3:ListMultipartUploadParts", needs: ["write"] },
  ListMultipartUploads: { action: "s3:ListBucketMultipartUploads", needs: ["write"] },
  DeleteObject: remove,
  DeleteObjects: remove,
  ListObjects: list,
  ListObjectsV2: list,
  HeadBucket: list,
  GetBucketLocation: { action: "s3:GetBucketLocation", needs: ["read"] },
  GetObjectTagging: { action: "s3:GetObjectTagging", needs: ["read"] },
  PutObjectTagging: { action: "s3:PutObjectTagging", needs: ["write"] },
  PutObjectAcl: { action: "s3:PutObjectAcl", needs: ["write"] },
  ListBuckets: { action: "s3:ListAllMyBuckets", needs: [] },
  AssumeRole: { action: "sts:AssumeRole", needs: [] },
  AssumeRoleWithWebIdentity: { action: "sts:AssumeRoleWithWebIdentity", needs: [] },
};

const PLAIN_NAMES: Readonly<Record<string, string>> = {
  get: "GetObject",
  head: "HeadObject",
  put: "PutObject",
  post: "CreateMultipartUpload",
  delete: "DeleteObject",
  read: "GetObject",
  stat: "HeadObject",
  write: "PutObject",
  writer: "PutObject",
  reader: "GetObject",
  lister: "ListObjectsV2",
  deleter: "DeleteObject",
  list: "ListObjectsV2",
  copy: "CopyObject",
  // As the SDK for Java 1 calls them.
  getobjectmetadata: "HeadObject",
  initiatemultipartupload: "CreateMultipartUpload",
};

/** An operation's name as the API has it, of `headObject`, `put_object`, `PUT` and the like. */
export function operationName(written: string): string | undefined {
  const plain = PLAIN_NAMES[written.toLowerCase()];
  if (plain !== undefined) return plain;
  const name = written
    .replace(/(?:^|_)([a-z])/g, (_, first: string) => first.toUpperCase())
    .replace(/V2$/i, "V2");
  return Object.hasOwn(OPERATIONS, name) ? name : undefined;
}
