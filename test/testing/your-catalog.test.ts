import { buildSessionPolicy } from "polaris-session-policy"; // or your own generator
import { assertLeastPrivilege } from "polaris-session-policy/testing";
import "polaris-session-policy/testing/vitest"; // extends expect; for jest: testing/jest
import { expect, test } from "vitest";

test("session policies grant the least privilege", () => {
  assertLeastPrivilege(buildSessionPolicy);
});

test("a reader of orders may not write them, nor read customers", () => {
  const policy = buildSessionPolicy({}, { read: ["s3://lake/sales/orders"] });
  const orders = "arn:aws:s3:::lake/sales/orders/1.parquet";
  expect(policy).toAllow({ action: "s3:GetObject", resource: orders });
  expect(policy).toDeny({ action: "s3:PutObject", resource: orders });
  expect(policy).toDeny({
    action: "s3:GetObject",
    resource: "arn:aws:s3:::lake/sales/customers/1",
  });
  expect(policy).toBeNoBroaderThan(buildSessionPolicy({}, { read: ["s3://lake/sales"] }));
});
