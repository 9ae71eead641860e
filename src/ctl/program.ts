import { Command, CommanderError } from "commander";
import { version } from "../base/version.ts";
import { addCommonOptions, type Registry } from "./command.ts";
import { commands } from "./commands.ts";
import { ExitStatus } from "./exit-status.ts";
import type { Host } from "./host.ts";

const exitHelp = `
Exit status: 0 done, 1 the call failed (prints CODE: message), 2 usage, 3 nobody answers; run, exec, pod: that of the process.`;

/** The whole command line: its commands and their options. `ended` is called with the exit status of the one that ran. */
export function createProgram(host: Host, ended: (status: number) => void): Command {
  const program = new Command("agentctl");
  program
    .description(
      "Talks to the Kata agent in a guest: the runtime's calls by hand, and the traces that come of them.",
    )
    .version(version, "-V, --version")
    .enablePositionalOptions()
    .showHelpAfterError("(--help shows what is possible)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns ?? 100,
    })
    .addHelpText("after", exitHelp);
  addCommonOptions(program, false);
  const registry: Registry = { program, host, ended };
  for (const add of commands) add(registry);
  return program;
}

/** Runs one command line (without the program's name) and gives the exit status. Never throws, never exits. */
export async function runProgram(host: Host, args: readonly string[]): Promise<number> {
  let status: number = ExitStatus.done;
  const program = createProgram(host, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
  }
  return status;
}
