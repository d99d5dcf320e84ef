/**
 * The command line. It uses nothing but the package's public entries, and none of them uses it.
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { SessionPolicyError } from "polaris-session-policy";
import { audit } from "./audit.ts";
import type { Command } from "./command.ts";
import { diagnose } from "./diagnose.ts";
import { EVERY_COMMAND, helpOf, parseArguments, suggestion } from "./options.ts";
import { counted, print, printable } from "./output.ts";
import { check, compare } from "./policy-commands.ts";
import { assumeRole, build, plan } from "./session-commands.ts";
import {
  checkConfig,
  diff,
  keyPolicyCommand,
  rolePolicyCommand,
  trustPolicyCommand,
} from "./setup-commands.ts";
import { UsageError } from "./usage-error.ts";

const PROGRAM = "polaris-session-policy";

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["build", build],
  ["assume-role", assumeRole],
  ["plan", plan],
  ["diagnose", diagnose],
  ["check", check],
  ["compare", compare],
  ["diff", diff],
  ["check-config", checkConfig],
  ["role-policy", rolePolicyCommand],
  ["trust-policy", trustPolicyCommand],
  ["key-policy", keyPolicyCommand],
  ["audit", audit],
]);

/** Runs a command line. @returns the exit status: 0 if all is well, 1 if the answer is no. */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    throw new UsageError(`No command is given. Use one of ${[...COMMANDS.keys()].join(", ")}.`);
  }
  if (name === "--version") {
    const file = new URL("../package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    print(version);
    return 0;
  }
  const isHelp = ["help", "--help", "-h"].includes(name);
  if (isHelp && args[0] === undefined) {
    print(helpOfAll());
    return 0;
  }
  const commandName = isHelp ? String(args[0]) : name;
  const command = COMMANDS.get(commandName);
  if (command === undefined) {
    throw new UsageError(
      `Unknown command "${commandName}". ${suggestion(commandName, [...COMMANDS.keys()])}`,
    );
  }
  // Help comes before any check of the other arguments.
  if (isHelp || args.includes("--help") || args.includes("-h")) {
    print(helpOfCommand(commandName, command));
    return 0;
  }
  const parsed = parseArguments(args, [...command.flags, EVERY_COMMAND]);
  const { usage, least, most } = command.files ?? { usage: "", least: 0, most: 0 };
  const count = parsed.files.length;
  if (most === 0 && count > 0) {
    throw new UsageError(`${name} takes no files. Give its input by options.`);
  }
  if (count < least || count > most) {
    throw new UsageError(`${name} got ${counted(count, "file")}. Write ${name} ${usage}.`);
  }
  return (await command.run(parsed)) ? 0 : 1;
}

function helpOfAll(): string {
  const width = Math.max(...[...COMMANDS.keys()].map(({ length }) => length));
  const commands = [...COMMANDS];
  return [
    `Usage: ${PROGRAM} COMMAND [options]`,
    "",
    "Commands:",
    ...commands.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Examples:",
    ...commands.map(([, { example }]) => `  ${PROGRAM} ${example}`),
    "",
    "  --json in every command, --help for each, --version.",
    "  Exit status: 0 fine, 1 the answer is no, 2 bad usage or input.",
  ].join("\n");
}

function helpOfCommand(name: string, { summary, files, flags, notes, example }: Command): string {
  return [
    `Usage: ${PROGRAM} ${name} ${files === undefined ? "" : `${files.usage} `}[options]`,
    `  ${summary}`,
    ...flags.map(helpOf),
    helpOf(EVERY_COMMAND),
    ...(notes === undefined ? [] : [notes]),
    `Example:\n  ${PROGRAM} ${example}`,
  ].join("\n\n");
}

/** Writes what is wrong in one block, never with a stack trace. */
function errorText(error: unknown): string {
  if (error instanceof UsageError) {
    return `${error.message}\n  Try ${PROGRAM} --help.`;
  }
  if (error instanceof SessionPolicyError) {
    return [error.code, ...error.message.split("\n").map((line) => `  ${line}`)].join("\n");
  }
  const name = error instanceof Error ? error.name : "unknown error";
  return `This is a fault of the program (${name}). Report it with the command and the input.`;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of a pipe, for example head, has closed it.
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`${PROGRAM}: The output can't be written (${error.code}).\n`);
  process.exit(2);
});

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.exitCode = 2;
    const lines = errorText(error).split("\n").map(printable);
    process.stderr.write(`${PROGRAM}: ${lines.join("\n")}\n`);
  },
);
