/** An array may have billions of holes at no cost; whoever visits each of them never comes back. */
import { expect, test } from "vitest";
import { decide, listAccess } from "../src/analysis/index.ts";
import { buildSessionPolicy, roleSessionName, sessionTags } from "../src/index.ts";
import { faultOf } from "./support/errors.ts";

const HOLES = Object.assign([] as never[], { length: 2 ** 32 - 1 });
const policyOf = (statement: object) => ({ Version: "2012-10-17", Statement: statement });
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const request = { action: "s3:GetObject", resource: "arn:aws:s3:::x" };

const calls: Record<string, [place: string, run: () => unknown]> = {
  allowedKmsKeys: ["allowedKmsKeys.0", () => buildSessionPolicy({ allowedKmsKeys: HOLES }, {})],
  allowedLocations: [
    "allowedLocations.0",
    () => buildSessionPolicy({ allowedLocations: HOLES }, {}),
  ],
  read: ["read.0", () => buildSessionPolicy({}, { read: HOLES })],
  roles: ["roles.0", () => sessionTags({ context: { roles: HOLES }, tagFields: ["roles"] })],
  nameFields: ["nameFields.0", () => roleSessionName({ nameFields: HOLES })],
  tagFields: ["tagFields.0", () => sessionTags({ tagFields: HOLES })],
  Statement: ["Statement.0", () => listAccess(policyOf(HOLES))],
  Action: ["Statement.Action", () => listAccess(policyOf({ ...allow, Action: HOLES }))],
  Resource: ["Statement.Resource", () => listAccess(policyOf({ ...allow, Resource: HOLES }))],
  "a value of StringLike": [
    "Statement.Condition.StringLike.s3:prefix",
    () => listAccess(policyOf({ ...allow, Condition: { StringLike: { "s3:prefix": HOLES } } })),
  ],
  "a value of Null": [
    "Statement.Condition.Null.s3:prefix",
    () => listAccess(policyOf({ ...allow, Condition: { Null: { "s3:prefix": HOLES } } })),
  ],
  "a context key": [
    "context.k",
    () => decide(policyOf(allow), { ...request, context: { k: HOLES } }),
  ],
};

test.each(Object.entries(calls))("%s is refused at its first holes", (_, [place, run]) => {
  expect(faultOf(run).paths[0]?.replace("context.roles", "roles")).toBe(place);
});
