import type { Command } from "commander";
import { collect, parseOwner } from "./option-values.ts";
import type { SpecRequest } from "./spec.ts";
import { UsageError } from "./usage-error.ts";

/** The options that say how a process is started. */
export type ProcessOptions = {
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly tty?: boolean;
};

/** Adds them to a command. */
export function addProcessOptions(command: Command): Command {
  return command
    .option("-e, --env <key=value>", "a variable of its environment; may be repeated", collect)
    .option("--cwd <path>", "its working directory (default: /)")
    .option("-u, --user <uid:gid>", "who it runs as (default: 0:0)")
    .option("-t, --tty", "give it a terminal");
}

/**
 * The fields of a process as they stand in the OCI document.
 * @throws UsageError for a variable without `=`, for a user that is not uid:gid, and without a program.
 */
export function processChoice(given: ProcessOptions, args: readonly string[]) {
  if (args.length === 0) throw new UsageError("which program?");
  const env = given.env ?? [];
  const bad = env.find((entry) => entry.indexOf("=") < 1);
  if (bad !== undefined) throw new UsageError(`not key=value: ${bad}`);
  return {
    args,
    env,
    terminal: given.tty ?? false,
    ...(given.cwd === undefined ? {} : { cwd: given.cwd }),
    ...(given.user === undefined ? {} : { user: parseOwner(given.user) }),
  } satisfies Partial<SpecRequest>;
}
