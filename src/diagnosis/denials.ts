/**
 * Finds what AWS says about denied requests in any text: logs, stack traces, error bodies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 * @module
 */

/** The kinds of policy that AWS names as the one that denied a request. */
export type DeniedBy =
  | "session policy"
  | "identity-based policy"
  | "resource-based policy"
  | "permissions boundary"
  | "service control policy"
  | "resource control policy"
  | "VPC endpoint policy"
  | "role trust policy";

/** What is wrong with a key itself, as KMS says it. */
export type KeyFault =
  | "disabled"
  | "pending deletion"
  | "not usable"
  | "not found"
  | "wrong region";

/** One message, as far as it says; everything is text that was found. */
export interface Denial {
  /** ARN of the session or user whose request was denied. */
  readonly principal?: string;
  /** E.g. `kms:Decrypt`; of messages that name the API operation only, the action that it needs. */
  readonly action?: string;
  /** ARN of the object, bucket, key or role. */
  readonly resource?: string;
  readonly deniedBy?: DeniedBy;
  /** Whether a Deny statement matched (true), or no Allow statement did (false). */
  readonly explicit?: boolean;
  /** ARN of the policy that denied, which newer messages tell. */
  readonly policyArn?: string;
  /** The service that answered, as the message spells it, e.g. `S3`. */
  readonly service?: string;
  readonly statusCode?: number;
  /** The API operation, e.g. `GetObject`. */
  readonly operation?: string;
  /** Of messages that name bucket and key without an ARN. */
  readonly bucket?: string;
  readonly key?: string;
  readonly keyFault?: KeyFault;
  /** The region that a key was not found in. */
  readonly region?: string;
  /** Whether the message leaves open if the key exists in the region at all. */
  readonly perhapsMissing?: true;
}

/**
 * Finds the messages in a text, in their order. The time taken is linear in its length.
 *
 * Texts are searched without their whitespace, since terminals and log viewers break messages
 * anywhere, words and ARNs included.
 */
export function findDenials(text: string): Denial[] {
  const page = withoutWhitespace(text);
  const found: Found[] = [...enhanced(page), ...keyFaults(page), ...plain(page)];
  return found.sort((a, b) => a.at - b.at).map(({ denial }) => denial);
}

interface Found {
  readonly at: number;
  readonly denial: Denial;
}

/** A text without whitespace, and where its parts were. */
interface Page {
  readonly original: string;
  readonly text: string;
  /** For each run of other characters: where it starts in `text`, and in `original`. */
  readonly starts: readonly number[];
  readonly originals: readonly number[];
}

/** Whitespace, also as JSON and Java write it into strings, once or twice. */
const GAP = /(?:\s|\\{1,3}[nrt])+/g;

function withoutWhitespace(original: string): Page {
  const parts: string[] = [];
  const starts: number[] = [];
  const originals: number[] = [];
  let length = 0;
  let from = 0;
  const add = (to: number) => {
    if (to === from) return;
    parts.push(original.slice(from, to));
    starts.push(length);
    originals.push(from);
    length += to - from;
  };
  for (const { 0: gap, index } of original.matchAll(GAP)) {
    add(index);
    from = index + gap.length;
  }
  add(original.length);
  return { original, text: parts.join(""), starts, originals };
}

/** Where a character of the text was in the original. */
function originalOf({ starts, originals }: Page, at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return (originals[low] ?? 0) + at - (starts[low] ?? 0);
}

/** What `from` to `to` of the text was in the original, without the breaks of lines in it. */
function originalText(page: Page, from: number, to: number): string {
  const slice = page.original.slice(originalOf(page, from), originalOf(page, to - 1) + 1);
  return slice.replace(LINE_BREAK, "");
}

const LINE_BREAK = /(?:\r\n|[\n\r]|\\{1,3}[nr])(?:\s|\\{1,3}[nrt])*/g;

/** The longest that an ARN may be, and that we look for one. */
const MOST_ARN = 2048;
/** How far behind a message its service and status may stand. */
const NEAR = 400;

const POLICIES: Readonly<Record<string, DeniedBy>> = {
  sessionpolicy: "session policy",
  "identity-basedpolicy": "identity-based policy",
  "resource-basedpolicy": "resource-based policy",
  permissionsboundary: "permissions boundary",
  servicecontrolpolicy: "service control policy",
  resourcecontrolpolicy: "resource control policy",
  vpcendpointpolicy: "VPC endpoint policy",
  roletrustpolicy: "role trust policy",
};

const NOT_AUTHORIZED = /isnotauthorizedtoperform:?/gi;
const ACTION =
  /^([a-z0-9-]{1,40}:[a-z*]{1,80}?)(?=on(?:resource|th(?:is|e)resource)|because|withanexplicitdeny)/i;
const ACTION_WORD = /^[a-z0-9-]{1,40}:[a-z*]{1,80}/i;
const WHY =
  /becauseno([a-z-]{1,30}(?:policy|policies|boundary))allowsthe|withanexplicitdenyinan?([a-z-]{1,30}?(?:policy|boundary))(?::(?=(arn:)))?|because(theresource)doesnotexistinthisregion/i;
/** An ARN of a policy; it may hold what also ends a clause, but no whitespace. */
const POLICY_ARN = /^arn:[\w+=,.@:/-]*[\w+=@/-]/i;
const SERVICE = /\(Service:[^,;)]{1,40}[,;]StatusCode:\d{3}/i;
const PRINCIPAL = /^[\w+=,.@:/*-]{1,2048}$/;

/** `User: … is not authorized to perform: … on resource: … because …`, of which much may be missing. */
function enhanced(page: Page): Found[] {
  const found: Found[] = [];
  const anchors = [...page.text.matchAll(NOT_AUTHORIZED)];
  let before = 0;
  anchors.forEach(({ 0: anchor, index: at }, i) => {
    const from = at + anchor.length;
    const end = Math.min(anchors[i + 1]?.index ?? page.text.length, from + MOST_ARN + NEAR);
    const head = page.text.slice(Math.max(before, at - MOST_ARN - NEAR), at);
    const denial = readEnhanced(page, head, from, end);
    if (denial !== undefined) found.push({ at, denial });
    before = from;
  });
  return found;
}

function readEnhanced(page: Page, head: string, from: number, end: number): Denial | undefined {
  const tail = page.text.slice(from, end);
  const action = ACTION.exec(tail)?.[1] ?? wordAt(page, from, ACTION_WORD);
  if (action === undefined) return undefined;
  const user = head.lastIndexOf("User:");
  const principal = user < 0 ? "" : head.slice(user + "User:".length);
  const why = WHY.exec(tail);
  const start = action.length + (/^onresource:?/i.exec(tail.slice(action.length))?.[0].length ?? 0);
  let resource: string | undefined;
  if (start > action.length) {
    resource =
      why === null
        ? wordAt(page, from + start, /^(?:\\*["']|&quot;)?arn:[^\s"'<>()\\,;&]{1,2048}/i)
        : originalText(page, from + start, from + why.index);
    resource = arnIn(resource ?? "", user < 0 ? "" : head.slice(0, user));
  }
  const policy = (why?.[1] ?? why?.[2])?.toLowerCase().replace("policies", "policy");
  const policyArn = why?.[3] && wordAt(page, from + why.index + why[0].length, POLICY_ARN);
  const missing = why?.[4] !== undefined;
  return {
    ...(PRINCIPAL.test(principal) ? { principal } : {}),
    action,
    ...(resource === undefined ? {} : { resource }),
    ...(missing ? { deniedBy: "resource-based policy", perhapsMissing: true } : {}),
    ...deniedBy(policy, why?.[2] !== undefined),
    ...(policyArn === undefined ? {} : { policyArn }),
    ...serviceIn(page, from + (why?.index ?? start), end),
    ...operationIn(head.slice(Math.max(0, (user < 0 ? head.length : user) - 120))),
  };
}

function deniedBy(policy: string | undefined, explicit: boolean) {
  const by = policy === undefined ? undefined : POLICIES[policy];
  return by === undefined ? {} : { deniedBy: by, explicit };
}

/** What a pattern matches of the original at a place of the text. */
function wordAt(page: Page, at: number, pattern: RegExp): string | undefined {
  if (at >= page.text.length) return undefined;
  const from = originalOf(page, at);
  return pattern.exec(page.original.slice(from, from + MOST_ARN))?.[0];
}

const QUOTES = /^(?:\\*["']|&quot;|&#34;)|(?:\\*["']|&quot;|&#34;)$|[.:]+$/g;

const ARN_WORD = /[\w+=,.@:/*-]+/;

/** The ARN that stands for a resource, as the form of the message (told by what it follows) has it. */
function arnIn(written: string, before: string): string | undefined {
  let arn = written.replace(QUOTES, "");
  if (!/^arn:/i.test(arn) || arn.length > MOST_ARN) return undefined;
  // Only the keys of objects hold whatever there is; behind others a word may be glued to the quote.
  if (!/^arn:[^:]*:s3:/i.test(arn)) arn = ARN_WORD.exec(arn.replace(/\s/g, ""))?.[0] ?? arn;
  if (/<Message>$/i.test(before)) return withoutEntities(arn);
  if (!before.endsWith('"')) return arn;
  try {
    return String(JSON.parse(`"${arn}"`));
  } catch {
    return arn;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

function withoutEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** `(Service: S3, Status Code: 403, …)`, as the SDK for Java says who answered. */
function serviceIn(page: Page, from: number, end: number) {
  const at = SERVICE.exec(page.text.slice(from, Math.min(end, from + NEAR)));
  if (at === null) return {};
  const start = from + at.index;
  const written = originalText(page, start, start + at[0].length);
  const service =
    written
      .slice(written.indexOf(":") + 1)
      .split(/[,;]/)[0]
      ?.trim() ?? "";
  return { service, statusCode: Number(at[0].slice(-3)) };
}

/** `(AccessDenied) when calling the GetObject operation`, as the SDK for Python and the CLI say it. */
function operationIn(text: string) {
  const operation = /whencallingthe(\w{1,60})operation/i.exec(text)?.[1];
  return operation === undefined ? {} : { operation };
}

const KEY = String.raw`arn:[a-z0-9-]{1,20}:kms:[a-z0-9-]{1,30}:\d{12}:key\/[\w-]{1,64}?`;
const KEY_STATE: Readonly<RegExp> = new RegExp(
  `(${KEY})is(disabled|pendingdeletion|pendingreplicadeletion|pendingimport|unavailable)|Key'?(${KEY})'?doesnotexist|Invalidarn([a-z]{2}-[a-z-]{1,20}-\\d)`,
  "gi",
);
const STATES: Readonly<Record<string, KeyFault>> = {
  disabled: "disabled",
  pendingdeletion: "pending deletion",
  pendingreplicadeletion: "pending deletion",
  pendingimport: "not usable",
  unavailable: "not usable",
};
const KEY_CODE = /KMS\.(Disabled|NotFound|KMSInvalidState)Exception/g;
const CODES: Readonly<Record<string, KeyFault>> = {
  Disabled: "disabled",
  NotFound: "not found",
  KMSInvalidState: "not usable",
};
/** KMS' older way to say that it won't decrypt; it never tells which key. */
const CIPHERTEXT = /thatdoesnotexist,doesnotexistinthisregion,oryouarenotallowedtoaccess/gi;

/** What is wrong with a key itself, as S3 passes it on from KMS. */
function keyFaults(page: Page): Found[] {
  const found: Found[] = [];
  for (const { 0: all, 1: key, 2: state, 3: missing, 4: region, index: at } of page.text.matchAll(
    KEY_STATE,
  )) {
    const resource = key ?? missing;
    const about: KeyFault = resource === undefined ? "wrong region" : "not found";
    const keyFault = STATES[state?.toLowerCase() ?? ""] ?? about;
    const end = at + all.length;
    found.push({
      at,
      denial: {
        ...(resource === undefined ? {} : { resource }),
        keyFault,
        ...(region === undefined ? {} : { region }),
        ...serviceIn(page, end, end + NEAR),
        ...operationIn(page.text.slice(Math.max(0, at - 120), at)),
      },
    });
  }
  // A code stands beside a message that tells more, before or behind it, or alone.
  let next = 0;
  const alone: Found[] = [];
  for (const { 1: code = "", index: at } of page.text.matchAll(KEY_CODE)) {
    while ((found[next]?.at ?? Number.POSITIVE_INFINITY) < at - NEAR) next++;
    if ((found[next]?.at ?? Number.POSITIVE_INFINITY) <= at + NEAR) continue;
    const keyFault = CODES[code] ?? "not usable";
    alone.push({
      at,
      denial: {
        keyFault,
        ...serviceIn(page, at, at + NEAR),
        ...operationIn(page.text.slice(at, at + 120)),
      },
    });
  }
  const ciphertexts = [...page.text.matchAll(CIPHERTEXT)].map(({ index: at }): Found => {
    return { at, denial: { action: "kms:Decrypt", perhapsMissing: true } };
  });
  return [...found, ...alone, ...ciphertexts];
}

/** The action that an API operation needs. */
const OPERATIONS: Readonly<Record<string, string>> = {
  HeadObject: "s3:GetObject",
  GetObject: "s3:GetObject",
  GetObjectAttributes: "s3:GetObject",
  PutObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  AbortMultipartUpload: "s3:AbortMultipartUpload",
  DeleteObject: "s3:DeleteObject",
  DeleteObjects: "s3:DeleteObject",
  ListObjects: "s3:ListBucket",
  ListObjectsV2: "s3:ListBucket",
  HeadBucket: "s3:ListBucket",
  GetBucketLocation: "s3:GetBucketLocation",
  AssumeRole: "sts:AssumeRole",
};

const PYTHON =
  /\((?:AccessDenied(?:Exception)?|403|Forbidden)\)whencallingthe(\w{1,60})operation(?:\(reachedmaxretries:\d{1,3}\))?:(?!User:)/gi;
const JAVA = /(?:AccessDenied|Forbidden|null)\(Service:(?:Amazon)?S3[,;]StatusCode:403/gi;
const XML = /<Code>AccessDenied<\/Code>(?!<Message>User:)/gi;
const JSON_BODY = /"Code":"AccessDenied","Message":"AccessDenied/gi;
const ARROW =
  /(?:forkey'([^']{1,1024})')?inbucket'([^']{3,63})':AWSErrorACCESS_DENIEDduring(\w{1,60})operation(?!:User:)/gi;

/** Messages that say no more than that access is denied, and at most to what. */
function plain(page: Page): Found[] {
  const { text } = page;
  const python = [...text.matchAll(PYTHON)].map(({ 1: operation = "", index: at }) => {
    return { at, denial: { ...actionOf(operation), operation } };
  });
  const java = [...text.matchAll(JAVA)].map(({ index: at }) => {
    return { at, denial: serviceIn(page, at, at + NEAR) };
  });
  const bodies = [...text.matchAll(XML), ...text.matchAll(JSON_BODY)].map(({ index: at }) => {
    return { at, denial: { statusCode: 403 } };
  });
  const arrow = [...text.matchAll(ARROW)].map((match): Found => {
    const { 0: all, 1: key, 2: bucket = "", 3: operation = "", index: at } = match;
    const start = at + all.indexOf("'") + 1;
    const named = key === undefined ? {} : { key: originalText(page, start, start + key.length) };
    return { at, denial: { ...actionOf(operation), operation, bucket, ...named } };
  });
  return [...python, ...java, ...bodies, ...arrow];
}

function actionOf(operation: string) {
  const action = OPERATIONS[operation];
  return action === undefined ? {} : { action };
}
