/**
 * Sessions in a role that has no more than `rolePolicy`: what engines send passes. What an audit finds
 * missing fails.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { buildAssumeRoleRequest, type Locations } from "../../src/index.ts";
import { auditRole, rolePolicy } from "../../src/setup/index.ts";
import type { Trace } from "../engines/traces.ts";
import {
  assume,
  createBuckets,
  createRole,
  isLet,
  type Operation,
  put,
  storageConfig,
} from "./client.ts";

const T = "wh/ns/t";
const lake = { ...storageConfig, allowedLocations: ["s3://lake/wh"] };
const policy = rolePolicy(lake);

interface Replayed {
  readonly operation: Operation;
  readonly key: string;
  /** What it needs of a role. */
  readonly action: string;
}

/**
 * A request of a trace, such as "HEAD manifest list". The gateway judges batches otherwise than S3, so
 * each key goes alone.
 */
function replayed(request: string): Replayed {
  const [, method = "", what = ""] = /^(batch delete|\w+) ?(.*)$/.exec(request) ?? [];
  const key = `${T}/data/${what.replaceAll(" ", "-") || "data"}`;
  switch (method) {
    case "GET":
      return { operation: "GetObject", key, action: "s3:GetObject" };
    case "HEAD":
      return { operation: "HeadObject", key, action: "s3:GetObject" };
    case "PUT":
      return { operation: "PutObject", key, action: "s3:PutObject" };
    case "multipart":
      return { operation: "MultipartUpload", key, action: "s3:PutObject" };
    case "LIST": {
      const prefix = what.replace("prefix T", T);
      return { operation: "ListObjects", key: prefix, action: "s3:ListBucket" };
    }
    case "DELETE":
    case "batch delete":
      return { operation: "DeleteObject", key, action: "s3:DeleteObject" };
    default:
      throw new Error(`No replay for "${request}".`);
  }
}

const traces: readonly Trace[] = JSON.parse(
  readFileSync(new URL("../engines/traces.json", import.meta.url), "utf8"),
);
/**
 * The operations that work, and send something. Whoever may not read sends HEAD only of keys that are
 * not there, which the gateway answers with 404 to all.
 */
const replays = traces.flatMap(({ engine, operation, accesses, requests }) => {
  const sent = requests.filter((one) => accesses?.includes("read") || !one.startsWith("HEAD"));
  if (accesses === null || sent.length === 0) return [];
  // A copy reads one key and writes another.
  const single = sent.flatMap((one) =>
    one.startsWith("copy") ? [one.replace("copy", "GET"), one.replace("copy", "PUT")] : [one],
  );
  return [{ name: `${engine} ${operation}`, accesses, requests: single.map(replayed) }];
});
type Replay = (typeof replays)[number];

/** The actions that a session in the role lacks, of those that the engine's requests need. */
async function refusedIn(roleArn: string, { accesses, requests }: Replay): Promise<string[]> {
  const locations: Locations = Object.fromEntries(
    accesses.map((access) => [access, [`s3://lake/${T}`]]),
  );
  const session = await assume(buildAssumeRoleRequest({ ...lake, roleArn }, locations));
  const refused = new Set<string>();
  for (const { operation, key, action } of requests) {
    if (action === "s3:GetObject") await put("lake", key);
    if (!(await isLet(session, operation, "lake", key))) refused.add(action);
  }
  return [...refused];
}

beforeAll(() => createBuckets("lake"));

describe("in a role with rolePolicy", () => {
  let roleArn = "";
  beforeAll(() => {
    roleArn = createRole("whole", policy);
  });

  test("every request of the engines' traces passes", async () => {
    expect(auditRole({ storageConfig: lake, policies: [policy] }).missing).toEqual([]);
    for (const replay of replays) expect(await refusedIn(roleArn, replay), replay.name).toEqual([]);
    expect(replays.length).toBeGreaterThan(30);
  });

  test("a session with a wide policy gets no more than the role has", async () => {
    const session = await assume({
      RoleArn: roleArn,
      RoleSessionName: "wide",
      Policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
      }),
    });
    await put("lake", "other/f");
    await put("lake", `${T}/f`);
    expect(await isLet(session, "GetObject", "lake", `${T}/f`)).toBe(true);
    expect(await isLet(session, "GetObject", "lake", "other/f")).toBe(false);
    expect(await isLet(session, "PutObject", "lake", "other/f")).toBe(false);
    expect(await isLet(session, "ListObjects", "lake", "other/")).toBe(false);
  });
});

test.each(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"])(
  "with %s taken out of the role, what fails is what the audit says is missing",
  async (action) => {
    const without = {
      ...policy,
      Statement: policy.Statement.flatMap((statement) => {
        const Action = [statement.Action].flat().filter((one) => one !== action);
        return Action.length === 0 ? [] : [{ ...statement, Action }];
      }),
    };
    const { missing } = auditRole({ storageConfig: lake, policies: [without] });
    expect(missing.map(({ request }) => request.action)).toEqual([action]);
    expect(missing[0]?.where).toBe("policies");

    const roleArn = createRole(`without-${action.split(":")[1]}`, without);
    const needing = replays.filter(({ requests }) => requests.some((one) => one.action === action));
    expect(needing.length).toBeGreaterThan(2);
    for (const replay of needing) {
      expect(await refusedIn(roleArn, replay), replay.name).toEqual([action]);
    }
    const other = replays.find((replay) => !needing.includes(replay));
    if (other !== undefined) expect(await refusedIn(roleArn, other), other.name).toEqual([]);
  },
);
