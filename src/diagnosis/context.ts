/**
 * Reads what stands beside a bare 403: bucket, key, prefix and operation, from log lines, URLs, error
 * bodies and stack frames.
 * @module
 */
import { operationName } from "./forms.ts";
import { indexBefore, lineOf, type Page } from "./text.ts";

/** What a place in a text tells of a request. */
export interface Hint {
  /** Where it stands in the cleaned text. */
  readonly at: number;
  readonly operation?: string;
  readonly bucket?: string;
  readonly key?: string;
  /** What was listed. */
  readonly prefix?: string;
  /** Who asked. */
  readonly principal?: string;
  /** Whether the request was a check that a new file is not there yet. */
  readonly newFile?: true;
}

/** What was asked for, as far as the text around a message tells. */
export type Context = Omit<Hint, "at">;

/** What the query of a request to list has. */
const LIST_QUERY = /(?:^|[?&;])(?:list-type|prefix|delimiter)=/;

const BUCKET = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]";

interface HintForm {
  readonly pattern: RegExp;
  readonly read: (groups: readonly (string | undefined)[]) => Context | undefined;
  readonly example: string;
}

const listed = (bucket = "", query = ""): Context => ({
  operation: "ListObjectsV2",
  bucket,
  prefix: decode(/(?:^|[?&;])prefix=([^&]{0,2000})/.exec(query)?.[1] ?? ""),
});

const located = (bucket?: string, key?: string): Context => ({
  ...(bucket === undefined ? {} : { bucket }),
  ...(key ? { key } : {}),
});

/** Where requests went. */
const PLACES: readonly HintForm[] = [
  {
    pattern: new RegExp(
      String.raw`s3[an]?:\/\/(${BUCKET})(?:\/([^\s"'\x60<>()[\]{},;|\\]{0,1024}))?`,
      "g",
    ),
    read: ([bucket, key]) =>
      key !== undefined && LIST_QUERY.test(key) ? listed(bucket, key) : located(bucket, keyOf(key)),
    example: "s3a://lake/db/t/f: getFileStatus on",
  },
  {
    pattern:
      /(?:(GET|HEAD|LIST|PUT|POST|DELETE)\b|reading|URL|url|uri:|\bon)[ ("'\x60=\\]{0,4}(?:Some\()?https?:\/\/([^\s/"'<>]{1,255})(?:[/ ]([^\s"'\x60<>,)]{1,1500}))?/g,
    read: ([verb, host, path]) => ofUrl(verb, host ?? "", path ?? ""),
    example: "Error performing PUT https://s3.eu-west-1.amazonaws.com/lake/db/t/f in 86.9ms",
  },
  {
    pattern: new RegExp(
      String.raw`(?:key|object)\s+\\*['"]([^'"\\\n]{1,1024})\\*['"]\s+in\s+(?:S3\s+)?bucket\s+\\*['"](${BUCKET})\\*['"]`,
      "g",
    ),
    read: ([key, bucket]) => located(bucket, key),
    example: "When getting information for key 'db/t/f' in bucket 'lake'",
  },
  {
    pattern: new RegExp(
      String.raw`objects\s+under\s+key\s+'([^'\n]{0,1024})'\s+in\s+bucket\s+'(${BUCKET})'`,
      "g",
    ),
    read: ([prefix = "", bucket]) => ({ ...located(bucket), prefix, operation: "ListObjectsV2" }),
    example: "When listing objects under key 'db/t/' in bucket 'lake'",
  },
  {
    pattern: new RegExp(
      String.raw`existence of (?:key (\S{1,1024}) in )?bucket '?(${BUCKET})`,
      "g",
    ),
    read: ([key, bucket]) => ({
      ...located(bucket, key),
      ...(key === undefined
        ? { operation: "HeadBucket" }
        : { operation: "HeadObject", newFile: true as const }),
    }),
    example: "Failed to check existence of key db/t/f in bucket lake",
  },
  {
    pattern: new RegExp(String.raw`in bucket '?(${BUCKET})'? with prefix '?([^'\n:]{0,1024})`, "g"),
    read: ([bucket, prefix = ""]) => ({ ...located(bucket), prefix, operation: "ListObjectsV2" }),
    example: "while listing objects in bucket 'lake' with prefix 'db/t/'",
  },
  {
    pattern: new RegExp(
      String.raw`[Bb]ucket(?:_?[Nn]ame)?[ :=]{1,3}\[?(${BUCKET})\]?,? (?:[Kk]ey|object_?[Nn]ame)[ :=]{1,3}\[?([^\s\],)]{1,1024})`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: "(Bucket: lake, Key: db/t/f)",
  },
  {
    pattern: new RegExp(
      String.raw`["']bucketName\\*["']: ?\\*["'](${BUCKET})\\*["'](?:[^{}\n]{0,400}?["'](?:key|prefix)\\*["']: ?\\*["']([^"'\\]{1,1024}))?`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: '"requestParameters":{"bucketName":"lake","key":"db/t/f"}',
  },
  {
    pattern: new RegExp(String.raw`<BucketName>(${BUCKET})<\/BucketName>`, "g"),
    read: ([bucket]) => located(bucket),
    example: "<BucketName>lake</BucketName>",
  },
  {
    pattern: new RegExp(
      String.raw`<Resource>\/(${BUCKET})(?:\/([^<\n]{0,1024}))?<\/Resource>`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: "<Resource>/lake/db/t/f</Resource>",
  },
  {
    pattern: new RegExp(
      String.raw`[Kk]ey: ?'?([^\s,')]{1,1024})'?, (?:from )?[Bb]ucket: ?'?(${BUCKET})(?![\w.-]|\n[a-z-])`,
      "g",
    ),
    read: ([key, bucket]) => located(bucket, key),
    example: "while reading key: db/t/f, from bucket: lake",
  },
  {
    pattern: new RegExp(
      String.raw`<ERROR> Unable to [\w ]{1,30}\x60[\w-]{1,40}\/(${BUCKET})(?:\/([^\x60\n]{0,1024}))?`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: "mc: <ERROR> Unable to stat `minio/lake/db/t/f`. Access Denied.",
  },
  {
    pattern: /"userIdentity\\*": ?\{[^{}]{0,600}?"arn\\*": ?\\*"(arn:aws[^"\s\\]{1,300})/g,
    read: ([principal]) => (principal === undefined ? undefined : { principal }),
    example:
      '"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/glue/job"}',
  },
  {
    pattern: new RegExp(
      String.raw`(?<=[0-9a-f] )(${BUCKET}) \[[^\]\n]{20,40}\] \S{3,45} (\S{1,300}) \S{1,40} REST\.`,
      "g",
    ),
    read: ([bucket, principal]) => ({
      ...located(bucket),
      ...(principal?.startsWith("arn:") ? { principal } : {}),
    }),
    example: "0fe1 lake [06/Feb/2025:00:00:38 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT t/f",
  },
  {
    pattern: new RegExp(String.raw`in\s+(?:S3\s+)?bucket\s+\\*['"](${BUCKET})\\*['"]`, "g"),
    read: ([bucket]) => located(bucket),
    example: "When listing in bucket 'lake'",
  },
  {
    // A call of boto3, botocore's log of it, a command of JavaScript, PHP's array.
    pattern: new RegExp(
      String.raw`\bBucket\\*["']?(?:: ?|=|\s=>\s)\\*["'](${BUCKET})\\*["'](?:,\s{0,20}\\*["']?(Key|Prefix)\\*["']?(?:: ?|=|\s=>\s)\\*["']([^"'\\\n]{0,1024}))?`,
      "g",
    ),
    read: ([bucket, field, name = ""]) =>
      field === "Prefix" ? { ...located(bucket), prefix: name } : located(bucket, name),
    example: "CALL: head_object - ({},) - {'Bucket': 'lake', 'Key': 'db/t/f'}",
  },
  {
    pattern: /Key='([^'\n]{1,1024})', Code='[^\n]{0,200}?s3_bucket='([^'\n]{1,63})'/g,
    read: ([key, bucket]) => located(bucket, key),
    example: "Key='db/t/f', Code='AccessDenied', Message='Access Denied', s3_bucket='lake'",
  },
  {
    pattern: new RegExp(
      String.raw`(?:Failed to upload \S{1,300} to|for object) (${BUCKET})\/([^\s:]{1,1024}):`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: "Failed to upload /tmp/f to lake/db/t/f: An error occurred",
  },
  {
    // The SDKs of MinIO name the resource, its trace the host before it.
    pattern: new RegExp(
      String.raw`(?:resource: ?'?|\] s3\.\w{3,40} [\w.:-]{1,255})\/(${BUCKET})\/([^\s,']{0,1024})`,
      "g",
    ),
    read: ([bucket, key]) => located(bucket, key),
    example: "S3 operation failed; code: AccessDenied, resource: /lake/db/t/f, request_id: 17",
  },
  {
    pattern: new RegExp(
      String.raw`"name":"(\w{3,40})","bucket":"(${BUCKET})","object":"([^"]{0,1024})"`,
      "g",
    ),
    read: ([name = "", bucket, key]) => ({ ...named(name), ...located(bucket, key) }),
    example: '"api":{"name":"GetObject","bucket":"lake","object":"db/t/f","status":"Forbidden"}',
  },
  {
    // S3A names the key alone where it has no path.
    pattern: /\bon (?!s3[an]?:)([^\s:,]{1,1024}): (?=(?:com|software|org)\.)/g,
    read: ([key]) => (key?.includes("/") ? located(undefined, key) : undefined),
    example: "Completing multipart upload on db/t/f: software.amazon.awssdk.X",
  },
  {
    pattern: /<Key>([^<\n]{1,1024})<\/Key>/g,
    read: ([key]) => located(undefined, key),
    example: "<Key>db/t/f</Key>",
  },
  {
    pattern: new RegExp(String.raw`source '(${BUCKET})\/([^'\n]{1,1024})'`, "g"),
    read: ([bucket, key]) => located(bucket, key),
    example: "Could not open Parquet input source 'lake/db/t/f'",
  },
  {
    pattern: new RegExp(String.raw`bucket [\x60'"]?(${BUCKET})[\x60'"]? (?:does not exist|$)`, "g"),
    read: ([bucket]) => located(bucket),
    example: "the bucket lake does not exist, or is forbidden for access",
  },
  {
    pattern:
      /(?:for path|\bpath:|while reading|S3Error\(Key=|\(Path:|with key|\(key) ?['"]?(?!s3[an]?:)([^\s,:()'"]{1,1024})/g,
    read: ([key]) => (key?.includes("/") ? located(undefined, key) : undefined),
    example: "lacked the necessary privileges to complete for path db/t/f",
  },
];

const op = (operation: string) => (): Context => ({ operation });

/** What was tried. */
const TRIED: readonly HintForm[] = [
  {
    pattern:
      /S3\w{0,12}Client\.(\w{3,40})\(|\bREST\.([A-Z]{3,6})\.OBJECT |\b(?:de_|deserializeAws_restXml)(\w{3,40})CommandError|\bnew (\w{3,40})Command\(|aws_sdk_s3::operation::(\w{3,40})::|_call_s3\(\s{0,20}"(\w{3,40})"|Error executing \\*"(\w{3,40})"|(?<![\w.])"eventName\\*": ?\\*"(\w{3,40})/g,
    read: (names) => named(names.find((name) => name !== undefined) ?? ""),
    example:
      "at software.amazon.awssdk.services.s3.DefaultS3Client.headObject(DefaultS3Client.java)",
  },
  {
    // The SDK for Go 1, Rust's errors, AWS' examples for C++, Databricks' text of a request, MinIO's trace.
    pattern:
      /\bs3\/(\w{3,40}) (?:failed|Details)|\b(\w{3,40})Error(?: \{|::)|Error: (\w{3,40}):|\bmodel\.(\w{3,40})Request;|\] s3\.(\w{3,40}) /g,
    read: (names) => named(names.find((name) => name !== undefined) ?? ""),
    example: "DEBUG: Validate Response s3/GetObject failed, not retrying",
  },
  {
    pattern: /(?:S3OutputFile|BaseS3File)\.(?:exists|create)\(/g,
    read: () => ({ newFile: true }),
    example: "at org.apache.iceberg.aws.s3.S3OutputFile.create(S3OutputFile.java:63)",
  },
  {
    pattern:
      /(?:getFileStatus|HEAD) on (?=s3|[\w/])|Failed to (?:get status for|open input stream for) file|S3 HEAD request failed|request: HEAD|method: HEAD|When (?:reading|getting) information for key|Cannot get file info|Failed to get metadata for S3 object|in _info\b|[Ff]ailed to (?:get object info|get file (?:size|status)|head (?:s3|object))/g,
    read: op("HeadObject"),
    example: "getFileStatus on s3a://lake/db/t/f",
  },
  {
    pattern:
      /listObjects\(\) on|listStatus on|Failed to list location|[Ee]rror performing list request|[Cc]ould not list objects|Error listing|Failed to list|in _lsdir\b/g,
    read: op("ListObjectsV2"),
    example: "Failed to list location: s3://lake/db/t",
  },
  {
    pattern:
      /Writing Object on|PUT 0-byte object|Put failed for bucket|upload failed:|[Ff]ail(?:ed)? to (?:create|complete) (?:S3 )?[Mm]ulti|innerMkdirs on|when writing (?:output )?to|initiat\w{1,10} [Mm]ulti\w{0,10}?[ -]?[Pp]art|[Cc]ompleting multipart|[Uu]pload part\b|Failed to (?:write|create) (?:file|output)|Failed to write: s3|Cannot create file|method: PUT|\bPutS3Object\b|PrestoS3OutputStream|in _upload_chunk\b|creating key|[Ff]ailed to put (?:object )?s3:/g,
    read: op("PutObject"),
    example: "Writing Object on db/t/f",
  },
  {
    pattern:
      /\bdelete on |Remove S3 Files on|MultiObjectDelete|delete failed:|[Uu]nable to delete|Failed to delete|S3Error\(Key=|Cannot delete file|method: DELETE|\bDeleteS3Object\b|errors when deleting objects|[Dd]elete key|in _(?:rm|bulk_delete)\b/g,
    read: op("DeleteObject"),
    example: "delete on db/t/data: MultiObjectDeleteException",
  },
  {
    pattern:
      /download failed:|Failed to download file|Error opening (?:Hive|Iceberg) split|Failed to open S3 file|Cannot open file|Failed to get S3 object|failed to read from|method: GET|\bFetchS3Object\b|tail bytes of file|S3 GET request failed|\b(?:re)?open\(?\)? (?:on )?s3|read on s3|in _fetch_range\b|Could not (?:open Parquet|read schema)|while reading|[Ff]ail(?:ed)? to (?:get (?:object )?s3:|read (?:file )?s3:)/g,
    read: op("GetObject"),
    example: "download failed: s3://lake/db/t/f to ./f",
  },
  {
    pattern: /copy failed:|copyFile\(|[Cc]opying key/g,
    read: op("CopyObject"),
    example: "copy failed: s3://lake/db/t/f to s3://lake/db/t/g",
  },
];

export const HINT_FORMS: readonly HintForm[] = [...PLACES, ...TRIED];

function named(written: string): Context | undefined {
  const operation = operationName(written);
  return operation === undefined ? undefined : { operation };
}

/** A key without the punctuation of the sentence it ends, and without what comes behind a wildcard. */
function keyOf(written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const word = written.replace(/[:.]+$/, "");
  const star = word.search(/[*?]/);
  return star < 0 ? word : word.slice(0, word.lastIndexOf("/", star) + 1);
}

const AWS_BUCKET_HOST: Readonly<RegExp> = new RegExp(String.raw`^(${BUCKET})\.s3[.-]`);

function ofUrl(verb: string | undefined, host: string, path: string): Context | undefined {
  const [way = "", query = ""] = path.split("?");
  const decoded = decode(way.replace(/[:.]+$/, ""));
  const inHost = AWS_BUCKET_HOST.exec(host)?.[1];
  const slash = decoded.indexOf("/");
  const bucket = inHost ?? (slash < 0 ? decoded : decoded.slice(0, slash));
  const key = inHost === undefined ? (slash < 0 ? "" : decoded.slice(slash + 1)) : decoded;
  if (!new RegExp(`^${BUCKET}$`).test(bucket)) return undefined;
  if (LIST_QUERY.test(query)) return listed(bucket, query);
  const operation = /(?:^|&)delete\b/.test(query) ? "DeleteObjects" : operationName(verb ?? "");
  return { ...located(bucket, key), ...(operation === undefined ? {} : { operation }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** All hints of a text, in order, and which lines belong together. */
export interface Hints {
  readonly hints: readonly Hint[];
  readonly places: readonly number[];
  /** For each line: how many lines up to it begin an event of their own. */
  readonly events: readonly number[];
  /** For each line: how many lines up to it name an exception of a chain. */
  readonly sections: readonly number[];
}

const FRAME =
  /^(?:\s|Caused by|Suppressed|Traceback|The above exception|During handling|\.\.\. \d|: |$|at |---|[>^])/;
const SECTION = /^\s*(?:Caused by|Suppressed)/;

/** A line that goes on with a path, which a terminal broke: neither a URL nor the date of a log. */
const CONTINUED =
  /^\n(?!\w+:\/\/|\d{2,4}\/\d\d)(?:[\w.=%+-]{0,60}(?:\/|%2[Ff])|[a-z0-9_=-]{1,60}: (?:(?:com|software|org)\.|\w+ on s3))/;

/** What is left where the last word is cut: a bucket before a key, and the operation. */
function withoutEnd({ bucket, key, prefix, ...rest }: Context): Context {
  return bucket !== undefined && (key || prefix) ? { ...rest, bucket } : rest;
}

/** Finds all hints. The time taken is linear in the length of the text. */
export function hintsOf(page: Page): Hints {
  const hints: Hint[] = [];
  for (const { pattern, read } of HINT_FORMS) {
    for (const match of page.original.matchAll(pattern)) {
      const { index: at } = match;
      const [all, ...groups] = match;
      const found = read(groups);
      if (found === undefined || all === "") continue;
      const end = at + all.length;
      const isQuoted = /["'\x60]/.test(page.original[at - 1] ?? "");
      const isCut =
        CONTINUED.test(page.original.slice(end, end + 80)) ||
        (isQuoted && end === page.original.length);
      hints.push({ at, ...(isCut && !/\.\w{2,8}$/.test(all) ? withoutEnd(found) : found) });
    }
  }
  hints.sort((a, b) => a.at - b.at);
  const events: number[] = [];
  const sections: number[] = [];
  let event = 0;
  let section = 0;
  page.lines.forEach((start) => {
    const head = page.original.slice(start, start + 40).split("\n", 1)[0] ?? "";
    const isFrame = FRAME.test(head);
    if (!isFrame) event++;
    if (!isFrame || SECTION.test(head)) section++;
    events.push(event);
    sections.push(section);
  });
  return { hints, places: hints.map(({ at }) => at), events, sections };
}

/** As many hints as are looked at in each direction. */
const MOST_HINTS = 24;

/**
 * What the text around a message tells of its request.
 *
 * 1. Hints on the message's own line count first, those before it from the nearest on.
 * 2. Then the stack frames below it: what was called.
 * 3. Then the lines above, as long as they are of the same event or of the two before.
 * 4. Then the two lines below.
 *
 * The first hint with a bucket, a key or a prefix gives them; the first with an operation gives that.
 *
 * @example
 * `S3 HEAD request failed for file: s3://lake/t/f`, 20 frames, `Caused by: S3Exception: Forbidden`:
 * step 3 finds bucket, key and HeadObject.
 *
 * @param from where the message starts in the cleaned text.
 * @param to where it ends.
 */
export function contextOf(page: Page, all: Hints, from: number, to: number): Context {
  const { hints, places, events, sections } = all;
  if (hints.length === 0) return {};
  const first = lineOf(page, from);
  const last = lineOf(page, to);
  const begin = page.lines[first] ?? 0;
  const end = page.lines[last + 1] ?? page.original.length;
  const near = (places[0] ?? 0) > to ? -1 : indexBefore(places, to);
  const before = hints.slice(Math.max(0, near + 1 - MOST_HINTS), near + 1).reverse();
  const after = hints.slice(near + 1, near + 1 + MOST_HINTS);
  const line = (hint: Hint) => lineOf(page, hint.at);
  const event = events[first] ?? 0;
  const ordered = [
    ...before.filter(({ at }) => at >= begin),
    ...after.filter(({ at }) => at < end),
    ...after
      .filter((hint) => hint.at >= end && sections[line(hint)] === sections[last])
      .map(
        ({ at, operation, newFile }): Hint => ({
          at,
          ...(operation === undefined ? {} : { operation }),
          ...(newFile === undefined ? {} : { newFile }),
        }),
      ),
    ...before.filter((hint) => hint.at < begin && event - (events[line(hint)] ?? 0) <= 2),
    ...after.filter((hint) => hint.at >= end && line(hint) <= last + 2),
  ];
  const operation = ordered.find((hint) => hint.operation !== undefined)?.operation;
  const newFile = ordered.find((hint) => hint.newFile !== undefined)?.newFile;
  const bucket = ordered.find((hint) => hint.bucket !== undefined)?.bucket;
  // A key that was found alone may be of the same request; one of another bucket is not.
  const same = ordered.filter((hint) => hint.bucket === bucket || hint.bucket === undefined);
  const key = same.find((hint) => hint.key !== undefined)?.key;
  const principal = ordered.find((hint) => hint.principal !== undefined)?.principal;
  const prefix = same.find((hint) => hint.prefix !== undefined)?.prefix;
  return {
    ...(operation === undefined ? {} : { operation }),
    ...(bucket === undefined ? {} : { bucket }),
    ...(key === undefined ? {} : { key }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(principal === undefined ? {} : { principal }),
    ...(newFile === undefined ? {} : { newFile }),
  };
}
