import { describe, expect, test } from "vitest";
import { bucketFault } from "../src/buckets.ts";

describe("a bucket name that S3 keeps for itself", () => {
  test.each([
    ["lake--usw2-az1--x-s3", "general purpose bucket"],
    ["63a8e430-6e0b-46f5-k833abtwr6s8tmtsycedn8s4yc3xhuse1b--table-s3", "s3tables"],
    ["lake-1a2b3c--ol-s3", "Object Lambda"],
    ["mfzwi23gnjvgw.mrap", "multi-Region access point"],
    ["lake-metadata-abcdefghi-s3alias", "the bucket itself"],
    ["xn--lake", "xn--"],
    ["sthree-configurator", "sthree-"],
  ])("%s is refused on AWS, with what to use instead, and ordinary elsewhere", (name, reason) => {
    expect(bucketFault(name, true)).toContain(reason);
    expect(bucketFault(name, true)).toMatch(/[uU]se (a general|the bucket|the name)/);
    expect(bucketFault(name, false)).toBeUndefined();
  });

  test.each([
    "lake",
    "x-s3",
    "a--x-s3b",
    "lake--table-s3-copy",
    "mrap",
    "s3alias",
    "lake-xn--x",
    "my-sthree-lake",
  ])("%s is an ordinary name", (name) => {
    expect(bucketFault(name, true)).toBeUndefined();
  });
});
