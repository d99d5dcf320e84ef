import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareAccess, decide } from "../../src/analysis/index.ts";
import { buildSessionPolicy } from "../../src/index.ts";
import { ACTIONS, type ArbitraryPolicy, arbitraryPolicy } from "../support/arbitrary-policies.ts";
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

const VALUES = [undefined, ...texts(1), "ab"];
const ACCOUNT = "us-west-2:123456789012";
const names = ["a", "b", "c", "ab", "bc"];

const ofAccount = (service: string, region: string, head: string) =>
  names.map((name) => `arn:aws:${service}:${region}:123456789012:${head}${name}`);

/** Resources of every type, by the actions of the requests that name them. */
const RESOURCES: Readonly<Record<(typeof ACTIONS)[number], readonly string[]>> = {
  "s3:GetObject": [
    ...["arn:aws:s3:::", "arn:aws-cn:s3:::"].flatMap((head) =>
      ["a", "b"].flatMap((bucket) => names.map((key) => `${head}${bucket}/${key}`)),
    ),
    ...names.map((key) => `arn:aws:s3:${ACCOUNT}:accesspoint/a/object/${key}`),
    ...names.map((key) => `arn:aws:s3::123456789012:accesspoint/a/object/${key}`),
  ],
  "s3:ListBucket": names.flatMap((name) => [
    `arn:aws:s3:::${name}`,
    `arn:aws:s3:${ACCOUNT}:accesspoint/${name}`,
  ]),
  "s3:GetBucketLocation": [...names.map((name) => `arn:aws:s3:::${name}`)],
  "s3:DescribeJob": ["us-west-2", "eu-west-1"].flatMap((region) =>
    names.map((name) => `arn:aws:s3:${region}:123456789012:job/${name}`),
  ),
  "s3:GetAccessPoint": ["*"],
  "s3:ListAllMyBuckets": ["*"],
  "kms:Decrypt": names.map((name) => `arn:aws:kms:${ACCOUNT}:key/${name}`),
  "kms:CreateAlias": [
    ...names.map((name) => `arn:aws:kms:${ACCOUNT}:key/${name}`),
    ...names.map((name) => `arn:aws:kms:${ACCOUNT}:alias/${name}`),
  ],
  "s3:GetMultiRegionAccessPoint": ofAccount("s3", "", "accesspoint/"),
  "s3:DescribeMultiRegionAccessPointOperation": ofAccount(
    "s3",
    "us-west-2",
    "async-request/mrap/a/",
  ),
  "s3:GetAccessPointPolicy": ofAccount("s3", "us-west-2", "accesspoint/"),
  "s3:GetAccessPointForObjectLambda": ofAccount("s3-object-lambda", "us-west-2", "accesspoint/"),
  "s3:GetStorageLensConfiguration": ofAccount("s3", "us-west-2", "storage-lens/"),
  "s3:GetStorageLensGroup": ofAccount("s3", "us-west-2", "storage-lens-group/"),
  "s3:GetAccessGrantsInstance": [`arn:aws:s3:${ACCOUNT}:access-grants/default`],
  "s3:GetAccessGrantsLocation": ofAccount("s3", "us-west-2", "access-grants/default/location/"),
  "s3:GetAccessGrant": ofAccount("s3", "us-west-2", "access-grants/default/grant/"),
  "s3-outposts:GetObject": ofAccount("s3-outposts", "us-west-2", "outpost/a/bucket/"),
  "sts:AssumeRole": ofAccount("iam", "", "role/"),
  "sts:SetContext": [...ofAccount("iam", "", "role/"), "arn:aws:sts::123456789012:self"],
  "sts:AssumeRoot": ["arn:aws:iam::123456789012:root"],
  "sqs:SendMessage": ["*", ...names.map((name) => `arn:aws:sqs:${ACCOUNT}:${name}`)],
};

/** Every request over a small alphabet. */
const REQUESTS: Request[] = ACTIONS.flatMap((action) =>
  RESOURCES[action].flatMap((resource) =>
    VALUES.map((k) => ({ action, resource, context: k === undefined ? {} : { k } })),
  ),
);

const valid = arbitraryPolicy;

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
      { numRuns: Math.ceil(numRuns / 4) },
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
      { numRuns: Math.ceil(numRuns / 4) },
    );
  }, 3_600_000);
});

test("a witness has no wildcard in front of its last segment, as decide asks of requests", () => {
  const allow = (statement: object) =>
    ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] }) as ArbitraryPolicy;
  check([
    allow({ Action: "*", Resource: "arn:aws:s3:::" }),
    allow({ NotAction: "kms:*", Resource: "arn:aws:kms:us-w*2:key/${*}*" }),
  ]);
});

test("actions of an unknown service differ also beside others of a known one in their statement", () => {
  const Resource = "arn:aws:s3:::a";
  const allow = (Action: string | string[]) =>
    ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action, Resource }],
    }) as ArbitraryPolicy;
  const { relation, onlyInFirst } = check([allow(["kms:*", "sqs:Send*"]), allow("s3:*")]);
  expect(relation).toBe("incomparable");
  expect(onlyInFirst?.action).toMatch(/^sqs:send/);
});

test("actions of services with a hyphen in their name are compared", () => {
  const allow = (Action: string) =>
    ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action, Resource: "*" }],
    }) as ArbitraryPolicy;
  for (const action of ["s3-object-lambda:GetObject", "s3-outposts:*", "access-analyzer:Get?"]) {
    const { relation } = check([allow(action), allow("s3:GetObject")]);
    expect(relation).toBe("incomparable");
  }
});

test("what is written alike in two versions of the language is told apart", () => {
  const of = (Version: "2012-10-17" | "2008-10-17", more: object) =>
    ({
      Version,
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*", ...more }],
    }) as ArbitraryPolicy;
  for (const more of [
    { Condition: { StringEquals: { k: "${$}" } } },
    { Condition: { StringLike: { k: "a${*}" } } },
    { Resource: "arn:aws:s3:::b/${*}" },
    { Resource: "arn:aws:s3:::b/${$}" },
  ]) {
    const [newer, older] = [of("2012-10-17", more), of("2008-10-17", more)];
    expect(check([newer, older]).relation).toBe("incomparable");
    expect(check([older, newer]).relation).toBe("incomparable");
  }
});

const S3 = "arn:aws:s3:::";
/** No object. */
const KEY_OF_NOTHING = "arn:aws:kms:us-west-2:123456789012:key/none";
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource, ...(Condition && { Condition }) }],
});
/** Reading of keys that match patterns. */
const keys = (patterns: string | string[]) =>
  allow(
    "s3:GetObject",
    [patterns].flat().map((one) => `${S3}b/${one}`),
  );
const NOTHING = allow("s3:GetObject", KEY_OF_NOTHING);
const relation = (a: ReturnType<typeof allow>, b: ReturnType<typeof allow>) =>
  compareAccess(a, b).relation;

describe("compareAccess knows", () => {
  test("that a union of patterns may be another pattern", () => {
    const union = keys(["?", "", "??*"]);
    expect(relation(union, keys("*"))).toBe("equal");
    expect(compareAccess(keys(["", "??*"]), keys("*")).onlyInSecond?.resource).toHaveLength(
      `${S3}b/x`.length,
    );
    expect(relation(keys(["a*", "*b"]), keys(["*b", "a*", "a*b"]))).toBe("equal");
    expect(relation(keys("a*b*c"), keys("a*c"))).toBe("narrower");
  });

  test("that repeated * are one", () => {
    expect(relation(keys("ab**c"), keys("ab*c"))).toBe("equal");
    expect(relation(keys("ab***"), keys("ab*"))).toBe("equal");
  });

  test("characters that no pattern spells out, whichever these are", () => {
    const spelled = [..."wxyz"].map((character) => `b/${character}*`);
    expect(relation(keys(spelled), keys("b/?*"))).toBe("narrower");
    expect(relation(keys("b/x*"), keys("b/*x*"))).toBe("narrower");
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
    ).toBe("narrower");
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
    const nothing = NOTHING;
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

  test("which actions AWS has, and which of them a wildcard matches", () => {
    const located = allow("s3:GetBucketLocation", `${S3}b`);
    expect(relation(allow("s3:GetBucketLoc*", `${S3}b`), located)).toBe("equal");
    expect(relation(allow("s3:PutObjekt", "*"), NOTHING)).toBe("equal");
    // The witness is an action of sessions where one shows the difference.
    expect(compareAccess(allow("s3:*", "*"), allow("kms:*", "*"))).toMatchObject({
      relation: "incomparable",
      onlyInFirst: { action: "s3:GetObject" },
      onlyInSecond: { action: "kms:Decrypt" },
    });
  });

  test("access points: what is read through one is no object of the bucket", () => {
    const point = "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/*";
    const opened = allow("s3:GetObject", [`${S3}b/*`, point]);
    const { relation, onlyInFirst } = compareAccess(opened, allow("s3:GetObject", `${S3}b/*`));
    expect(relation).toBe("broader");
    expect(onlyInFirst?.resource).toMatch(/:accesspoint\/a\/object\/./);
  });

  test.each([
    ["s3:GetObject", "arn:*:s3:::*lake*", /^arn:aws:s3:::.*lake.*\/|^arn:aws:s3:::.*\/.*lake/],
    ["s3:ListBucket", "arn:*:s3:::*lake*", /^arn:.*:s3:::[^/]*$/],
    ["kms:Decrypt", "arn:*:kms:*:*:*lake*", /^arn:.*:kms:/],
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
    ["s3:GetObject", "arn:aws:kms:us-west-2:123456789012:key/lake"],
    ["s3:ListBucket", "arn:aws:s3:us-west-2:123456789012:job/lake"],
    ["kms:Decrypt", "arn:aws:s3:::lake/:kms:"],
  ])("that %s is about no resource such as %s", (action, resource) => {
    expect(compareAccess(allow(action, resource), NOTHING)).toEqual({ relation: "equal" });
  });

  test("NotAction and NotResource", () => {
    const statement = { Effect: "Allow", NotAction: "s3:Delete*", NotResource: `${S3}b/keep/*` };
    const all = allow("*", "*");
    const { relation, onlyInSecond } = compareAccess(
      { Version: "2012-10-17", Statement: statement },
      all,
    );
    expect([relation, onlyInSecond?.action]).toEqual(["narrower", "s3:GetObject"]);
    expect(onlyInSecond?.resource).toBe(`${S3}b/keep/`);
  });

  test.each<[string, object, string]>([
    ["principals", { Principal: "*" }, "Statement.0.Principal"],
    ["variables", { Resource: `${S3}b/\${aws:username}` }, "Statement.0.Resource"],
    [
      "other operators",
      { Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } },
      "Statement.0.Condition.IpAddress.aws:SourceIp",
    ],
  ])("where it is not exact: %s are refused by name", (_, changes, path) => {
    const Statement = [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...changes }];
    expect(
      faultOf(() => compareAccess({ Version: "2012-10-17", Statement }, NOTHING)),
    ).toMatchObject({ code: "UNSUPPORTED_POLICY", paths: [path] });
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
    const many = allow(names("sqs:a"), names("arn:aws:sqs:::r"));
    expect(
      relation(many, allow(names("sqs:a").reverse(), names("arn:aws:sqs:::r").reverse())),
    ).toBe("equal");
    expect(relation(many, allow(names("sqs:a"), names("arn:aws:sqs:::r").slice(1)))).toBe(
      "broader",
    );
  });

  test.each([
    [
      "many * in several resources",
      allow(
        "s3:GetObject",
        Array.from(
          { length: 12 },
          (_, i) => `${S3}*${[..."abcdefghij"].map((c) => c + i).join("*")}*`,
        ),
      ),
    ],
    [
      "many ? behind a *",
      allow("s3:GetObject", [`${S3}*a????????????????????`, `${S3}*b????????????????????`]),
    ],
    ["a resource of a megabyte", allow("s3:GetObject", `${S3}*${"ab?*".repeat(250_000)}`)],
    [
      "thousands of resources",
      allow(
        "s3:GetObject",
        Array.from({ length: 20_000 }, (_, i) => `${S3}*${i}*`),
      ),
    ],
    [
      "conditions on many keys",
      {
        Version: "2012-10-17",
        Statement: Array.from({ length: 60 }, (_, i) => {
          const Condition = { StringEquals: { [`k${i}`]: "v" } };
          return { Effect: "Allow", Action: "s3:GetObject", Resource: "*", Condition } as const;
        }),
      },
    ],
    [
      "two conditions in each of hundreds of statements, among thousands",
      {
        Version: "2012-10-17",
        Statement: Array.from({ length: 10_000 }, (_, i) => ({
          Effect: "Allow",
          Action: "s3:GetObject",
          Resource: i < 400 ? "*" : `${S3}b/${i}`,
          ...(i < 400 && { Condition: { StringNotEquals: { [`a${i}`]: "x", [`b${i}`]: "y" } } }),
        })),
      },
    ],
    [
      "a value of hundreds of characters, each behind *, under many keys",
      allow("s3:GetObject", "*", {
        StringLike: Object.fromEntries(
          Array.from({ length: 16 }, (_, key) => [
            `k${key}`,
            Array.from({ length: 570 }, (_, i) => `*${String.fromCharCode(0x4e00 + i)}`).join(""),
          ]),
        ),
      }),
    ],
  ])("%s end in UNSUPPORTED_POLICY", (_, policy) => {
    const fault = faultOf(() => compareAccess(policy, allow("s3:GetObject", `${S3}b*`)));
    expect(fault.code).toBe("UNSUPPORTED_POLICY");
    expect(fault.message).toContain("30000000 steps");
  });
});
