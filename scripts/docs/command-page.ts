import { PassThrough } from "node:stream";
import { type Command, Help } from "commander";
import { createProgram } from "../../src/ctl/program.ts";
import { newCommand } from "../../src/forwarder/read-arguments.ts";

/** The tables of docs/cli.md, made from the commands and flags that the programs take. */
export function commandTables(): Readonly<Record<string, string>> {
  const agentctl = createProgram(
    {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: {},
      interrupted: new AbortController().signal,
    },
    () => {},
  );
  return {
    "flags of kata-trace-forwarder": flagTable(newCommand()),
    "flags of agentctl": flagTable(agentctl),
    "commands of agentctl": allBelow(agentctl).map(commandText).join("\n\n"),
  };
}

function allBelow(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...allBelow(each)]);
}

function commandText(command: Command): string {
  const text = command.description();
  const sentence = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
  const usage = `\`${nameOf(command)} ${command.usage().replace("[command] ", "")}\``;
  const flags = flagsOf(command).length > 0 ? [flagTable(command)] : [];
  return [`### ${nameOf(command)}`, usage, sentence.replace(/\.\.$/, "."), ...flags].join("\n\n");
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function flagsOf(command: Command): readonly (readonly [flags: string, text: string])[] {
  return new Help()
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help")
    .map(({ flags, description }) => [flags, description]);
}

function flagTable(command: Command): string {
  const rows = flagsOf(command).map(([flags, text]) => `| \`${flags}\` | ${text.replace(/[|<]/g, "\\$&")} |`);
  return ["| flag | |", "|---|---|", ...rows].join("\n");
}
