import { EventEmitter } from "node:events";
import type { Argument, Command, Option } from "commander";

/** What may stand behind a flag or in an operand's place. */
export type Value = { readonly name: string; readonly isFile: boolean; readonly choices: readonly string[] };

/** A flag with all its spellings. Without `value` it is a switch; `valueNeeded`: the next word belongs to it. */
export type Flag = {
  readonly names: readonly string[];
  readonly value: Value | undefined;
  readonly valueNeeded: boolean;
  readonly description: string;
  /** It belongs to the program and to all its commands. */
  readonly isCommon: boolean;
};

/** A word of the command line that is no flag. */
export type Operand = Value & { readonly isNeeded: boolean; readonly isRepeated: boolean };

/** A program or a command, as completions and manual pages see it. */
export type Outline = {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly operands: readonly Operand[];
  readonly commands: readonly Outline[];
  /** What stands below the flags in its help. */
  readonly more: string;
};

/** Reads a command and all below it. */
export function outlineOf(command: Command): Outline {
  const isProgram = command.parent === null;
  const flags = command.options.map((option) => flagOf(option, isProgram || option.hidden));
  return {
    name: command.name(),
    description: command.description(),
    flags: [
      ...flags.filter(({ names }) => !names.includes("--version")),
      ...(isProgram ? [version] : []),
      help,
    ],
    operands: command.registeredArguments.map(operandOf),
    commands: command.commands.map(outlineOf),
    more: moreHelp(command),
  };
}

const noValue = { value: undefined, valueNeeded: false } as const;
const help: Flag = { names: ["-h", "--help"], description: "what is possible", isCommon: true, ...noValue };
const version: Flag = {
  names: ["-V", "--version"],
  description: "print the version",
  isCommon: false,
  ...noValue,
};

function flagOf(option: Option, isCommon: boolean): Flag {
  const name = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    names: [option.short, option.long].filter((each) => each !== undefined),
    value: name === undefined ? undefined : valueNamed(name, option.argChoices),
    valueNeeded: option.required,
    description: option.description,
    isCommon,
  };
}

function operandOf(argument: Argument): Operand {
  return {
    ...valueNamed(argument.name(), argument.argChoices),
    isNeeded: argument.required,
    isRepeated: argument.variadic,
  };
}

/** Whether a file is meant is told by the word that stands for the value. */
const fileWords = new Set(["file", "path", "out", "dir", "folder", "rootfs", "source", "image", "initrd"]);

function valueNamed(name: string, choices: readonly string[] | undefined): Value {
  return { name, isFile: fileWords.has(name), choices: choices ?? [] };
}

/** The library keeps the texts behind the help as listeners. */
function moreHelp(command: Command): string {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  const speaker: unknown = command;
  if (speaker instanceof EventEmitter) speaker.emit("afterHelp", { error: false, command, write });
  return text.trim();
}
