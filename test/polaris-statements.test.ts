import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SessionPolicyError } from "../src/index.ts";
import { ACCESSES, BIT, placeOf } from "../src/locations.ts";
import { polarisStatements } from "../src/polaris-statements.ts";
import { serializePolicy } from "../src/policy.ts";
import { parseStorageConfig } from "../src/storage-config.ts";
import { type AnyPolicy, asList } from "./support/iam.ts";
import { statementTexts } from "./support/statement-texts.ts";

type Lists = { readonly [access in (typeof ACCESSES)[number]]?: readonly string[] };

/** A place for each distinct URI; undefined if one is refused. */
function placesOf(locations: Lists) {
  const found = new Map<string, { place: string; accesses: number }>();
  for (const access of ACCESSES) {
    for (const uri of locations[access] ?? []) {
      const place = placeOf(uri);
      if (place === undefined) return undefined;
      const known = found.get(uri) ?? { place, accesses: 0 };
      known.accesses |= BIT[access];
      found.set(uri, known);
    }
  }
  return [...found.values()];
}

function predict(storageConfig: unknown, locations: Lists) {
  try {
    const places = placesOf(locations);
    return places && polarisStatements(parseStorageConfig(storageConfig), places);
  } catch (error) {
    if (error instanceof SessionPolicyError) return undefined;
    throw error;
  }
}

const DENY_ALL = { Effect: "Deny", Action: "*", Resource: "*" };

describe("Polaris' own statements, one for one", () => {
  for (const file of ["polaris-session-policies.json", "polaris-unusual-inputs.json"]) {
    const text = readFileSync(new URL(`vectors/${file}`, import.meta.url), "utf8");
    const vectors: {
      id: string;
      storageConfig: object;
      locations: Lists;
      policy?: AnyPolicy;
    }[] = JSON.parse(text);
    let compared = 0;
    test.each(vectors.map((vector) => [vector.id, vector] as const))(`${file}: %s`, (_, vector) => {
      const statements = predict(vector.storageConfig, vector.locations);
      if (vector.policy === undefined || statements === undefined) return;
      compared++;
      const ours = statements.length === 0 ? DENY_ALL : (statements as AnyPolicy["Statement"]);
      expect(statementTexts({ Statement: ours })).toEqual(statementTexts(vector.policy));
    });
    test(`${file}: nearly all are compared`, () => {
      expect(compared).toBeGreaterThan(vectors.length * 0.8);
    });
  }
});

const KEYS = [1, 2, 3].map(
  (n) => `arn:aws:kms:us-west-2:123456789012:key/0000000${n}-1111-2222-3333-444444444444`,
) as [string, string, string];
const kmsOf = (config: object, locations: Lists) =>
  predict(config, locations)?.filter(({ Action }) => asList(Action)[0]?.startsWith("kms:"));

describe("the key fields of Polaris 1.8.0, not compared with a server", () => {
  const config = {
    encryptionKeys: [KEYS[0], KEYS[0]],
    decryptionKeys: [KEYS[0], KEYS[1], KEYS[2], KEYS[1]],
  };
  const decrypt = ["kms:DescribeKey", "kms:Decrypt"];

  test("give keys that encrypt what currentKmsKey gets, and others Decrypt and DescribeKey", () => {
    expect(kmsOf(config, { write: ["s3://lake/t"] })).toEqual([
      kmsOf({ currentKmsKey: KEYS[0] }, { write: ["s3://lake/t"] })?.[0],
      { Effect: "Allow", Action: decrypt, Resource: [KEYS[1], KEYS[2]] },
    ]);
    expect(kmsOf(config, { read: ["s3://lake/t"] })).toEqual([
      { Effect: "Allow", Action: decrypt, Resource: KEYS[0] },
      { Effect: "Allow", Action: decrypt, Resource: [KEYS[1], KEYS[2]] },
    ]);
  });

  test("keep Polaris from its fallback to all keys of the account", () => {
    const role = { roleArn: "arn:aws:iam::123456789012:role/p", region: "us-west-2" };
    const read = { read: ["s3://lake/t"] };
    expect(kmsOf(role, read)?.[0]?.Resource).toBe("arn:aws:kms:us-west-2:123456789012:key/*");
    expect(kmsOf({ ...role, decryptionKeys: [KEYS[1]] }, read)?.[0]?.Resource).toBe(KEYS[1]);
    expect(kmsOf({ ...role, ...config, kmsUnavailable: true }, read)).toEqual([]);
  });
});

// A bucket's name of 14 and a prefix of 22 characters, as the compared cases had.
const TABLE = ["s3://wh-bucket-2026/warehouse/db/orders_01"];
test.each([
  [263, { read: TABLE }, []],
  [392, { read: TABLE, write: TABLE }, []],
  [545, { read: TABLE, list: TABLE, write: TABLE }, []],
  [545, { read: TABLE, list: TABLE, write: TABLE, delete: TABLE }, []],
  [283, { list: TABLE }, []],
  [259, { write: TABLE }, []],
  [259, { delete: TABLE }, []],
  [688, { read: TABLE, list: TABLE, write: TABLE, slash: true }, []],
  [770, { read: TABLE, list: TABLE, write: TABLE }, [KEYS[0]]],
  [928, { read: TABLE, list: TABLE, write: TABLE }, KEYS],
])("the server of 1.7.0 sent %i characters for %j and keys %j", (length, asked, keys) => {
  const { slash, ...lists } = asked as Lists & { slash?: boolean };
  const both = Object.entries(lists).map(([access, uris]) => [
    access,
    slash ? [...uris, ...uris.map((uri) => `${uri}/`)] : uris,
  ]);
  const [currentKmsKey, ...allowedKmsKeys] = keys;
  const Statement = predict({ currentKmsKey, allowedKmsKeys }, Object.fromEntries(both)) ?? [];
  expect(serializePolicy({ Version: "2012-10-17", Statement })).toHaveLength(length);
});
