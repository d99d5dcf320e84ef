/**
 * Cleans a text of what terminals, log collectors and web pages put into messages, and finds words in
 * it however its lines were broken.
 *
 * Cleaning keeps every line break of the text, so that a line's number stays what it was.
 * @module
 */

/** A cleaned text, the same without whitespace, and where its parts were. */
export interface Page {
  /** The cleaned text. */
  readonly original: string;
  /** The cleaned text without whitespace: messages are searched here. */
  readonly text: string;
  /** For each run of other characters: where it starts in `text`, and in `original`. */
  readonly starts: readonly number[];
  readonly originals: readonly number[];
  /** Where each line starts in `original`. */
  readonly lines: readonly number[];
}

/** Reads a text: cleans it, and takes the whitespace out. */
export function pageOf(text: string): Page {
  const original = withoutPrefixes(withoutMarkup(withoutRecords(withoutCodes(text))));
  return { original, ...withoutWhitespace(original), lines: lineStarts(original) };
}

/** The escape character and the bell, which regular expressions here don't hold as they are. */
const ESC = "\u001b";
const BEL = "\u0007";
/** Terminal colours and links, as bytes and as JSON, Python, shells and `cat -v` write the character. */
const ESCAPE: Readonly<RegExp> = new RegExp(
  `(?:(?:${ESC}|\\\\{1,3}u001[bB]|\\\\{1,3}x1[bB]|\\\\{1,3}033|\\^\\[)\\[|\u009b)[0-9;?]{0,20}[A-Za-z]|${ESC}\\][^${ESC}${BEL}\\n]{0,200}(?:${BEL}|${ESC}\\\\)`,
  "g",
);
/** Colours whose escape character was lost; the code that ends a colour tells them from other text. */
const LOST_ESCAPE = /\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m/g;

function withoutCodes(text: string): string {
  // UTF-16 that was read as UTF-8 has a NUL beside each character.
  const narrow = text.includes("\0")
    ? text.replaceAll("\0", "").replace(/^[\ufeff\ufffd]+/, "")
    : text;
  // Chat and web pages put hard spaces, and marks without width, into what is copied from them.
  const plain = narrow
    .replace(ESCAPE, "")
    .replaceAll("\u00a0", " ")
    .replace(/[\u200b-\u200d\u2060\ufeff]/g, "");
  return plain.includes("[0m") ? plain.replace(LOST_ESCAPE, "") : plain;
}

/**
 * A record of Docker's log files, which is a line of the log.
 *
 * @see https://docs.docker.com/engine/logging/drivers/json-file/
 */
const RECORD = /^\{"log":"((?:[^"\\\n]|\\.){0,20000})"[,}].*$/gm;

/** Takes each line out of its record; a record of several lines stays as it is. */
function withoutRecords(text: string): string {
  if (!text.includes('{"log":"')) return text;
  return text.replace(RECORD, (record, escaped: string) => {
    try {
      const line = String(JSON.parse(`"${escaped}"`)).replace(/\r?\n$/, "");
      return line.includes("\n") ? record : line;
    } catch {
      return record;
    }
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

/** Decodes the entities of XML, once. */
export function withoutEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** In lower case: S3's own `<Code>` is no tag of HTML. */
const TAG =
  /<\/?(?:a|b|br|code|div|em|font|i|kbd|li|mark|p|pre|samp|span|strong|td|th|tr|tt|u|ul|wbr)(?:\s[^<>\n]{0,300})?\s?\/?>/g;
const CODE_SPAN = /`((?:User:? ?)?(?:arn|s3|kms|sts|s3a|User)[:\s][^`\n]{1,2048})`/g;
/** A word with an escape of a URL. */
const URL_ENCODED = /[^\s%]{0,200}%\S{1,8000}/g;
const ENCODED_MESSAGE =
  /arn%(?:25)?3A|(?:Service|operation|User|Message)%(?:25)?3A|(?:Access|not|token|has)(?:%(?:25)?20|\+)(?:Denied|authorized|included|expired)/i;

/** Takes HTML's tags and escapes, Markdown and URL encoding away. */
function withoutMarkup(text: string): string {
  let plain = text;
  // .NET escapes quotes in JSON this way, and Python quotes in a string that holds both kinds.
  if (plain.includes("u002"))
    plain = plain.replace(/\\{1,3}u0022/g, '\\"').replace(/\\{1,3}u0027/g, "'");
  if (plain.includes("\\'")) plain = plain.replace(/\\{1,3}'/g, "'");
  // Go's and Jackson's way to write what HTML would read.
  if (plain.includes("u003")) {
    plain = plain.replace(/\\{1,3}u003([ce])/gi, (_, last: string) =>
      /c/i.test(last) ? "<" : ">",
    );
  }
  if (plain.includes("“arn:")) plain = plain.replace(/“(arn:[^“”\n]{1,2048})”/g, '"$1"');
  if (ENCODED_MESSAGE.test(plain)) plain = plain.replace(URL_ENCODED, percentDecoded);
  // A text without any mark of its own was escaped as a whole.
  if (!/["<>]/.test(plain) && /&(?:quot|lt|gt);/.test(plain)) plain = withoutEntities(plain);
  if (plain.includes("&")) {
    // Escaped once more than S3 itself does.
    plain = plain.replace(/&(?:amp;){1,4}(?=(?:lt|gt|quot|apos|#x?\w{1,5});)/g, "&");
    plain = plain.replace(/&amp;(?=amp;)/g, "&");
    plain = plain.replace(/&#(?:x22|34);/gi, '"').replace(/&#(?:x27|39);/gi, "'");
    if (/&lt;\/?(?:Error|Code|Message)&gt;/.test(plain)) plain = withoutEntities(plain);
  }
  if (plain.includes("<"))
    plain = plain.replace(TAG, (tag) => (/^<(?:br|p|td|li)/.test(tag) ? " " : ""));
  if (plain.includes("`")) plain = plain.replace(CODE_SPAN, "$1");
  // Markdown escapes its own marks.
  if (plain.includes("\\")) plain = plain.replace(/\\(?=[_*()[\]])/g, "");
  return plain.replace(/\*\*(?=[A-Za-z])|(?<=[A-Za-z])\*\*(?=\s)/g, "");
}

/** Decodes a word with an escaped space or quote; line breaks in it would move all lines below. */
function percentDecoded(word: string): string {
  if (!ENCODED_MESSAGE.test(word) && !/%(?:25)?2[02]/.test(word)) return word;
  try {
    const decoded = decodeURIComponent(word.replace(/\+/g, " "));
    const twice = /%(?:3A|20)/i.test(decoded) ? decodeURIComponent(decoded) : decoded;
    return twice.replace(/[\n\r]/g, " ");
  } catch {
    return word;
  }
}

/** What log collectors, containers and terminals put before each line, without what is between. */
const PREFIX =
  /^(?:[ \t]*(?:[>│┃╷╵|↳]|(?:\[?\d{4}-\d\d-\d\d[T ]|\d\d\/\d\d\/\d\d |[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?(?=[ \t]|$)|(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE)(?=[ :\t]):?|\[(?!403 )[\w ,./:@|-]{1,80}\](?= )|\{[\w./-]{1,80}:\d{1,6}\}(?= )|-(?= )(?! key )|[\w.-]{1,63} *\||std(?:out|err) [FP](?= )|##\[[a-z]{1,20}\]|[\w./-]{1,200}\.(?:err|log|out|txt)[:-]\d{1,9}[:-])){1,8} ?/;
/** What only a box or a tree of messages has, whatever stands before the other lines. */
const BOX = /[│┃╷╵↳]/;
/**
 * A word that lines may share at their beginning: a level, a mark, a number, the name of a pod, thread
 * or logger. Paths, quotes and errors are of the message.
 */
const WORD =
  /^[ \t]*(?!- key )(?:[^\w\s"'`]{1,4}|(?!\S{0,200}(?:["'`/]|<[A-Za-z]|User:|arn:|Exception|Error|Denied|Forbidden))\S{1,200})(?=[ \t])/;
/** A word that may belong to the message: a prefix has one alone, before another word or after its pod. */
const LETTERS = /^(?!(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE)$)[A-Za-z]+$/;
/** As many of them as a line begins with. */
const MOST_WORDS = 12;

/**
 * Takes away what stands before the lines of a wrapped message.
 *
 * Only a line after another one with a prefix is shortened: what stands before the first line is not
 * amid a message. Words without a form of their own are a prefix where the line before has them too,
 * with other digits or the same.
 */
function withoutPrefixes(text: string): string {
  if (!text.includes("\n")) return text;
  let before: { readonly hasPrefix: boolean; readonly words: readonly string[] } | undefined;
  return text
    .split("\n")
    .map((line) => {
      if (line.trim() === "") return line;
      const prefix = PREFIX.exec(line.slice(0, 400))?.[0] ?? "";
      const rest = line.slice(prefix.length);
      const hasPrefix = prefix !== "";
      const words = wordsOf(rest.slice(0, 400));
      const shared = sharedLength(words, before?.words ?? []);
      const isShared = hasPrefix ? before?.hasPrefix || BOX.test(prefix) : shared > 0;
      before = { hasPrefix, words };
      return isShared ? rest.slice(shared).replace(/^[ \t]/, "") : line;
    })
    .join("\n");
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  let rest = line;
  while (words.length < MOST_WORDS) {
    const word = WORD.exec(rest)?.[0];
    if (word === undefined) break;
    words.push(word);
    rest = rest.slice(word.length);
  }
  return words;
}

function sharedLength(words: readonly string[], before: readonly string[]): number {
  const shape = (word: string) => word.trim().replace(/\d+/g, "0");
  let length = 0;
  let shared = 0;
  let letters = 0;
  for (const [i, word] of words.entries()) {
    if (shape(word) !== shape(before[i] ?? "")) break;
    length += word.length;
    const name = word.trim();
    const isOfPod = words[i - 1]?.trim().startsWith(`${name}-`);
    letters = LETTERS.test(name) && !isOfPod ? letters + 1 : 0;
    if (letters > 1) break;
    if (letters === 0) shared = length;
  }
  return shared;
}

/** Whitespace, also as JSON and Java write it into strings, once or twice. */
const GAP = /(?:\s|\\{1,3}[nrt])+/g;

function withoutWhitespace(original: string): Pick<Page, "text" | "starts" | "originals"> {
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
  return { text: parts.join(""), starts, originals };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The index of the last number that is not above `at`. */
export function indexBefore(sorted: readonly number[], at: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sorted[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a character of `text` is in `original`. */
export function originalOf({ starts, originals }: Page, at: number): number {
  const run = indexBefore(starts, at);
  return (originals[run] ?? 0) + at - (starts[run] ?? 0);
}

/** Where a character of `original` is in `text`: the next one, if it is whitespace. */
export function squeezedOf({ starts, originals, text }: Page, at: number): number {
  const run = indexBefore(originals, at);
  const next = starts[run + 1] ?? text.length;
  return Math.min(next, Math.max(0, (starts[run] ?? 0) + at - (originals[run] ?? 0)));
}

/** The number of the line, from 0, that a character of `original` stands in. */
export function lineOf({ lines }: Page, at: number): number {
  return indexBefore(lines, at);
}

const LINE_BREAK = /(?:\r\n|[\n\r]|\\{1,3}[nr])(?:\s|\\{1,3}[nrt])*/g;

/** What `from` to `to` of `text` is in `original`, without the breaks of lines in it. */
export function originalText(page: Page, from: number, to: number): string {
  return rawText(page, from, to).replace(LINE_BREAK, "");
}

/** Whether a break of the line is within `from` to `to` of `text`. */
export function isBroken(page: Page, from: number, to: number): boolean {
  return /[\n\r]|\\{1,3}[nr]/.test(rawText(page, from, to));
}

function rawText(page: Page, from: number, to: number): string {
  return page.original.slice(originalOf(page, from), originalOf(page, to - 1) + 1);
}

/** What a pattern matches of `original` at a place of `text`, looking at `most` characters. */
export function wordAt(page: Page, at: number, pattern: RegExp, most: number): string | undefined {
  if (at >= page.text.length) return undefined;
  const from = originalOf(page, at);
  return pattern.exec(page.original.slice(from, from + most))?.[0];
}

/** A part of a text that someone hid: masked, elided, or not decoded. */
const MASK =
  /\*{2,}|X{4,}|x{4,}|#{3,}|<[\w .-]{1,40}>|(?<!\$)\{[\w-]{1,40}\}|\[?(?:redacted|masked|account[-_ ]?id)\]?|\u2026|\.\.\.|\ufffd/i;

export function isMasked(text: string): boolean {
  return MASK.test(text);
}
