/**
 * Values that change while they are read, never end, or come from elsewhere: what is validated is what
 * is used, and nothing but a SessionPolicyError escapes.
 */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  compareAccess,
  decide,
  decideStrictly,
  isAllowed,
  listAccess,
} from "../src/analysis/index.ts";
import { diagnoseAccessDenied } from "../src/diagnosis/index.ts";
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  cacheKey,
  createAssumeRoleRequestBuilder,
  createSessionPolicyBuilder,
  type Locations,
  planSessionPolicies,
  roleSessionName,
  type SessionSettings,
  serializePolicy,
  sessionTags,
  storageConfigOf,
  storageConfigSchema,
} from "../src/index.ts";
import {
  auditRole,
  checkStorageConfig,
  keyPolicyStatements,
  rolePolicy,
  trustPolicy,
} from "../src/setup/index.ts";
import { policyMatchers } from "../src/testing/index.ts";
import { faultOf } from "./support/errors.ts";

const ROLE = "arn:aws:iam::123456789012:role/polaris";
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const INSIDE = "s3://lake/db/t";
const OUTSIDE = "s3://secret/*";
const config: AwsStorageConfig = { roleArn: ROLE, allowedLocations: ["s3://lake/db"] };

/** Shows one value to the first reader, and another to every later one. */
function turning<T>(first: T, later: T): { read: () => T; reads: () => number } {
  let reads = 0;
  return { read: () => (reads++ === 0 ? first : later), reads: () => reads };
}

const changing: Readonly<Record<string, () => { list: unknown; reads: () => number }>> = {
  "an element that is a getter": () => {
    const { read, reads } = turning(INSIDE, OUTSIDE);
    return { list: Object.defineProperty([], 0, { enumerable: true, get: read }), reads };
  },
  "a Proxy of a list": () => {
    const { read, reads } = turning(INSIDE, OUTSIDE);
    const get = (list: string[], name: string | symbol) =>
      name === "0" ? read() : Reflect.get(list, name);
    return { list: new Proxy([INSIDE], { get }), reads };
  },
  "a list whose methods are its own": () => {
    const list = Object.assign([INSIDE], {
      slice: () => [OUTSIDE],
      map: () => [OUTSIDE],
      [Symbol.iterator]: () => [OUTSIDE][Symbol.iterator](),
    });
    return { list, reads: () => 1 };
  },
  "a subclass of Array": () => {
    class Other extends Array<string> {
      override slice(): string[] {
        return [OUTSIDE];
      }
      override *[Symbol.iterator](): ArrayIterator<string> {
        yield OUTSIDE;
      }
    }
    return { list: Other.from([INSIDE]), reads: () => 1 };
  },
  "a subclass of Set": () => {
    class Other extends Set<string> {
      override *[Symbol.iterator](): SetIterator<string> {
        yield OUTSIDE;
      }
      override forEach(): void {
        throw new Error("a trap");
      }
    }
    return { list: new Other([INSIDE]), reads: () => 1 };
  },
};

const session: SessionSettings = { context: { principal: "p" } };
const entries: Readonly<
  Record<string, (config: AwsStorageConfig, locations: Locations) => unknown>
> = {
  buildSessionPolicy,
  createSessionPolicyBuilder: (storage, locations) =>
    createSessionPolicyBuilder(storage)(locations),
  planSessionPolicies,
  buildAssumeRoleRequest: (storage, locations) =>
    buildAssumeRoleRequest(storage, locations, session),
  createAssumeRoleRequestBuilder: (storage, locations) =>
    createAssumeRoleRequestBuilder(storage)(locations, session),
  cacheKey,
};

describe.each(Object.keys(entries))("%s", (name) => {
  const call = (storage: unknown, locations: unknown) =>
    entries[name]?.(storage as AwsStorageConfig, locations as Locations);

  test.each(Object.keys(changing))("reads once: %s", (kind) => {
    for (const access of ["read", "list", "write", "delete"]) {
      const { list, reads } = changing[kind]?.() ?? { list: [], reads: () => 1 };
      const text = JSON.stringify(call(config, { [access]: list }));
      expect(text).toBe(JSON.stringify(call(config, { [access]: [INSIDE] })));
      expect(text).not.toContain("secret");
      expect(reads()).toBe(1);
    }
  });

  test.each([
    ["currentKmsKey", KEY, "aws"],
    ["roleArn", ROLE, "aws"],
    ["region", "us-west-2", "*"],
  ])("reads %s of a configuration once", (field, value, other) => {
    const { read, reads } = turning(value, other);
    const hostile = Object.defineProperty({ ...config, [field]: value }, field, {
      enumerable: true,
      get: read,
    });
    const locations = { read: [INSIDE], write: [INSIDE] };
    const expected = JSON.stringify(call({ ...config, [field]: value }, locations));
    expect(JSON.stringify(call(hostile, locations))).toBe(expected);
    expect(reads()).toBe(1);
  });

  test("reads each key of a list once", () => {
    const { read, reads } = turning(KEY, "arn:aws:kms:*:*:key/*");
    const keys = Object.defineProperty([], 0, { enumerable: true, get: read });
    const locations = { read: [INSIDE] };
    const expected = JSON.stringify(call({ ...config, allowedKmsKeys: [KEY] }, locations));
    expect(JSON.stringify(call({ ...config, allowedKmsKeys: keys }, locations))).toBe(expected);
    expect(reads()).toBe(1);
  });

  test("takes lists and Sets of another realm", () => {
    const expected = call(config, { read: [INSIDE] });
    for (const list of [
      runInNewContext(`new Set(["${INSIDE}"])`),
      runInNewContext(`["${INSIDE}"]`),
    ]) {
      expect(call(config, { read: list })).toEqual(expected);
    }
  });

  test("never runs the caller's iterator", () => {
    const endless = Object.assign([INSIDE], {
      *[Symbol.iterator]() {
        for (;;) yield INSIDE;
      },
    });
    const throwing = Object.assign([INSIDE], {
      [Symbol.iterator]() {
        throw new Error("the caller's secret");
      },
    });
    const expected = call(config, { read: [INSIDE] });
    expect(call(config, { read: endless })).toEqual(expected);
    expect(call(config, { read: throwing })).toEqual(expected);
  });
});

/** Locations too long for a policy, in a list whose iterator never ends or throws. */
function tooLong(iterator: () => Iterator<string>): Locations {
  const read = Array.from({ length: 60 }, (_, i) => `s3://lake/db/${"n".repeat(60)}${i}`);
  return { read: Object.assign(read, { [Symbol.iterator]: iterator }) as readonly string[] };
}

describe("the error for a policy that is too long", () => {
  test.each([
    ["endless", () => ({ next: () => ({ done: false as const, value: INSIDE }) })],
    [
      "throwing",
      (): Iterator<string> => {
        throw new Error("the caller's secret");
      },
    ],
  ])("does not run an iterator that is %s", (_, iterator) => {
    expect(faultOf(() => buildSessionPolicy(config, tooLong(iterator))).code).toBe(
      "POLICY_TOO_LARGE",
    );
    expect(planSessionPolicies(config, tooLong(iterator)).length).toBeGreaterThan(1);
    const alone = { maxLength: 100 };
    const fault = faultOf(() => planSessionPolicies(config, tooLong(iterator), alone));
    expect(fault.code).toBe("POLICY_TOO_LARGE");
    const denial = `User: arn:aws:sts::123456789012:assumed-role/polaris/x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::lake/db/x" because no session policy allows the s3:GetObject action`;
    const found = diagnoseAccessDenied(denial, config, tooLong(iterator), {
      maxLength: Number.POSITIVE_INFINITY,
    });
    expect(found.length).toBeGreaterThan(0);
  });

  test("names locations that do not fit, and none whose name they begin with", () => {
    const long = (length: number) => "n".repeat(length);
    const lists = [
      ["t2", "t/x", `t/x2${long(300)}`, "t/x3"],
      ["a", `ab${long(300)}`, `abc${long(400)}`, `ab${long(299)}`],
      [`${long(300)}/x`, long(300), `${long(300)}y`],
      [`a${long(320)}z`, `a${long(320)}`],
      [`a${long(320)}`, `a${long(320)}z`],
    ];
    for (const names of lists) {
      const read = names.map((name) => `s3://lake/db/${name}`);
      const { code, paths, message } = faultOf(() =>
        planSessionPolicies(config, { read }, { maxLength: 350 }),
      );
      expect([code, paths.length > 0]).toEqual(["POLICY_TOO_LARGE", true]);
      for (const path of paths) {
        const uri = read[Number(path.replace("read.", ""))] ?? "";
        const alone = () => buildSessionPolicy(config, { read: [uri] }, { maxLength: 350 });
        expect(faultOf(alone).code, path).toBe("POLICY_TOO_LARGE");
        const unlimited = { maxLength: Number.POSITIVE_INFINITY };
        const { length } = serializePolicy(buildSessionPolicy(config, { read: [uri] }, unlimited));
        expect(message).toContain(`alone needs a policy of ${length} characters`);
      }
    }
  });
});

describe("an AssumeRole request is one that STS takes", () => {
  test.each([
    ["a control character", "arn:aws:iam::123456789012:role/a\u0001b"],
    ["a lone surrogate", "arn:aws:iam::123456789012:role/a\ud800b"],
    ["U+FFFE", "arn:aws:iam::123456789012:role/a\ufffeb"],
  ])("refuses a role with %s", (_, roleArn) => {
    const request = () => buildAssumeRoleRequest({ roleArn }, { read: [INSIDE] }, session);
    expect(faultOf(request).code).not.toBe("none");
  });

  test("refuses a policy that is too long, whatever maxLength says", () => {
    const read = Array.from({ length: 200 }, (_, i) => `s3://lake/db/table_${i}`);
    const request = () =>
      buildAssumeRoleRequest({ roleArn: ROLE }, { read }, session, {
        maxLength: Number.POSITIVE_INFINITY,
      });
    expect(faultOf(request).code).not.toBe("none");
  });

  test.each(["a'b", 'a"b', "a\0b", "a,b", "a/b", "aws-", "AWS"])(
    "puts no partition %j into an ARN",
    (partition) => {
      const roleArn = `arn:${partition}:iam::123456789012:role/polaris`;
      let text = "";
      try {
        text = JSON.stringify(buildSessionPolicy({ roleArn }, { read: [INSIDE] }));
      } catch {
        return;
      }
      expect(text).toContain("arn:aws:s3:::lake");
      expect(text).not.toContain(`${JSON.stringify(partition).slice(1, -1)}:s3`);
    },
  );

  test("roles that are joined alike have different tags; the order of tags has one cache key", () => {
    const tags = (roles: string[]) => sessionTags({ context: { roles }, tagFields: ["roles"] });
    expect(tags(["a+b"])).not.toEqual(tags(["a", "b"]));
    expect(tags(["a\\", "b"])).not.toEqual(tags(["a\\+b"]));
    const key = (tagFields: SessionSettings["tagFields"]) =>
      cacheKey({ roleArn: ROLE }, { read: [INSIDE] }, { context: { catalog: "c" }, tagFields });
    expect(key(["catalog", "table"])).toBe(key(["table", "catalog"]));
  });
});

test('a plan in profile "polaris" has the policies that its locations give', () => {
  const options = { profile: "polaris", maxLength: 900 } as const;
  const storage = { roleArn: ROLE, region: "us-west-2" };
  const uris = Array.from({ length: 12 }, (_, i) => `s3://lake/db/table_${i}`);
  for (const locations of [
    { read: uris },
    { read: uris, list: uris },
    { read: uris, write: uris.slice(0, 3) },
    { list: uris, delete: uris.slice(6) },
  ]) {
    for (const plan of planSessionPolicies(storage, locations, options)) {
      expect(plan.policy).toEqual(buildSessionPolicy(storage, plan.locations, options));
    }
  }
});

test("an error about a configuration lists ten faults at most", () => {
  const many = Array.from({ length: 50_000 }, () => "x");
  for (const wrong of [
    { allowedKmsKeys: many },
    { allowedLocations: many },
    { allowedKmsKeys: many.map((_, i) => i) },
  ]) {
    const fault = faultOf(() => buildSessionPolicy(wrong as never, {}));
    expect(fault.code).toMatch(/^INVALID_/);
    expect(fault.paths).toHaveLength(10);
  }
});

/** Every public function, with what it takes. */
const functions: Readonly<Record<string, (...args: never[]) => unknown>> = {
  ...entries,
  serializePolicy,
  roleSessionName,
  sessionTags,
  storageConfigOf,
  storageConfigSchema: (input: unknown) => storageConfigSchema.safeParse(input),
  decide,
  isAllowed,
  decideStrictly,
  listAccess,
  compareAccess,
  auditRole,
  checkStorageConfig,
  keyPolicyStatements,
  rolePolicy,
  trustPolicy,
  diagnoseAccessDenied,
  toAllow: (policy, request) => policyMatchers.toAllow(policy, request).message(),
  toDeny: (policy, request) => policyMatchers.toDeny(policy, request).message(),
  toBeNoBroaderThan: (policy, other) => policyMatchers.toBeNoBroaderThan(policy, other).message(),
};
const policy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["s3:GetObject"],
      Resource: ["arn:aws:s3:::lake/*"],
      Condition: { StringLike: { "aws:SourceVpce": ["vpce-*"] } },
    },
  ],
};
const request = {
  action: "s3:GetObject",
  resource: "arn:aws:s3:::lake/x",
  context: { "aws:SourceVpce": ["vpce-1"] },
};
const whole = { ...config, region: "us-west-2", allowedKmsKeys: [KEY] };
const settings = {
  context: { principal: "p", roles: ["a"] },
  nameFields: ["principal"],
  tagFields: ["roles"],
};
const denied = `User: ${ROLE} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::lake/x"`;
const some = { read: [INSIDE], write: [INSIDE] };
const taken: Readonly<Record<string, readonly unknown[]>> = {
  ...Object.fromEntries(Object.keys(entries).map((name) => [name, [whole, some]])),
  buildSessionPolicy: [whole, some, { objectTags: true }],
  planSessionPolicies: [whole, some, { objectTags: true }],
  buildAssumeRoleRequest: [whole, some, settings, { objectTags: true }],
  cacheKey: [whole, some, settings, { objectTags: true }],
  serializePolicy: [policy],
  roleSessionName: [settings],
  sessionTags: [settings],
  storageConfigOf: [
    { name: "lake", storageConfigInfo: whole, properties: { "default-base-location": INSIDE } },
  ],
  storageConfigSchema: [whole],
  decide: [policy, request, { partial: true }],
  isAllowed: [policy, request],
  decideStrictly: [policy, request],
  listAccess: [policy],
  compareAccess: [policy, policy],
  auditRole: [
    {
      storageConfig: whole,
      policies: [policy],
      boundary: policy,
      keyPolicies: [policy],
      options: { objectTags: true },
    },
  ],
  checkStorageConfig: [whole],
  keyPolicyStatements: [whole, { objectTags: true }],
  rolePolicy: [whole, { objectTags: true }],
  trustPolicy: [{ ...whole, externalId: "ext-1" }, { principal: ROLE }],
  diagnoseAccessDenied: [denied, whole, some, { objectTags: true }],
  toAllow: [policy, request],
  toDeny: [policy, request],
  toBeNoBroaderThan: [policy, policy],
};

const trap = (): never => {
  throw new Error("the caller's secret");
};
const revoked = (of: object) => {
  const { proxy, revoke } = Proxy.revocable(of, {});
  revoke();
  return proxy;
};
const deep = () => {
  let value: object = {};
  for (let i = 0; i < 20_000; i++) value = { value };
  return value;
};
const cycle = () => {
  const list: unknown[] = [];
  list.push(list);
  return list;
};
const odd: Readonly<Record<string, () => unknown>> = {
  "a Proxy that throws when read": () => new Proxy({}, { get: trap }),
  "a Proxy that throws when listed": () => new Proxy({ a: 1 }, { ownKeys: trap }),
  "a Proxy that throws when asked": () => new Proxy({}, { has: trap }),
  "a Proxy that throws for its prototype": () => new Proxy({}, { getPrototypeOf: trap }),
  "a Proxy of a list that throws": () => new Proxy(["x"], { get: trap }),
  "a list whose length throws": () =>
    new Proxy(["x"], { get: (_, name) => (name === "length" ? { valueOf: trap } : "x") }),
  "a revoked Proxy": () => revoked({}),
  "a revoked list": () => revoked([]),
  "a Set whose iterator throws": () => Object.assign(new Set(["x"]), { [Symbol.iterator]: trap }),
  "a generator without an end": () =>
    (function* () {
      for (;;) yield INSIDE;
    })(),
  "what says it is a Set": () => ({ [Symbol.toStringTag]: "Set", size: 1 }),
  "what throws as a text": () => ({ toString: trap, [Symbol.toPrimitive]: trap }),
  "what throws for its tag": () => Object.defineProperty({}, Symbol.toStringTag, { get: trap }),
  "billions of holes": () => new Array(4_000_000_000),
  "a list in itself": cycle,
  "thousands of levels": deep,
  "sixty objects that each hold the next one twice": () => {
    let value: object = {};
    for (let i = 0; i < 60; i++) value = { a: value, b: value };
    return value;
  },
  "a function": () => trap,
  "a Proxy of a function that throws": () =>
    new Proxy(trap, { get: trap, has: trap, ownKeys: trap }),
  "a symbol": () => Symbol("the caller's secret"),
  "a bigint": () => 10n,
  "a Map": () => new Map([["read", [INSIDE]]]),
  "a lone surrogate": () => "\ud800",
  null: () => null,
};

/** All places in a value. */
function placesIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => placesIn(inner, [...at, name]))];
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const copy: Record<string, unknown> = Object.assign(Array.isArray(value) ? [] : {}, value);
  copy[name] = replaced((value as Record<string, unknown>)[name], rest, by);
  return copy;
}

describe.each(Object.keys(functions))("%s", (name) => {
  const call = (args: readonly unknown[]) => functions[name]?.(...(args as never[]));

  test("takes what it is to take", () => {
    expect(faultOf(() => call(taken[name] ?? [])).code).toBe("none");
  });

  test.each(Object.keys(odd))("throws nothing but its own errors for %s, in any place", (kind) => {
    const args = taken[name] ?? [];
    for (const place of placesIn(args)) {
      if (place.length === 0) continue;
      const { message } = faultOf(() => call(replaced(args, place, odd[kind]?.()) as unknown[]));
      expect(message, place.join(".")).not.toContain("secret");
    }
  });

  test("throws nothing but its own errors for a getter that throws, in any place", () => {
    const args = taken[name] ?? [];
    for (const place of placesIn(args)) {
      if (place.length < 2) continue;
      const changed = replaced(args, place, undefined) as object[];
      const holder = place
        .slice(0, -1)
        .reduce(
          (inner, field) => (inner as Record<string, object>)[field] ?? {},
          changed as object,
        );
      Object.defineProperty(holder, place.at(-1) ?? "", { enumerable: true, get: trap });
      expect(faultOf(() => call(changed)).message, place.join(".")).not.toContain("secret");
    }
  });
});
