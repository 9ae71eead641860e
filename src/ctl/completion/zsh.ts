import { functionName } from "./bash.ts";
import type { Flag, Operand, Outline, Value } from "./outline.ts";

/** The completions of a program for zsh, for a file `_<program>` in a folder of `$fpath`. */
export function zshCompletion(program: Outline): string {
  const name = functionName(program.name);
  return `#compdef ${program.name}
${functionsOf(name, program).join("\n")}
if [ "$funcstack[1]" = ${name} ]; then ${name} "$@"; else compdef ${name} ${program.name}; fi
`;
}

function functionsOf(name: string, outline: Outline): string[] {
  const below = outline.commands.flatMap((each) =>
    functionsOf(`${name}_${each.name.replaceAll("-", "_")}`, each),
  );
  return [...below, outline.commands.length > 0 ? withCommands(name, outline) : plain(name, outline)];
}

function plain(name: string, { flags, operands }: Outline): string {
  const lines = [...flags.map(flagSpec), ...operands.map(operandSpec)];
  return `${name}() {\n  _arguments -s ${continued(lines)}\n}`;
}

/** Its first operand is a command; or, where it takes operands itself, a command or one of those. */
function withCommands(name: string, { flags, operands, commands }: Outline): string {
  const list = commands.map((each) => quoted(`${each.name}:${each.description}`));
  const own = operands.some(({ isFile }) => isFile) ? "\n      _files" : "";
  const cases = commands.map((each) => `${each.name}) ${name}_${each.name.replaceAll("-", "_")} ;;`);
  const lines = [...flags.map(flagSpec), "'1: :->command'", "'*:: :->rest'"];
  return `${name}() {
  local curcontext="$curcontext" state line
  local -a commands
  _arguments -C -s ${continued(lines)}
  case $state in
    command)
      commands=(
        ${list.join("\n        ")}
      )
      _describe command commands${own}
      ;;
    rest)
      case $words[1] in
        ${cases.join("\n        ")}
      esac
      ;;
  esac
}`;
}

const continued = (lines: readonly string[]): string => lines.map((line) => `\\\n    ${line}`).join(" ");

function flagSpec({ names, value, valueNeeded, description }: Flag): string {
  const behind = value === undefined ? "" : `${valueNeeded ? "" : ":"}:${value.name}:${action(value)}`;
  const others = names.length > 1 ? `(${names.join(" ")})` : "";
  const text = description.replace(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:");
  const spec = quoted(`[${text}]${behind}`);
  // Repeatable, as most flags with a value are.
  const head = value === undefined ? others : "*";
  const spellings = names.length > 1 ? `{${names.join(",")}}` : names[0];
  return `${quoted(head)}${spellings}${spec}`;
}

function operandSpec(operand: Operand, index: number): string {
  const place = operand.isRepeated ? "*" : String(index + 1);
  return quoted(`${place}:${operand.isNeeded ? "" : ":"}${operand.name}:${action(operand)}`);
}

function action({ isFile, choices }: Value): string {
  if (choices.length > 0) return `(${choices.join(" ")})`;
  return isFile ? "_files" : " ";
}

const quoted = (text: string): string => (text === "" ? "" : `'${text.replaceAll("'", "'\\''")}'`);
