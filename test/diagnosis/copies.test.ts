/** What logs, terminals, pages and encoders make of a message is answered as the message is. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { diagnoseAccessDenied } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig, Locations } from "../../src/index.ts";

const { storageConfig, sessions } = JSON.parse(
  readFileSync(new URL("denials/cases.json", import.meta.url), "utf8"),
) as {
  readonly storageConfig: AwsStorageConfig;
  readonly sessions: Readonly<Record<string, Locations>>;
};

const OURS = "arn:aws:sts::444455556666:assumed-role/lake-polaris/p-1";
const KEY = "arn:aws:kms:eu-west-1:444455556666:key/99998888-7777-6666-5555-444433332222";
const MESSAGES = {
  "of a key": `S3Exception: User: ${OURS} is not authorized to perform: kms:GenerateDataKey on resource: ${KEY} because no session policy allows the kms:GenerateDataKey action (Service: S3, Status Code: 403)`,
  "of an object": `An error occurred (AccessDenied) when calling the PutObject operation: User: ${OURS} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::acme-lake/wh/hr/pay/data/f.parquet" because no session policy allows the s3:PutObject action`,
  "of an expired session":
    "S3Exception: The provided token has expired. (Service: S3, Status Code: 400, Request ID: X, Extended Request ID: V3=)",
  "of S3A":
    "java.nio.file.AccessDeniedException: s3a://acme-lake/wh/hr/pay/data/f.parquet: getFileStatus on s3a://acme-lake/wh/hr/pay/data/f.parquet: software.amazon.awssdk.services.s3.model.S3Exception: null (Service: S3, Status Code: 403, Request ID: X)",
} as const;

const answer = (text: string) =>
  diagnoseAccessDenied(text, storageConfig, sessions["rw"]).map(({ cause, remedy }) => [
    cause,
    remedy?.field,
    remedy?.value,
  ]);

/** Breaks a text into lines of so many characters, within words as well. */
const wrapped = (text: string, width = 70) => text.replace(new RegExp(`.{${width}}`, "g"), "$&\n");

const PREFIXES: Readonly<Record<string, (line: number) => string>> = {
  logback: () => "10:12:13.123 [main] ERROR c.x.Y - ",
  klog: () => "E1014 02:55:14.127000      12 x.go:33] ",
  syslog: () => "Oct 14 02:55:14 host polaris[12]: ",
  stern: () => "polaris-7f9c-abc polaris ",
  "log4j of Kafka": () => "[2025-10-14 02:55:14,127] ERROR [sink|task-0] ",
  "log4j of Spark": () => "25/10/14 02:55:14 ERROR Executor: ",
  Trino: () => "2025-10-14T02:55:14.127+0200\tERROR\tSplitRunner-821\tio.trino.X\t",
  Quarkus: () => "2025-10-14 02:55:14,127 WARN  [org.apa.pol] (executor-thread-1) ",
  Lambda: () => "2025-10-14T02:55:14.127Z\t9b1c-44\tERROR\t",
  CloudWatch: (line) => `${1728874514127 + line} `,
  Heroku: () => "2025-10-14T02:55:14.127000+00:00 app[web.1]: ",
  "GitHub Actions": () => "2025-10-14T02:55:14.1271234Z ##[error]",
  grep: (line) => `logs/spark.log:${line + 12}:`,
  "grep with context": (line) => `logs/spark.log-${line + 12}-`,
  "numbered lines": (line) => `${line + 12}: `,
  "cat -n": (line) => `${String(line + 1).padStart(6)}\t`,
  "a shell's comment": () => "# ",
  "a comment of code": () => "// ",
  "a list": () => "* ",
  "a diff": () => "+ ",
};

describe.each(Object.entries(MESSAGES))("a message %s", (_, message) => {
  const whole = answer(message);

  test.each(Object.entries(PREFIXES))("behind the prefix of %s", (__, prefix) => {
    const lines = wrapped(message).split("\n");
    expect(answer(lines.map((line, i) => prefix(i) + line).join("\n"))).toEqual(whole);
  });

  test.each(
    Object.entries<(text: string) => string>({
      "URL encoding": encodeURIComponent,
      "URL encoding with plus signs": (text) => encodeURIComponent(text).replace(/%20/g, "+"),
      "URL encoding twice": (text) => encodeURIComponent(encodeURIComponent(text)),
      ".NET's JSON": (text) => JSON.stringify({ text }).replace(/\\"/g, "\\u0022"),
      CSV: (text) => `1,"${text.replace(/"/g, '""')}",x`,
      "Markdown's escapes": (text) => text.replace(/[_*[\]()]/g, "\\$&"),
      "a page's hard spaces": (text) => text.replace(/ /g, "\u00a0"),
      "spaces without width": (text) => text.replace(/[:/]/g, "$&\u200b"),
      "cat -v": (text) => text.replace(/\b(?:arn|Service)/g, "^[[31m$&^[[0m"),
      "a terminal's link": (text) =>
        text.replace(/\b(?:arn|Service)/g, "\u001b]8;;http://x\u001b\\$&"),
      "HTML three times": (text) =>
        text.replace(/"/g, "&amp;amp;quot;").replace(/'/g, "&amp;amp;#39;"),
      "a string of JSON within another": (text) => JSON.stringify({ a: JSON.stringify({ text }) }),
      "colours within a string of JSON within another": (text) =>
        JSON.stringify({
          a: JSON.stringify(text.replace(/\b(?:arn|Service)/g, "\u001b[1m$&\u001b[0m")),
        }),
      "Docker's log file": (text) =>
        wrapped(text)
          .split("\n")
          .map((line) => JSON.stringify({ log: `${line}\n`, stream: "stderr" }))
          .join("\n"),
      "HTML as a whole": (text) =>
        `<${text}>`
          .replace(/&/g, "&amp;")
          .replace(/</g, "&lt;")
          .replace(/>/g, "&gt;")
          .replace(/"/g, "&quot;"),
      "words on lines of their own": (text) => text.replace(/: /g, ":\r\n  "),
    }),
  )("in %s", (__, copy) => expect(answer(copy(message))).toEqual(whole));
});

test("a foreign session is one where its ARN is broken by the end of a line", () => {
  const text = `S3Exception: User: arn:aws:sts::444455556666:assumed-role/glue-etl/GlueJobRunnerSession is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::acme-lake/wh/sales/orders/data/f.parquet" because no identity-based policy allows the s3:GetObject action`;
  for (let width = 20; width < 100; width++) {
    const [found] = diagnoseAccessDenied(wrapped(text, width), storageConfig, sessions["rw"]);
    expect(found?.cause).toBe("not-a-session-of-this-catalog");
    expect(found?.remedy).toBeUndefined();
  }
});

const values = (text: string, session = "rw") =>
  diagnoseAccessDenied(text, storageConfig, sessions[session]).flatMap(({ remedy }) =>
    typeof remedy?.value === "string" ? [remedy.value] : [],
  );

test.each([
  MESSAGES["of S3A"],
  "OSError: When reading information for key 'wh/hr/pay/data/f.parquet' in bucket 'acme-lake': AWS Error ACCESS_DENIED during HeadObject operation: No response body.",
  "Code: 499. DB::Exception: Failed to get object info: No response body.. HTTP response code: 403: while reading key: wh/hr/pay/data/x.parquet, from bucket: acme-lake: Cannot extract table structure. (S3_ERROR)",
  encodeURIComponent(MESSAGES["of an object"]),
])("no other location is proposed where a line is broken amid a name: %s", (message) => {
  const whole = values(message);
  expect(whole).toHaveLength(1);
  for (let width = 30; width < 170; width++) {
    for (const value of values(wrapped(message, width))) expect(whole).toContain(value);
  }
});

describe("a name that the text ends amid", () => {
  const message = `User: ${OURS} is not authorized to perform: s3:GetObject on resource: `;
  const causes = (text: string) =>
    diagnoseAccessDenied(text, storageConfig, sessions["rw"]).map(({ cause, certainty }) => [
      cause,
      certainty,
    ]);

  test.each([
    '"arn:aws:s3:::acme-lake/wh/h',
    '"arn:aws:s3:::acme-lake/wh/hr',
    '"arn:aws:s3:::acme-lake/wh/hr/',
    '"arn:aws:s3:::acme-lake/wh/hr/my pa',
    "&quot;arn:aws:s3:::acme-lake/wh/hr",
    "&amp;quot;arn:aws:s3:::acme-lake/wh/hr/ &lt;",
    "arn:aws:s3:::acme-lake/wh/hr",
    "arn:aws:s3:::acme-lake/wh/hr...",
    '"arn:aws:s3:::acme-lake/wh/hr…',
    '"arn:aws:s3:::acme-lake/wh/hr\n2025-11-17 16:43:33 INFO Next: 1',
  ])("proposes no folder above the table's: %s", (resource) => {
    expect(values(message + resource)).toEqual([]);
    expect(causes(message + resource)).toEqual([["location-not-granted", "possible"]]);
  });

  test.each([
    '"arn:aws:s3:::acme-lake/wh/hr/pay/data/0000',
    "arn:aws:s3:::acme-lake/wh/hr/pay/f.parquet",
    '"arn:aws:s3:::acme-lake/wh/hr/pay/f"',
    "arn:aws:s3:::acme-lake/wh/hr/pay/f (Service: S3, Status Code: 403)",
  ])("is enough behind the table's folder, and whole with a quote or an ending: %s", (resource) => {
    expect(values(message + resource)).toEqual(["s3://acme-lake/wh/hr/pay"]);
  });

  test.each(["wh/sal", "wh/sales/orders"])("tells nothing before a location: %s", (name) => {
    const text = `${message}"arn:aws:s3:::acme-lake/${name}`;
    expect(causes(text)).toEqual([["unspecified", "possible"]]);
  });

  test.each(["s3:PutObj", "s3:GetObjectTag", "kms:Dec", "sts:Assum"])(
    "tells nothing where it is the action's: %s",
    (action) => {
      const text = `User: ${OURS} is not authorized to perform: ${action}`;
      expect(causes(text)).toEqual([["unspecified", "possible"]]);
      expect(causes(text.replace(OURS, "arn:aws:iam::777788889999:user/polaris-svc"))).toEqual([
        ["unspecified", "possible"],
      ]);
    },
  );

  test("is one in a quoted URI as well", () => {
    const text = "Failed to access remote file: access denied. Check file 's3://acme-lake/wh/h";
    expect(values(text)).toEqual([]);
  });
});
