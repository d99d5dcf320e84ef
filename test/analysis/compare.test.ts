import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareAccess, decide } from "../../src/analysis/index.ts";
import { buildSessionPolicy } from "../../src/index.ts";
import { type ArbitraryPolicy, arbitraryPolicy } from "../support/arbitrary-policies.ts";
import { faultOf } from "../support/errors.ts";
import { allows, type Request } from "../support/iam.ts";

const numRuns = Number(process.env["FC_NUM_RUNS"] ?? 1000);

/** All texts over a small alphabet, up to a length; `c` is in no pattern. */
function texts(length: number): string[] {
  if (length === 0) return [""];
  const shorter = texts(length - 1);
  return [
    ...new Set([...shorter, ...shorter.flatMap((text) => ["a", "b", "c"].map((c) => text + c))]),
  ];
}

const REQUESTS: Request[] = ["a", "b", "ab", "c"].flatMap((action) =>
  texts(3).flatMap((resource) =>
    [undefined, ...texts(2)].map((k) => ({
      action,
      resource,
      context: k === undefined ? {} : { k },
    })),
  ),
);

const valid = arbitraryPolicy.filter((policy) => !/\$(?!\{[*?$]\})/.test(JSON.stringify(policy)));

/** A policy, and one that is much the same: a statement left out, turned round or listed twice. */
const related = fc
  .tuple(valid, fc.nat(), fc.constantFrom("drop", "flip", "repeat", "reverse"))
  .map(([policy, which, how]): [ArbitraryPolicy, ArbitraryPolicy] => {
    const i = which % policy.Statement.length;
    const Statement = policy.Statement.flatMap((statement, at) => {
      if (at !== i) return [statement];
      if (how === "drop" && policy.Statement.length > 1) return [];
      if (how === "flip") {
        return [
          {
            ...statement,
            Effect: statement.Effect === "Allow" ? ("Deny" as const) : ("Allow" as const),
          },
        ];
      }
      return how === "repeat" ? [statement, statement] : [statement];
    });
    return [policy, { ...policy, Statement: how === "reverse" ? Statement.reverse() : Statement }];
  });
const pairs = fc.oneof(related, fc.tuple(valid, valid));

function check([a, b]: [ArbitraryPolicy, ArbitraryPolicy]) {
  const result = compareAccess(a, b);
  const { relation, onlyInFirst, onlyInSecond } = result;
  expect([relation, onlyInFirst !== undefined, onlyInSecond !== undefined]).toEqual(
    {
      equal: ["equal", false, false],
      broader: ["broader", true, false],
      narrower: ["narrower", false, true],
      incomparable: ["incomparable", true, true],
    }[relation],
  );
  for (const [witness, yes, no] of [
    [onlyInFirst, a, b],
    [onlyInSecond, b, a],
  ] as const) {
    if (witness === undefined) continue;
    expect([allows(yes, witness), allows(no, witness)]).toEqual([true, false]);
    expect(decide(yes, witness).decision).toBe("allowed");
  }
  return result;
}

describe("compareAccess, against every request over a small alphabet,", () => {
  test("finds each difference, and its witnesses are real", () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        const { onlyInFirst, onlyInSecond } = check(pair);
        const [a, b] = pair;
        for (const request of REQUESTS) {
          const [inFirst, inSecond] = [allows(a, request), allows(b, request)];
          if (inFirst && !inSecond) expect(onlyInFirst, JSON.stringify(request)).toBeDefined();
          if (inSecond && !inFirst) expect(onlyInSecond, JSON.stringify(request)).toBeDefined();
        }
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  }, 3_600_000);

  test("is reflexive, symmetric and transitive", () => {
    const flipped = {
      equal: "equal",
      broader: "narrower",
      narrower: "broader",
      incomparable: "incomparable",
    };
    const noBroader = (a: ArbitraryPolicy, b: ArbitraryPolicy) =>
      ["equal", "narrower"].includes(compareAccess(a, b).relation);
    fc.assert(
      fc.property(pairs, valid, ([a, b], c) => {
        expect(compareAccess(a, a)).toEqual({ relation: "equal" });
        expect(compareAccess(b, a).relation).toBe(flipped[compareAccess(a, b).relation]);
        for (const [x, y, z] of [
          [a, b, c],
          [b, c, a],
          [c, a, b],
          [a, c, b],
        ] as const) {
          if (noBroader(x, y) && noBroader(y, z)) expect(noBroader(x, z)).toBe(true);
        }
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  }, 3_600_000);
});

const S3 = "arn:aws:s3:::";
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource, ...(Condition && { Condition }) }],
});
const relation = (a: ReturnType<typeof allow>, b: ReturnType<typeof allow>) =>
  compareAccess(a, b).relation;

describe("compareAccess knows", () => {
  test("that a union of patterns may be another pattern", () => {
    const union = allow("x:y", ["?", "", "??*"]);
    expect(relation(union, allow("x:y", "*"))).toBe("equal");
    expect(
      compareAccess(allow("x:y", ["", "??*"]), allow("x:y", "*")).onlyInSecond?.resource,
    ).toHaveLength(1);
    expect(relation(allow("x:y", ["a*", "*b"]), allow("x:y", ["*b", "a*", "a*b"]))).toBe("equal");
    expect(relation(allow("x:y", "a*b*c"), allow("x:y", "a*c"))).toBe("narrower");
  });

  test("that repeated * are one", () => {
    expect(relation(allow("x:y", "ab**c"), allow("x:y", "ab*c"))).toBe("equal");
    expect(relation(allow("x:y", "ab***"), allow("x:y", "ab*"))).toBe("equal");
  });

  test("characters that no pattern spells out, whichever these are", () => {
    const spelled = [..."wxyz"].map((character) => `b/${character}*`);
    expect(relation(allow("x:y", spelled), allow("x:y", "b/?*"))).toBe("narrower");
    expect(relation(allow("x:y", "b/x*"), allow("x:y", "b/*x*"))).toBe("narrower");
  });

  test("which actions are about objects, buckets and keys", () => {
    const apart = {
      Version: "2012-10-17",
      Statement: [
        ...allow("s3:GetBucketLocation", `${S3}b`).Statement,
        ...allow("s3:GetObject", `${S3}b/*`).Statement,
      ],
    };
    const together = allow(["s3:GetBucketLocation", "s3:GetObject"], [`${S3}b`, `${S3}b/*`]);
    expect(compareAccess(apart, together)).toEqual({ relation: "equal" });
    expect(
      relation(allow("s3:PutBucketPolicy", `${S3}b/*`), allow("s3:GetObject", `${S3}b/*`)),
    ).toBe("incomparable");
    expect(
      relation(
        allow("s3:GetObject", "arn:aws:kms:us-west-2:1:key/x"),
        allow("kms:Decrypt", `${S3}b`),
      ),
    ).toBe("equal");
    expect(relation(allow("s3:Get*", `${S3}b`), allow("s3:GetBucketLocation", `${S3}b`))).toBe(
      "broader",
    );
  });

  const OBJECT = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:DeleteObjectVersion",
    "s3:GetObjectAcl",
    "s3:PutObjectAcl",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
    "s3:RestoreObject",
  ];
  const BUCKET = [
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:DeleteBucket",
  ];
  const KEYS = [
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:Encrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:CreateGrant",
  ];
  const KEY = "arn:aws:kms:us-west-2:123456789012:key/1";
  test.each([
    [OBJECT, `${S3}b/k`, [`${S3}b`, KEY, "arn:aws:sqs:us-west-2:1:q"]],
    [BUCKET, `${S3}b`, [`${S3}b/k`, KEY, "arn:aws:sqs:us-west-2:1:q"]],
    [KEYS, KEY, [`${S3}b`, `${S3}b/k`, "arn:aws:sqs:us-west-2:1:q"]],
  ])("the resources of %j: %s", (actions, own, others) => {
    const nothing = allow("x:y", "nothing");
    for (const action of actions) {
      // As AWS spells it, however the policy does.
      expect(compareAccess(allow(action.toUpperCase(), own), nothing).onlyInFirst).toEqual({
        action,
        resource: own,
      });
      for (const other of others)
        expect(compareAccess(allow(action, other), nothing).onlyInFirst).toBeUndefined();
    }
    expect(compareAccess(allow("unknown:Action", others), nothing).onlyInFirst).toBeDefined();
  });

  test("that a wildcard matches actions about objects and others about anything", () => {
    // A bucket may be located; of no object can that be asked, but an unknown s3:GetX may be of both.
    const located = allow(["s3:GetBucketLocation"], `${S3}b`);
    const wild = compareAccess(allow("s3:GetBucketLoc*", `${S3}b`), located);
    expect(wild.relation).toBe("broader");
    expect(wild.onlyInFirst?.action).not.toBe("s3:GetBucketLocation");
    // Where known and unknown actions make a difference, the known one is the witness.
    expect(compareAccess(allow("s3:*", "*"), allow("kms:*", "*"))).toMatchObject({
      relation: "incomparable",
      onlyInFirst: { action: "s3:GetObject" },
      onlyInSecond: { action: "kms:Decrypt" },
    });
    const six = compareAccess(allow("s3:??????cket", "*"), allow("s3:ListBucket", "*"));
    expect(six.onlyInFirst?.action).toMatch(/^s3:(?!ListBu).{6}cket$/);
  });

  test.each([
    ["s3:GetObject", "arn:*lake*", /^arn:.*:s3:::.*\//],
    ["s3:ListBucket", "arn:*lake*", /^arn:.*:s3:::[^/]*$/],
    ["kms:Decrypt", "arn:*lake*", /^arn:.*:kms:/],
  ])("an example of %s on %s that AWS could be asked for", (action, resource, arn) => {
    const deny = { Effect: "Deny", Action: "*", Resource: "*" } as const;
    const { relation, onlyInFirst } = compareAccess(allow(action, resource), {
      Version: "2012-10-17",
      Statement: deny,
    });
    expect(relation).toBe("broader");
    expect(onlyInFirst?.resource).toMatch(arn);
    expect(onlyInFirst?.resource).toContain("lake");
  });

  test.each([
    ["s3:GetObject", "xarn:aws:s3:::lake/f"],
    ["s3:ListBucket", "xarn:aws:s3:::lake"],
    ["kms:Decrypt", "xarn:aws:kms:eu-west-1:123456789012:key/1"],
  ])("that %s is about no resource such as %s", (action, resource) => {
    expect(compareAccess(allow(action, resource), allow("a", "b")).onlyInFirst).toBeUndefined();
  });

  test("that conditions narrow, alone and together", () => {
    const list = (Condition?: object) => allow("s3:ListBucket", `${S3}b`, Condition);
    const like = (prefix: string | string[]) => list({ StringLike: { "s3:prefix": prefix } });
    expect(compareAccess(like("a/*"), list())).toEqual({
      relation: "narrower",
      onlyInSecond: { action: "s3:ListBucket", resource: `${S3}b` },
    });
    expect(relation(like("*"), list())).toBe("narrower");
    expect(relation(like("a/*"), list({ StringLike: { "S3:PREFIX": ["a/*", "a/b/*"] } }))).toBe(
      "equal",
    );
    expect(relation(list({ StringEquals: { "s3:prefix": "*" } }), like("${*}"))).toBe("equal");
    const both = list({
      StringLike: { "s3:prefix": "a*" },
      StringLikeIfExists: { "s3:prefix": "*b" },
    });
    expect(relation(both, like("a*b"))).toBe("equal");
    expect(
      relation(
        list({ Null: { "s3:prefix": "true" } }),
        list({ Null: { "s3:prefix": ["true", "false"] } }),
      ),
    ).toBe("narrower");
  });

  test("that Deny takes away", () => {
    const denied = {
      Version: "2012-10-17",
      Statement: [
        ...allow("s3:*", "*").Statement,
        { Effect: "Deny", Action: "s3:DeleteObject", Resource: `${S3}b/keep/*` },
      ],
    };
    const { relation, onlyInSecond } = compareAccess(denied, allow("s3:*", "*"));
    expect(relation).toBe("narrower");
    expect(onlyInSecond).toEqual({ action: "s3:DeleteObject", resource: `${S3}b/keep/` });
    expect(compareAccess(buildSessionPolicy({}, {}), denied).relation).toBe("narrower");
  });

  test("both profiles of a session", () => {
    const config = { currentKmsKey: "arn:aws:kms:us-west-2:123456789012:key/1" };
    const table = ["s3://wh-bucket/db/t"];
    const all = { read: table, list: table, write: table, delete: table };
    const polaris = buildSessionPolicy(config, all, { profile: "polaris" });
    const { relation, onlyInSecond } = compareAccess(buildSessionPolicy(config, all), polaris);
    expect([relation, onlyInSecond?.action]).toEqual(["narrower", "s3:GetObjectVersion"]);
  });
});

describe("compareAccess is bounded:", () => {
  test("policies of STS' size are compared", () => {
    const tables = Array.from({ length: 26 }, (_, i) => `s3://wh-bucket/db/table_${i}`);
    const all = { read: tables, list: tables, write: tables, delete: tables };
    const more = { ...all, read: [...tables, "s3://wh-bucket/db/table_x"] };
    const { relation, onlyInSecond } = compareAccess(
      buildSessionPolicy({}, all),
      buildSessionPolicy({}, more),
    );
    expect([relation, onlyInSecond?.resource]).toEqual(["narrower", `${S3}wh-bucket/db/table_x/`]);
  });

  test("hundreds of resources and actions are compared", () => {
    const names = (prefix: string) => Array.from({ length: 500 }, (_, i) => `${prefix}${i}`);
    const many = allow(names("a:"), names("r"));
    expect(relation(many, allow(names("a:").reverse(), names("r").reverse()))).toBe("equal");
    expect(relation(many, allow(names("a:"), names("r").slice(1)))).toBe("broader");
  });

  test.each([
    [
      "many * in several resources",
      allow(
        "a",
        Array.from({ length: 12 }, (_, i) => `*${[..."abcdefghij"].map((c) => c + i).join("*")}*`),
      ),
    ],
    ["many ? behind a *", allow("a", ["*a????????????????????", "*b????????????????????"])],
    ["a resource of a megabyte", allow("a", `*${"ab?*".repeat(250_000)}`)],
    [
      "thousands of resources",
      allow(
        "a",
        Array.from({ length: 20_000 }, (_, i) => `*${i}*`),
      ),
    ],
    [
      "conditions on many keys",
      {
        Version: "2012-10-17",
        Statement: Array.from({ length: 60 }, (_, i) => {
          const Condition = { StringEquals: { [`k${i}`]: "v" } };
          return { Effect: "Allow", Action: "a", Resource: "*", Condition } as const;
        }),
      },
    ],
  ])("%s end in UNSUPPORTED_POLICY", (_, policy) => {
    const fault = faultOf(() => compareAccess(policy, allow("a", "b*")));
    expect(fault.code).toBe("UNSUPPORTED_POLICY");
    expect(fault.message).toContain("500000 steps");
  });
});
