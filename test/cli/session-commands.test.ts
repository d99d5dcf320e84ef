import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildSessionPolicy, planSessionPolicies, serializePolicy } from "../../src/index.ts";
import { ROOT, run } from "../support/command.ts";

const CATALOG = join(ROOT, "docs/examples/quickstart_catalog.json");
const config = JSON.parse(readFileSync(CATALOG, "utf8")).storageConfigInfo;

describe("plan", () => {
  const uris = Array.from({ length: 60 }, (_, i) => `s3://polaris-quickstart/warehouse/ns/t${i}`);
  const args = ["plan", "--config", CATALOG, ...uris.flatMap((uri) => ["--read", uri])];

  test("shows the sessions that the library finds, with their lengths", async () => {
    const plans = planSessionPolicies(config, { read: uris });
    const { status, out } = await run([...args, "--list", uris[0] ?? ""]);
    expect(status).toBe(0);
    for (const uri of uris.slice(1)) expect(out).toMatch(new RegExp(` ${uri} +read$`, "m"));
    expect(out).toMatch(/ s3:\/\/polaris-quickstart\/warehouse\/ns\/t0 +read, list$/m);
    expect(out).toMatch(/\n\n\d sessions, each with a policy of at most 2,048 characters\n$/);
    const json = JSON.parse((await run([...args, "--json"])).out);
    expect(json).toEqual(
      plans.map((one) => ({ ...one, length: serializePolicy(one.policy).length })),
    );
  });
});

describe("build --vs-polaris", () => {
  const table = "s3://polaris-quickstart/warehouse/t";
  const args = ["build", "--config", CATALOG, "--write", table, "--vs-polaris"];
  const polaris = buildSessionPolicy(config, { write: [table] }, { profile: "polaris" });

  test("shows what Polaris would allow beyond the policy, and its length", async () => {
    const { status, out } = await run([...args, "--compact"]);
    expect(status).toBe(0);
    const [policy, more = "", length] = out.split("\n\n");
    expect(policy).not.toContain("DeleteObject");
    expect(more).toMatch(/^Polaris would also allow:\nEFFECT/);
    expect(more).toContain("s3:DeleteObject");
    expect(more).not.toContain("s3:PutObject");
    expect(length).toBe(
      `Its policy has ${serializePolicy(polaris).length.toLocaleString("en")} of 2,048 characters\n`,
    );
  });

  test("says so where that is nothing", async () => {
    const { out } = await run([...args, "--compact", "--profile", "polaris"]);
    expect(out).toContain("Polaris would allow nothing beyond this policy.");
    const json = JSON.parse((await run([...args, "--json"])).out);
    expect(json.polaris).toMatchObject({ policy: polaris, beyond: [{}, {}, {}, {}] });
  });
});

test("takes the key fields of Polaris 1.8.0, each as often as there are keys", async () => {
  const key = (last: number) =>
    `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-44444444444${last}`;
  const args = ["build", "--write", "s3://lake/t", "--read", "s3://lake/t", "--storage-name", "s"];
  const keys = ["--encryption-key", key(1), "--encryption-key", key(2), "--decryption-key", key(3)];
  const { out } = await run([...args, ...keys]);
  expect(JSON.parse(out)).toEqual(
    buildSessionPolicy(
      { encryptionKeys: [key(1), key(2)], decryptionKeys: [key(3)] },
      { read: ["s3://lake/t"], write: ["s3://lake/t"] },
    ),
  );
});
