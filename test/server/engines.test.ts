/** The request sequences of engines pass with the accesses they need, and not with one less. */
import { beforeAll, describe, expect, test } from "vitest";
import { createBuckets, isLet, type Operation, put, sessionFor } from "./client.ts";
import { type Access, type EngineOperation, engineOperations } from "./engines.ts";

const TABLE = "s3://lakehouse/db/orders";

beforeAll(() => createBuckets("lakehouse"));

/** The requests that a session with these accesses is refused. */
async function refusedTo(accesses: readonly Access[], { requests }: EngineOperation) {
  const session = await sessionFor(Object.fromEntries(accesses.map((access) => [access, [TABLE]])));
  const refused: Operation[] = [];
  for (const [operation, path] of requests) {
    const key = `db/orders/${path}`;
    if (path !== "") await put("lakehouse", key);
    // A limit of the server: it judges a batch for the bucket. S3 judges each key, as for DeleteObject.
    const sent = operation === "DeleteObjects" ? "DeleteObject" : operation;
    if (!(await isLet(session, sent, "lakehouse", key))) refused.push(operation);
  }
  return refused;
}

describe.each(["Iceberg S3FileIO", "Trino native S3", "DuckDB httpfs"])("%s", (engine) => {
  const operations = engineOperations.filter((operation) => operation.engine === engine);
  test.each(operations.map((operation) => [operation.operation, operation] as const))(
    "%s",
    async (_, operation) => {
      expect(await refusedTo(operation.needs, operation)).toEqual([]);
      for (const access of operation.needs) {
        const others = operation.needs.filter((other) => other !== access);
        expect(await refusedTo(others, operation), `without ${access}`).not.toEqual([]);
      }
    },
  );
});

test("a list whose prefix lacks the slash is refused, as it would show siblings", async () => {
  const session = await sessionFor({ list: [TABLE] });
  expect(await isLet(session, "ListObjects", "lakehouse", "db/orders")).toBe(false);
  expect(await isLet(session, "ListObjects", "lakehouse", "db/orders/")).toBe(true);
});
