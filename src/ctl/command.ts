import type { Command } from "commander";
import { ExitStatus } from "./exit-status.ts";
import type { Host } from "./host.ts";
import { type GivenOptions, resolveOptions } from "./options.ts";
import { Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/**
 * What a command does: `operands` are the words after its name without the options, `given` its own options. The result
 * is the exit status, nothing means 0.
 */
export type Work<Given extends object> = (
  session: Session,
  operands: readonly string[],
  given: Given,
) => Promise<number | undefined>;

/** Where commands are hung up, and what they need to run. */
export type Registry = {
  readonly program: Command;
  readonly host: Host;
  /** Called once, with the exit status of the command that ran. */
  readonly ended: (status: number) => void;
};

/** How a command looks to its user. `usage` as commander spells it: `signal <container> <signal>`. */
export type CommandHead = {
  readonly usage: string;
  readonly summary: string;
  /** Lines after `agentctl `, shown at the end of the help. */
  readonly examples: readonly string[];
  /** The words after the first operand belong to a program: no option of ours may hide in them. */
  readonly takesProgram?: boolean;
};

/** The options of every command; they may stand before or behind its name. */
export function addCommonOptions(command: Command, hidden: boolean): Command {
  const common: readonly (readonly [flags: string, description: string])[] = [
    [
      "--addr <address>",
      "unix:///path, unix://@name, hvsock:///path:1024, vsock://cid:port, tcp://host:port ($KATA_AGENT_SERVER_ADDR)",
    ],
    ["--grpc", "speak gRPC instead of ttRPC"],
    [
      "--timeout <time>",
      "limit for connecting and for each call, such as 500ms, 30s, 5m; 0 = none (default: 30s)",
    ],
    ["--wait <time>", "try for so long to connect while nobody answers (default: 0, once)"],
    ["--json", "print JSON"],
    ["--traceparent <context>", "W3C trace context to send instead of a fresh one"],
    ["--trace-addr <address>", "where our own spans go, such as unix:///run/trace.sock"],
    ["-v, --verbose", "tell the trace id"],
  ];
  for (const [flags, description] of common) {
    const option = command.createOption(flags, description);
    command.addOption(hidden ? option.hideHelp() : option);
  }
  return command;
}

async function perform<Given extends object>(
  registry: Registry,
  command: Command,
  work: Work<Given>,
): Promise<void> {
  const { host } = registry;
  let session: Session;
  try {
    session = new Session(host, resolveOptions(command.optsWithGlobals<GivenOptions>(), host.env));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    host.stderr.write(`agentctl: ${error.message}\n`);
    return registry.ended(ExitStatus.usage);
  }
  await using closing = session;
  registry.ended(await run(closing, command, work));
}

async function run<Given extends object>(
  session: Session,
  command: Command,
  work: Work<Given>,
): Promise<number> {
  if (session.options.verbose) await session.note(`trace ${session.trace.context.traceId}`);
  try {
    const operands = command.args.filter((word, index) => !(index === 1 && word === "--"));
    return (await work(session, operands, command.opts<Given>())) ?? ExitStatus.done;
  } catch (error) {
    return session.report(error);
  }
}

/** Adds a command to the program. The command comes back for options of its own. */
export function addCommand<Given extends object>(
  registry: Registry,
  head: CommandHead,
  work: Work<Given>,
): Command {
  const command = registry.program.command(head.usage).description(head.summary);
  addCommonOptions(command, true);
  if (head.takesProgram) command.passThroughOptions();
  const lines = head.examples.map((line) => `  $ agentctl ${line}`);
  command.addHelpText(
    "after",
    `\nExamples:\n${lines.join("\n")}\n\nOptions of all commands: agentctl --help`,
  );
  command.action(() => perform(registry, command, work));
  return command;
}
