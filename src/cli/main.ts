/**
 * The command line. It uses nothing but the package's public entries, and none of them uses it.
 * @module
 */
import { createReadStream, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  SessionPolicyError,
  type SessionPolicyOptions,
  serializePolicy,
} from "polaris-session-policy";
import {
  type AnyPolicyDocument,
  compareAccess,
  decide,
  listAccess,
} from "polaris-session-policy/analysis";
import {
  type Diagnosis,
  diagnoseAccessDenied,
  type Remedy,
} from "polaris-session-policy/diagnosis";

/** More than any log that a person pastes, and little enough to hold. */
const MOST_INPUT = 64 * 1024 * 1024;
const STS_LIMIT = 2048;

/** What a person got wrong, as opposed to what is wrong with the program. */
class UsageError extends Error {}

type OptionSpecs = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;
type Values = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>;

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;

/** Polaris' own names, where it has one. */
const CONFIG_OPTIONS: OptionSpecs = {
  config: text,
  "storage-type": text,
  "role-arn": text,
  region: text,
  "external-id": text,
  "user-arn": text,
  endpoint: text,
  "endpoint-internal": text,
  "sts-endpoint": text,
  "path-style-access": flag,
  "allowed-location": list,
  "default-base-location": text,
  "current-kms-key": text,
  "allowed-kms-key": list,
  "no-kms": flag,
  "no-sts": flag,
};
const SESSION_OPTIONS: OptionSpecs = {
  read: list,
  list,
  write: list,
  delete: list,
  profile: text,
  "max-length": text,
  "object-versions": flag,
  "abort-multipart-uploads": flag,
  "no-kms-via-service": flag,
};
const OUTPUT_OPTIONS: OptionSpecs = { json: flag, help: flag };
const FORM_OPTIONS: OptionSpecs = { pretty: flag, compact: flag };

const CONFIG_HELP = `Storage configuration (flags go before the file's fields):
  --config FILE|-            a storage configuration, or a catalog as the management API returns it
  --role-arn ARN             --region REGION           --external-id ID
  --endpoint URL             --endpoint-internal URL   --sts-endpoint URL
  --user-arn ARN             --path-style-access       --storage-type s3
  --allowed-location URI     may repeat; --default-base-location URI is one more, as in Polaris
  --current-kms-key ARN      encrypts new data         --no-kms    there is no KMS
  --allowed-kms-key ARN      older data, may repeat    --no-sts    there is no STS`;
const SESSION_HELP = `What the session may do (each may repeat):
  --read URI  --list URI  --write URI  --delete URI    s3://bucket/prefix

Options:
  --profile NAME             least-privilege (default) or polaris
  --max-length N             ${STS_LIMIT} unless told; Infinity is allowed
  --object-versions          reading includes older versions
  --abort-multipart-uploads  writing includes giving up an upload
  --no-kms-via-service       keys may be used without S3`;

interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly help: string;
  readonly example: string;
  readonly options: OptionSpecs;
  /** @returns whether the answer is yes. */
  readonly run: (values: Values, files: readonly string[]) => Promise<boolean>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  build: {
    summary: "print the session policy",
    usage: "build [options]",
    help: `${CONFIG_HELP}\n\n${SESSION_HELP}\n\nOutput:\n  --explain                  what the policy allows as a table, and its length\n  --pretty | --compact       readable (default on a terminal) or minified (default in a pipe)\n  --json                     the policy with its length and rows`,
    example: "build --config catalog.json --read s3://lake/ns/t1 --list s3://lake/ns/t1 --explain",
    options: { ...CONFIG_OPTIONS, ...SESSION_OPTIONS, ...FORM_OPTIONS, explain: flag },
    run: build,
  },
  "assume-role": {
    summary: "print the whole AssumeRole request, for aws sts assume-role --cli-input-json",
    usage: "assume-role [options]",
    help: `${CONFIG_HELP}\n\n${SESSION_HELP}\n\nSession, as Polaris names and tags it:\n  --name-field FIELD         realm, catalog, namespace, table, principal, prefix-X; may repeat\n  --tag-field FIELD          these but prefix-X, roles, trace_id; may repeat\n  --include-principal        in the session's name\n  --duration SECONDS         900 to 43200, 3600 unless told\n  --realm --catalog --namespace --table --principal --role (may repeat) --trace-id`,
    example:
      "assume-role --config catalog.json --read s3://lake/ns/t1 --table t1 --name-field table",
    options: {
      ...CONFIG_OPTIONS,
      ...SESSION_OPTIONS,
      ...FORM_OPTIONS,
      "name-field": list,
      "tag-field": list,
      "include-principal": flag,
      duration: text,
      realm: text,
      catalog: text,
      namespace: text,
      table: text,
      principal: text,
      role: list,
      "trace-id": text,
    },
    run: assumeRole,
  },
  diagnose: {
    summary: "explain the access-denied messages of a log",
    usage: "diagnose [FILE|-] [options]",
    help: `The more of the configuration and of the session is given, the more is certain.\n\n${CONFIG_HELP}\n\n${SESSION_HELP}\n\nExit status: 0 if there is no such message, 1 if there is.`,
    example: "diagnose spark.log --config catalog.json",
    options: { ...CONFIG_OPTIONS, ...SESSION_OPTIONS },
    run: diagnose,
  },
  check: {
    summary: "decide whether a policy allows a request",
    usage: "check POLICY|- --action ACTION --resource ARN [--context KEY=VALUE]",
    help: "  --context KEY=VALUE        a condition key of the request; may repeat, also for several values\n\nExit status: 0 if it is allowed, 1 if not.",
    example:
      "check policy.json --action s3:ListBucket --resource arn:aws:s3:::lake --context s3:prefix=ns/t1/",
    options: { action: text, resource: text, context: list },
    run: check,
  },
  compare: {
    summary: "compare what two policies allow",
    usage: "compare A B",
    help: "A and B are policies, one of them may be - for standard input.\n\nExit status: 0 if A allows no more than B, 1 if it does.",
    example: "compare new.json deployed.json",
    options: {},
    run: compare,
  },
};

async function build(values: Values): Promise<boolean> {
  const { config, locations, options } = await sessionFrom(values);
  const policy = buildSessionPolicy(config ?? {}, locations ?? {}, options);
  const { length } = serializePolicy(policy);
  const most = options.maxLength ?? STS_LIMIT;
  if (values["json"]) {
    print(JSON.stringify({ policy, length, maxLength: most, access: listAccess(policy) }));
    return true;
  }
  print(written(policy, values));
  if (values["explain"]) print(`\n${accessTable(policy)}\n\n${ofLimit(length, most)}`);
  return true;
}

async function assumeRole(values: Values): Promise<boolean> {
  const { config, locations, options } = await sessionFrom(values);
  const duration = one(values, "duration");
  const session = {
    context: defined({
      realm: one(values, "realm"),
      catalog: one(values, "catalog"),
      namespace: one(values, "namespace"),
      table: one(values, "table"),
      principal: one(values, "principal"),
      roles: many(values, "role"),
      traceId: one(values, "trace-id"),
    }),
    ...defined({
      nameFields: many(values, "name-field"),
      tagFields: many(values, "tag-field"),
      includePrincipal: values["include-principal"] === true ? true : undefined,
      durationSeconds: duration === undefined ? undefined : numberOf("--duration", duration),
    }),
  };
  const request = buildAssumeRoleRequest(config ?? {}, locations ?? {}, session, options);
  print(values["json"] ? JSON.stringify(request) : written(request, values));
  return true;
}

async function diagnose(values: Values, [file, ...more]: readonly string[]): Promise<boolean> {
  if (more.length > 0) throw new UsageError("diagnose takes one file.");
  if (file === undefined && process.stdin.isTTY) {
    throw new UsageError("Name a log file, or pipe a log to standard input.");
  }
  const source = file ?? "-";
  if (source === "-" && values["config"] === "-") {
    throw new UsageError("The log and --config can't both be standard input.");
  }
  const { config, locations, options } = await sessionFrom(values);
  const diagnoses = diagnoseAccessDenied(await read(source), config, locations, options);
  if (values["json"]) print(JSON.stringify(diagnoses));
  else if (diagnoses.length === 0) print("No access-denied message of AWS was found.");
  else print(diagnoses.map(diagnosisText).join("\n\n"));
  return diagnoses.length === 0;
}

async function check(values: Values, [file, ...more]: readonly string[]): Promise<boolean> {
  const action = one(values, "action");
  const resource = one(values, "resource");
  if (file === undefined || more.length > 0 || action === undefined || resource === undefined) {
    throw new UsageError("check takes one policy, --action and --resource.");
  }
  const context: Record<string, string[]> = Object.create(null);
  for (const pair of many(values, "context") ?? []) {
    const [, key, value = ""] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined) throw new UsageError("--context needs KEY=VALUE.");
    context[key] = [...(context[key] ?? []), value];
  }
  const policy = await readPolicy(file);
  const decision = decide(policy, { action, resource, context });
  if (values["json"]) print(JSON.stringify(decision));
  else print(decisionText(decision));
  return decision.decision === "allowed";
}

async function compare(values: Values, [a, b, ...more]: readonly string[]): Promise<boolean> {
  if (a === undefined || b === undefined || more.length > 0) {
    throw new UsageError("compare takes two policies.");
  }
  if (a === "-" && b === "-") throw new UsageError("Only one policy can be standard input.");
  const result = compareAccess(await readPolicy(a), await readPolicy(b));
  const { relation, onlyInFirst, onlyInSecond } = result;
  if (values["json"]) {
    print(JSON.stringify(result));
  } else {
    print(`${bold(`${a} is ${RELATIONS[relation]} ${b}`)}`);
    if (onlyInFirst) print(`  only ${a} allows ${JSON.stringify(onlyInFirst)}`);
    if (onlyInSecond) print(`  only ${b} allows ${JSON.stringify(onlyInSecond)}`);
  }
  return relation === "equal" || relation === "narrower";
}

const RELATIONS = {
  equal: "equal to",
  narrower: "narrower than",
  broader: "broader than",
  incomparable: "neither narrower nor broader than",
} as const;

interface SessionInput {
  /** Undefined if nothing was said of it. */
  readonly config: AwsStorageConfig | undefined;
  readonly locations: Locations | undefined;
  readonly options: SessionPolicyOptions;
}

async function sessionFrom(values: Values): Promise<SessionInput> {
  const file = one(values, "config");
  const fromFile = file === undefined ? undefined : configIn(await readJson(file));
  const type = one(values, "storage-type");
  const base = one(values, "default-base-location");
  const allowed = many(values, "allowed-location");
  const fields = defined({
    // Other types are refused as such by the library, in its own words.
    storageType: type === undefined ? undefined : (type.toUpperCase() as "S3"),
    roleArn: one(values, "role-arn"),
    region: one(values, "region"),
    externalId: one(values, "external-id"),
    userArn: one(values, "user-arn"),
    endpoint: one(values, "endpoint"),
    endpointInternal: one(values, "endpoint-internal"),
    stsEndpoint: one(values, "sts-endpoint"),
    pathStyleAccess: values["path-style-access"] === true ? true : undefined,
    allowedLocations:
      base === undefined ? allowed : [...(allowed ?? fromFile?.allowedLocations ?? []), base],
    currentKmsKey: one(values, "current-kms-key"),
    allowedKmsKeys: many(values, "allowed-kms-key"),
    kmsUnavailable: values["no-kms"] === true ? true : undefined,
    stsUnavailable: values["no-sts"] === true ? true : undefined,
  });
  const said = fromFile !== undefined || Object.keys(fields).length > 0;
  const locations = defined({
    read: many(values, "read"),
    list: many(values, "list"),
    write: many(values, "write"),
    delete: many(values, "delete"),
  });
  const most = one(values, "max-length");
  const options = defined({
    profile: one(values, "profile") as "polaris" | undefined,
    maxLength: most === undefined ? undefined : numberOf("--max-length", most),
    objectVersions: values["object-versions"] === true ? true : undefined,
    abortMultipartUploads: values["abort-multipart-uploads"] === true ? true : undefined,
    kmsViaService: values["no-kms-via-service"] === true ? false : undefined,
  });
  return {
    config: said ? { ...fromFile, ...fields } : undefined,
    locations: Object.keys(locations).length > 0 ? locations : undefined,
    options,
  };
}

/** The storage configuration in a document of the management API, or the document itself. */
function configIn(document: unknown): AwsStorageConfig {
  if (!isRecord(document)) throw new UsageError("--config must hold a JSON object.");
  const { catalogs, catalog, storageConfigInfo } = document;
  if (Array.isArray(catalogs)) {
    if (catalogs.length === 1) return configIn(catalogs[0]);
    throw new UsageError(`--config lists ${catalogs.length} catalogs; give it one.`);
  }
  if (isRecord(catalog)) return configIn(catalog);
  if (isRecord(storageConfigInfo)) return storageConfigInfo;
  return document;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function one(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

function many(values: Values, name: string): string[] | undefined {
  const value = values[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}

function numberOf(option: string, value: string): number {
  if (!/^(?:\d+|Infinity)$/.test(value)) throw new UsageError(`${option} needs a number.`);
  return Number(value);
}

async function read(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = file === "-" ? process.stdin : createReadStream(file);
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > MOST_INPUT) break;
      chunks.push(bytes);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new UsageError(`${nameOf(file)} can't be read (${code}).`);
  }
  if (size > MOST_INPUT) {
    throw new UsageError(`${nameOf(file)} is longer than ${MOST_INPUT / 1024 / 1024} MiB.`);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function nameOf(file: string): string {
  return file === "-" ? "Standard input" : file;
}

async function readJson(file: string): Promise<unknown> {
  const json = await read(file);
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message repeats what it read.
    throw new UsageError(`${nameOf(file)} is not JSON.`);
  }
}

async function readPolicy(file: string): Promise<AnyPolicyDocument> {
  const policy = await readJson(file);
  if (!isRecord(policy)) throw new UsageError(`${nameOf(file)} holds no policy.`);
  return policy as unknown as AnyPolicyDocument;
}

/** JSON of printable ASCII: readable for people, minified for pipes, unless told otherwise. */
function written(document: object, values: Values): string {
  if (values["pretty"] && values["compact"]) {
    throw new UsageError("Choose one of --pretty and --compact.");
  }
  const pretty = values["pretty"] || (process.stdout.isTTY && !values["compact"]);
  if (!pretty) return serializePolicy(document as PolicyDocument);
  return JSON.stringify(document, null, 2).replace(
    /[^\n\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function ofLimit(length: number, most: number): string {
  const used = `${length.toLocaleString("en")} of ${most.toLocaleString("en")} characters`;
  return most === Number.POSITIVE_INFINITY ? `${length.toLocaleString("en")} characters` : used;
}

function accessTable(policy: PolicyDocument): string {
  const rows = listAccess(policy).map((row) => {
    const where =
      row.key ?? (row.objects === undefined ? row.bucket : `${row.bucket}/${row.objects}`);
    return [[row.effect], row.actions, [where ?? row.resource], [row.condition]];
  });
  const heads = [["EFFECT"], ["ACTIONS"], ["ON"], ["IF"]];
  const widths = heads.map((_, column) =>
    Math.max(...[heads, ...rows].flatMap((row) => (row[column] ?? []).map((cell) => cell.length))),
  );
  const lines = [heads, ...rows].flatMap((row, i) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) => {
      const cells = row.map((cell, column) => (cell[line] ?? "").padEnd(widths[column] ?? 0));
      const joined = printable(cells.join("  ").trimEnd());
      return i === 0 ? bold(joined) : joined;
    });
  });
  return lines.join("\n");
}

function decisionText({ decision, statements }: ReturnType<typeof decide>): string {
  const by = `by ${statements.length === 1 ? "statement" : "statements"} ${statements.join(", ")}`;
  if (decision === "allowed") return `allowed ${by}`;
  return decision === "explicitlyDenied" ? `denied ${by}` : "denied: no statement allows it";
}

function diagnosisText(diagnosis: Diagnosis): string {
  const { cause, certainty, count, action, resource, bucket, key, operation } = diagnosis;
  const where = resource ?? (bucket === undefined ? "" : `s3://${bucket}/${key ?? ""}`);
  const title = `${cause}${count > 1 ? ` (${count} times)` : ""}`;
  const lines = [
    `  request   ${[action ?? operation ?? "unknown", where].filter(Boolean).join(" on ")}`,
    `  by        ${diagnosis.principal ?? "unknown"}`,
    `  denied by ${diagnosis.deniedBy ?? (diagnosis.keyFault ? "the key itself" : "unknown")}`,
    ...folded(
      `${certainty === "certain" ? "this is why: " : "this may be why: "}${diagnosis.explanation}`,
    ),
    ...[diagnosis.remedy ?? [], diagnosis.alternatives ?? []].flat().flatMap(remedyLines),
  ];
  return [bold(title), ...lines.map(printable)].join("\n");
}

function remedyLines(remedy: Remedy): string[] {
  const { field, cliFlag, value, when, statement, also } = remedy;
  const setting =
    value === false && cliFlag === "--no-kms"
      ? "leave --no-kms out"
      : `${cliFlag}${typeof value === "string" ? ` ${value}` : ""}`;
  const change = statement === undefined ? `${setting} (${field})` : JSON.stringify(statement);
  return [
    `  change    ${change}${when === undefined ? "" : `, if ${when}`}`,
    ...(also === undefined ? [] : remedyLines(also)),
  ];
}

/** Breaks a sentence into lines of at most 100 characters. */
function folded(sentence: string): string[] {
  return (sentence.match(/\S.{0,94}\S*(?=\s|$)|\S+/g) ?? []).map((line) => `  ${line.trim()}`);
}

/** Logs may hold control sequences, which must not reach the terminal. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, "\ufffd");
}

function bold(line: string): string {
  return process.stdout.isTTY && !process.env["NO_COLOR"] ? `\u001b[1m${line}\u001b[22m` : line;
}

function print(output: string): void {
  process.stdout.write(`${output}\n`);
}

function helpFor(name: string | undefined): string {
  const command = name === undefined ? undefined : COMMANDS[name];
  if (command === undefined) {
    const width = Math.max(...Object.keys(COMMANDS).map((known) => known.length));
    const rows = Object.entries(COMMANDS).map(
      ([known, { summary }]) => `  ${known.padEnd(width)}  ${summary}`,
    );
    const examples = Object.values(COMMANDS).map(
      ({ example }) => `  polaris-session-policy ${example}`,
    );
    return `Usage: polaris-session-policy COMMAND [options]\n\nCommands:\n${rows.join("\n")}\n\nExamples:\n${examples.join("\n")}\n\n  --json in every command, --help for each, --version.\n  Exit status: 0 fine, 1 the answer is no, 2 bad usage or input.`;
  }
  return `Usage: polaris-session-policy ${command.usage}\n\n${command.help}\n\nExample:\n  polaris-session-policy ${command.example}`;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === "--version") {
    const file = new URL("../package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    print(version);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "help") {
    if (name === undefined) throw new UsageError("Name a command.");
    print(helpFor(args[0]));
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError("There is no such command.");
  const { values, positionals } = argumentsOf(args, { ...OUTPUT_OPTIONS, ...command.options });
  if (values["help"]) {
    print(helpFor(name));
    return 0;
  }
  const takesFiles = /FILE|POLICY|A B/.test(command.usage);
  if (!takesFiles && positionals.length > 0) throw new UsageError(`${name} takes no files.`);
  return (await command.run(values, positionals)) ? 0 : 1;
}

function argumentsOf(args: readonly string[], options: OptionSpecs) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: parsed.values as Values, positionals: parsed.positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read our output has seen enough.
  if (error.code === "EPIPE") process.exit();
  throw error;
});

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.exitCode = 2;
    if (error instanceof SessionPolicyError) {
      const lines = error.message.split("\n").map((line) => `  ${line}\n`);
      process.stderr.write(`polaris-session-policy: ${error.code}\n${lines.join("")}`);
    } else if (error instanceof UsageError) {
      process.stderr.write(
        `polaris-session-policy: ${error.message}\n  Try polaris-session-policy --help.\n`,
      );
    } else {
      throw error;
    }
  },
);
