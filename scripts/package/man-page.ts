import type { Flag, Operand, Outline } from "../../src/ctl/completion/outline.ts";
import { bold, escapeRoff, italic, item, literal, quotedRoff, sentence } from "./roff.ts";

/** What a manual page has that the program's own help does not. */
export type PageText = {
  /** Of the manual: 1 for commands of users, 8 for those of administrators. */
  readonly section: 1 | 8;
  /** One line, for `whatis`. */
  readonly summary: string;
  /** Sections behind the generated ones: head, then roff. */
  readonly more: readonly (readonly [head: string, body: string])[];
};

/** From what the page is: `kata-agent-node 0.1.0`, and the day it was made for, `2026-11-21`. */
export type PageOrigin = { readonly source: string; readonly day: string };

/** The manual page of a program in the `man` macros, made from what its command line takes. */
export function manPage(program: Outline, text: PageText, { source, day }: PageOrigin): string {
  const sections: (readonly [head: string, body: string])[] = [
    ["NAME", `${escapeRoff(program.name)} \\- ${escapeRoff(text.summary)}`],
    ["SYNOPSIS", synopsis(program)],
    ["DESCRIPTION", escapeRoff(sentence(program.description))],
    ["OPTIONS", program.flags.map(flagItem).join("\n")],
    ...(program.commands.length > 0 ? [["COMMANDS", commandsText(program)] as const] : []),
    ...text.more,
  ];
  // The day is read by programs: its hyphens stay what they are.
  const head = `${quotedRoff(program.name.toUpperCase())} ${text.section} ${day} ${quotedRoff(source)}`;
  return `.TH ${head}\n${sections.map(([name, body]) => `.SH ${quotedRoff(name)}\n${body}`).join("\n")}\n`;
}

function synopsis({ name, commands, operands }: Outline): string {
  const rest = commands.length > 0 ? [italic("command"), "..."] : operands.map(operandWord);
  return [bold(name), `[${italic("option")}]...`, ...rest].join(" ");
}

function commandsText(program: Outline): string {
  return program.commands.flatMap((command) => everyCommand([program.name], command)).join("\n");
}

/** A command and those below it, each under a head of its own. */
function everyCommand(path: readonly string[], command: Outline): string[] {
  const here = [...path, command.name];
  const words = here.slice(1).join(" ");
  const line = [bold(here.join(" ")), ...command.operands.map(operandWord)].join(" ");
  const own = command.flags.filter(({ isCommon }) => !isCommon);
  const text = [
    `.SS ${quotedRoff(words)}`,
    line,
    ".PP",
    escapeRoff(sentence(command.description)),
    ...own.map(flagItem),
    ...examples(command),
  ].join("\n");
  return [text, ...command.commands.flatMap((each) => everyCommand(here, each))];
}

/** The lines of the help that begin with a prompt. */
function examples({ more }: Outline): string[] {
  const lines = more.split("\n").filter((line) => line.trim().startsWith("$ "));
  return lines.length === 0 ? [] : [literal(lines.map((line) => line.trim()).join("\n"))];
}

function flagItem({ names, value, valueNeeded, description }: Flag): string {
  const behind =
    value === undefined ? "" : ` ${valueNeeded ? italic(value.name) : `[${italic(value.name)}]`}`;
  return item(`${names.map(bold).join(", ")}${behind}`, sentence(description));
}

function operandWord({ name, isNeeded, isRepeated }: Operand): string {
  const word = `${italic(name)}${isRepeated ? "..." : ""}`;
  return isNeeded ? word : `[${word}]`;
}
