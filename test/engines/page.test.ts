/** docs/engines.md, the operations and their traces say the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ACCESSES, engineOperations, engines } from "./engines.ts";
import { type GuideResult, guidedEngines, guideSteps } from "./kms-guide.ts";
import { withGuide, withTables } from "./table.ts";
import { shapeOf, type Trace } from "./traces.ts";

const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");
const page = read("../../docs/engines.md");
const traces: readonly Trace[] = JSON.parse(read("traces.json"));

test("the page's tables are those of the traces", () => {
  expect(page).toBe(withTables(page, traces));
});

test("the KMS guide's page shows its run, which went as its steps say", () => {
  const guide = read("../../docs/kms-guide.md");
  const results: readonly GuideResult[] = JSON.parse(read("kms-guide.json"));
  expect(guide).toBe(withGuide(guide, results));
  for (const engine of guidedEngines) {
    expect(results.filter((result) => result.engine === engine)).toEqual(
      guideSteps.map(({ step, action, refused }) => ({
        engine,
        step,
        action,
        outcome: refused === undefined ? "works" : `refused: ${refused}`,
      })),
    );
  }
});

test("each operation has a trace of a run with the accesses that it needs", () => {
  expect(traces.map(({ engine, operation, accesses }) => [engine, operation, accesses])).toEqual(
    engineOperations.map(({ engine, operation, needs = null }) => [engine, operation, needs]),
  );
});

test.each(traces.map((trace) => [`${trace.engine} ${trace.operation}`, trace] as const))(
  "%s was tried without each access that it needs, and without it did not do its work",
  (_, { engine, operation, accesses, without }) => {
    const stated = engineOperations.find((o) => o.engine === engine && o.operation === operation);
    const tried = ACCESSES.filter((access) => accesses?.includes(access));
    expect(Object.keys(without).toSorted()).toEqual(tried.toSorted());
    for (const access of tried) {
      expect(without[access]).toBe(stated?.without?.[access] ?? "fails");
      expect(without[access]).not.toBe("succeeds");
    }
  },
);

test("each trace names its engine's version, as it is pinned", () => {
  for (const { engine, version } of traces) {
    const { jars } = engines[engine] ?? {};
    const pinned = read(jars === undefined ? "python/requirements.txt" : `java/${jars}`);
    const numbers = version.match(/\d+(\.\d+)*/g) ?? [];
    expect(numbers, engine).not.toEqual([]);
    for (const number of numbers) expect(pinned, engine).toContain(number);
  }
});

test("a request's shape has no ids, and says what was refused", () => {
  const at = (method: string, file: string, status = 200) =>
    ({ method, key: `wh/ns/t1${file}`, status }) as const;
  expect(
    shapeOf([
      at("HEAD", "/metadata/snap-1-0-ab.avro"),
      at("GET", "/metadata/ab-m0.avro"),
      at("GET", "/data/00000-0-f.parquet"),
      at("GET", "/data/00001-0-f.parquet"),
      at("HEAD", "", 403),
      at("LIST", "/data/"),
      at("LIST", "/_temporary/0/task_2026_m_1/"),
      at("LIST", "/.spark-staging-29a4e1fe-741d-4ec5-aece-86d532c7f014/"),
    ]),
  ).toEqual([
    "HEAD manifest list",
    "GET manifest",
    "GET data",
    "HEAD T, the location without a slash (refused)",
    "LIST prefix T/data/",
    "LIST prefix T/_temporary/",
    "LIST prefix T/.spark-staging/",
  ]);
});
