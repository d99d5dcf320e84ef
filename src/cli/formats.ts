/**
 * Writes policies for Terraform and CloudFormation.
 * @module
 */
import { UsageError } from "./usage-error.ts";

/** A statement of any policy: of a role, its trust or a key. */
interface AnyStatement {
  readonly Sid?: string | undefined;
  readonly Effect: string;
  readonly Principal?: { readonly AWS: string | readonly string[] };
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[] | undefined;
  readonly Condition?:
    | Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
    | undefined;
}

const FORMATS = ["json", "terraform", "cloudformation"] as const;
export type Format = (typeof FORMATS)[number];

/** Reads the value of --format; the default is json. */
export function formatFrom(text = "json"): Format {
  const format = FORMATS.find((known) => known === text);
  if (format === undefined) {
    throw new UsageError("The --format is unknown. Use json, terraform or cloudformation.");
  }
  return format;
}

/**
 * Writes statements as a data source of Terraform, whose `json` is the policy.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
 */
export function terraformData(name: string, statements: readonly AnyStatement[]): string {
  const blocks = statements.map((statement) => {
    const lines = [
      ...(statement.Sid === undefined ? [] : [`sid       = ${hclString(statement.Sid)}`]),
      `effect    = ${hclString(statement.Effect)}`,
      `actions   = ${hclList(statement.Action)}`,
      ...(statement.Resource === undefined ? [] : [`resources = ${hclList(statement.Resource)}`]),
      ...(statement.Principal === undefined
        ? []
        : block("principals", [
            `type        = "AWS"`,
            `identifiers = ${hclList(statement.Principal.AWS)}`,
          ])),
      ...Object.entries(statement.Condition ?? {}).flatMap(([test, keys]) =>
        Object.entries(keys).flatMap(([variable, values]) =>
          block("condition", [
            `test     = ${hclString(test)}`,
            `variable = ${hclString(variable)}`,
            `values   = ${hclList(values)}`,
          ]),
        ),
      ),
    ];
    return block("statement", lines);
  });
  const lines = blocks.flatMap((lines, i) => (i === 0 ? lines : ["", ...lines]));
  return block(`data "aws_iam_policy_document" ${hclString(name)}`, lines).join("\n");
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => (line === "" ? "" : `  ${line}`)), "}"];
}

function hclList(values: string | readonly string[]): string {
  return `[${[values].flat().map(hclString).join(", ")}]`;
}

/**
 * Writes a string of Terraform. JSON's escapes are HCL's too; ${ and %{ begin templates there, and
 * in a policy `${*}` must stay as it is.
 *
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings
 */
function hclString(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/**
 * Makes a CloudFormation template. JSON is YAML too, so it can be pasted into either.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
export function cloudFormationTemplate(
  Description: string,
  Resources: Readonly<Record<string, Resource>>,
): object {
  return { AWSTemplateFormatVersion: "2010-09-09", Description, Resources };
}
