/**
 * The calls of a running Polaris 1.7.0 as its log of STS shows them: what each session was asked for
 * and what the call needs, our policies beside what it sent. docs/polaris-compatibility.md has the table.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compareAccess } from "../src/analysis/index.ts";
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  serializePolicy,
} from "../src/index.ts";
import { type AnyPolicy, allows, type Request } from "./support/iam.ts";
import { statementTexts } from "./support/statement-texts.ts";

interface Catalog {
  readonly storageConfig: AwsStorageConfig;
  readonly nameFields?: readonly string[];
  readonly tagFields?: readonly string[];
}

/** A session, as Polaris asked STS for it. */
interface Session {
  readonly use: string;
  readonly roleSessionName: string;
  readonly durationSeconds: number;
  readonly externalId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** How many characters the policy had on the wire. */
  readonly length: number;
  readonly locations: Readonly<Record<"read" | "list" | "write", readonly string[]>>;
  readonly needs: Locations;
  readonly policy: AnyPolicy;
}

interface Call {
  readonly call: string;
  readonly kind: string;
  readonly catalog: string;
  readonly asked: readonly Session[];
}

const file = new URL("vectors/catalog-calls-1.7.0.json", import.meta.url);
const { catalogs, calls }: { catalogs: Record<string, Catalog>; calls: readonly Call[] } =
  JSON.parse(readFileSync(file, "utf8"));
const page = readFileSync(new URL("../docs/polaris-compatibility.md", import.meta.url), "utf8");
const sessions = calls.flatMap(({ call, kind, catalog, asked }) =>
  asked.map((session, i) => {
    const of = catalogs[catalog];
    if (of === undefined) throw new Error(`There is no catalog ${catalog}.`);
    return { name: `${call}, ${i + 1}: ${session.use}`, kind, catalog: of, session };
  }),
);
type Asked = (typeof sessions)[number];

const ours = ({ catalog, session }: Asked) =>
  buildSessionPolicy(catalog.storageConfig, session.needs);
const predicted = ({ catalog, session }: Asked) =>
  buildSessionPolicy(catalog.storageConfig, session.locations, { profile: "polaris" });

const OBJECT = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"];
const KEY = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
];
const arnOf = (uri: string) => `arn:aws:s3:::${uri.replace(/^s3a?:\/\//, "")}`;
const keysOf = ({ currentKmsKey, allowedKmsKeys }: AwsStorageConfig) => ({
  current: currentKmsKey ?? "",
  all: [currentKmsKey, ...(allowedKmsKeys ?? [])].filter((key) => key != null),
});

function lists(uri: string): Request {
  const [bucket = "", ...prefix] = arnOf(uri).split("/");
  return {
    action: "s3:ListBucket",
    resource: bucket,
    context: { "s3:prefix": `${prefix.join("/")}/` },
  };
}

/** The requests that a call sends, by what it needs. */
function requestsOf({ catalog, session }: Asked): Request[] {
  const { read = [], list = [], write = [], delete: deleted = [] } = session.needs;
  const objects = (action: string, uris: Iterable<string>) =>
    [...uris].map((uri) => ({ action, resource: `${arnOf(uri)}/00000-a.metadata.json` }));
  const { current, all } = keysOf(catalog.storageConfig);
  const uses = (action: string, keys: readonly string[]) =>
    keys.map((resource) => ({ action, resource }));
  const reads = objects("s3:GetObject", read);
  const writes = objects("s3:PutObject", write);
  return [
    ...reads,
    ...writes,
    ...objects("s3:DeleteObject", deleted),
    ...[...list].map(lists),
    ...(reads.length > 0 ? uses("kms:Decrypt", all) : []),
    ...(writes.length > 0 && all.length > 0 ? uses("kms:GenerateDataKey", [current]) : []),
    ...(writes.length > 0 && all.length > 0 ? uses("kms:Decrypt", [current]) : []),
  ];
}

/** Requests in and beside what a session is for: each action on each place and key. */
function probesOf({ catalog, session }: Asked): Request[] {
  const { read } = session.locations;
  const places = [
    ...read,
    ...read.map((uri) => `${uri}/metadata`),
    ...read.map((uri) => `${uri}2`),
  ];
  return [
    ...OBJECT.flatMap((action) =>
      places.map((uri) => ({ action, resource: `${arnOf(uri)}/00000-a.metadata.json` })),
    ),
    ...places.map(lists),
    ...KEY.flatMap((action) =>
      keysOf(catalog.storageConfig).all.map((resource) => ({ action, resource })),
    ),
  ];
}

describe("what a call of Polaris 1.7.0 asked STS for", () => {
  test.each(sessions.map((asked) => [asked.name, asked] as const))("%s", (_, asked) => {
    const { session, catalog } = asked;
    // Polaris writes characters above U+FFFF as two escapes.
    const text = JSON.stringify(session.policy).replace(/[\ud800-\udfff]/g, "\\uD800");
    expect(text).toHaveLength(session.length);
    expect(statementTexts(predicted(asked) as AnyPolicy)).toEqual(statementTexts(session.policy));

    const policy = ours(asked);
    expect(["equal", "narrower"]).toContain(
      compareAccess(policy, session.policy as PolicyDocument).relation,
    );
    const refused = requestsOf(asked).filter((one) => !allows(policy as AnyPolicy, one));
    expect(refused, "the call needs them").toEqual([]);
    const broader = probesOf(asked).filter(
      (one) => allows(policy as AnyPolicy, one) && !allows(session.policy, one),
    );
    expect(broader).toEqual([]);

    const { tags, roleSessionName } = session;
    const known = (name: string) => {
      const value = tags?.[`polaris:${name}`];
      return value === "unknown" ? undefined : value;
    };
    const traceId = known("trace_id");
    const request = buildAssumeRoleRequest(catalog.storageConfig, session.locations, {
      nameFields: catalog.nameFields,
      tagFields: catalog.tagFields,
      context: {
        realm: known("realm"),
        catalog: known("catalog"),
        namespace: known("namespace"),
        table: known("table"),
        principal: known("principal"),
        roles: known("roles")?.split(","),
        traceId,
      },
    } as Parameters<typeof buildAssumeRoleRequest>[2]);
    expect(request.RoleSessionName).toBe(roleSessionName);
    expect(request.DurationSeconds).toBe(session.durationSeconds);
    expect(request.ExternalId).toBe(session.externalId);
    const sent = Object.entries(tags ?? {}).map(([Key, value]) => ({
      Key,
      // STS refuses the comma with which Polaris joins roles.
      Value: Key === "polaris:roles" ? value.replace(",", "+") : value,
    }));
    expect(request.Tags ?? []).toEqual(sent);
    expect(request.TransitiveTagKeys ?? []).toEqual(Object.keys(tags ?? {}));
  });

  test("there are 60 sessions of all kinds of calls, two of which had roles joined by a comma", () => {
    expect(sessions).toHaveLength(60);
    expect(new Set(sessions.map(({ kind }) => kind)).size).toBe(8);
    const joined = sessions.filter(({ session }) => session.tags?.["polaris:roles"]?.includes(","));
    expect(joined).toHaveLength(2);
    expect(page).toContain("in a tag we join roles with `+`. Polaris writes a comma");
  });
});

test("the page has the table of a catalog's calls, one row a kind", () => {
  const rows = new Map<string, string>();
  for (const asked of sessions) {
    const { kind, session } = asked;
    const name = [kind, session.use, accessesOf(session.locations)].join();
    if (!rows.has(name)) rows.set(name, row(asked));
  }
  const table = `| call | session | Polaris asks for | the call needs | falls away | characters: Polaris / ours |
| --- | --- | --- | --- | --- | --- |
${[...rows.values()].join("\n")}
`;
  expect(page.split("<!-- calls -->\n")[1]).toBe(table);
});

function row(asked: Asked): string {
  const { kind, session } = asked;
  const { locations, needs } = session;
  const cells = [
    kind,
    session.use,
    accessesOf(locations),
    accessesOf(needs) || "nothing",
    fallenAway(asked),
    `${session.length} / ${serializePolicy(ours(asked)).length}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** `read, list` of each folder, written from the table's own on. */
function accessesOf(locations: Locations): string {
  const byPlace = new Map<string, string[]>();
  for (const access of ["read", "list", "write", "delete"] as const) {
    for (const uri of locations[access] ?? []) {
      byPlace.set(uri, [...(byPlace.get(uri) ?? []), access]);
    }
  }
  const byAccess = new Map<string, string[]>();
  for (const [uri, accesses] of byPlace) {
    const names = accesses.join(", ");
    byAccess.set(names, [...(byAccess.get(names) ?? []), nameOf(uri)]);
  }
  return [...byAccess].map(([names, places]) => `${names}: ${places.sort().join(", ")}`).join("; ");
}

/** What a location is to its table or view. */
function nameOf(uri: string): string {
  if (uri.includes("/pol-meta/") || uri.endsWith("/metadata")) return "metadata";
  if (uri.startsWith("s3://pol-data/") && uri.includes("/d/")) return "data path";
  return /\/v\d+$/.test(uri) ? "view" : "table";
}

/** The actions that only Polaris' policy allows, and those that ours allows on less. */
function fallenAway(asked: Asked): string {
  const allowedBy = (policy: AnyPolicy) =>
    new Set(
      probesOf(asked)
        .filter((one) => allows(policy, one))
        .map((one) => JSON.stringify(one)),
    );
  const theirs = allowedBy(asked.session.policy);
  const mine = allowedBy(ours(asked) as AnyPolicy);
  const actions = [...OBJECT, "s3:ListBucket", ...KEY];
  const of = (set: ReadonlySet<string>, action: string) =>
    [...set].filter((one) => one.includes(`"${action}"`)).length;
  const gone = actions.filter((action) => of(theirs, action) > 0 && of(mine, action) === 0);
  const narrower = actions.filter(
    (action) => of(mine, action) > 0 && of(mine, action) < of(theirs, action),
  );
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  return [code(gone), narrower.length > 0 ? `less of ${code(narrower)}` : ""]
    .filter((part) => part !== "")
    .join("; ");
}
