import { PassThrough } from "node:stream";
import type { Host } from "../../src/ctl/host.ts";
import { runProgram } from "../../src/ctl/program.ts";
import { readArguments } from "../../src/forwarder/read-arguments.ts";

/**
 * Commands of our programs that a page shows and that no test runs: whether such a program, such a command of it and such
 * flags are there at all.
 */

/** What is wrong with the commands of a shell text, one line for each. Programs that are not ours are passed over. */
export async function wordFaults(shell: string): Promise<string[]> {
  const faults = await Promise.all(commandsOf(shell).map(faultsOf));
  return faults.flat();
}

/** Simple commands, each as its words, without variables before them and without `sudo`. */
function commandsOf(shell: string): string[][] {
  return shell
    .replace(/\\\n/g, " ")
    .split(/\n|&&|\|\||[;|&]/)
    .map((command) => (command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map(unquoted))
    .map((words) => words.slice(words.findIndex((word) => !/^(\w+=.*|sudo|exec)$/s.test(word))));
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2");
}

async function faultsOf([path = "", ...words]: string[]): Promise<string[]> {
  const program = path.slice(path.lastIndexOf("/") + 1);
  if (program === "kata-agent") return unknownFlags(program, words, "--config -c --version -v");
  if (program === "kata-trace-forwarder") return unknownFlags(program, words, forwarderHelp());
  if (program !== "agentctl") return [];
  const command = await agentctlCommand(words);
  if (command === undefined) return [];
  if (command.help === "") return [`agentctl has no command ${command.name}`];
  return unknownFlags(`agentctl ${command.name}`, words, `${command.help}\n${await agentctlHelp([])}`);
}

/** Flags end at `--`, and where the words of a container's program begin. */
function unknownFlags(program: string, words: readonly string[], help: string): string[] {
  const end = words.findIndex((word, at) => word === "--" || isOperandBeforeProgram(word, at, words, help));
  return (end < 0 ? words : words.slice(0, end))
    .filter((word) => /^--?[a-z]/i.test(word))
    .map((word) => word.split("=", 1)[0] ?? "")
    .filter((flag) => !new RegExp(`(^|[\\s,])${flag}(?![\\w-])`, "m").test(help))
    .map((flag) => `${program} has no flag ${flag}`);
}

/** `run ROOT PROGRAM …`: whatever follows the first operand is the program's. */
function isOperandBeforeProgram(word: string, at: number, words: readonly string[], help: string): boolean {
  const usage = /^Usage: agentctl (\S+) .*program/.exec(help)?.[1] ?? "";
  const name = words.indexOf(usage);
  const flag = words[at - 1] ?? "";
  const isValue = flag.startsWith("-") && new RegExp(`${flag} <`).test(help);
  return usage !== "" && name >= 0 && at > name && !word.startsWith("-") && !isValue;
}

function forwarderHelp(): string {
  const usage = readArguments(["--help"]);
  return "text" in usage ? usage.text : "";
}

/** The help of the command that the words name; undefined for none, such as `agentctl --version`. */
async function agentctlCommand(
  words: readonly string[],
): Promise<{ name: string; help: string } | undefined> {
  const names = commandNames(await agentctlHelp([]));
  const name = words.find((word) => names.has(word));
  if (name === undefined) {
    const other = words.find((word, at) => /^[a-z][a-z-]*$/.test(word) && !words[at - 1]?.startsWith("--"));
    return other === undefined ? undefined : { name: other, help: "" };
  }
  const help = await agentctlHelp([name]);
  const below = words[words.indexOf(name) + 1] ?? "";
  if (!commandNames(help).has(below)) return { name, help };
  return { name: `${name} ${below}`, help: await agentctlHelp([name, below]) };
}

function commandNames(help: string): ReadonlySet<string> {
  const list = help.slice(help.indexOf("Commands:"));
  return new Set(
    help.includes("Commands:")
      ? [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = ""]) => name)
      : [],
  );
}

async function agentctlHelp(command: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const host: Host = {
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    env: {},
    interrupted: new AbortController().signal,
  };
  await runProgram(host, [...command, "--help"]);
  stdout.end();
  return (await stdout.toArray()).join("");
}
