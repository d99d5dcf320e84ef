import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { policyMatchers } from "../../src/testing/index.ts";

test("importing testing/jest extends the global expect", async () => {
  const extend = vi.fn();
  vi.stubGlobal("expect", { extend });
  try {
    await import("../../src/testing/jest.ts");
  } finally {
    vi.unstubAllGlobals();
  }
  expect(extend.mock.calls).toEqual([[policyMatchers]]);
});

test("importing testing/vitest extends vitest's expect", async () => {
  await import("../../src/testing/vitest.ts");
  const policy = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/*" },
  };
  expect(policy).toAllow({ action: "s3:GetObject", resource: "arn:aws:s3:::lake/x" });
  expect(policy).toBeNoBroaderThan(JSON.stringify(policy));
});

test("bundlers keep both entries, and nothing else, for what they do on import", () => {
  const { sideEffects, exports } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  const entries = ["./testing/vitest", "./testing/jest"].flatMap((entry) => [
    exports[entry].import.default,
    exports[entry].require.default,
  ]);
  expect(sideEffects).toEqual(entries);
});
