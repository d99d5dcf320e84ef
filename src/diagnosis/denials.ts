/**
 * Finds what AWS says about denied requests in any text: logs, stack traces, error bodies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 * @module
 */
import { ACTIONS } from "../actions.ts";
import type { Access } from "../locations.ts";
import type { Cause } from "./causes.ts";
import { type Context, contextOf, type Hints, hintsOf } from "./context.ts";
import {
  BARE_FORMS,
  type BareForm,
  CAUSE_FORMS,
  LINE_FORMS,
  LOGGED_DELETES,
  OPERATIONS,
  operationName,
} from "./forms.ts";
import {
  isBroken,
  isMasked,
  lineOf,
  originalOf,
  originalText,
  type Page,
  pageOf,
  squeezedOf,
  withoutEntities,
  wordAt,
} from "./text.ts";

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
  /**
   * ARN of the session or user whose request was denied, or `anonymous`. ACCOUNT and NAME stand for
   * what the text masks.
   */
  readonly principal?: string;
  /** E.g. `kms:Decrypt`; of messages that name the API operation only, the action that it needs. */
  readonly action?: string;
  /** ARN of the object, bucket, key or role. ACCOUNT stands for a masked account. */
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
  /** Of messages without an ARN: the bucket and the key that stand beside them. */
  readonly bucket?: string;
  readonly key?: string;
  readonly keyFault?: KeyFault;
  /** The region that a key was not found in. */
  readonly region?: string;
  /** Whether the message leaves open if the key exists in the region at all. */
  readonly perhapsMissing?: true;
}

/** A message, where it stands, and what it can be trusted in. */
export interface Found {
  /** Where it is in the text without whitespace. */
  readonly at: number;
  readonly end: number;
  /** The number of its line, from 1. */
  readonly line: number;
  readonly denial: Denial;
  /** The cause, where the message tells it by itself, and a detail of it. */
  readonly cause?: Cause;
  readonly detail?: string;
  /** Of requests to list: the prefix that stands beside the message. */
  readonly prefix?: string;
  /** The accesses that the request needs, where the text tells more than its action. */
  readonly needs?: readonly Access[];
  /** Whether the message says no more than "denied", and the rest is read from around it. */
  readonly bare?: true;
  /** Whether the text is cut, masked or broken where a value stands: nothing of it is certain. */
  readonly damaged?: true;
  /** Whether the name of the object is cut: it may go on with a folder above the table's. */
  readonly isCut?: true;
  /** The same of the principal. */
  readonly principalDamaged?: true;
  /** Whether the request checked that a new file is not there yet. */
  readonly newFile?: true;
  /** Whether the refusal was only logged. */
  readonly logged?: true;
  /** Whether the message itself names the object, as each line of a list does. */
  readonly namesKey?: true;
  /** Whether the lines below, or the text before, may hold the full message of the same event. */
  readonly precedes?: true;
  readonly follows?: true;
}

/**
 * Finds the messages in a text, in their order. The time taken is linear in its length.
 *
 * Texts are searched without their whitespace, since terminals and log viewers break messages
 * anywhere, words and ARNs included.
 */
export function findDenials(text: string): Denial[] {
  return readDenials(text).map(({ denial }) => denial);
}

/** As {@link findDenials}, with the place of each message and what else the text tells of it. */
export function readDenials(text: string): Found[] {
  const page = pageOf(text);
  const hints = hintsOf(page);
  const denied = withReasons(enhanced(page, hints), byCause(page));
  const full = [...denied, ...keyFaults(page)].sort(byPlace);
  const told = [...full, ...withoutRepeats(plain(page, hints), full)].sort(byPlace);
  return [...told, ...loggedDeletes(page, hints, told)].sort(byPlace);
}

/** What S3 gives as the reason in the place of a policy, so that both are one message. */
const REASONS: ReadonlySet<Cause> = new Set(["object-locked", "public-access-block"]);

function withReasons(denied: readonly Found[], causes: readonly Found[]): Found[] {
  const reasons = causes.filter(({ cause }) => cause !== undefined && REASONS.has(cause));
  const told = new Set<Found>();
  let next = 0;
  const explained = denied.map((one): Found => {
    while ((reasons[next]?.at ?? Number.POSITIVE_INFINITY) < one.at) next++;
    const reason = reasons[next];
    const isOwn = reason !== undefined && reason.at < one.end + NEAR;
    if (!isOwn || one.denial.deniedBy !== undefined) return one;
    told.add(reason);
    const { cause, detail, end } = reason;
    return { ...one, end, ...(cause && { cause }), ...(detail && { detail }) };
  });
  return [...explained, ...causes.filter((one) => !told.has(one))];
}

function byPlace(a: Found, b: Found): number {
  return a.at - b.at;
}

function lineAt(page: Page, at: number): number {
  return lineOf(page, originalOf(page, at)) + 1;
}

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
  /^([a-z0-9-]{1,40}:[a-z*]{1,80}?)(?=on(?:resource|th(?:is|e)resource)|because|dueto|withanexplicitdeny)/i;
const ACTION_WORD = /^[a-z0-9-]{1,40}:[a-z*]{1,80}/i;
const WHY =
  /becauseno([a-z-]{1,30}(?:policy|policies|boundary))allowsthe|(?:with|dueto|becauseof)anexplicitdenyinan?([a-z-]{1,30}?(?:policy|boundary))(?::(?=(arn:)))?|because(theresource)doesnotexistinthisregion/i;
/** An ARN of a policy; it may hold what also ends a clause, but no whitespace. */
const POLICY_ARN = /^arn:[\w+=,.@:/-]*[\w+=@/-]/i;
const SERVICE = /\(Service:[^,;)]{1,40}[,;]StatusCode:\d{3}/i;
const PRINCIPAL = /^[\w+=,.@:/*-]{1,2048}$/;

/** `User: … is not authorized to perform: … on resource: … because …`, of which much may be missing. */
function enhanced(page: Page, hints: Hints): Found[] {
  const found: Found[] = [];
  const anchors = [...page.text.matchAll(NOT_AUTHORIZED)];
  let before = 0;
  anchors.forEach(({ 0: anchor, index: at }, i) => {
    const from = at + anchor.length;
    const end = Math.min(anchors[i + 1]?.index ?? page.text.length, from + MOST_ARN + NEAR);
    const headFrom = Math.max(before, at - MOST_ARN - NEAR);
    const one = readEnhanced(page, hints, headFrom, at, from, end);
    if (one !== undefined) found.push(one);
    before = from;
  });
  return found;
}

function readEnhanced(
  page: Page,
  hints: Hints,
  headFrom: number,
  at: number,
  from: number,
  end: number,
): Found | undefined {
  const head = page.text.slice(headFrom, at);
  const tail = page.text.slice(from, end);
  const wholeAction = ACTION.exec(tail)?.[1];
  const action = wholeAction ?? wordAt(page, from, ACTION_WORD, MOST_ARN);
  if (action === undefined) return undefined;
  const isActionCut = from + action.length === page.text.length && isBeginningOfAction(action);
  const user = /.*(User:?(?=arn:|anonymous|<|\{|.{0,3}arn:)|User:)/is.exec(head);
  const start = user === null ? -1 : user[0].length;
  const userAt = start - (user?.[1]?.length ?? 0);
  const who = start < 0 ? {} : principalIn(page, headFrom + start, at);
  const why = WHY.exec(tail);
  const skip = action.length + (/^onresource:?/i.exec(tail.slice(action.length))?.[0].length ?? 0);
  let written: string | undefined;
  let resource: string | undefined;
  if (skip > action.length) {
    written =
      why === null
        ? wordAt(
            page,
            from + skip,
            /^(?:\\*["']|&quot;){0,2}(?:aws:|arn:)(?:[^\s"'<>()\\,;&]|<[\w.-]{1,40}>){1,2048}/i,
            MOST_ARN,
          )
        : originalText(page, from + skip, from + why.index);
    resource = arnIn(written ?? "", start < 0 ? "" : head.slice(0, userAt));
  }
  const policy = (why?.[1] ?? why?.[2])?.toLowerCase().replace("policies", "policy");
  const policyArn =
    why?.[3] && wordAt(page, from + why.index + why[0].length, POLICY_ARN, MOST_ARN);
  const missing = why?.[4] !== undefined;
  const { value, damaged } = checked(resource);
  const isS3 = /^arn:[^:]*:s3:/i.test(value ?? "");
  const isCut = isS3 && why === null && isCutOff(page, from + skip, written ?? "");
  const broken = isS3 && why !== null && isBroken(page, from + skip, from + why.index);
  const denial: Denial = {
    ...(who.principal === undefined ? {} : { principal: who.principal }),
    ...(isActionCut ? {} : { action }),
    ...(value === undefined ? {} : { resource: value }),
    ...(missing ? { deniedBy: "resource-based policy", perhapsMissing: true } : {}),
    ...deniedBy(policy, why?.[2] !== undefined),
    ...(policyArn === undefined ? {} : { policyArn }),
    ...serviceIn(page, from + (why?.index ?? skip), end),
    ...operationIn(head.slice(Math.max(0, (start < 0 ? head.length : userAt) - 120))),
  };
  const isList = action.toLowerCase() === "s3:listbucket";
  const context = isList
    ? contextOf(page, hints, originalOf(page, at), originalOf(page, from))
    : {};
  const bucket = value?.slice(value.lastIndexOf(":") + 1);
  const prefix =
    context.bucket === undefined || context.bucket === bucket ? listedPrefix(context) : undefined;
  const isDamaged =
    damaged ||
    broken ||
    isCut ||
    wholeAction === undefined ||
    (written !== undefined && isMasked(written));
  return {
    at,
    end: from + (why === null ? skip : why.index + why[0].length),
    line: lineAt(page, at),
    denial,
    ...(prefix === undefined ? {} : { prefix }),
    ...(isList ? listNeeds(context, denial.operation) : {}),
    ...(isDamaged ? { damaged: true } : {}),
    ...(isCut ? { isCut: true } : {}),
    ...(who.damaged ? { principalDamaged: true } : {}),
  };
}

/** Whether an action that a text ends with is cut: no action itself, and the beginning of one. */
function isBeginningOfAction(written: string): boolean {
  const start = written.toLowerCase();
  const known = [...ACTIONS.map(({ action }) => action), "sts:AssumeRole", "sts:TagSession"].map(
    (action) => action.toLowerCase(),
  );
  return !known.includes(start) && known.some((action) => action.startsWith(start));
}

/** Whether the text ends, or is shortened, amid the name of an object. */
function isCutOff(page: Page, at: number, written: string): boolean {
  const end = originalOf(page, at) + written.length;
  const after = page.original.slice(end, end + 8);
  if (!/:s3:[^/]*\//i.test(written)) return false;
  if (/\.{3}$/.test(written) || /^(?:…|\[\.{3})/.test(after)) return true;
  if (/^\W/.test(written)) return !/^(?:\\*["']|&(?:quot|#34);)/.test(after);
  // A sentence that ends, or a line, and an ending like that of a file are whole.
  return after === "" && !/\.(?:\w{2,8})?$/.test(written);
}

/** Whether a denial to list is of a request to list, or of one for an object that is not there. */
function listNeeds(
  context: Context,
  operation = context.operation,
): Pick<Found, "needs" | "newFile"> {
  if (context.newFile) return { needs: ["read", "list"], newFile: true };
  const isList = OPERATIONS[operation ?? ""]?.action === "s3:ListBucket";
  return isList ? { needs: ["list"] } : {};
}

/** The prefix of a request to list: as it is written, or of the location that was to be listed. */
function listedPrefix({ prefix, key, operation }: Context): string | undefined {
  if (prefix !== undefined) return prefix;
  return operation === undefined || OPERATIONS[operation]?.action === "s3:ListBucket"
    ? key
    : undefined;
}

/** The principal from one place to another; ids that are masked become place-holders. */
function principalIn(
  page: Page,
  from: number,
  to: number,
): { readonly principal?: string; readonly damaged?: true } {
  if (to - from > MOST_ARN) return { damaged: true };
  const written = page.text.slice(from, to);
  if (written === "anonymous") return { principal: written };
  const damaged = isBroken(page, from, to) ? ({ damaged: true } as const) : {};
  if (PRINCIPAL.test(written) && !isMaskedArn(written)) {
    const isWhole = !/^arn:/.test(written) || /^arn:[a-z-]+:(?:iam|sts)::\d{12}:/.test(written);
    return { principal: written, ...(isWhole ? damaged : { damaged: true }) };
  }
  const masked = unmasked(written);
  return PRINCIPAL.test(masked) && masked.startsWith("arn:")
    ? { principal: masked, damaged: true }
    : { damaged: true };
}

const MASKED_PART = /^(?:\*{2,}|[Xx]{4,}|#+|<.*>|\{.*\}|\[?redacted\]?|\d*[*Xx#]{4,}\d*)$/i;

function isMaskedArn(arn: string): boolean {
  return (
    isMaskedAccount(arn.split(":")[4]) || arn.split(/[:/]/).some((part) => MASKED_PART.test(part))
  );
}

/** Whether what stands for an account is neither digits, nor left out, nor AWS itself. */
function isMaskedAccount(part = ""): boolean {
  return !/^(?:\d+|aws)?$/.test(part);
}

/** An ARN with ACCOUNT for a masked account, and NAME for other parts that are masked. */
function unmasked(arn: string): string {
  return arn
    .split(":")
    .map((part, i) => {
      if (i === 4 && isMaskedAccount(part)) return "ACCOUNT";
      return part
        .split("/")
        .map((name) => (MASKED_PART.test(name) ? "NAME" : name))
        .join("/");
    })
    .join(":");
}

const KEY_ID = "(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|mrk-[0-9a-f]{32})";
const KEY_ARN: Readonly<RegExp> = new RegExp(
  String.raw`^arn:aws(?:-[a-z]+)*:kms:[a-z]{2,5}(?:-(?:gov|iso[a-z]?))?-(?:north|south|east|west|central|northeast|northwest|southeast|southwest|de)-\d{1,2}:(?:\d{12}|ACCOUNT):(?:key\/${KEY_ID}|alias\/[\w/-]{1,250})$`,
);

/**
 * A resource as far as it can be trusted. The id of a key is a UUID, or `mrk-` and 32 hex digits; what
 * else stands there was cut or holds something foreign, and is no value.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN
 */
function checked(resource: string | undefined): {
  readonly value?: string;
  readonly damaged: boolean;
} {
  if (resource === undefined) return { damaged: false };
  if (/^arn:[^:]*:kms:/i.test(resource)) {
    const masked = unmasked(resource);
    if (!KEY_ARN.test(masked)) return { damaged: true };
    return { value: masked, damaged: masked !== resource };
  }
  return {
    value: isMaskedArn(resource) ? unmasked(resource) : resource,
    damaged: isMasked(resource),
  };
}

function deniedBy(policy: string | undefined, explicit: boolean) {
  const by = policy === undefined ? undefined : POLICIES[policy];
  return by === undefined ? {} : { deniedBy: by, explicit };
}

const QUOTES = /^(?:\\*["']|&quot;|&#34;){1,2}|(?:\\*["']|&quot;|&#34;){1,2}$|[.:]+$/g;

const ARN_WORD = /[\w+=,.@:/*<>{}#-]+/;

/** The ARN that stands for a resource, as the form of the message (told by what it follows) has it. */
function arnIn(written: string, before: string): string | undefined {
  let arn = written.replace(QUOTES, "");
  if (/^aws:/i.test(arn)) arn = `arn:${arn}`;
  // Some stores leave the beginning of S3's ARNs out.
  else if (/^["']?[a-z0-9][a-z0-9.-]{2,62}\/\S*$/.test(arn) && /^\\*["']/.test(written)) {
    return undefined;
  }
  if (!/^arn:/i.test(arn) || arn.length > MOST_ARN) return undefined;
  // Only the keys of objects hold whatever there is; behind others a word may be glued to the quote.
  if (!/^arn:[^:]*:s3:/i.test(arn)) arn = ARN_WORD.exec(arn.replace(/\s/g, ""))?.[0] ?? arn;
  if (/<Message>$/i.test(before)) return withoutEntities(arn);
  if (!before.endsWith('"')) return arn;
  try {
    let text = arn;
    // The quote of a string within a string of JSON has a backslash before it, and then three.
    const quote = /\\{0,7}"$/.exec(before)?.[0] ?? "";
    for (let left = quote.length; left >= 1; left /= 2) text = String(JSON.parse(`"${text}"`));
    return text;
  } catch {
    return arn;
  }
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
  const operation = /(?:whencallingthe|during)(\w{1,60})operation/i.exec(text)?.[1];
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

/** Whether what stands at a place of the text follows a word of prose, not a code or a quote. */
function isProse(page: Page, at: number): boolean {
  const from = originalOf(page, at);
  const before = page.original.slice(Math.max(0, from - 40), from);
  return /[a-z] $/i.test(before) && !/(?:exception|error|code) $/i.test(before);
}

/** What is wrong with a key itself, as S3 passes it on from KMS. */
function keyFaults(page: Page): Found[] {
  const found: Found[] = [];
  for (const { 0: all, 1: key, 2: state, 3: missing, 4: region, index: at } of page.text.matchAll(
    KEY_STATE,
  )) {
    if (key !== undefined && isProse(page, at)) continue;
    const resource = key ?? missing;
    const about: KeyFault = resource === undefined ? "wrong region" : "not found";
    const keyFault = STATES[state?.toLowerCase() ?? ""] ?? about;
    const end = at + all.length;
    const { value, damaged } = checked(resource);
    found.push({
      at,
      end,
      line: lineAt(page, at),
      denial: {
        ...(value === undefined ? {} : { resource: value }),
        keyFault,
        ...(region === undefined ? {} : { region }),
        ...serviceIn(page, end, end + NEAR),
        ...operationIn(page.text.slice(Math.max(0, at - 120), at)),
      },
      ...(damaged ? { damaged } : {}),
    });
  }
  // A code stands beside a message that tells more, before or behind it, or alone.
  let next = 0;
  const alone: Found[] = [];
  for (const { 0: all, 1: code = "", index: at } of page.text.matchAll(KEY_CODE)) {
    while ((found[next]?.at ?? Number.POSITIVE_INFINITY) < at - NEAR) next++;
    if ((found[next]?.at ?? Number.POSITIVE_INFINITY) <= at + NEAR) continue;
    if (isProse(page, at)) continue;
    const keyFault = CODES[code] ?? "not usable";
    alone.push({
      at,
      end: at + all.length,
      line: lineAt(page, at),
      denial: {
        keyFault,
        ...serviceIn(page, at, at + NEAR),
        ...operationIn(page.text.slice(at, at + 120)),
      },
    });
  }
  const ciphertexts = [...page.text.matchAll(CIPHERTEXT)].map(({ 0: all, index: at }): Found => {
    const denial = { action: "kms:Decrypt", perhapsMissing: true } as const;
    return { at, end: at + all.length, line: lineAt(page, at), denial };
  });
  return [...found, ...alone, ...ciphertexts];
}

/** Whether a code is neither a word of prose, nor a part of another word. */
function standsAlone(page: Page, at: number, end: number): boolean {
  const from = originalOf(page, at);
  const last = originalOf(page, Math.max(0, at - 1));
  const to = originalOf(page, end - 1) + 1;
  const next = originalOf(page, Math.min(end, page.text.length - 1));
  const before = page.original.slice(Math.max(0, last - 8), from);
  const after = page.original.slice(to, next + 1);
  const isInProse = /[a-z`][ \t]+$/.test(before) && !/api error[ \t]+$/i.test(before);
  return !isInProse && !/[A-Za-z0-9`]$/.test(before) && !/^(?:[A-Za-z`]|[ \t]+[a-z`])/.test(after);
}

/** Messages that tell their cause by themselves; a sentence and its code beside it are one. */
function byCause(page: Page): Found[] {
  const found: Found[] = [];
  for (const { cause, pattern, isCode, isGuess } of CAUSE_FORMS) {
    for (const { 0: all, index: at, ...groups } of page.text.matchAll(pattern)) {
      const detail = groups[1] ?? groups[2];
      if (isCode && !standsAlone(page, at, at + all.length)) continue;
      found.push({
        at,
        end: at + all.length,
        line: lineAt(page, at),
        denial: { ...serviceIn(page, at, at + NEAR) },
        cause,
        ...(detail === undefined ? {} : { detail }),
        ...(isGuess ? { bare: true } : {}),
      });
    }
  }
  // Of the same cause: where its last message stood, and which of those kept it belongs to.
  const last = new Map<Cause | undefined, { readonly at: number; readonly index: number }>();
  const kept: Found[] = [];
  for (const one of found.sort(byPlace)) {
    const before = last.get(one.cause);
    const same = before && one.at - before.at <= NEAR ? kept[before.index] : undefined;
    const isOther = same?.detail !== undefined && one.detail !== undefined;
    if (before === undefined || same === undefined || isOther) {
      last.set(one.cause, { at: one.at, index: kept.push(one) - 1 });
      continue;
    }
    last.set(one.cause, { at: one.at, index: before.index });
    if (one.detail !== undefined) kept[before.index] = { ...same, detail: one.detail };
  }
  return kept;
}

interface Bare {
  readonly at: number;
  readonly end: number;
  readonly form: BareForm;
  readonly operation?: string | undefined;
  readonly key?: string | undefined;
}

/** Messages that say no more than that access is denied, with what stands beside them. */
function plain(page: Page, hints: Hints): Found[] {
  const matches: Bare[] = [];
  for (const form of BARE_FORMS) {
    for (const match of page.text.matchAll(form.pattern)) {
      const { 0: all, index: at } = match;
      const operation = form.operation === undefined ? form.tried : match[form.operation];
      matches.push({ at, end: at + all.length, form, operation });
    }
  }
  for (const form of LINE_FORMS) {
    for (const { 0: all, 1: key, index } of page.original.matchAll(form.pattern)) {
      const at = squeezedOf(page, index);
      const end = squeezedOf(page, index + all.length);
      matches.push({ at, end, form, key, operation: form.tried });
    }
  }
  matches.sort((a, b) => a.at - b.at);
  return matches.map((match) => readBare(page, hints, match));
}

function readBare(
  page: Page,
  hints: Hints,
  { at, end, form, operation: written, key }: Bare,
): Found {
  const context = contextOf(
    page,
    hints,
    originalOf(page, at),
    originalOf(page, Math.max(at, end - 1)),
  );
  const named = written === undefined ? undefined : (operationName(written) ?? written);
  const operation = named ?? context.operation;
  const known = OPERATIONS[operation ?? ""];
  const isList = known?.action === "s3:ListBucket";
  const prefix = isList
    ? listedPrefix({ ...context, ...(operation === undefined ? {} : { operation }) })
    : undefined;
  const object = isList ? undefined : (key ?? context.key);
  const newFile = context.newFile === true && operation === "HeadObject";
  const who = form.identity === true ? identityOf(context) : {};
  const denial: Denial = {
    ...(who.principal === undefined ? {} : { principal: who.principal }),
    ...(known === undefined ? {} : { action: known.action }),
    ...serviceIn(page, at, at + NEAR),
    ...(operation === undefined ? {} : { operation }),
    ...(context.bucket === undefined ? {} : { bucket: context.bucket }),
    ...(object === undefined ? {} : { key: object }),
  };
  return {
    at,
    end,
    line: lineAt(page, at),
    ...(prefix === undefined ? {} : { prefix }),
    // What comes next may be the full message, on the next line.
    ...(form.precedes || page.text.startsWith("User:", end) ? { precedes: true } : {}),
    ...(form.follows === undefined ? {} : { follows: form.follows }),
    ...(key === undefined ? {} : { namesKey: true }),
    denial: denial.statusCode === undefined ? { ...denial, ...statusOf(page, at, end) } : denial,
    bare: true,
    ...(who.damaged ? { principalDamaged: true } : {}),
    ...(known === undefined ? {} : { needs: newFile ? ["read", "list"] : known.needs }),
    ...(newFile ? { newFile } : {}),
    ...([object, prefix].some((value) => value !== undefined && isMasked(value))
      ? { damaged: true }
      : {}),
  };
}

/** Who asked, as an event of CloudTrail has it; ids that are masked become place-holders. */
function identityOf({ principal }: Context): {
  readonly principal?: string;
  readonly damaged?: true;
} {
  if (principal === undefined) return {};
  const masked = unmasked(principal);
  return { principal: masked, ...(masked === principal ? {} : { damaged: true }) };
}

function statusOf(page: Page, at: number, end: number) {
  return /HTTP|[Ss]tatus|<Code>|["']Code/.test(page.text.slice(at, end)) ? { statusCode: 403 } : {};
}

/** How far a bare message and the one that says more of the same event may stand apart. */
const SAME_EVENT = 700;

/**
 * Drops bare messages that others tell better: those with a full message behind them, and all but one
 * of the bare messages of one line.
 */
function withoutRepeats(bare: readonly Found[], full: readonly Found[]): Found[] {
  const kept: Found[] = [];
  let next = 0;
  for (const one of bare) {
    while (next < full.length && (full[next]?.at ?? 0) < one.at - SAME_EVENT) next++;
    if (isTold(one, full, next)) continue;
    const last = kept.at(-1);
    if (
      last !== undefined &&
      one.at - last.end < SAME_EVENT &&
      one.line - last.line <= (isLine(one, last) ? 3 : 0)
    ) {
      if (weight(one) > weight(last)) {
        kept[kept.length - 1] = { ...one, at: last.at, line: last.line };
      }
      continue;
    }
    kept.push(one);
  }
  // Without any other message, a `PermissionError` alone is worth telling; behind others it repeats.
  return kept;
}

function isTold(one: Found, full: readonly Found[], from: number): boolean {
  for (let i = from; i < full.length; i++) {
    const other = full[i];
    if (other === undefined || other.at > one.end + SAME_EVENT) return false;
    const isBehind = other.at > one.at;
    if (isBehind ? other.line === one.line : one.follows === true) return true;
    const isFollowed = one.precedes === true || other.cause === "no-credentials";
    if (isBehind && isFollowed && other.line - one.line <= 6) return true;
  }
  return false;
}

function isLine(one: Found, last: Found): boolean {
  if (one.namesKey && last.namesKey) return false;
  return one.denial.operation === last.denial.operation || one.denial.operation === undefined;
}

function weight({ denial, prefix }: Found): number {
  return [denial.operation, denial.bucket, denial.key ?? prefix, denial.statusCode].filter(
    (value) => value !== undefined,
  ).length;
}

/** Deletes that were only logged, but for those that a message beside them tells. */
function loggedDeletes(page: Page, hints: Hints, told: readonly Found[]): Found[] {
  const lines = new Set<number>();
  for (const { line, denial } of told) {
    if (denial.action?.toLowerCase() === "s3:deleteobject") {
      for (let near = line - 2; near <= line + 2; near++) lines.add(near);
    }
  }
  const found: Found[] = [];
  for (const form of LOGGED_DELETES) {
    for (const { 0: all, index } of page.original.matchAll(form.pattern)) {
      const line = lineOf(page, index) + 1;
      if (lines.has(line)) continue;
      const at = squeezedOf(page, index);
      const bare = { at, end: at + all.length, form, operation: form.tried };
      found.push({ ...readBare(page, hints, bare), line, logged: true });
    }
  }
  return found;
}
