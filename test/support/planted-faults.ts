/**
 * Generators with one fault each, and the property that should catch it. They show that the
 * properties can fail, and what a fault looks like in the wild.
 */
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  type SessionPolicyOptions,
  type Statement,
  serializePolicy,
} from "../../src/index.ts";
import { asList } from "./iam.ts";

type Generator = typeof buildSessionPolicy;

export interface PlantedFault {
  readonly fault: string;
  readonly caughtBy: string;
  /** What the report says is broken. */
  readonly says?: string;
  readonly generate: Generator;
}

/** The right policy, with each statement that allows something changed. */
function changing(
  change: (statement: Statement, config: AwsStorageConfig) => Statement,
): Generator {
  return (config, locations, options) => {
    const policy = buildSessionPolicy(config, locations, options);
    return {
      ...policy,
      Statement: policy.Statement.map((s) => (s.Effect === "Allow" ? change(s, config) : s)),
    };
  };
}

function adding(extra: (config: AwsStorageConfig, locations: Locations) => Statement[]): Generator {
  return (config, locations, options) => {
    const policy = buildSessionPolicy(config, locations, options);
    return { ...policy, Statement: [...policy.Statement, ...extra(config, locations)] };
  };
}

/** Every string of a statement but those of its actions changed. */
function rewriting(rewrite: (text: string) => string): Generator {
  return changing((s) => ({
    ...JSON.parse(JSON.stringify(s), (_, v) => (typeof v === "string" ? rewrite(v) : v)),
  }));
}

/** The right policy, its document changed where something (or nothing) was asked for. */
function rewritten(change: (policy: PolicyDocument) => object): Generator {
  return (config, locations, options) =>
    change(buildSessionPolicy(config, locations, options)) as PolicyDocument;
}

/** A sole statement in place of the one that denies everything. */
function insteadOfDeny(statement: object): Generator {
  return rewritten((policy) =>
    policy.Statement[0]?.Effect === "Deny" ? { ...policy, Statement: [statement] } : policy,
  );
}

/** The right statements, in an order that depends on how the input is written. */
function turned(when: (config: AwsStorageConfig, locations: Locations) => boolean): Generator {
  return (config, locations, options) => {
    const policy = buildSessionPolicy(config, locations, options);
    return when(config, locations)
      ? { ...policy, Statement: [...policy.Statement].reverse() }
      : policy;
  };
}

/** Errors that are right, changed. */
function throwing(change: (error: { code: string; issues: object; message: string }) => unknown) {
  return (...args: Parameters<Generator>): PolicyDocument => {
    try {
      return buildSessionPolicy(...args);
    } catch (error) {
      const { code, issues, message } = error as { code: string; issues: object; message: string };
      throw change({ code, issues, message });
    }
  };
}

const unescaped = (text: string) => text.replace(/\$\{([*?])\}/g, "$1");
/** The wildcards of one action's resources, or of the prefixes of lists, are not escaped. */
function unescapedFor(action: string): Generator {
  return changing((s) => {
    if (!names(s, action) || (action === "s3:ListBucket" && s.Condition === undefined)) return s;
    if (s.Condition === undefined) {
      const Action = asList(s.Action);
      return { ...s, Action, Resource: asList(s.Resource).map(unescaped) };
    }
    return JSON.parse(JSON.stringify(s), (_, v) => (typeof v === "string" ? unescaped(v) : v));
  });
}

const first = (list: Locations["read"]) => [...(list ?? [])][0];

const names = (s: Statement, action: string) => asList(s.Action).includes(action);

const BACKDOOR = "arn:aws:s3:::backdoor";

/** Each bucket that is listed by prefixes shares the statement of those with the same key. */
function mergingLists(keyOf: (prefixes: readonly string[]) => string): Generator {
  return rewritten((policy) => {
    const prefixesOf = ({ Action, Condition }: Statement) =>
      Action === "s3:ListBucket" ? Condition?.["StringLike"]?.["s3:prefix"] : undefined;
    const lists = new Map<string, string[]>();
    for (const statement of policy.Statement) {
      for (const bucket of asList(statement.Resource)) {
        const prefixes = asList(prefixesOf(statement) ?? []);
        if (prefixes.length > 0) lists.set(bucket, [...(lists.get(bucket) ?? []), ...prefixes]);
      }
    }
    const merged = new Map<string, { buckets: string[]; prefixes: string[] }>();
    for (const [bucket, all] of lists) {
      // The shortest policy may list a prefix twice: alone, and inside another one.
      const isInside = (prefix: string) =>
        all.some((other) => other !== prefix && prefix.startsWith(other.slice(0, -1)));
      const prefixes = [...new Set(all)].filter((prefix) => !isInside(prefix));
      const key = keyOf(prefixes.sort().map((prefix) => prefix.slice(0, -2)));
      const same = merged.get(key) ?? { buckets: [], prefixes: [] };
      same.buckets.push(bucket);
      same.prefixes.push(...prefixes);
      merged.set(key, same);
    }
    const others = policy.Statement.filter((statement) => prefixesOf(statement) === undefined);
    const Statement = [...merged.values()].map(({ buckets, prefixes }) => ({
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: buckets,
      Condition: { StringLike: { "s3:prefix": prefixes } },
    }));
    return { ...policy, Statement: [...others, ...Statement] };
  });
}

/** A generator that remembers policies, by a key that does not hold all they depend on. */
function remembering(keyOf: (...args: Parameters<Generator>) => unknown): Generator {
  const known = new Map<string, PolicyDocument>();
  return (...args) => {
    const key = JSON.stringify(keyOf(...args));
    const policy = known.get(key) ?? buildSessionPolicy(...args);
    known.set(key, policy);
    return policy;
  };
}

const lists = (locations: Locations) =>
  Object.entries(locations).map(([access, uris]): [string, string[]] => [access, [...uris]]);

export const plantedFaults: readonly PlantedFault[] = [
  ...(
    [
      ["read", "s3:GetObject", `${BACKDOOR}/*`],
      ["written", "s3:PutObject", `${BACKDOOR}/*`],
      ["listed", "s3:ListBucket", BACKDOOR],
    ] as const
  ).map(([what, Action, Resource]) => ({
    fault: `a foreign bucket may be ${what}`,
    caughtBy: "only-what-was-asked",
    says: BACKDOOR,
    generate: adding(() => [{ Effect: "Allow", Action, Resource }]),
  })),
  {
    fault: "a foreign prefix of every bucket may be read",
    caughtBy: "only-what-was-asked",
    says: "/backdoor/",
    generate: changing((s) => {
      if (!names(s, "s3:GetObject")) return s;
      const buckets = asList(s.Resource).map((arn) => arn.replace(/(:::[^/]*).*/s, "$1"));
      const foreign = [...new Set(buckets)].map((bucket) => `${bucket}/backdoor/*`);
      return { ...s, Resource: [...asList(s.Resource), ...foreign] };
    }),
  },
  {
    fault: "a foreign prefix may be listed",
    caughtBy: "only-what-was-asked",
    says: "backdoor/",
    generate: changing((s) => {
      const prefixes = s.Condition?.["StringLike"]?.["s3:prefix"];
      if (prefixes === undefined) return s;
      const more = [...asList(prefixes), "backdoor/*"];
      return { ...s, Condition: { StringLike: { "s3:prefix": more } } };
    }),
  },
  {
    fault: "the same names in another partition",
    caughtBy: "only-what-was-asked",
    says: "arn:aws-iso-b:s3:::",
    generate: changing((s) => ({
      ...s,
      Resource: asList(s.Resource).flatMap((arn) =>
        arn.includes(":s3:::") ? [arn, arn.replace(/^arn:[^:]*/, "arn:aws-iso-b")] : [arn],
      ),
    })),
  },
  {
    fault: "the folder that siblings share: db/* for db/a and db/b",
    caughtBy: "only-what-was-asked",
    says: 'allowed, but not asked for: {"action":',
    generate: changing((s) => {
      const folders = new Map<string, string[]>();
      for (const arn of asList(s.Resource)) {
        const folder = /^(.*:::[^/]*\/.*\/)[^/]+\/\*$/s.exec(arn)?.[1];
        const own = folder === undefined ? arn : `${folder}*`;
        folders.set(own, [...(folders.get(own) ?? []), arn]);
      }
      const Resource = [...folders].flatMap(([folder, arns]) => (arns.length > 1 ? folder : arns));
      return { ...s, Resource };
    }),
  },
  {
    fault: "lists are the same if they read the same, joined with a slash",
    caughtBy: "only-what-was-asked",
    says: '"s3:ListBucket"',
    generate: mergingLists((prefixes) => prefixes.join("/")),
  },
  {
    fault: "lists are the same if their count and first three are",
    caughtBy: "only-what-was-asked",
    says: '"s3:ListBucket"',
    generate: mergingLists((prefixes) => [prefixes.length, ...prefixes.slice(0, 3)].join("\n")),
  },
  {
    fault: "names of buckets are in lower case",
    caughtBy: "only-what-was-asked",
    says: "arn:aws",
    generate: rewriting((text) =>
      text.replace(/(:s3:::)([^/]*)/, (_, s3, bucket) => s3 + bucket.toLowerCase()),
    ),
  },
  {
    fault: "keys that differ in case are the same",
    caughtBy: "all-that-was-asked",
    says: '"kms:Decrypt"',
    generate: changing((s) => {
      const distinct = new Map(asList(s.Resource).map((arn) => [arn.toLowerCase(), arn]));
      return names(s, "kms:Decrypt") ? { ...s, Resource: [...distinct.values()] } : s;
    }),
  },
  ...(
    [
      ["locations, whatever the catalog", (_, locations) => lists(locations)],
      [
        "catalog and number of locations",
        (config, l) => [config, lists(l).map(([a, u]) => [a, u.length])],
      ],
      [
        "catalog and locations, whatever the access",
        (config, l) => [config, lists(l).flatMap(([, u]) => u)],
      ],
      [
        "catalog and locations, whatever their case",
        (config, l, options) => [config, JSON.stringify([lists(l), options]).toLowerCase()],
      ],
      ["catalog and locations, whatever the options", (config, l) => [config, lists(l)]],
      [
        "catalog and locations, whatever the keys",
        (
          { currentKmsKey, allowedKmsKeys, encryptionKeys, decryptionKeys, ...config },
          l,
          options,
        ) => [config, lists(l), options],
      ],
    ] as readonly [string, Parameters<typeof remembering>[0]][]
  ).map(([what, keyOf]) => ({
    fault: `a cache by ${what}`,
    caughtBy: "independent-of-other-sessions",
    says: "broken promise: session ",
    generate: remembering(keyOf),
  })),
  {
    fault: "more locations than four are refused",
    caughtBy: "fits-or-throws",
    says: "broken promise: no error for",
    generate: (config, locations, options) => {
      const limited = (options?.maxLength ?? 0) < Number.POSITIVE_INFINITY;
      if (limited && lists(locations).flatMap(([, uris]) => uris).length > 4) throw new Error("no");
      return buildSessionPolicy(config, locations, options);
    },
  },
  {
    fault: "wildcards in a location are not escaped",
    caughtBy: "special-characters-stay-literal",
    says: "not widened to {",
    generate: rewriting((text) => text.replace(/\$\{([*?])\}/g, "$1")),
  },
  {
    fault: "a location covers its siblings: db/a* for db/a",
    caughtBy: "only-what-was-asked",
    says: 'allowed, but not asked for: {"action":',
    generate: rewriting((text) => text.replace(/\/\*$/, "*")),
  },
  {
    fault: "ListBucket without a condition",
    caughtBy: "only-what-was-asked",
    says: 'allowed, but not asked for: {"action":',
    generate: changing(({ Condition, ...s }) =>
      Condition === undefined || names(s, "kms:Decrypt")
        ? { ...s, ...(Condition && { Condition }) }
        : s,
    ),
  },
  {
    fault: "keys may be used outside S3",
    caughtBy: "only-what-was-asked",
    says: 'allowed, but not asked for: {"action":',
    generate: (config, locations, options) =>
      buildSessionPolicy(config, locations, { ...options, kmsViaService: false }),
  },
  {
    fault: "no Decrypt for multipart uploads",
    caughtBy: "all-that-was-asked",
    says: 'asked for, but not allowed: {"action":',
    generate: changing((s) =>
      names(s, "kms:GenerateDataKey") ? { ...s, Action: "kms:GenerateDataKey" } : s,
    ),
  },
  {
    fault: "partition aws in China and GovCloud",
    caughtBy: "all-that-was-asked",
    says: 'asked for, but not allowed: {"action":',
    generate: rewriting((text) => text.replace(/^arn:[^:]*:/, "arn:aws:")),
  },
  {
    fault: 'the root of a bucket lists the prefix "*" only',
    caughtBy: "all-that-was-asked",
    says: 'asked for, but not allowed: {"action":',
    generate: changing((s) =>
      names(s, "s3:ListBucket") && s.Condition === undefined
        ? { ...s, Condition: { StringLike: { "s3:prefix": "*" } } }
        : s,
    ),
  },
  {
    fault: "an action by its beginning: s3:GetObject*",
    caughtBy: "closed-vocabulary",
    says: "actions are known ones",
    generate: changing((s) => ({
      ...s,
      Action: asList(s.Action).map((a) => (a === "s3:GetObject" ? "s3:GetObject*" : a)),
    })),
  },
  {
    fault: "all buckets of the account may be located",
    caughtBy: "closed-vocabulary",
    says: "broken promise: ",
    generate: adding(() => [{ Effect: "Allow", Action: "s3:GetBucketLocation", Resource: "*" }]),
  },
  {
    fault: "reading includes writing",
    caughtBy: "no-write-without-write",
    says: "s3:PutObject is not granted",
    generate: changing((s) =>
      names(s, "s3:GetObject") ? { ...s, Action: [...asList(s.Action), "s3:PutObject"] } : s,
    ),
  },
  {
    fault: "writing includes deleting",
    caughtBy: "no-write-without-write",
    says: "s3:DeleteObject is not granted",
    generate: changing((s) =>
      names(s, "s3:PutObject") ? { ...s, Action: [...asList(s.Action), "s3:DeleteObject"] } : s,
    ),
  },
  {
    fault: "older keys may encrypt",
    caughtBy: "kms-only-on-configured-keys",
    says: "is not for encryption",
    generate: changing((s) =>
      names(s, "kms:Decrypt") ? { ...s, Action: ["kms:Decrypt", "kms:GenerateDataKey"] } : s,
    ),
  },
  {
    fault: "every key of the account where none is configured",
    caughtBy: "kms-only-on-configured-keys",
    says: "key/* is configured",
    generate: adding(({ currentKmsKey, allowedKmsKeys }) =>
      currentKmsKey || allowedKmsKeys?.length
        ? []
        : [
            {
              Effect: "Allow",
              Action: "kms:Decrypt",
              Resource: "arn:aws:kms:us-west-2:123456789012:key/*",
            },
          ],
    ),
  },
  {
    fault: "keys for a session that only lists",
    caughtBy: "no-data-no-kms",
    says: "there is no KMS action",
    generate: adding(({ currentKmsKey }, { list }) =>
      list && currentKmsKey
        ? [{ Effect: "Allow", Action: "kms:Decrypt", Resource: currentKmsKey }]
        : [],
    ),
  },
  {
    fault: "older versions of objects may be deleted",
    caughtBy: "never-broader-than-polaris",
    says: 'broader than Polaris: {"action":"s3:DeleteObjectVersion"',
    generate: changing((s) =>
      names(s, "s3:DeleteObject")
        ? { ...s, Action: [...asList(s.Action), "s3:DeleteObjectVersion"] }
        : s,
    ),
  },
  {
    fault: "more than two locations to write are read-only",
    caughtBy: "monotone",
    says: 'still allowed: {"action":',
    generate: (config, { write, ...locations }, options) =>
      buildSessionPolicy(
        config,
        [...(write ?? [])].length > 2 ? locations : { ...locations, ...(write && { write }) },
        options,
      ),
  },
  {
    fault: "resources in the order of the input",
    caughtBy: "canonical",
    says: " gives too: ",
    generate: (config, locations, options) => {
      const policy = buildSessionPolicy(config, locations, options);
      const [first = ""] = locations.read ?? [];
      const Statement = [...policy.Statement];
      return { ...policy, Statement: first.startsWith("s3a:") ? Statement.reverse() : Statement };
    },
  },
  ...[
    ["one character too few is allowed", -1],
    ["one character too many is allowed", 1],
  ].map(([fault, more]) => ({
    fault: String(fault),
    caughtBy: "fits-or-throws",
    generate: (config: AwsStorageConfig, locations: Locations, options?: SessionPolicyOptions) =>
      buildSessionPolicy(config, locations, {
        ...options,
        maxLength: Math.max(1, (options?.maxLength ?? 2048) + Number(more)),
      }),
  })),
  {
    fault: "the limit is one of bytes",
    caughtBy: "fits-or-throws",
    says: "broken promise: no error for",
    generate: (config, locations, options) => {
      const { maxLength = 2048 } = options ?? {};
      const policy = buildSessionPolicy(config, locations, {
        ...options,
        maxLength: Number.POSITIVE_INFINITY,
      });
      if (Buffer.byteLength(serializePolicy(policy)) > maxLength) throw new Error("too long");
      return policy;
    },
  },
  {
    fault: "the limit of STS is not checked",
    caughtBy: "fits-or-throws",
    says: " characters",
    generate: (config, locations, options) =>
      buildSessionPolicy(config, locations, { ...options, maxLength: Number.POSITIVE_INFINITY }),
  },
  {
    fault: "the caller's lists are sorted in place",
    caughtBy: "inputs-untouched",
    generate: (config, locations, options) => {
      for (const list of Object.values(locations)) if (Array.isArray(list)) list.sort();
      return buildSessionPolicy(config, locations, options);
    },
  },
  {
    fault: "a key is added to the caller's list",
    caughtBy: "inputs-untouched",
    says: "broken promise: the input is as it was",
    generate: (config, locations, options) => {
      const policy = buildSessionPolicy(config, locations, options);
      const keys = config.allowedKmsKeys as string[] | undefined;
      if (keys !== undefined && !Object.isFrozen(keys)) keys.push(...keys.slice(0, 1));
      return policy;
    },
  },
  {
    fault: "the caller's Sets are emptied",
    caughtBy: "inputs-untouched",
    says: "broken promise: the input is as it was",
    generate: (config, locations, options) => {
      const policy = buildSessionPolicy(config, locations, options);
      for (const list of Object.values(locations)) if (list instanceof Set) list.clear();
      return policy;
    },
  },
  {
    fault: "JSON text whose statements have an element twice",
    caughtBy: "closed-vocabulary",
    says: "broken promise: no object of the JSON text has a name twice",
    generate: (config, locations, options) => {
      const text = serializePolicy(buildSessionPolicy(config, locations, options));
      return text.replace('"Resource":', '"Resource":"*","Resource":') as never;
    },
  },
  {
    fault: "a configuration that is no object is a TypeError",
    caughtBy: "errors-are-typed",
    generate: (
      config: AwsStorageConfig,
      locations: Locations,
      options?: SessionPolicyOptions,
    ): PolicyDocument =>
      buildSessionPolicy({ ...config, region: config.region ?? "us-west-2" }, locations, options),
  },
];

/** One fault for each half of a promise: a property that is weakened lets one of these pass. */
export const subtleFaults: readonly PlantedFault[] = [
  ...(
    [
      [
        "an older version",
        "Version is 2012-10-17",
        rewritten((p) => ({ ...p, Version: "2008-10-17" })),
      ],
      [
        "a policy with an Id",
        "a policy has Version and Statement only",
        rewritten((p) => ({ ...p, Id: "x" })),
      ],
      [
        "no statement where nothing was asked for",
        "there is a statement",
        rewritten((p) => ({ ...p, Statement: p.Statement.filter((s) => s.Effect === "Allow") })),
      ],
      [
        "a statement with a Sid",
        "no element but the usual four",
        changing((s) => ({ ...s, Sid: "x" })),
      ],
      [
        "a Deny of everything beside what is allowed",
        "every other statement allows",
        adding(() => [{ Effect: "Deny", Action: "*", Resource: "*" }]),
      ],
      [
        "a Deny of everything under a condition",
        "every other statement allows",
        insteadOfDeny({ Effect: "Deny", Action: "*", Resource: "*", Condition: {} }),
      ],
      [
        "a Deny of one action for all",
        "every other statement allows",
        insteadOfDeny({ Effect: "Deny", Action: "s3:DeleteObject", Resource: "*" }),
      ],
      [
        "a Deny of one object for all",
        "every other statement allows",
        insteadOfDeny({ Effect: "Deny", Action: "*", Resource: "arn:aws:s3:::lake/db/*" }),
      ],
      [
        "everything where nothing was asked for",
        "actions are known ones",
        insteadOfDeny({ Effect: "Allow", Action: "*", Resource: "*" }),
      ],
      [
        "an action beside the known ones",
        "actions are known ones",
        changing((s) => ({ ...s, Action: [...asList(s.Action), "s3:PutObjectAcl"] })),
      ],
      [
        "a statement without a resource",
        "there is a resource",
        changing((s) => ({ ...s, Resource: [] })),
      ],
      [
        "a wildcard amid a resource",
        "/*/* names one place",
        changing((s) => ({ ...s, Resource: asList(s.Resource).map((r) => `${r}/*/*`) })),
      ],
      [
        "a resource that is no ARN",
        "xarn:",
        changing((s) => ({ ...s, Resource: asList(s.Resource).map((r) => `x${r}`) })),
      ],
      [
        "a condition on the caller",
        "conditions are known ones",
        changing((s) => ({
          ...s,
          Condition: { ...s.Condition, StringLike: { "aws:userid": "x" } },
        })),
      ],
    ] as const
  ).map(([fault, says, generate]) => ({ fault, caughtBy: "closed-vocabulary", says, generate })),
  ...(
    [
      ["reading includes giving up uploads", "s3:GetObject", "s3:AbortMultipartUpload"],
      ["decrypting includes encrypting", "kms:Decrypt", "kms:Encrypt"],
      ["decrypting includes making keys", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"],
      ["writing includes deleting versions", "s3:PutObject", "s3:DeleteObjectVersion"],
    ] as const
  ).map(([fault, action, more]) => ({
    fault,
    caughtBy: "no-write-without-write",
    says: `${more} is not granted`,
    generate: changing((s) =>
      names(s, action) ? { ...s, Action: [...asList(s.Action), more] } : s,
    ),
  })),
  ...["kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext"].map((more) => ({
    fault: `older keys may be used for ${more}`,
    caughtBy: "kms-only-on-configured-keys",
    says: "is not for encryption",
    generate: changing((s) =>
      names(s, "kms:Decrypt") ? { ...s, Action: ["kms:Decrypt", more] } : s,
    ),
  })),
  {
    fault: "keys although there is no KMS",
    caughtBy: "no-data-no-kms",
    says: "there is no KMS action",
    generate: (config, locations, options) =>
      buildSessionPolicy({ ...config, kmsUnavailable: false }, locations, options),
  },
  {
    fault: "a bucket of which something is listed is listed whole",
    caughtBy: "never-broader-than-polaris",
    says: "broader than Polaris",
    generate: changing(({ Condition, ...s }) =>
      Condition === undefined || names(s, "kms:Decrypt")
        ? { ...s, ...(Condition && { Condition }) }
        : s,
    ),
  },
  {
    fault: "a bucket that is listed whole is listed with its versions",
    caughtBy: "never-broader-than-polaris",
    says: "broader than Polaris",
    generate: changing((s) =>
      names(s, "s3:ListBucket") && s.Condition === undefined
        ? { ...s, Action: [...asList(s.Action), "s3:ListBucketVersions"] }
        : s,
    ),
  },
  ...["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"].map((action) => ({
    fault: `wildcards are not escaped for ${action}`,
    caughtBy: "special-characters-stay-literal",
    says: `not widened to {"action":"${action}"`,
    generate: unescapedFor(action),
  })),
  {
    fault: "without a current key the older ones encrypt",
    caughtBy: "monotone",
    says: "still allowed",
    generate: adding(({ currentKmsKey, allowedKmsKeys }) =>
      currentKmsKey || !allowedKmsKeys?.length
        ? []
        : [{ Effect: "Allow", Action: "kms:Encrypt", Resource: allowedKmsKeys }],
    ),
  },
  {
    fault: "without older keys the current one encrypts",
    caughtBy: "monotone",
    says: "still allowed",
    generate: adding(({ currentKmsKey, allowedKmsKeys }) =>
      !currentKmsKey || allowedKmsKeys?.length
        ? []
        : [{ Effect: "Allow", Action: "kms:Encrypt", Resource: currentKmsKey }],
    ),
  },
  ...(
    [
      ["the scheme", (_, { list }) => first(list)?.startsWith("s3n:") === true],
      ["a slash at the end", (_, { list }) => first(list)?.endsWith("/") === true],
      ["repeats", (_, { list }) => Array.isArray(list) && new Set(list).size < list.length],
      ["a Set", (_, { list }) => list instanceof Set],
      ["an array", (_, { list }) => Array.isArray(list) && list.length > 0],
      [
        "the order of locations",
        (_, { list }) => [...(list ?? [])].join() > [...(list ?? [])].sort().join(),
      ],
      ["the order of lists", (_, locations) => Object.keys(locations)[0] === "read"],
      ["the order of keys", ({ allowedKmsKeys: k }) => (k?.[0] ?? "") > (k?.at(-1) ?? "")],
    ] as readonly [string, Parameters<typeof turned>[0]][]
  ).map(([what, when]) => ({
    fault: `an order that depends on ${what}`,
    caughtBy: "canonical",
    says: " gives too: ",
    generate: turned(when),
  })),
  {
    fault: "a configuration that can be changed is changed",
    caughtBy: "inputs-untouched",
    says: "the input is as it was",
    generate: (config, locations, options) => {
      const policy = buildSessionPolicy(config, locations, options);
      if (!Object.isFrozen(config)) Object.assign(config, { storageName: "x" });
      return policy;
    },
  },
  {
    fault: "the caller's lists are changed, and changed back",
    caughtBy: "inputs-untouched",
    says: "object is not extensible",
    generate: (config, locations, options) => {
      for (const list of Object.values(locations)) {
        if (!Array.isArray(list)) continue;
        list.push("x");
        list.pop();
      }
      return buildSessionPolicy(config, locations, options);
    },
  },
  ...(
    [
      ["no code", "a code, not ", ({ issues, message }) => ({ issues, message })],
      ["a code in lower case", "a code, not ", (e) => ({ ...e, code: "invalid" })],
      ["a sentence for a code", "a code, not ", (e) => ({ ...e, code: "It is WRONG" })],
      ["a code with a number", "a code, not ", (e) => ({ ...e, code: "WRONG-1" })],
      ["a code in a list", "a code, not ", (e) => ({ ...e, code: ["WRONG"] })],
      ["no issues", "issues", ({ code, message }) => ({ code, message })],
      ["an empty list of issues", "issues", (e) => ({ ...e, issues: [] })],
      ["issues that are no list", "issues", (e) => ({ ...e, issues: { length: 1 } })],
      ["no message", "a message", ({ code, issues }) => ({ code, issues })],
      ["an empty message", "a message", (e) => ({ ...e, message: "" })],
      ["a message that is none", "a message", (e) => ({ ...e, message: 1 })],
    ] as readonly [string, string, Parameters<typeof throwing>[0]][]
  ).map(([what, says, change]) => ({
    fault: `errors with ${what}`,
    caughtBy: "errors-are-typed",
    says: `broken promise: ${says}`,
    generate: throwing(change),
  })),
  {
    fault: "a policy that grants nothing is empty",
    caughtBy: "errors-are-typed",
    says: "broken promise: a policy",
    generate: rewritten((p) => ({
      ...p,
      Statement: p.Statement.filter((s) => s.Effect === "Allow"),
    })),
  },
];
