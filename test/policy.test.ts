import { describe, expect, test } from "vitest";
import { type PolicyDocument, serializePolicy } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const policyOf = (Resource: string): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource }],
});

describe("serializePolicy", () => {
  test("is minified JSON", () => {
    expect(serializePolicy(policyOf("arn:aws:s3:::b/*"))).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}',
    );
  });

  test("escapes every character outside U+0020–U+007E and U+00A1–U+00FF, and no other", () => {
    const every = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).join("");
    const serialized = serializePolicy(policyOf(every));
    expect(serialized).toMatch(/^[ -~\u00a1-\u00ff]*$/);
    expect(JSON.parse(serialized)).toEqual(policyOf(every));
    expect(serializePolicy(policyOf("¡éÿ\u0100\u00a0売📦\u007f\u0080"))).toContain(
      '"¡éÿ\\u0100\\u00a0\\u58f2\\ud83d\\udce6\\u007f\\u0080"',
    );
    expect(serializePolicy(policyOf('~ "\\'))).toContain('"~ \\"\\\\"');
  });

  test.each([
    ["undefined", undefined],
    ["a string", "{}"],
    ["a function", () => 1],
    ["a BigInt", { Statement: [1n] }],
  ])("refuses %s as INVALID_POLICY", (_, policy) => {
    expect(faultOf(() => serializePolicy(policy as unknown as PolicyDocument)).code).toBe(
      "INVALID_POLICY",
    );
  });

  test("refuses cycles and throwing getters as INVALID_POLICY", () => {
    const cycle: Record<string, unknown> = {};
    cycle["Statement"] = cycle;
    const throwing = {
      get Statement() {
        throw new Error("secret");
      },
    };
    for (const policy of [cycle, throwing]) {
      expect(faultOf(() => serializePolicy(policy as unknown as PolicyDocument)).code).toBe(
        "INVALID_POLICY",
      );
    }
  });
});
