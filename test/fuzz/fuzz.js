// Drives every public function of the built package with hostile input, for SECONDS (600 unless told):
// only SessionPolicyError may escape, nothing that was passed in may change, and no input may make
// time grow faster than n log n. Prints what it did; a fault ends it with status 1 and the seed.
//   node test/fuzz/fuzz.js [SECONDS] [SEED]
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import * as main from "polaris-session-policy";
import * as analysis from "polaris-session-policy/analysis";
import { diagnoseAccessDenied } from "polaris-session-policy/diagnosis";
import { policyMatchers } from "polaris-session-policy/testing";

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const end = performance.now() + seconds * 1000;

const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";
const ROLE = "arn:aws:iam::123456789012:role/polaris";
const config = {
  storageType: "S3",
  roleArn: ROLE,
  region: "us-west-2",
  externalId: "ext-1",
  currentKmsKey: KEY,
  allowedKmsKeys: [KEY.replace("abcd", "0123")],
  allowedLocations: ["s3://lake"],
};
const locations = { read: ["s3://lake/db/t"], list: ["s3://lake/db"], write: ["s3://lake/db/t"] };
const session = {
  context: { catalog: "c", table: "t", principal: "p", roles: ["a", "b"], traceId: "1" },
  nameFields: ["prefix-x", "catalog", "table"],
  tagFields: ["catalog", "roles", "trace_id"],
  durationSeconds: 900,
};
const options = { profile: "least-privilege", maxLength: 2048, objectVersions: true };
const policy = main.buildSessionPolicy(config, locations);
const denies = {
  Version: "2012-10-17",
  Statement: {
    Effect: "Deny",
    Action: ["s3:*", "kms:D?crypt"],
    Resource: "arn:aws:s3:::lake/*",
    Condition: { StringLikeIfExists: { "s3:prefix": ["a*", "${*}"] }, Null: { "aws:x": "true" } },
  },
};
const request = {
  action: "s3:ListBucket",
  resource: "arn:aws:s3:::lake",
  context: { "s3:prefix": "db/" },
};
const log = `User: arn:aws:sts::123456789012:assumed-role/polaris/etl is not authorized to perform: kms:Decrypt on resource: ${KEY} because no session policy allows the kms:Decrypt action (Service: S3, Status Code: 403)`;

/** Each function, and arguments that are fine. */
const catalog = {
  type: "INTERNAL",
  name: "lake",
  properties: { "default-base-location": "s3://wh-bucket/" },
  storageConfigInfo: config,
};
const functions = {
  buildSessionPolicy: [main.buildSessionPolicy, [config, locations, options]],
  createSessionPolicyBuilder: [
    (a, b, c) => main.createSessionPolicyBuilder(a, c)(b),
    [config, locations, options],
  ],
  planSessionPolicies: [main.planSessionPolicies, [config, locations, options]],
  serializePolicy: [main.serializePolicy, [policy]],
  buildAssumeRoleRequest: [main.buildAssumeRoleRequest, [config, locations, session, options]],
  createAssumeRoleRequestBuilder: [
    (a, b, c, d) => main.createAssumeRoleRequestBuilder(a, d)(b, c),
    [config, locations, session, options],
  ],
  roleSessionName: [main.roleSessionName, [session]],
  sessionTags: [main.sessionTags, [session]],
  cacheKey: [main.cacheKey, [config, locations, session, options]],
  storageConfigOf: [main.storageConfigOf, [catalog]],
  storageConfigSchema: [(value) => main.storageConfigSchema.safeParse(value), [config]],
  decide: [analysis.decide, [denies, request]],
  decideStrictly: [analysis.decideStrictly, [denies, request]],
  isAllowed: [analysis.isAllowed, [policy, request]],
  compareAccess: [analysis.compareAccess, [policy, denies]],
  listAccess: [analysis.listAccess, [denies]],
  diagnoseAccessDenied: [diagnoseAccessDenied, [log, config, locations, options]],
  toAllow: [(...all) => policyMatchers.toAllow(...all).message(), [policy, request]],
  toDeny: [(...all) => policyMatchers.toDeny(...all).message(), [policy, request]],
  toBeNoBroaderThan: [
    (...all) => policyMatchers.toBeNoBroaderThan(...all).message(),
    [policy, denies],
  ],
};
const missing = [...Object.entries(main), ...Object.entries(analysis)]
  .filter(([name, value]) => typeof value === "function" && !(name in functions))
  .map(([name]) => name)
  .filter((name) => name !== "SessionPolicyError");
if (missing.length > 0) fail(`There is no fuzzing of ${missing.join(", ")}.`);

function fail(message) {
  process.stderr.write(`${message}\nAgain: node test/fuzz/fuzz.js ${seconds} ${seed}\n`);
  process.exit(1);
}

/** Values that nobody means well with. Made anew each time, since some can be used only once. */
const thrower = () => {
  throw new Error("a trap");
};
const traps = [
  () => new Proxy({}, { get: thrower, ownKeys: thrower, has: thrower, getPrototypeOf: thrower }),
  () => new Proxy([], { get: thrower }),
  () => new Proxy(() => {}, {}),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => Object.defineProperty({}, "read", { enumerable: true, get: thrower }),
  () => Object.defineProperty([], 0, { enumerable: true, get: thrower }),
  () => ({ toJSON: thrower, toString: thrower, valueOf: thrower }),
  () => ({ toJSON: () => undefined }),
  () => ({ [Symbol.iterator]: thrower }),
  () => ({ [Symbol.toPrimitive]: thrower }),
  () => {
    const cycle = { Statement: [] };
    cycle.Statement.push(cycle);
    return cycle;
  },
  () => nested(20_000, (inner) => [inner]),
  () => nested(20_000, (inner) => ({ Statement: inner, read: inner, context: inner })),
  () => Object.assign([], { length: 2 ** 32 - 1 }),
  () => Symbol("s"),
  () => 10n,
  () => new Map([["read", ["s3://lake"]]]),
  () => new Set([new Set()]),
  () =>
    new (class extends Set {
      *[Symbol.iterator]() {
        for (;;) yield "s3://lake/endless";
      }
    })(["s3://lake/db"]),
  () => Object.create({ read: ["s3://lake"], roleArn: ROLE }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  () => JSON.parse('{"__proto__":["s3://lake"],"hasOwnProperty":1,"read":["s3://lake/__proto__"]}'),
];

function nested(depth, wrap) {
  let value = [];
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

const UNITS = [
  "a",
  "*",
  "?",
  "$",
  "${*}",
  "${",
  "{",
  "}",
  "/",
  "//",
  ":",
  "::",
  "\\",
  "\\n",
  '"',
  " ",
  "\n",
  "é",
  "\ud800",
  "📦",
  "\u2028",
  "%2F",
  ".",
  "..",
  "s3://",
  "s3://lake/",
  "arn:",
  "arn:aws:kms:",
  KEY,
  ROLE,
  "User: ",
  "is not authorized to perform: ",
  "because no ",
  "on resource: ",
  "KMS.DisabledException ",
  "for key '",
  "' in bucket '",
  "(Service: S3, Status Code: 403",
  "Key 'arn:aws:kms:",
  "<Code>AccessDenied</Code>",
  "(AccessDenied) when calling the ",
  "Access Denied (Service: S3",
  "s3:Get",
  "alias/",
  "prefix-",
  "key/",
  log,
];
/** Ways to make one string of a unit, `n` characters long or little more. */
const SHAPES = [
  (unit, n) => unit.repeat(Math.ceil(n / unit.length)),
  (unit, n) => `s3://lake/${unit.repeat(Math.ceil(n / unit.length))}`,
  (unit, n) => `arn:aws:kms:us-west-2:123456789012:key/${unit.repeat(Math.ceil(n / unit.length))}`,
  (unit, n) => `${unit.repeat(Math.ceil(n / unit.length))}!`,
];

const longString = fc
  .tuple(
    fc.constantFrom(...SHAPES),
    fc.constantFrom(...UNITS),
    fc.constantFrom(0, 100, 5000, 2 ** 20),
  )
  .map(([shape, unit, n]) => shape(unit, n));
const EVERYTHING = {
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withTypedArray: true,
  withSparseArray: true,
};
/** isDeepStrictEqual finds an invalid date different from itself. */
const isComparable = (value) => isDeepStrictEqual(value, clone(value) ?? value);
const asMaker = (arbitrary) => arbitrary.map((value) => () => value);
// fast-check itself looks into the values that it draws, hence functions that make the traps.
const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...traps) },
  { weight: 2, arbitrary: asMaker(longString) },
  { weight: 3, arbitrary: asMaker(fc.anything(EVERYTHING).filter(isComparable)) },
  { weight: 2, arbitrary: asMaker(fc.jsonValue()) },
);

/** A fine value with something in it replaced, at any depth. */
function spoil(value, path, replacement) {
  const isObject = typeof value === "object" && value !== null;
  if (path.length === 0 || !isObject) return replacement;
  const keys = Object.keys(value);
  const [step, ...rest] = path;
  const key = keys[step % (keys.length + 1)];
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (key === undefined) {
    if (Array.isArray(copy)) copy.push(replacement);
    else copy[["extra", "__proto__", "constructor", "toJSON"][step % 4]] = replacement;
  } else {
    copy[key] = spoil(value[key], rest, replacement);
  }
  return copy;
}

const calls = fc.record({
  name: fc.constantFrom(...Object.keys(functions)),
  argument: fc.nat(3),
  path: fc.array(fc.nat(12), { maxLength: 5 }),
  replacement: hostile,
});

function clone(value) {
  try {
    return structuredClone(value);
  } catch {
    return undefined; // what can't be copied can't be compared either
  }
}

const counts = { calls: 0, results: 0, errors: 0, grown: 0 };
let slowest = { ms: 0, name: "", what: "" };

function call(name, args, what) {
  const before = clone(args);
  const start = performance.now();
  try {
    functions[name][0](...args);
    counts.results++;
  } catch (error) {
    // A zod schema throws what a getter throws, as zod's own do.
    const isOurs = error instanceof main.SessionPolicyError || name === "storageConfigSchema";
    if (!isOurs) {
      fail(`${name} threw ${String(error)} for ${what}\n${error?.stack ?? ""}`);
    }
    counts.errors++;
  }
  const ms = performance.now() - start;
  counts.calls++;
  if (ms > slowest.ms) slowest = { ms, name, what };
  if (ms > 30_000) fail(`${name} took ${Math.round(ms)} ms for ${what}`);
  if (before !== undefined && !isDeepStrictEqual(before, clone(args))) {
    fail(`${name} changed what was passed in: ${what}`);
  }
  if ("polluted" in {} || "extra" in {}) fail(`${name} changed Object.prototype for ${what}`);
}

function describe(value) {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 300);
  } catch {
    return "something that JSON can't hold";
  }
}

/** Inputs whose size is a number, for the growth of time. */
const many = (n, item) => Array.from({ length: n }, (_, i) => item(i));
const scramble = (i) => (i * 7919) % 1_000_003;
const noLimit = { maxLength: Number.POSITIVE_INFINITY };
const statements = (n) => ({
  Version: "2012-10-17",
  Statement: many(n, (i) => ({
    Effect: i % 7 === 0 ? "Deny" : "Allow",
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::lake/${scramble(i)}/*`,
  })),
});
const growing = {
  "locations in order": (n) => [
    "buildSessionPolicy",
    [{}, { read: many(n / 16, (i) => `s3://lake/${1e6 + i}`) }, noLimit],
  ],
  "locations in no order": (n) => [
    "buildSessionPolicy",
    [
      {},
      {
        read: many(n / 16, (i) => `s3://lake/${scramble(i)}`),
        list: many(n / 16, (i) => `s3://lake/${scramble(i + 1)}`),
      },
      noLimit,
    ],
  ],
  "locations inside one another": (n) => [
    "buildSessionPolicy",
    [
      {},
      {
        read: many(n / 64, (i) => `s3://lake/${"a/".repeat(i % 400)}${scramble(i)}`),
        write: many(n / 64, (i) => `s3://lake/${"a/".repeat(i % 400)}`),
      },
      noLimit,
    ],
  ],
  buckets: (n) => [
    "buildSessionPolicy",
    [{}, { list: many(n / 16, (i) => `s3://lake-${scramble(i)}/db`) }, noLimit],
  ],
  "allowed locations": (n) => [
    "buildSessionPolicy",
    [
      { allowedLocations: many(n / 16, (i) => `s3://lake/${scramble(i)}`) },
      { read: ["s3://lake/5"] },
      noLimit,
    ],
  ],
  keys: (n) => [
    "buildSessionPolicy",
    [{ allowedKmsKeys: many(n / 64, (i) => `${KEY}${scramble(i)}`) }, locations, noLimit],
  ],
  "bad keys": (n) => [
    "storageConfigSchema",
    [{ allowedKmsKeys: many(n / 16, (i) => `alias/${i}`) }],
  ],
  "bad locations": (n) => [
    "buildSessionPolicy",
    [{}, { read: many(n / 16, (i) => `http://${i}`) }],
  ],
  plans: (n) => [
    "planSessionPolicies",
    [{}, { read: many(n / 32, (i) => `s3://lake/${scramble(i)}`) }],
  ],
  "statements to decide": (n) => ["decide", [statements(n / 64), request]],
  "statements to list": (n) => ["listAccess", [statements(n / 64)]],
  "roles to tag": (n) => [
    "sessionTags",
    [{ context: { roles: many(n / 8, (i) => `r${scramble(i)}`) }, tagFields: ["roles"] }],
  ],
  "names to tag": (n) => ["sessionTags", [{ tagFields: many(n / 8, () => "table") }]],
  "denials that differ": (n) => [
    "diagnoseAccessDenied",
    [
      many(n / 256, (i) => log.replace("abcd1234", String(10_000_000 + i))).join("\n"),
      config,
      locations,
    ],
  ],
};
/** Every place for a string, filled with each unit in each shape. */
const places = {
  roleArn: (s) => ["buildAssumeRoleRequest", [{ ...config, roleArn: s }, locations]],
  currentKmsKey: (s) => ["buildSessionPolicy", [{ ...config, currentKmsKey: s }, locations]],
  externalId: (s) => ["buildAssumeRoleRequest", [{ ...config, externalId: s }, locations]],
  endpoint: (s) => ["buildSessionPolicy", [{ ...config, endpoint: s }, locations]],
  "endpoint's host": (s) => [
    "buildSessionPolicy",
    [{ ...config, endpoint: `https://${s}` }, locations],
  ],
  region: (s) => ["buildSessionPolicy", [{ region: s }, locations, { profile: "polaris" }]],
  allowedLocations: (s) => ["buildSessionPolicy", [{ allowedLocations: [s] }, locations]],
  location: (s) => ["buildSessionPolicy", [{}, { read: [s], list: [s] }, noLimit]],
  context: (s) => [
    "buildAssumeRoleRequest",
    [
      config,
      locations,
      {
        context: { catalog: s, table: s },
        nameFields: ["catalog", "table"],
        tagFields: ["catalog"],
      },
    ],
  ],
  prefix: (s) => ["roleSessionName", [{ nameFields: [`prefix-${s}`, "table"] }]],
  text: (s) => ["diagnoseAccessDenied", [s, config, locations]],
  resource: (s) => [
    "decide",
    [
      { ...denies, Statement: { ...denies.Statement, Resource: "arn:aws:s3:::*a*b?c*" } },
      { ...request, resource: s },
    ],
  ],
  pattern: (s) => [
    "decide",
    [{ ...denies, Statement: { ...denies.Statement, Resource: s } }, request],
  ],
  "pattern to compare": (s) => [
    "compareAccess",
    [{ ...denies, Statement: { ...denies.Statement, Effect: "Allow", Resource: s } }, policy],
  ],
  "pattern and resource": (s) => [
    "decide",
    [
      { ...denies, Statement: { ...denies.Statement, Resource: `*${s}x` } },
      { ...request, resource: s + s },
    ],
  ],
  "pattern to list": (s) => [
    "listAccess",
    [{ ...denies, Statement: { ...denies.Statement, Resource: s } }],
  ],
  "policy to serialize": (s) => ["serializePolicy", [{ Version: s }]],
};

function fastest([name, args], times) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    call(name, args, "an input that grows");
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/**
 * Four times the size may take little more than four times as long; sixteen times is quadratic. The
 * collection of garbage makes a step seem so now and then, but not two of them, and that three times.
 */
function checkGrowth(what, make) {
  counts.grown++;
  const n = 2 ** 16;
  if (fastest(make(16 * n), 1) < 60) return; // as fast as this, nothing grows
  for (let tries = 1; ; tries++) {
    const times = [n, 4 * n, 16 * n].map((size) => fastest(make(size), 3));
    const [first, second] = [times[1] / times[0], times[2] / times[1]];
    if (first < 8 || second < 8) return;
    if (tries === 3) fail(`${what}: four times the size takes ${second.toFixed(1)} times as long.`);
  }
}

for (const [what, make] of Object.entries(growing)) checkGrowth(what, make);
// Strings of a megabyte, in an order that differs from run to run, for a third of the time at most.
const strings = fc.sample(
  fc.shuffledSubarray(
    Object.entries(places).flatMap(([place, make]) =>
      UNITS.flatMap((unit) => SHAPES.map((shape, i) => ({ place, make, unit, shape, i }))),
    ),
    { minLength: Object.keys(places).length * UNITS.length * SHAPES.length },
  ),
  { numRuns: 1, seed },
)[0];
const stringsEnd = performance.now() + (end - performance.now()) / 3;
for (const { place, make, unit, shape, i } of strings ?? []) {
  if (performance.now() > stringsEnd) break;
  checkGrowth(`${place} of ${JSON.stringify(unit)} in shape ${i}`, (n) => make(shape(unit, n)));
}

for (let round = 0; performance.now() < end; round++) {
  for (const { name, argument, path, replacement } of fc.sample(calls, {
    numRuns: 200,
    seed: seed + round,
  })) {
    const args = [...functions[name][1]];
    const value = replacement();
    args[argument % args.length] = spoil(args[argument % args.length], path, value);
    call(name, args, `argument ${argument % args.length} at ${path}: ${describe(value)}`);
    if (performance.now() > end) break;
  }
}
process.stdout.write(
  `${counts.calls} calls (seed ${seed}): ${counts.results} results, ${counts.errors} errors, ${counts.grown} inputs that grow; slowest ${slowest.name}, ${Math.round(slowest.ms)} ms, for ${slowest.what}\n`,
);
