/** Whatever a session was granted, the server answers as `isAllowed` does. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { isAllowed } from "../../src/analysis/index.ts";
import { buildSessionPolicy, SessionPolicyError } from "../../src/index.ts";
import {
  accessRequestArbitrary,
  locationsArbitrary,
  storageConfigArbitrary,
} from "../../src/testing/index.ts";
import { createBuckets, isLet, type Operation, put, sessionWith } from "./client.ts";

const BUCKETS = ["wh-bucket", "wh-bucket2", "wh.bucket"];
const SCENARIOS = 100;
/** The same scenarios every time, as a quirk of the server is nothing to find in somebody's CI. */
const SEED = Number(process.env["SEED"] ?? 20_261_124);
const OPERATIONS: Readonly<Record<string, Operation>> = {
  "s3:GetObject": "GetObject",
  "s3:PutObject": "PutObject",
  "s3:DeleteObject": "DeleteObject",
  "s3:ListBucket": "ListObjects",
  "s3:GetBucketLocation": "GetBucketLocation",
};

/**
 * Limits of the server, which the scenarios show: it knows no escapes of `*`, `?` and `$`, and no ARNs
 * with a colon in the key. Such locations are left out here, and no others.
 */
const BEYOND_THE_SERVER = /[*?$]|:(?!\/\/)/;

/** Half a surrogate pair, as names cut anywhere may have at their end, can't be sent to any server. */
const UNSENDABLE = /\p{Cs}/u;

const scenarios = fc
  .tuple(
    storageConfigArbitrary({ partitions: ["aws"], maxKmsKeys: 0, customEndpoints: false }),
    locationsArbitrary({ buckets: BUCKETS }),
    fc.record({ abortMultipartUploads: fc.boolean() }),
  )
  .filter(
    ([, locations]) =>
      !Object.values(locations)
        .flat()
        .some((uri) => BEYOND_THE_SERVER.test(uri)),
  )
  .map(([config, locations, options]) => {
    try {
      return buildSessionPolicy({ ...config, kmsUnavailable: true }, locations, options);
    } catch (error) {
      if (error instanceof SessionPolicyError && error.code === "POLICY_TOO_LARGE")
        return undefined;
      throw error;
    }
  })
  .filter((policy) => policy !== undefined)
  .chain((policy) =>
    fc.record({
      policy: fc.constant(policy),
      requests: fc.array(
        accessRequestArbitrary(policy).filter(({ action, resource, context }) => {
          const [, bucket = "", key] = /:::([^/]*)\/?(.*)$/s.exec(resource) ?? [];
          return (
            action in OPERATIONS &&
            BUCKETS.includes(bucket) &&
            (key !== "" || !/Object$/.test(action)) &&
            !UNSENDABLE.test(`${key}${context?.["s3:prefix"] ?? ""}`) &&
            new TextEncoder().encode(key).length < 1000
          );
        }),
        { minLength: 4, maxLength: 12 },
      ),
    }),
  );

beforeAll(() => createBuckets(...BUCKETS));

test(`${SCENARIOS} scenarios`, async () => {
  const answers = { allowed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ policy, requests }) => {
      const session = await sessionWith(policy);
      for (const request of requests) {
        const { action, resource, context = {} } = request;
        const [, bucket = "", key = ""] = /:::([^/]*)\/?(.*)$/s.exec(resource) ?? [];
        const prefix = context["s3:prefix"];
        const operation = OPERATIONS[action] ?? "GetObject";
        const everything = operation === "ListObjects" && prefix === undefined;
        if (operation === "GetObject" || operation === "DeleteObject") await put(bucket, key);
        const expected = isAllowed(policy, request);
        const actual = await isLet(
          session,
          everything ? "ListEverything" : operation,
          bucket,
          operation === "ListObjects" ? String(prefix ?? "") : key,
        );
        expect(actual, JSON.stringify(request)).toBe(expected);
        answers[expected ? "allowed" : "refused"]++;
      }
    }),
    { numRuns: SCENARIOS, seed: SEED },
  );
  process.stdout.write(`${answers.allowed} requests allowed, ${answers.refused} refused\n`);
  expect(answers.allowed).toBeGreaterThan(100);
  expect(answers.refused).toBeGreaterThan(100);
});
