/**
 * The commands about roles, keys and configurations: role-policy, trust-policy, key-policy, check-config,
 * diff.
 * @module
 */
import {
  type AwsStorageConfig,
  buildSessionPolicy,
  type Locations,
  type PolicyDocument,
  SessionPolicyError,
  type SessionPolicyOptions,
} from "polaris-session-policy";
import {
  checkStorageConfig,
  type Finding,
  keyPolicyStatements,
  rolePolicy,
  trustPolicy,
} from "polaris-session-policy/setup";
import { accessBeyond } from "./access.ts";
import type { Command } from "./command.ts";
import { cloudFormationTemplate, formatFrom, type Resource, terraformData } from "./formats.ts";
import { configFrom, oneOf, readCatalogs, readOnce, withFlags } from "./input.ts";
import {
  type FlagGroup,
  FORM,
  fieldsOf,
  LOCATIONS,
  listOf,
  OPTIONS,
  STORAGE_CONFIG,
  textOf,
  type Values,
} from "./options.ts";
import {
  accessTable,
  bold,
  documentText,
  folded,
  pathText,
  prettyJson,
  print,
  printable,
} from "./output.ts";
import { UsageError } from "./usage-error.ts";

const FORMATTED: FlagGroup = {
  title: FORM.title,
  flags: [
    { name: "format", value: "FORMAT", help: "json (default), terraform or cloudformation" },
    ...FORM.flags,
  ],
};

/** The flags of a configuration whose file is named without a flag. */
const CONFIG_FIELDS: FlagGroup<AwsStorageConfig> = {
  title: STORAGE_CONFIG.title,
  flags: STORAGE_CONFIG.flags.filter(({ name }) => name !== "config" && name !== "catalog"),
};

/** Prints a document in the format asked for. */
function printAs(
  values: Values,
  document: object,
  terraform: () => string,
  cloudFormation: () => object,
): void {
  const format = formatFrom(textOf(values, "format"));
  if (format === "terraform") print(terraform());
  else if (format === "cloudformation") print(prettyJson(cloudFormation()));
  else print(values["json"] ? JSON.stringify(document) : documentText(document, values));
}

export const rolePolicyCommand: Command = {
  summary: "print the policy that the role needs for all sessions of a catalog",
  flags: [STORAGE_CONFIG, OPTIONS, FORMATTED],
  notes: "Terraform's data source and CloudFormation's managed policy hold the same statements.",
  example: "role-policy --config catalog.json --format terraform",
  run: async ({ values }) => {
    const config = (await configFrom(values)) ?? {};
    const policy = rolePolicy(config, fieldsOf(OPTIONS, values));
    const role = roleNameOf(config);
    printAs(
      values,
      policy,
      () => terraformData("polaris_role", policy.Statement),
      () =>
        cloudFormationTemplate("What the sessions of a Polaris catalog may need.", {
          PolarisRolePolicy: {
            Type: "AWS::IAM::ManagedPolicy",
            Properties: {
              PolicyDocument: policy,
              ...(role === undefined ? {} : { Roles: [role] }),
            },
          },
        }),
    );
    return true;
  },
};

export const trustPolicyCommand: Command = {
  summary: "print the trust policy with which the catalog server may assume the role",
  flags: [
    STORAGE_CONFIG,
    {
      title: "Trust:",
      flags: [
        {
          name: "principal",
          value: "ARN",
          help: "the catalog server's identity; --user-arn by default",
        },
        { name: "tags", help: "sessions carry tags" },
      ],
    },
    FORMATTED,
  ],
  example:
    "trust-policy --config catalog.json --principal arn:aws:iam::123456789012:role/polaris-server",
  run: async ({ values }) => {
    const config = (await configFrom(values)) ?? {};
    const principal = textOf(values, "principal") ?? config.userArn;
    if (principal == null) {
      throw new UsageError(
        "trust-policy has no principal. Give the ARN of the catalog server's identity with --principal.",
      );
    }
    const policy = trustPolicy(config, { principal, tags: values["tags"] === true });
    const role = roleNameOf(config);
    printAs(
      values,
      policy,
      () => terraformData("polaris_trust", policy.Statement),
      () =>
        cloudFormationTemplate("The role that a Polaris catalog assumes.", {
          PolarisRole: {
            Type: "AWS::IAM::Role",
            Properties: {
              ...(role === undefined ? {} : { RoleName: role }),
              AssumeRolePolicyDocument: policy,
            },
          },
        }),
    );
    return true;
  },
};

export const keyPolicyCommand: Command = {
  summary: "print the statement that each key's own policy needs for the role",
  flags: [STORAGE_CONFIG, FORMATTED],
  notes:
    "Add each statement to the policy of the key that it names, and keep the statements that are there.\nA key policy without a statement for its administrators locks them out.",
  example: "key-policy --config catalog.json",
  run: async ({ values }) => {
    const statements = keyPolicyStatements((await configFrom(values)) ?? {});
    printAs(
      values,
      statements,
      () =>
        statements
          .map((statement, i) => terraformData(`polaris_key_${i + 1}`, [statement]))
          .join("\n\n"),
      () =>
        cloudFormationTemplate(
          "Add each statement to the KeyPolicy of the key that it names, and keep those for administrators.",
          Object.fromEntries(
            statements.map((statement, i): [string, Resource] => [
              `PolarisKey${i + 1}`,
              {
                Type: "AWS::KMS::Key",
                Properties: {
                  KeyPolicy: { Version: "2012-10-17", Statement: [statement] },
                },
              },
            ]),
          ),
        ),
    );
    return true;
  },
};

/** Returns the role's name, the last part of its ARN, which CloudFormation takes. */
function roleNameOf({ roleArn }: AwsStorageConfig): string | undefined {
  return roleArn == null ? undefined : /:role\/(?:.*\/)?([^/]+)$/.exec(roleArn)?.[1];
}

/** A finding of the check, or an error for which the library refuses the configuration. */
type AnyFinding = Omit<Finding, "code"> & { readonly code: string };

export const checkConfig: Command = {
  summary: "find mistakes in the storage configurations of catalogs",
  files: { usage: "CATALOG…", least: 1, most: Number.POSITIVE_INFINITY },
  flags: [
    {
      title: "Options:",
      flags: [
        { name: "catalog", value: "NAME", help: "check the catalog of that name only" },
        { name: "strict", help: "a warning is as bad as an error" },
      ],
    },
  ],
  notes:
    "A file may hold several catalogs, as polaris catalogs list prints them; - is standard input.\nExit status: 0 without an error, 1 with one.",
  example: "check-config catalog.json --strict",
  run: async ({ values, files }) => {
    readOnce(...files);
    const name = textOf(values, "catalog");
    const checked: { file: string; catalog?: string; findings: AnyFinding[] }[] = [];
    for (const file of files) {
      const documents = await readCatalogs(file);
      for (const document of name === undefined ? documents : [oneOf(documents, file, name)]) {
        const catalog = document["name"];
        checked.push({
          file,
          ...(typeof catalog === "string" ? { catalog } : {}),
          findings: findingsOf(document),
        });
      }
    }
    if (values["json"]) print(JSON.stringify(checked));
    else {
      const texts = checked.map(({ file, catalog, findings }) =>
        [
          bold(
            printable(`${catalog ?? file}: ${findings.length === 0 ? "no findings" : ""}`.trim()),
          ),
          ...findings.flatMap(findingLines),
        ].join("\n"),
      );
      print(texts.join("\n\n"));
    }
    const bad = values["strict"] ? ["error", "warning"] : ["error"];
    return !checked.some(({ findings }) => findings.some(({ severity }) => bad.includes(severity)));
  },
};

function findingsOf(document: Readonly<Record<string, unknown>>): AnyFinding[] {
  try {
    return checkStorageConfig(withFlags(document, {}) ?? {});
  } catch (error) {
    if (!(error instanceof SessionPolicyError)) throw error;
    const { code, issues } = error;
    return issues.map(({ path, message }) => ({
      code,
      severity: "error",
      path,
      message,
      remedy: "",
    }));
  }
}

function findingLines({ severity, code, path, message, remedy }: AnyFinding): string[] {
  const at = path.length === 0 ? "" : ` at ${pathText(path)}`;
  return [`  ${severity} ${code}${at}`, ...folded(`${message} ${remedy}`)].map(printable);
}

export const diff: Command = {
  summary: "show the accesses that a change of a catalog gains and loses",
  files: { usage: "A [B]", least: 1, most: 2 },
  flags: [
    CONFIG_FIELDS,
    {
      title: "Catalogs:",
      flags: [
        {
          name: "catalog",
          value: "NAME",
          repeats: true,
          help: "the catalog of A, and again for B if it differs",
        },
      ],
    },
    LOCATIONS,
    OPTIONS,
  ],
  notes:
    "A and B hold catalogs or storage configurations. Without B, A is compared with itself as the\nflags change it. Without locations this compares what all sessions together may do, with locations\nwhat one session may do.\nExit status: 0 if the accesses are the same, 1 if not.",
  example: "diff before.json after.json",
  run: async ({ values, files: [a = "", b] }) => {
    readOnce(a, b);
    const [nameOfA, nameOfB = nameOfA] = listOf(values, "catalog");
    const documents = await readCatalogs(a);
    const before = oneOf(documents, a, nameOfA);
    const after = b === undefined ? before : oneOf(await readCatalogs(b), b, nameOfB);
    const locations = fieldsOf(LOCATIONS, values);
    const options = fieldsOf(OPTIONS, values);
    const first = accessOf(withFlags(before, {}) ?? {}, locations, options);
    const second = accessOf(withFlags(after, values) ?? {}, locations, options);
    const gained = accessBeyond(second, first);
    const lost = accessBeyond(first, second);
    if (values["json"]) print(JSON.stringify({ gained, lost }));
    else {
      print(gained.length === 0 ? "Nothing is gained." : `Gained:\n${accessTable(gained)}`);
      print(lost.length === 0 ? "\nNothing is lost." : `\nLost:\n${accessTable(lost)}`);
    }
    return gained.length === 0 && lost.length === 0;
  },
};

/** Returns the policy of the session with these locations, or of the role for all sessions. */
function accessOf(
  config: AwsStorageConfig,
  locations: Locations,
  options: SessionPolicyOptions,
): PolicyDocument {
  return Object.keys(locations).length > 0
    ? buildSessionPolicy(config, locations, { maxLength: Number.POSITIVE_INFINITY, ...options })
    : rolePolicy(config, options);
}
