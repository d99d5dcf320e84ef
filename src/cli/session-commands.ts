/**
 * The commands that make sessions: build, assume-role, plan.
 * @module
 */
import {
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  planSessionPolicies,
  serializePolicy,
} from "polaris-session-policy";
import { listAccess } from "polaris-session-policy/analysis";
import { accessBeyond } from "./access.ts";
import type { Command } from "./command.ts";
import { sessionFrom } from "./input.ts";
import {
  type Arguments,
  FORM,
  fieldsOf,
  LOCATIONS,
  OPTIONS,
  SESSION_CONTEXT,
  SESSION_SETTINGS,
  STORAGE_CONFIG,
  textOf,
} from "./options.ts";
import { accessTable, counted, documentText, lengthText, print, table } from "./output.ts";

/** The limit of STS for the Policy parameter of AssumeRole. */
const STS_LIMIT = 2048;

export const build: Command = {
  summary: "print the session policy",
  flags: [
    STORAGE_CONFIG,
    LOCATIONS,
    OPTIONS,
    {
      title: FORM.title,
      flags: [
        ...FORM.flags,
        { name: "explain", help: "also print what the policy allows, and its length" },
        {
          name: "vs-polaris",
          help: "also print what Polaris' policy allows beyond it, and its length",
        },
      ],
    },
  ],
  example: "build --config catalog.json --read s3://lake/ns/t1 --list s3://lake/ns/t1 --explain",
  run: async ({ values }) => {
    const { config = {}, locations = {}, options } = await sessionFrom(values);
    const policy = buildSessionPolicy(config, locations, options);
    const { length } = serializePolicy(policy);
    const maxLength = options.maxLength ?? STS_LIMIT;
    const polaris = values["vs-polaris"] ? polarisBeyond(policy, config, locations) : undefined;
    if (values["json"]) {
      print(JSON.stringify({ policy, length, maxLength, access: listAccess(policy), polaris }));
      return true;
    }
    print(documentText(policy, values));
    if (values["explain"]) {
      print(`\n${accessTable(listAccess(policy))}\n\n${lengthText(length, maxLength)}`);
    }
    if (polaris !== undefined) {
      const more =
        polaris.beyond.length === 0
          ? "Polaris would allow nothing beyond this policy."
          : `Polaris would also allow:\n${accessTable(polaris.beyond)}`;
      print(`\n${more}\n\nIts policy has ${lengthText(polaris.length, maxLength)}`);
    }
    return true;
  },
};

/** Returns Polaris' own policy for the session, its length, and what it allows beyond `policy`. */
function polarisBeyond(policy: PolicyDocument, config: AwsStorageConfig, locations: Locations) {
  const polaris = buildSessionPolicy(config, locations, {
    profile: "polaris",
    // Polaris also sends policies that are too long.
    maxLength: Number.POSITIVE_INFINITY,
  });
  const { length } = serializePolicy(polaris);
  return { policy: polaris, length, beyond: accessBeyond(polaris, policy) };
}

export const assumeRole: Command = {
  summary: "print the whole AssumeRole request, for aws sts assume-role --cli-input-json",
  flags: [STORAGE_CONFIG, LOCATIONS, OPTIONS, SESSION_SETTINGS, SESSION_CONTEXT, FORM],
  example: "assume-role --config catalog.json --read s3://lake/ns/t1 --table t1 --name-field table",
  run: async ({ values }) => {
    const { config = {}, locations = {}, options } = await sessionFrom(values);
    const catalog = textOf(values, "catalog");
    const session = {
      context: {
        ...fieldsOf(SESSION_CONTEXT, values),
        ...(catalog === undefined ? {} : { catalog }),
      },
      ...fieldsOf(SESSION_SETTINGS, values),
    };
    const request = buildAssumeRoleRequest(config, locations, session, options);
    print(values["json"] ? JSON.stringify(request) : documentText(request, values));
    return true;
  },
};

export const plan: Command = {
  summary: "divide locations among sessions whose policies fit STS",
  flags: [STORAGE_CONFIG, LOCATIONS, OPTIONS],
  notes: "--json prints the sessions with their policies.",
  example: "plan --config catalog.json --read s3://lake/ns/t1 --read s3://lake/ns/t2",
  run: async ({ values }: Arguments) => {
    const { config = {}, locations = {}, options } = await sessionFrom(values);
    const plans = planSessionPolicies(config, locations, options).map((one) => ({
      ...one,
      length: serializePolicy(one.policy).length,
    }));
    if (values["json"]) {
      print(JSON.stringify(plans));
      return true;
    }
    const rows = plans.map((one, i) => [
      String(i + 1),
      one.length.toLocaleString("en"),
      ...locationCells(one.locations),
    ]);
    print(table(["SESSION", "LENGTH", "LOCATION", "ACCESS"], rows));
    const most = lengthText(options.maxLength ?? STS_LIMIT, Number.POSITIVE_INFINITY);
    print(`\n${counted(plans.length, "session")}, each with a policy of at most ${most}`);
    return true;
  },
};

/** A line for each location, and the accesses to it on the same line. */
function locationCells(locations: Locations): [string[], string[]] {
  const accesses = new Map<string, string[]>();
  for (const [access, uris] of Object.entries(locations)) {
    for (const uri of uris ?? []) accesses.set(uri, [...(accesses.get(uri) ?? []), access]);
  }
  return [[...accesses.keys()], [...accesses.values()].map((names) => names.join(", "))];
}
