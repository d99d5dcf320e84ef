/**
 * The shape of a command.
 * @module
 */
import type { Arguments, FlagGroup } from "./options.ts";

/** A command: what its help says, which flags and files it takes, and what it does. */
export interface Command {
  /** What it does, beginning with a verb. */
  readonly summary: string;
  /** The files that it takes, as the usage shows them. */
  readonly files?: { readonly usage: string; readonly least: number; readonly most: number };
  readonly flags: readonly FlagGroup[];
  /** Notes that the flags' rows do not have: the exit status, how files are read. */
  readonly notes?: string;
  readonly example: string;
  /** Prints the answer. @returns whether the answer is yes. */
  readonly run: (args: Arguments) => Promise<boolean>;
}
