/** What holds of every diagnosis, judged by other means than it is made by. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Diagnosis, diagnoseAccessDenied, type Remedy } from "../../src/diagnosis/index.ts";
import type { AwsStorageConfig, Locations } from "../../src/index.ts";

const { storageConfig, sessions, cases } = JSON.parse(
  readFileSync(new URL("denials/cases.json", import.meta.url), "utf8"),
) as {
  readonly storageConfig: AwsStorageConfig;
  readonly sessions: Readonly<Record<string, Locations>>;
  readonly cases: readonly { readonly file: string; readonly session: string }[];
};
const reports: readonly { readonly text: string; readonly session: string }[] = JSON.parse(
  readFileSync(new URL("reports.json", import.meta.url), "utf8"),
);
const texts = [
  ...cases.map(({ file, session }) => ({
    text: readFileSync(new URL(`denials/texts/${file}`, import.meta.url), "utf8").slice(0, 4000),
    locations: sessions[session],
  })),
  ...reports.map(({ text, session }) => ({ text, locations: sessions[session] })),
];

function changes(remedy: Remedy | undefined): Remedy[] {
  return remedy === undefined ? [] : [remedy, ...changes(remedy.also)];
}

function certainChanges(diagnoses: readonly Diagnosis[]): Remedy[] {
  return diagnoses
    .filter(({ certainty }) => certainty === "certain")
    .flatMap(({ remedy }) => changes(remedy));
}

/** The values and statements that a text is answered with for certain. */
function certainValues(text: string, locations: Locations | undefined): Set<string> {
  const found = certainChanges(diagnoseAccessDenied(text, storageConfig, locations));
  return new Set(
    found.map(({ field, value, statement }) => JSON.stringify([field, value, statement])),
  );
}

const PREFIXES = [
  "> ",
  "│ ",
  "2025-10-14T02:55:14.127Z polaris-1 | ",
  "[pod/polaris] ",
  "# ",
  "12: ",
  "E1014 02:55:14.127 12 x.go:33] ",
  "polaris-1 polaris ",
];
const MASKS = ["***", "XXXXXXXXXXXX", "<account>", "[REDACTED]"];
const share = fc.double({ min: 0, max: 1, noNaN: true });
const at = (text: string, part: number) => Math.floor(text.length * part);
const wrapped = (text: string, width: number) =>
  text.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
const damage = fc.oneof(
  fc.tuple(share, share).map(([a, b]) => (text: string) => {
    return text.slice(at(text, Math.min(a, b)), at(text, Math.max(a, b)));
  }),
  fc.integer({ min: 20, max: 120 }).map((width) => (text: string) => wrapped(text, width)),
  fc.tuple(fc.integer({ min: 20, max: 120 }), fc.constantFrom(...PREFIXES)).map(
    ([width, prefix]) =>
      (text: string) =>
        wrapped(text, width)
          .split("\n")
          .map((line) => prefix + line)
          .join("\n"),
  ),
  fc.tuple(share, fc.constantFrom("\u001b[31m", "\u001b[0m")).map(([a, code]) => (text: string) => {
    return text.slice(0, at(text, a)) + code + text.slice(at(text, a));
  }),
  fc.tuple(share, fc.constantFrom(...MASKS)).map(([a, mask]) => (text: string) => {
    return text.slice(0, at(text, a)) + mask + text.slice(at(text, a) + 6);
  }),
  fc.constantFrom(...MASKS).map((mask) => (text: string) => text.replace(/\d{12}/g, mask)),
);

test("a damaged copy of a text never gives another certain value than the whole one", () => {
  fc.assert(
    fc.property(fc.constantFrom(...texts), damage, ({ text, locations }, harm) => {
      const whole = certainValues(text, locations);
      for (const value of certainValues(harm(text), locations)) expect([...whole]).toContain(value);
    }),
    { numRuns: 1500 },
  );
});

const folder = fc.constantFrom("wh", "sales", "orders", "data", "metadata", "day=1");
const path = fc.array(folder, { maxLength: 5 }).map((folders) => folders.join("/"));
const request = (principal: string, action: string, key: string) =>
  `User: ${principal} is not authorized to perform: ${action} on resource: "arn:aws:s3:::lake/${key}" because no session policy allows the ${action} action`;
const actions = fc.constantFrom("s3:GetObject", "s3:PutObject", "s3:DeleteObject");
const catalog = { roleArn: "arn:aws:iam::123456789012:role/lake/polaris", region: "eu-west-1" };

/** The place of a location, by a rule of its own: what it holds, with a slash at the end. */
const placeOf = (uri: string) => `${uri.replace(/\/+$/, "")}/`;

describe("a remedy", () => {
  const places = fc.array(
    path.map((folders) => `s3://lake/${folders}`),
    { minLength: 1, maxLength: 4 },
  );

  test("that is certain never widens a grant to what lies around it, nor to a bucket", () => {
    let granted = 0;
    fc.assert(
      fc.property(places, path, actions, (list, key, action) => {
        const locations = { list: list.filter((uri) => uri !== "s3://lake/") };
        const text = request("arn:aws:sts::123456789012:assumed-role/polaris/etl", action, key);
        const found = certainChanges(diagnoseAccessDenied(text, catalog, locations));
        for (const { field, value } of found) {
          if (!["read", "list", "write", "delete"].includes(field ?? "")) continue;
          const place = placeOf(String(value));
          // A location that the session has already, for another access, is not widened.
          if (locations.list.map(placeOf).includes(place)) continue;
          const inner = locations.list.map(placeOf).filter((other) => other.startsWith(place));
          expect(
            inner.filter((other) => other !== place),
            text,
          ).toEqual([]);
          expect(place).not.toBe("s3://lake/");
          granted++;
        }
      }),
      { numRuns: 2000 },
    );
    expect(granted).toBeGreaterThan(100);
  });

  test("of a principal that is not the catalog's changes nothing", () => {
    const foreign = fc.constantFrom(
      "arn:aws:sts::123456789012:assumed-role/glue/etl",
      "arn:aws:sts::999988887777:assumed-role/polaris/etl",
      "arn:aws:iam::123456789012:user/bob",
      "arn:aws:iam::123456789012:role/glue",
      "anonymous",
    );
    fc.assert(
      fc.property(foreign, places, path, actions, (principal, list, key, action) => {
        const text = request(principal, action, key);
        for (const diagnosis of diagnoseAccessDenied(text, catalog, { list })) {
          expect(diagnosis.remedy).toBeUndefined();
          expect(diagnosis.alternatives).toBeUndefined();
        }
      }),
    );
  });
});

test("many denials are one finding, with their number and the lines where they stand", () => {
  const log = Array.from({ length: 300 }, (_, i) =>
    request(
      "arn:aws:sts::123456789012:assumed-role/polaris/etl",
      "s3:DeleteObject",
      `t/data/f${i}`,
    ),
  ).join("\n\n");
  const found = diagnoseAccessDenied(log, catalog, { read: ["s3://lake/t"] });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    cause: "access-not-granted",
    count: 300,
    firstLine: 1,
    lastLine: 599,
  });
  expect(found[0]?.resources).toHaveLength(5);
});
