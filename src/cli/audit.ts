/**
 * The command audit.
 * @module
 */
import type { PolicyInput } from "polaris-session-policy/analysis";
import { auditRole, type MissingAccess, type RoleAudit } from "polaris-session-policy/setup";
import type { Command } from "./command.ts";
import { configFrom, readOnce, readPolicy } from "./input.ts";
import { fieldsOf, listOf, OPTIONS, STORAGE_CONFIG, textOf } from "./options.ts";
import { accessTable, bold, counted, folded, print, printable } from "./output.ts";
import { UsageError } from "./usage-error.ts";

export const audit: Command = {
  summary: "tell what a role lacks for the sessions of a catalog, and what it allows beyond",
  flags: [
    {
      title: "Policies, as files of documents or of what the aws command prints:",
      flags: [
        {
          name: "role-policy",
          value: "FILE…",
          repeats: true,
          many: true,
          help: "the role's permissions policies",
        },
        { name: "boundary", value: "FILE", help: "its permissions boundary" },
        { name: "trust", value: "FILE", help: "its trust policy" },
        {
          name: "key-policy",
          value: "FILE…",
          repeats: true,
          many: true,
          help: "the keys' policies, or KEY_ARN=FILE each",
        },
        { name: "tags", help: "sessions carry tags, which the trust must allow" },
        { name: "strict", help: "excess and unknown are as bad as missing" },
      ],
    },
    STORAGE_CONFIG,
    OPTIONS,
  ],
  notes:
    "One of the files may be - for standard input. Without --key-policy, audit assumes that the\nkeys' policies leave access to the role's policies.\nExit status: 0 if nothing is missing, 1 if something is.",
  example: "audit --config catalog.json --role-policy role.json --trust trust.json",
  run: async ({ values }) => {
    const rolePolicies = listOf(values, "role-policy");
    if (rolePolicies.length === 0) {
      throw new UsageError("audit has no policy. Give those of the role with --role-policy.");
    }
    const boundary = textOf(values, "boundary");
    const trust = textOf(values, "trust");
    const keyFiles = listOf(values, "key-policy").map(keyFileOf);
    readOnce(
      textOf(values, "config"),
      ...rolePolicies,
      boundary,
      trust,
      ...keyFiles.map(({ file }) => file),
    );
    const found = auditRole({
      storageConfig: (await configFrom(values)) ?? {},
      policies: await readAll(rolePolicies),
      boundary: boundary === undefined ? undefined : await readPolicy(boundary),
      trust: trust === undefined ? undefined : await readPolicy(trust),
      keyPolicies: await readKeyPolicies(keyFiles),
      tags: values["tags"] === true,
      options: fieldsOf(OPTIONS, values),
    });
    print(values["json"] ? JSON.stringify(found) : auditText(found));
    const { missing, excess, unknown } = found;
    const more = values["strict"] ? excess.length + unknown.length : 0;
    return missing.length + more === 0;
  },
};

async function readAll(files: readonly string[]): Promise<PolicyInput[]> {
  const policies: PolicyInput[] = [];
  for (const file of files) policies.push(await readPolicy(file));
  return policies;
}

interface KeyFile {
  readonly arn?: string | undefined;
  readonly file: string;
}

function keyFileOf(text: string): KeyFile {
  const [, arn, file] = /^(arn:[^=]+)=(.*)$/s.exec(text) ?? [];
  return file === undefined ? { file: text } : { arn, file };
}

async function readKeyPolicies(
  files: readonly KeyFile[],
): Promise<readonly PolicyInput[] | Readonly<Record<string, PolicyInput>> | undefined> {
  if (files.length === 0) return undefined;
  const policies = await readAll(files.map(({ file }) => file));
  const arns = files.flatMap(({ arn }) => (arn === undefined ? [] : [arn]));
  if (arns.length === 0) return policies;
  if (arns.length < files.length || new Set(arns).size < files.length) {
    throw new UsageError(
      "--key-policy must name each file's key once, or none. Write KEY_ARN=FILE for each.",
    );
  }
  return Object.fromEntries(arns.map((arn, i) => [arn, policies[i] ?? ""]));
}

function auditText({ missing, excess, unknown }: RoleAudit): string {
  const parts: string[] = [];
  if (missing.length === 0) parts.push("Nothing is missing.");
  else parts.push([bold("Missing:"), ...missing.flatMap(missingLines)].join("\n"));
  if (excess.length === 0) parts.push("Nothing is in excess.");
  else {
    const [others] = excess.flatMap(({ otherServices }) => otherServices ?? []);
    const rows = excess.filter(({ otherServices }) => otherServices === undefined);
    parts.push(
      [
        ...(rows.length > 0 ? [bold("In excess:"), accessTable(rows)] : []),
        ...(others === undefined
          ? []
          : [`Of other services: ${counted(others, "action")}, not judged.`]),
      ].join("\n"),
    );
  }
  if (unknown.length === 0) parts.push("Nothing is unknown.");
  else {
    const rows = unknown.map(({ key, request }) =>
      printable(`  ${key} decides ${request.action} on ${request.resource}`),
    );
    parts.push([bold("Unknown, as it depends on these condition keys:"), ...rows].join("\n"));
  }
  return parts.join("\n\n");
}

const LAYERS = {
  policies: "the role's policies",
  boundary: "the boundary",
  keyPolicies: "the key's policy",
  trust: "the trust policy",
} as const;

function missingLines({ request, statement, where, why }: MissingAccess): string[] {
  const lines = [
    `  ${request.action} on ${request.resource}`,
    ...folded(why).map((line) => `  ${line}`),
    `    add to ${LAYERS[where]}: ${JSON.stringify(statement)}`,
  ];
  return lines.map(printable);
}
