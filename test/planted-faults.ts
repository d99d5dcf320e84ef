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
} from "../src/index.ts";
import { asList } from "./iam.ts";

type Generator = typeof buildSessionPolicy;

export interface PlantedFault {
  readonly fault: string;
  readonly caughtBy: string;
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

const names = (s: Statement, action: string) => asList(s.Action).includes(action);

export const plantedFaults: readonly PlantedFault[] = [
  {
    fault: "wildcards in a location are not escaped",
    caughtBy: "special-characters-stay-literal",
    generate: rewriting((text) => text.replace(/\$\{([*?])\}/g, "$1")),
  },
  {
    fault: "a location covers its siblings: db/a* for db/a",
    caughtBy: "only-what-was-asked",
    generate: rewriting((text) => text.replace(/\/\*$/, "*")),
  },
  {
    fault: "ListBucket without a condition",
    caughtBy: "only-what-was-asked",
    generate: changing(({ Condition, ...s }) =>
      Condition === undefined || names(s, "kms:Decrypt")
        ? { ...s, ...(Condition && { Condition }) }
        : s,
    ),
  },
  {
    fault: "keys may be used outside S3",
    caughtBy: "only-what-was-asked",
    generate: (config, locations, options) =>
      buildSessionPolicy(config, locations, { ...options, kmsViaService: false }),
  },
  {
    fault: "no Decrypt for multipart uploads",
    caughtBy: "all-that-was-asked",
    generate: changing((s) =>
      names(s, "kms:GenerateDataKey") ? { ...s, Action: "kms:GenerateDataKey" } : s,
    ),
  },
  {
    fault: "partition aws in China and GovCloud",
    caughtBy: "all-that-was-asked",
    generate: rewriting((text) => text.replace(/^arn:[^:]*:/, "arn:aws:")),
  },
  {
    fault: 'the root of a bucket lists the prefix "*" only',
    caughtBy: "all-that-was-asked",
    generate: changing((s) =>
      names(s, "s3:ListBucket") && s.Condition === undefined
        ? { ...s, Condition: { StringLike: { "s3:prefix": "*" } } }
        : s,
    ),
  },
  {
    fault: "an action by its beginning: s3:GetObject*",
    caughtBy: "closed-vocabulary",
    generate: changing((s) => ({
      ...s,
      Action: asList(s.Action).map((a) => (a === "s3:GetObject" ? "s3:GetObject*" : a)),
    })),
  },
  {
    fault: "all buckets of the account may be located",
    caughtBy: "closed-vocabulary",
    generate: adding(() => [{ Effect: "Allow", Action: "s3:GetBucketLocation", Resource: "*" }]),
  },
  {
    fault: "reading includes writing",
    caughtBy: "no-write-without-write",
    generate: changing((s) =>
      names(s, "s3:GetObject") ? { ...s, Action: [...asList(s.Action), "s3:PutObject"] } : s,
    ),
  },
  {
    fault: "writing includes deleting",
    caughtBy: "no-write-without-write",
    generate: changing((s) =>
      names(s, "s3:PutObject") ? { ...s, Action: [...asList(s.Action), "s3:DeleteObject"] } : s,
    ),
  },
  {
    fault: "older keys may encrypt",
    caughtBy: "kms-only-on-configured-keys",
    generate: changing((s) =>
      names(s, "kms:Decrypt") ? { ...s, Action: ["kms:Decrypt", "kms:GenerateDataKey"] } : s,
    ),
  },
  {
    fault: "every key of the account where none is configured",
    caughtBy: "kms-only-on-configured-keys",
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
    generate: adding(({ currentKmsKey }, { list }) =>
      list && currentKmsKey
        ? [{ Effect: "Allow", Action: "kms:Decrypt", Resource: currentKmsKey }]
        : [],
    ),
  },
  {
    fault: "older versions of objects may be deleted",
    caughtBy: "never-broader-than-polaris",
    generate: changing((s) =>
      names(s, "s3:DeleteObject")
        ? { ...s, Action: [...asList(s.Action), "s3:DeleteObjectVersion"] }
        : s,
    ),
  },
  {
    fault: "more than two locations to write are read-only",
    caughtBy: "monotone",
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
    generate: (config, locations, options) => {
      const policy = buildSessionPolicy(config, locations, options);
      const [first = ""] = locations.read ?? [];
      const Statement = [...policy.Statement];
      return { ...policy, Statement: first.startsWith("s3a:") ? Statement.reverse() : Statement };
    },
  },
  {
    fault: "the limit of STS is not checked",
    caughtBy: "fits-or-throws",
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
