/** What a person types, and what the library makes of it. */
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  type PolicyDocument,
  planSessionPolicies,
  SessionPolicyError,
  type SessionPolicyIssue,
  type SessionPolicyOptions,
  serializePolicy,
  storageConfigOf,
} from "polaris-session-policy";
import { reactive } from "vue";
import { lineOfFault, lineOfPath } from "./json-lines.ts";
import { isFields, pastedIn } from "./pasted.ts";

export const ACCESSES = ["read", "list", "write", "delete"] as const;
export type Access = (typeof ACCESSES)[number];

/** The options as switches; the words say what a session gains with the switch on. */
export const SWITCHES = [
  { name: "profile", words: "All that Polaris itself grants", normally: false },
  { name: "kmsViaService", words: "KMS keys through S3 only", normally: true },
  { name: "objectVersions", words: "Older versions of objects", normally: false },
  { name: "abortMultipartUploads", words: "Give up multipart uploads", normally: false },
  { name: "listMultipartUploads", words: "See the parts of multipart uploads", normally: false },
  { name: "objectTags", words: "Tags of objects", normally: false },
  { name: "objectAcls", words: "ACLs of objects", normally: false },
  { name: "barePaths", words: "The location's own name, for Hadoop's S3A", normally: false },
] as const satisfies readonly {
  name: keyof SessionPolicyOptions;
  words: string;
  normally: boolean;
}[];
export type Switch = (typeof SWITCHES)[number]["name"];

export type Input = {
  config: string;
  options: Record<Switch, boolean>;
  /** As typed; empty for the library's default. */
  maxLength: string;
} & Record<Access, string>;

const TABLE = "s3://polaris-quickstart/warehouse/sales/orders";

/** What the page opens with: a writer of one table and a reader of another, with an older key. */
export function example(): Input {
  const storageConfig = {
    storageType: "S3",
    allowedLocations: ["s3://polaris-quickstart/warehouse/"],
    roleArn: "arn:aws:iam::123456789012:role/polaris",
    region: "us-west-2",
    externalId: "quickstart-external-id",
    currentKmsKey: "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    allowedKmsKeys: ["arn:aws:kms:us-west-2:123456789012:key/0f9e8d7c-5555-6666-7777-888888888888"],
  };
  return {
    config: JSON.stringify(storageConfig, null, 2),
    read: `${TABLE}\ns3://polaris-quickstart/warehouse/sales/customers`,
    list: TABLE,
    write: TABLE,
    delete: "",
    options: Object.fromEntries(SWITCHES.map(({ name, normally }) => [name, normally])) as Record<
      Switch,
      boolean
    >,
    maxLength: "",
  };
}

export const input: Input = reactive(example());

/** The lines of a text box, and at which line of it each stands. */
export function linesOf(text: string): { line: number; uri: string }[] {
  return text
    .split("\n")
    .map((uri, i) => ({ line: i + 1, uri: uri.trim() }))
    .filter(({ uri }) => uri !== "");
}

export function locationsOf(from: Input): Record<Access, string[]> {
  const uris = (access: Access) => linesOf(from[access]).map(({ uri }) => uri);
  return { read: uris("read"), list: uris("list"), write: uris("write"), delete: uris("delete") };
}

export function optionsOf(from: Input): SessionPolicyOptions {
  const changed = SWITCHES.filter(({ name, normally }) => from.options[name] !== normally);
  const values = changed.map(({ name }) =>
    name === "profile" ? [name, "polaris"] : [name, from.options[name]],
  );
  const maxLength = from.maxLength.trim();
  return {
    ...Object.fromEntries(values),
    ...(maxLength === "" ? {} : { maxLength: Number(maxLength) }),
  };
}

const refused = (message: string) =>
  new SessionPolicyError("INVALID_STORAGE_CONFIG", [{ path: [], message }]);

function foundIn(text: string): unknown {
  try {
    return pastedIn(text).found;
  } catch {
    throw refused(
      text.trim() === ""
        ? "There is no storage configuration. Paste one, or a catalog, as JSON."
        : "This is not JSON. Paste a storage configuration or a catalog as JSON.",
    );
  }
}

/** The storage configuration in what was pasted: itself, or a catalog of the management API. */
export function configOf(text: string): AwsStorageConfig {
  const found = foundIn(text);
  if (Array.isArray(found) && found.length > 1) {
    throw refused(`The text holds ${found.length} catalogs. Keep one of them.`);
  }
  // What is no catalog is a storage configuration, or what the library refuses as one.
  return isFields(found) && "storageConfigInfo" in found
    ? storageConfigOf(found)
    : (found as AwsStorageConfig);
}

export interface Issue {
  /** The text box that it is about, or the options. */
  readonly field: "config" | "options" | Access;
  readonly path: SessionPolicyIssue["path"];
  readonly message: string;
  /** The line of the text box, where it is known. */
  readonly line?: number | undefined;
}

const placeOf = (path: SessionPolicyIssue["path"]) =>
  path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join("");

/** Each issue at the field that it is about, with the line in its text box. */
function issuesOf(error: SessionPolicyError, from: Input): Issue[] {
  return error.issues.map(({ path: whole, message }) => {
    if (error.code === "INVALID_OPTIONS") {
      return { field: "options", path: whole, message: `${placeOf(whole)}: ${message}` };
    }
    const path = whole[0] === "storageConfigInfo" ? whole.slice(1) : whole;
    const access = ACCESSES.find((name) => name === path[0]);
    if (access === undefined || error.code.includes("CONFIG") || error.code.includes("KEY")) {
      const place = placeOf(path);
      const line = lineOfFault(from.config) ?? lineOfPath(from.config, path);
      return {
        field: "config",
        path,
        message: place === "" ? message : `${place}: ${message}`,
        line,
      };
    }
    const line = typeof path[1] === "number" ? linesOf(from[access])[path[1]]?.line : undefined;
    return { field: access, path, message, line };
  });
}

export interface Built {
  readonly config?: AwsStorageConfig;
  readonly policy?: PolicyDocument;
  readonly text: string;
  readonly issues: readonly Issue[];
  /** What the library says of a policy that STS does not take, and over how many sessions it fits. */
  readonly tooLarge?: { readonly messages: readonly string[]; readonly sessions?: number };
}

const UNLIMITED = { maxLength: Number.POSITIVE_INFINITY };

/** Runs `make`, and returns what the library says where it refuses. */
export function attempt<T>(make: () => T): { value: T } | { error: SessionPolicyError } {
  try {
    return { value: make() };
  } catch (error) {
    if (error instanceof SessionPolicyError) return { error };
    throw error;
  }
}

export function build(from: Input): Built {
  const read = attempt(() => configOf(from.config));
  if ("error" in read) return { text: "", issues: issuesOf(read.error, from) };
  const config = read.value;
  const locations = locationsOf(from);
  const options = optionsOf(from);
  const whole = attempt(() => buildSessionPolicy(config, locations, { ...options, ...UNLIMITED }));
  if ("error" in whole) return { text: "", issues: issuesOf(whole.error, from) };
  const policy = whole.value;
  const text = serializePolicy(policy);
  const limited = attempt(() => buildSessionPolicy(config, locations, options));
  if ("value" in limited) return { config, policy, text, issues: [] };
  if (limited.error.code !== "POLICY_TOO_LARGE") {
    return { text: "", issues: issuesOf(limited.error, from) };
  }
  const plan = attempt(() => planSessionPolicies(config, locations, options));
  const tooLarge = {
    messages: limited.error.issues.map(({ message }) => message),
    ...("value" in plan ? { sessions: plan.value.length } : {}),
  };
  return { config, policy, text, issues: [], tooLarge };
}

/** The length that STS allows the Policy parameter of AssumeRole. */
export const STS_LIMIT = 2048;

/** The most characters that the input allows. */
export const mostOf = (from: Input): number => optionsOf(from).maxLength ?? STS_LIMIT;

/** How many characters the policy has more with the switch turned the other way, if it can be. */
export function costOf(from: Input, name: Switch, length: number): number | undefined {
  const turned = { ...from, options: { ...from.options, [name]: !from.options[name] } };
  const { policy, text } = build(turned);
  return policy === undefined ? undefined : text.length - length;
}

/** The parameters of AssumeRole, or why there are none. */
export function assumeRole(config: AwsStorageConfig, from: Input) {
  return attempt(() => buildAssumeRoleRequest(config, locationsOf(from), {}, optionsOf(from)));
}

export function polarisPolicy(config: AwsStorageConfig, from: Input) {
  return attempt(() =>
    buildSessionPolicy(config, locationsOf(from), { profile: "polaris", ...UNLIMITED }),
  );
}
