/**
 * The commands that read policies: check, compare.
 * @module
 */
import { compareAccess, type Decision, decideStrictly } from "polaris-session-policy/analysis";
import type { Command } from "./command.ts";
import { contextFrom, readOnce, readPolicy } from "./input.ts";
import { textOf } from "./options.ts";
import { bold, print, printable } from "./output.ts";
import { UsageError } from "./usage-error.ts";

export const check: Command = {
  summary: "decide whether a policy allows a request",
  files: { usage: "POLICY|-", least: 1, most: 1 },
  flags: [
    {
      title: "Request:",
      flags: [
        { name: "action", value: "ACTION", help: "for example s3:GetObject" },
        { name: "resource", value: "ARN", help: "for example arn:aws:s3:::lake/ns/t1/file" },
        {
          name: "context",
          value: "KEY=VALUE",
          repeats: true,
          help: "a condition key of the request, once for each value",
        },
        {
          name: "principal",
          value: "ARN",
          help: "the principal that asks, for policies that name principals",
        },
      ],
    },
  ],
  notes:
    "Exit status: 0 if the request is allowed, 1 if it is denied, 2 if it is denied only because it lacks a\ncondition key or a principal. The real request may have them: give --context and --principal.\ns3:prefix may be absent.",
  example:
    "check policy.json --action s3:ListBucket --resource arn:aws:s3:::lake --context s3:prefix=ns/t1/",
  run: async ({ values, files: [file = ""] }) => {
    const action = textOf(values, "action");
    const resource = textOf(values, "resource");
    if (action === undefined || resource === undefined) {
      throw new UsageError("check has no request. Give --action and --resource.");
    }
    const context = contextFrom(values);
    const principal = textOf(values, "principal");
    const request = { action, resource, context, ...(principal && { principal }) };
    const decision = decideStrictly(await readPolicy(file), request);
    print(values["json"] ? JSON.stringify(decision) : decisionText(decision));
    return decision.decision === "allowed";
  },
};

function decisionText({ decision, statements }: Decision): string {
  const by = `by ${statements.length === 1 ? "statement" : "statements"} ${statements.join(", ")}`;
  if (decision === "allowed") return `allowed ${by}`;
  return decision === "explicitlyDenied" ? `denied ${by}` : "denied: no statement allows it";
}

export const compare: Command = {
  summary: "compare what two policies allow",
  files: { usage: "A B", least: 2, most: 2 },
  flags: [],
  notes:
    "A and B are policies. One of them may be - for standard input.\nExit status: 0 if A allows no more than B, 1 if it allows more.",
  example: "compare new.json deployed.json",
  run: async ({ values, files: [a = "", b = ""] }) => {
    readOnce(a, b);
    const result = compareAccess(await readPolicy(a), await readPolicy(b));
    const { relation, onlyInFirst, onlyInSecond } = result;
    if (values["json"]) {
      print(JSON.stringify(result));
    } else {
      print(bold(printable(`${a} is ${RELATIONS[relation]} ${b}`)));
      const only = [
        [a, onlyInFirst],
        [b, onlyInSecond],
      ] as const;
      for (const [file, request] of only) {
        if (request) print(printable(`  only ${file} allows ${JSON.stringify(request)}`));
      }
    }
    return relation === "equal" || relation === "narrower";
  },
};

const RELATIONS = {
  equal: "equal to",
  narrower: "narrower than",
  broader: "broader than",
  incomparable: "neither narrower nor broader than",
} as const;
