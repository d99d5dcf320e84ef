/** What is read of each form of message: all of it, and nothing else. */
import { describe, expect, test } from "vitest";
import { type Denial, findDenials } from "../../src/diagnosis/denials.ts";

const USER = "arn:aws:sts::123456789012:assumed-role/polaris/etl";
const KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const FILE = "arn:aws:s3:::wh-bucket/db/f";
const policyArn = "arn:aws:iam::123456789012:policy/lake";
const FAR = " -".repeat(420);

const denied = (action: string, rest = "") =>
  `User: ${USER} is not authorized to perform: ${action}${rest}`;
const get = denied("s3:GetObject", ` on resource: "${FILE}"`);
const isGet = { principal: USER, action: "s3:GetObject", resource: FILE };
const noPolicy = { deniedBy: "session policy", explicit: false } as const;

function tests(cases: Record<string, [text: string, ...denials: Denial[]]>) {
  test.each(Object.entries(cases))("%s", (_, [text, ...denials]) => {
    expect(findDenials(text)).toStrictEqual(denials);
    // Whatever stands around it belongs to others.
    expect(findDenials(`${FAR}${text}${FAR}`), "amid other text").toStrictEqual(denials);
  });
}

describe("who may not do what", () => {
  tests({
    "an action and its resource": [get, isGet],
    "an action alone": [denied("s3:GetObject"), { principal: USER, action: "s3:GetObject" }],
    "an action without its colon": [
      denied("s3:GetObject").replace("perform:", "perform"),
      { principal: USER, action: "s3:GetObject" },
    ],
    "an action of wildcards, in upper case": [
      denied("S3:Get* ON RESOURCE: x"),
      { principal: USER, action: "S3:Get*" },
    ],
    "the action before words that follow": [
      denied("sts:AssumeRole", " and so on"),
      { principal: USER, action: "sts:AssumeRole" },
    ],
    "no action that is none": [denied("12345")],
    "no action a sentence later": [denied("this. See kms:Decrypt")],
    "no action a sentence later, though its resource is named": [
      denied("this. See kms:Decrypt on resource: x"),
    ],
    "no action at the end": [denied("")],
    "the action, though its service is beyond words": [denied(`${"s".repeat(41)}:Get`)],
    "nobody, where a sentence stands for the user": [
      denied("s3:GetObject").replace(USER, `${USER} (of us)`),
      { action: "s3:GetObject" },
    ],
    "nobody, where a sentence goes before the user": [
      denied("s3:GetObject").replace(USER, `(one of us) ${USER}`),
      { action: "s3:GetObject" },
    ],
    "nobody, where no user is named": [
      "Somebody is not authorized to perform: s3:GetObject",
      { action: "s3:GetObject" },
    ],
    "the last user named before the message": [`User: a User: b ${get}`, isGet],
    "nobody of the message before": [
      `${get} and is not authorized to perform: s3:PutObject`,
      isGet,
      { action: "s3:PutObject" },
    ],
    "two, in the order of the text": [
      `${KEY} is disabled. ${get}. (AccessDenied) when calling the PutObject operation: no`,
      { resource: KEY, keyFault: "disabled" },
      isGet,
      { action: "s3:PutObject", operation: "PutObject" },
    ],
  });
});

describe("the resource", () => {
  const on = (resource: string) => denied("s3:GetObject", ` on resource: ${resource}`);
  const because = " because no session policy allows the s3:GetObject action";
  const of = (resource?: string): Denial => {
    return { principal: USER, action: "s3:GetObject", ...(resource && { resource }) };
  };
  tests({
    "without its colon": [on(FILE).replace("resource:", "resource"), of(FILE)],
    "in quotes": [on(`'${FILE}'`), of(FILE)],
    "of a key, up to its quote": [
      `${denied("kms:Decrypt", ` on resource: \\"${KEY}\\" User: `)} because no session policy allows the kms:Decrypt action`,
      { principal: USER, action: "kms:Decrypt", resource: KEY, ...noPolicy },
    ],
    "in quotes of HTML": [on(`&quot;${FILE}&quot;`), of(FILE)],
    "in quotes of JSON": [on(`\\"${FILE}\\"`), of(FILE)],
    "in quotes of JSON in JSON": [on(`\\\\\\"${FILE}\\\\\\"`), of(FILE)],
    "before the end of a sentence": [on(`${FILE}. Then`), of(FILE)],
    "before a comma": [on(`${FILE}, then`), of(FILE)],
    "that is no ARN": [on(`"the file"`), of()],
    "that names an ARN later": [on(`the file ${FILE}`), of()],
    "that names an ARN later, before the reason": [
      on(`the file ${FILE}${because}`),
      { ...of(), ...noPolicy },
    ],
    "with spaces, up to the reason": [
      on(`"${FILE} 1.parquet"${because}`),
      { ...of(`${FILE} 1.parquet`), ...noPolicy },
    ],
    "with a break of the line in it": [
      on(`"${FILE}\n  1.parquet"${because}`),
      { ...of(`${FILE}1.parquet`), ...noPolicy },
    ],
    "with breaks that JSON wrote": [
      on(`"${FILE}\\r\\n\\t1.parquet\\\\n"${because}`),
      { ...of(`${FILE}1.parquet`), ...noPolicy },
    ],
    "with breaks that JSON wrote twice": [
      on(`"${FILE}\\\\n\\\\t1.parquet\\\\\\n\\\\\\t"${because}`),
      { ...of(`${FILE}1.parquet`), ...noPolicy },
    ],
    "amid words that JSON broke twice": [
      on(`"${FILE}"${because}`).replace(/ /g, "\\\\n\\\\t").replace(/lows/, "lo\\\\\\nws"),
      { ...of(FILE), ...noPolicy },
    ],
    "not what is not said to be one": [
      denied("s3:GetObject", ` ${FILE}`),
      { principal: USER, action: "s3:GetObject" },
    ],
    "before an ellipsis": [on(`${FILE}...`), of(FILE)],
    "of no XML, behind XML": [
      `<Message>no</Message> ${on(`"${FILE}&amp;"${because}`)}`,
      { ...of(`${FILE}&amp;`), ...noPolicy },
    ],
    "a key, which has no spaces": [
      denied("kms:Decrypt", ` on resource: ${KEY.slice(0, 40)} ${KEY.slice(40)}${because}`),
      { principal: USER, action: "kms:Decrypt", resource: KEY, ...noPolicy },
    ],
    "an object whose key holds an ARN of S3": [
      on(`"${FILE}/arn:aws:s3:::a b"${because}`),
      { ...of(`${FILE}/arn:aws:s3:::a b`), ...noPolicy },
    ],
    "a role whose path holds S3's ARN": [
      on(`"arn:aws:iam::1:role/arn:aws:s3:::a b"${because}`),
      { ...of("arn:aws:iam::1:role/arn:aws:s3:::ab"), ...noPolicy },
    ],
    "of XML, with all its entities": [
      `<Message>${on(`"${FILE}&amp;&lt;&gt;&quot;&apos;&x;"${because}`)}</Message>`,
      { ...of(`${FILE}&<>"'&x;`), ...noPolicy },
    ],
    "of no XML, whose key holds what would be entities": [
      on(`"${FILE}&amp;"${because}`),
      { ...of(`${FILE}&amp;`), ...noPolicy },
    ],
    "of JSON, with its escapes": [
      `{"errorMessage":"${on(`${FILE}\\u00e9\\"${because}`)}"}`,
      { ...of(`${FILE}é`), ...noPolicy },
    ],
    "of JSON, with an escape that is none": [
      `{"errorMessage":"${on(`${FILE}\\x${because}`)}"}`,
      { ...of(`${FILE}\\x`), ...noPolicy },
    ],
    "of no JSON, whose key holds what would be an escape": [
      on(`"${FILE}\\u00e9"${because}`),
      { ...of(`${FILE}\\u00e9`), ...noPolicy },
    ],
    "as long as ARNs may be": [
      on(`"${FILE.padEnd(2048, "f")}"${because}`),
      { ...of(FILE.padEnd(2048, "f")), ...noPolicy },
    ],
    "longer than ARNs may be": [
      on(`"${FILE.padEnd(2049, "f")}"${because}`),
      { ...of(), ...noPolicy },
    ],
  });
});

describe("why", () => {
  const why = (reason: string) => `${get} ${reason}`;
  const allows = (policy: string) => why(`because no ${policy} allows the s3:GetObject action`);
  const denies = (policy: string) => why(`with an explicit deny in a ${policy}`);
  tests({
    "a session policy": [allows("session policy"), { ...isGet, ...noPolicy }],
    "session policies": [allows("session policies"), { ...isGet, ...noPolicy }],
    "an identity-based policy": [
      allows("identity-based policy"),
      { ...isGet, deniedBy: "identity-based policy", explicit: false },
    ],
    "a resource-based policy": [
      allows("resource-based policy"),
      { ...isGet, deniedBy: "resource-based policy", explicit: false },
    ],
    "a permissions boundary": [
      allows("permissions boundary"),
      { ...isGet, deniedBy: "permissions boundary", explicit: false },
    ],
    "a service control policy": [
      denies("service control policy"),
      { ...isGet, deniedBy: "service control policy", explicit: true },
    ],
    "a resource control policy": [
      denies("resource control policy"),
      { ...isGet, deniedBy: "resource control policy", explicit: true },
    ],
    "a VPC endpoint policy": [
      denies("VPC endpoint policy"),
      { ...isGet, deniedBy: "VPC endpoint policy", explicit: true },
    ],
    "a role's trust policy": [
      denies("role trust policy"),
      { ...isGet, deniedBy: "role trust policy", explicit: true },
    ],
    "a policy with its ARN": [
      why(`with an explicit deny in an identity-based policy: ${policyArn}`),
      { ...isGet, deniedBy: "identity-based policy", explicit: true, policyArn },
    ],
    "a policy with its ARN, before the next line": [
      why(`with an explicit deny in an identity-based policy: ${policyArn}.\n\tat x.y.Z`),
      { ...isGet, deniedBy: "identity-based policy", explicit: true, policyArn },
    ],
    "a policy that nobody knows": [denies("lake policy"), isGet],
    "a key that may be elsewhere": [
      `${denied("kms:Decrypt")} on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access`,
      {
        principal: USER,
        action: "kms:Decrypt",
        deniedBy: "resource-based policy",
        perhapsMissing: true,
      },
    ],
    "an action on this resource": [
      denied("kms:Decrypt", " on this resource because no session policy allows the x"),
      { principal: USER, action: "kms:Decrypt", ...noPolicy },
    ],
    "a ciphertext that KMS won't tell the key of": [
      "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
      { action: "kms:Decrypt", perhapsMissing: true },
    ],
  });

  test("not the reason of the next message", () => {
    expect(findDenials(`${get}. ${allows("session policy")}`)).toStrictEqual([
      isGet,
      { ...isGet, ...noPolicy },
    ]);
  });
});

describe("who answered, and what was called", () => {
  const java = "(Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)";
  tests({
    "the SDK for Java": [
      `${get} (Service: S3, Status Code: 403)`,
      { ...isGet, service: "S3", statusCode: 403 },
    ],
    "its first version": [`${get} ${java}`, { ...isGet, service: "Amazon S3", statusCode: 403 }],
    "with a reason between": [
      `${get} because no session policy allows the s3:GetObject action ${java}`,
      { ...isGet, ...noPolicy, service: "Amazon S3", statusCode: 403 },
    ],
    "with a line broken": [
      `${get} (Service:\n  Ama\nzonS3; Status\nCode: 4\n03)`,
      { ...isGet, service: "AmazonS3", statusCode: 403 },
    ],
    "the SDK for Python": [
      `An error occurred (AccessDenied) when calling the GetObject operation: ${get}`,
      { ...isGet, operation: "GetObject" },
    ],
    "the SDK for Python, without a user": [
      "when calling the GetObject operation: is not authorized to perform: s3:GetObject",
      { action: "s3:GetObject", operation: "GetObject" },
    ],
    "the SDK for Python, a sentence before": [
      `when calling the GetObject operation: ${"x".repeat(120)} ${get}`,
      isGet,
    ],
    "of a key, by the SDK for Python": [
      `An error occurred (KMS.DisabledException) when calling the PutObject operation: ${KEY} is disabled.`,
      { resource: KEY, keyFault: "disabled", operation: "PutObject" },
    ],
    "of a key, by the SDK for Java": [
      `${KEY} is disabled. (Service: S3, Status Code: 400)`,
      { resource: KEY, keyFault: "disabled", service: "S3", statusCode: 400 },
    ],
    "of a key's code alone": [
      "An error occurred (KMS.NotFoundException) when calling the GetObject operation (Service: S3, Status Code: 400)",
      { keyFault: "not found", service: "S3", statusCode: 400, operation: "GetObject" },
    ],
  });

  test("not one far behind", () => {
    expect(findDenials(`${get}${FAR}${java}`)).toStrictEqual([isGet]);
    expect(findDenials(`${KEY} is disabled.${FAR}${java}`)).toStrictEqual([
      { resource: KEY, keyFault: "disabled" },
    ]);
    expect(findDenials(`KMS.DisabledException${FAR}${java}`)).toStrictEqual([
      { keyFault: "disabled" },
    ]);
    expect(
      findDenials(`KMS.DisabledException ${"-".repeat(120)} when calling the GetObject operation`),
    ).toStrictEqual([{ keyFault: "disabled" }]);
  });

  test("not one before", () => {
    expect(
      findDenials(`when calling the GetObject operation: KMS.DisabledException`),
    ).toStrictEqual([{ keyFault: "disabled" }]);
    expect(findDenials(`x ${java} ${KEY} is disabled.`)).toStrictEqual([
      { resource: KEY, keyFault: "disabled" },
    ]);
  });
});

describe("what is wrong with a key", () => {
  const is = (state: string) => `${KEY} is ${state}.`;
  tests({
    "it is disabled": [is("disabled"), { resource: KEY, keyFault: "disabled" }],
    "it will be deleted": [is("pending deletion"), { resource: KEY, keyFault: "pending deletion" }],
    "it will be deleted with its replicas": [
      is("pending replica deletion"),
      { resource: KEY, keyFault: "pending deletion" },
    ],
    "it has no material": [is("pending import"), { resource: KEY, keyFault: "not usable" }],
    "its store is away": [is("unavailable"), { resource: KEY, keyFault: "not usable" }],
    "it is nowhere": [`Key '${KEY}' does not exist`, { resource: KEY, keyFault: "not found" }],
    "it is elsewhere": ["Invalid arn us-east-1", { keyFault: "wrong region", region: "us-east-1" }],
    "by code: disabled": ["KMS.DisabledException", { keyFault: "disabled" }],
    "by code: nowhere": ["KMS.NotFoundException", { keyFault: "not found" }],
    "by code: not usable": ["KMS.KMSInvalidStateException", { keyFault: "not usable" }],
    "in upper case": [is("DISABLED"), { resource: KEY, keyFault: "disabled" }],
    "nothing, of a key that is fine": [is("enabled")],
    "once, by code and message": [
      `KMS.DisabledException: ${is("disabled")}`,
      { resource: KEY, keyFault: "disabled" },
    ],
    "once, by message and code": [
      `${is("disabled")} KMS.DisabledException`,
      { resource: KEY, keyFault: "disabled" },
    ],
    "twice, by message, and by a code far behind": [
      `${is("disabled")}${FAR}KMS.NotFoundException`,
      { resource: KEY, keyFault: "disabled" },
      { keyFault: "not found" },
    ],
    "thrice, by codes around a message far from them": [
      `KMS.NotFoundException${FAR}${is("disabled")}${FAR}KMS.DisabledException`,
      { keyFault: "not found" },
      { resource: KEY, keyFault: "disabled" },
      { keyFault: "disabled" },
    ],
    "each by its code, where each has a message": [
      `${is("disabled")} KMS.DisabledException${FAR}KMS.NotFoundException Key '${KEY}' does not exist`,
      { resource: KEY, keyFault: "disabled" },
      { resource: KEY, keyFault: "not found" },
    ],
  });
});

describe("that access is denied, and no more", () => {
  const calling = (operation: string, code = "AccessDenied") =>
    `(${code}) when calling the ${operation} operation: Access Denied`;
  test.each([
    ["HeadObject", "s3:GetObject"],
    ["GetObject", "s3:GetObject"],
    ["GetObjectAttributes", "s3:GetObject"],
    ["PutObject", "s3:PutObject"],
    ["CreateMultipartUpload", "s3:PutObject"],
    ["UploadPart", "s3:PutObject"],
    ["CompleteMultipartUpload", "s3:PutObject"],
    ["AbortMultipartUpload", "s3:AbortMultipartUpload"],
    ["DeleteObject", "s3:DeleteObject"],
    ["DeleteObjects", "s3:DeleteObject"],
    ["ListObjects", "s3:ListBucket"],
    ["ListObjectsV2", "s3:ListBucket"],
    ["HeadBucket", "s3:ListBucket"],
    ["GetBucketLocation", "s3:GetBucketLocation"],
    ["AssumeRole", "sts:AssumeRole"],
  ])("%s needs %s", (operation, action) => {
    expect(findDenials(calling(operation))).toStrictEqual([{ action, operation }]);
  });
  tests({
    "an operation that we don't know": [calling("RenameObject"), { operation: "RenameObject" }],
    "by STS' code": [
      calling("AssumeRole", "AccessDeniedException"),
      { action: "sts:AssumeRole", operation: "AssumeRole" },
    ],
    "by a bare 403": [
      calling("HeadObject", "403"),
      { action: "s3:GetObject", operation: "HeadObject" },
    ],
    "by another store": [
      calling("HeadObject", "Forbidden"),
      { action: "s3:GetObject", operation: "HeadObject" },
    ],
    "after retries": [
      "(AccessDenied) when calling the GetObject operation (reached max retries: 14): Access Denied",
      { action: "s3:GetObject", operation: "GetObject" },
    ],
    "of another code": [calling("GetObject", "NoSuchKey")],
    "in Java": [
      "Access Denied (Service: S3, Status Code: 403)",
      { service: "S3", statusCode: 403 },
    ],
    "in Java, by another store": [
      "Forbidden (Service: Amazon S3; Status Code: 403)",
      { service: "Amazon S3", statusCode: 403 },
    ],
    "in XML": ["<Code>AccessDenied</Code><Message>Access Denied", { statusCode: 403 }],
    "in JSON": ['{"Code":"AccessDenied","Message":"Access Denied"}', { statusCode: 403 }],
    "in Arrow, of a file": [
      "When reading information for key 'db/f 1' in bucket 'wh-bucket': AWS Error ACCESS_DENIED during HeadObject operation: No response body.",
      {
        action: "s3:GetObject",
        operation: "HeadObject",
        bucket: "wh-bucket",
        key: "db/f 1",
      },
    ],
    "in Arrow, of a bucket": [
      "When listing objects in bucket 'wh-bucket': AWS Error ACCESS_DENIED during ListObjectsV2 operation: x",
      { action: "s3:ListBucket", operation: "ListObjectsV2", bucket: "wh-bucket" },
    ],
    "in Arrow, of an operation that we don't know": [
      "in bucket 'wh-bucket': AWS Error ACCESS_DENIED during Rename operation: x",
      { operation: "Rename", bucket: "wh-bucket" },
    ],
  });
});
