/**
 * Measures how the time of each public function grows with its input: on inputs of 1, 4, 8, 16 and 32
 * times a size. `node test/bench/growth.js` measures this alone, from the build in `dist`, and writes
 * it into the page and its figures; `npm run bench` does so with everything else.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { compareAccess, decide, decideStrictly, listAccess } from "../../dist/analysis.js";
import { diagnoseAccessDenied } from "../../dist/diagnosis.js";
import {
  buildAssumeRoleRequest,
  buildSessionPolicy,
  cacheKey,
  createSessionPolicyBuilder,
  planSessionPolicies,
  roleSessionName,
  serializePolicy,
  sessionTags,
  storageConfigOf,
} from "../../dist/index.js";
import {
  auditRole,
  checkStorageConfig,
  keyPolicyStatements,
  rolePolicy,
  trustPolicy,
} from "../../dist/setup.js";
import { assertLeastPrivilege, policyMatchers } from "../../dist/testing.js";
import { nested, sharing, storageConfig, tables } from "./shapes.js";

const ROOT = new URL("../../", import.meta.url);
const TIMES = [1, 4, 8, 16, 32];
const unlimited = { maxLength: Number.POSITIVE_INFINITY };
const anywhere = { ...storageConfig, allowedLocations: null };
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const all = (uris) => ({ read: uris, list: uris, write: uris, delete: uris });
const [ORDERS] = tables(1);
/** A list that names one table many times. */
const repeated = (count) => all(many(count, () => ORDERS));
const S3 = "arn:aws:s3:::";
const key = (i) =>
  `arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-${String(i).padStart(12, "0")}`;

const allow = (more) => ({ Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...more });
const policy = (Statement) => ({ Version: "2012-10-17", Statement });
const everything = policy([allow({ Action: "*" })]);
/** Statements of a table each. */
const statements = (count) =>
  policy(many(count, (i) => allow({ Action: "s3:*", Resource: `${S3}lake/table_${i}/*` })));
/** One statement with the prefixes of many tables. */
const prefixes = (count) =>
  policy([
    allow({
      Action: "s3:ListBucket",
      Resource: `${S3}lake`,
      Condition: { StringLike: { "s3:prefix": many(count, (i) => `db/table_${i}/*`) } },
    }),
  ]);
/** What only a hostile caller sends: patterns of which any number may match at once. */
const stars = (count) => policy([allow({ Resource: many(count, (i) => `${S3}*x${i}*`) })]);
const get = { action: "s3:GetObject", resource: `${S3}lake/table_0/f` };
const conditions = (count) =>
  policy(
    many(count, (i) =>
      allow({
        Resource: `${S3}lake/table_${i}/*`,
        Condition: { StringLike: { "aws:SourceVpce": `vpce-${i}*` } },
      }),
    ),
  );
const denials = (count) =>
  many(
    count,
    (i) =>
      `User: arn:aws:sts::123456789012:assumed-role/polaris/x is not authorized to perform: s3:GetObject on resource: "${S3}acme-lakehouse/warehouse/sales/orders_${String(i).padStart(6, "0")}/f" because no session policy allows the s3:GetObject action`,
  ).join("\n");
const located = (count) => ({ ...storageConfig, allowedLocations: tables(count) });
const keyed = (count) => ({ ...storageConfig, allowedKmsKeys: many(count, key) });

/** A name, a size, what makes an input of it, and what is done with the input. */
const CASES = [
  [
    "buildSessionPolicy, tables",
    500,
    (n) => all(tables(n)),
    (locations) => buildSessionPolicy(storageConfig, locations, unlimited),
  ],
  [
    "… nested in every way",
    1,
    nested,
    (locations) => buildSessionPolicy(storageConfig, locations, unlimited),
  ],
  [
    "… buckets that share prefixes, lists",
    30,
    sharing,
    (locations) => buildSessionPolicy(anywhere, locations, unlimited),
  ],
  ["… keys", 100, keyed, (config) => buildSessionPolicy(config, all([ORDERS]), unlimited)],
  ["… allowed locations", 500, located, (config) => buildSessionPolicy(config, all([ORDERS]))],
  [
    "… tables, the error for a policy that is too long",
    500,
    (n) => all(tables(n)),
    (locations) => buildSessionPolicy(storageConfig, locations),
  ],
  [
    "… nested in every way, that error",
    1,
    nested,
    (locations) => buildSessionPolicy(storageConfig, locations),
  ],
  [
    "… locations that are refused",
    500,
    (n) => all(many(n, (i) => `s3://elsewhere/t${i}`)),
    (locations) => buildSessionPolicy(storageConfig, locations),
  ],
  [
    "createSessionPolicyBuilder, allowed locations",
    500,
    located,
    (config) => createSessionPolicyBuilder(config),
  ],
  [
    "planSessionPolicies, tables",
    250,
    (n) => all(tables(n)),
    (locations) => planSessionPolicies(storageConfig, locations),
  ],
  [
    "… nested in every way",
    1,
    nested,
    (locations) => planSessionPolicies(storageConfig, locations),
  ],
  [
    "… buckets that share prefixes",
    30,
    sharing,
    (locations) => planSessionPolicies(anywhere, locations),
  ],
  [
    "serializePolicy, tables",
    500,
    (n) => buildSessionPolicy(storageConfig, all(tables(n)), unlimited),
    serializePolicy,
  ],
  [
    "buildAssumeRoleRequest, one table named often",
    500,
    repeated,
    (locations) =>
      buildAssumeRoleRequest(storageConfig, locations, { context: { principal: "p" } }),
  ],
  [
    "cacheKey, one table named often",
    500,
    repeated,
    (locations) => cacheKey(storageConfig, locations),
  ],
  [
    "roleSessionName, long names",
    500,
    (n) => ({
      context: { principal: "p".repeat(n), table: "t".repeat(n) },
      nameFields: ["principal", "table"],
    }),
    roleSessionName,
  ],
  [
    "sessionTags, roles",
    500,
    (n) => ({ context: { roles: many(n, (i) => `role-${i}`) }, tagFields: ["roles"] }),
    sessionTags,
  ],
  [
    "storageConfigOf, allowed locations",
    500,
    (n) => ({
      name: "lake",
      storageConfigInfo: located(n),
      properties: { "default-base-location": ORDERS },
    }),
    storageConfigOf,
  ],
  ["decide, statements", 250, statements, (one) => decide(one, get)],
  [
    "… patterns of a long resource",
    50,
    (n) => [stars(n), { ...get, resource: `${S3}${"xy".repeat(n * 10)}` }],
    ([one, request]) => decide(one, request),
  ],
  [
    "… values of a condition",
    100,
    (n) => [
      prefixes(n),
      {
        action: "s3:ListBucket",
        resource: `${S3}lake`,
        context: { "s3:prefix": many(n, (i) => `other_${i}`) },
      },
    ],
    ([one, request]) => decide(one, request),
  ],
  [
    "decideStrictly, statements with conditions",
    50,
    conditions,
    (one) => decideStrictly(one, { ...get, context: { "aws:SourceVpce": "other" } }),
  ],
  ["listAccess, statements", 250, statements, listAccess],
  [
    "… actions and resources",
    50,
    (n) =>
      policy([
        allow({ Action: many(n, (i) => `s3:Get*${i}`), Resource: many(n, (i) => `${S3}*x${i}*`) }),
      ]),
    listAccess,
  ],
  ["compareAccess, statements", 100, statements, (one) => compareAccess(one, everything)],
  ["… with itself", 50, statements, (one) => compareAccess(one, one)],
  ["… prefixes", 50, prefixes, (one) => compareAccess(one, everything)],
  ["… conditions on other values", 25, conditions, (one) => compareAccess(one, everything)],
  ["… resources that begin and end with *", 2, stars, (one) => compareAccess(one, everything)],
  [
    "diagnoseAccessDenied, denials",
    25,
    denials,
    (text) => diagnoseAccessDenied(text, storageConfig, all([ORDERS])),
  ],
  [
    "… denials and locations",
    25,
    (n) => [denials(n), all(tables(n))],
    ([text, locations]) => diagnoseAccessDenied(text, storageConfig, locations),
  ],
  [
    "… a log without a denial",
    2500,
    (n) => "at org.apache.spark.Task.run(Task.scala:12)\n".repeat(n / 10),
    (text) => diagnoseAccessDenied(text, storageConfig, all([ORDERS])),
  ],
  [
    "checkStorageConfig, locations and keys",
    100,
    (n) => ({ ...located(n), allowedKmsKeys: many(n, key) }),
    checkStorageConfig,
  ],
  [
    "… buckets",
    25,
    (n) => ({ ...storageConfig, allowedLocations: many(n, (i) => `s3://lake-${i}/db`) }),
    checkStorageConfig,
  ],
  ["rolePolicy, locations", 100, located, rolePolicy],
  ["keyPolicyStatements, keys", 100, keyed, keyPolicyStatements],
  [
    "trustPolicy, locations",
    500,
    located,
    (config) => trustPolicy(config, { principal: "arn:aws:iam::123456789012:role/server" }),
  ],
  [
    "auditRole, statements",
    10,
    statements,
    (one) => auditRole({ storageConfig, policies: [rolePolicy(storageConfig), one] }),
  ],
  [
    "toAllow and toDeny, statements",
    250,
    statements,
    (one) => [policyMatchers.toAllow(one, get), policyMatchers.toDeny(one, get)],
  ],
  [
    "assertLeastPrivilege, runs",
    5,
    (n) => n,
    (numRuns) => assertLeastPrivilege(buildSessionPolicy, { numRuns, seed: 1 }),
  ],
];

/** Milliseconds of a call, and whether it was refused, as what is too much for a budget is. */
function timed(run) {
  const start = performance.now();
  let refused;
  try {
    run();
  } catch (error) {
    if (error.name !== "SessionPolicyError") throw error;
    refused = error.code;
  }
  return { milliseconds: performance.now() - start, refused };
}

/** What takes longer is measured once, and no larger input of the case is tried. */
const MOST_MILLISECONDS = 20_000;

/** The rows of the table: milliseconds by size, and the codes of errors. */
export function growth() {
  return CASES.map(([name, size, make, run]) => {
    process.stderr.write(`${name}\n`);
    const row = { name, sizes: [], milliseconds: [], refused: [] };
    // Half a second of the smallest input first, so that no row begins with code that is not compiled.
    const first = make(size);
    const warm = performance.now() + 500;
    do timed(() => run(first));
    while (performance.now() < warm);
    for (const times of TIMES) {
      const input = make(size * times);
      const runs = [timed(() => run(input))];
      if (runs[0].milliseconds < MOST_MILLISECONDS / 10) {
        runs.push(
          timed(() => run(input)),
          timed(() => run(input)),
        );
      }
      row.sizes.push(size * times);
      // The fastest run: whatever else the machine does only adds to it.
      row.milliseconds.push(Math.min(...runs.map(({ milliseconds }) => milliseconds)));
      row.refused.push(runs[0].refused ?? null);
      if (runs[0].milliseconds > MOST_MILLISECONDS) break;
    }
    return row;
  });
}

const round = (number) =>
  number < 10 ? number.toPrecision(2) : Math.round(number).toLocaleString("en");

/** The table of the page. */
export function growthTable(rows) {
  const cell = ({ milliseconds, refused }, i) =>
    milliseconds[i] === undefined
      ? "–"
      : `${round(milliseconds[i])}${refused[i] === "UNSUPPORTED_POLICY" ? " †" : ""}`;
  return `| milliseconds | size | ${TIMES.map((times) => `× ${times}`).join(" | ")} |
| --- | --- | ${TIMES.map(() => "---").join(" | ")} |
${rows.map((row) => `| ${row.name} | ${row.sizes[0].toLocaleString("en")} | ${TIMES.map((_, i) => cell(row, i)).join(" | ")} |`).join("\n")}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const rows = growth();
  process.stdout.write(growthTable(rows));
  const figures = new URL("docs/benchmarks.json", ROOT);
  const found = { ...JSON.parse(readFileSync(figures, "utf8")), growth: rows };
  writeFileSync(figures, figuresOf(found));
  const page = new URL("docs/benchmarks.md", ROOT);
  const [head, , tail] = readFileSync(page, "utf8").split(/<!-- (?:growth|end of growth) -->\n/);
  writeFileSync(page, `${head}${growthSection(rows)}${tail}`);
}

/** The table between the marks by which it is found and replaced. */
export function growthSection(rows) {
  return `<!-- growth -->\n${growthTable(rows)}<!-- end of growth -->\n`;
}

/** The figures as JSON, to three digits. */
export function figuresOf(found) {
  const short = (_, value) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value;
  return `${JSON.stringify(found, short, 2)}\n`;
}
