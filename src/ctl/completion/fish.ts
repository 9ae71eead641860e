import type { Flag, Outline, Value } from "./outline.ts";

/** The completions of a program for fish. */
export function fishCompletion(program: Outline): string {
  const { name, commands, flags } = program;
  const first = commands.length > 0 ? "__fish_use_subcommand" : undefined;
  const lines = [
    `# fish completion for ${name}`,
    // Files are offered where one is taken, not everywhere.
    ...(commands.length > 0 ? [`complete -c ${name} -f`] : []),
    // Those of all commands stand anywhere.
    ...flags.map((flag) => flagLine(name, flag.isCommon ? undefined : first, flag)),
    ...below(name, [], program),
  ];
  return `${lines.join("\n")}\n`;
}

function below(program: string, path: readonly string[], outline: Outline): string[] {
  return outline.commands.flatMap((command) => {
    const here = [...path, command.name];
    const condition = seen(here, command);
    return [
      `complete -c ${program} -n ${quoted(beforeCommand(path, outline))} -a ${command.name} -d ${quoted(command.description)}`,
      ...command.flags.filter(({ isCommon }) => !isCommon).map((flag) => flagLine(program, condition, flag)),
      ...command.operands.filter(isOffered).map((operand) => {
        return `complete -c ${program} -n ${quoted(condition)}${offer(operand)}`;
      }),
      ...below(program, here, command),
    ];
  });
}

function beforeCommand(path: readonly string[], outline: Outline): string {
  return path.length === 0 ? "__fish_use_subcommand" : seen(path, outline);
}

/** The commands of the path stand on the line, and none of those below. */
function seen(path: readonly string[], { commands }: Outline): string {
  const there = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const none = commands.map(({ name }) => name).join(" ");
  return [...there, ...(none === "" ? [] : [`not __fish_seen_subcommand_from ${none}`])].join("; and ");
}

const isOffered = ({ isFile, choices }: Value): boolean => isFile || choices.length > 0;

function offer({ isFile, choices }: Value): string {
  if (choices.length > 0) return ` -a ${quoted(choices.join(" "))}`;
  return isFile ? " -F" : "";
}

function flagLine(program: string, condition: string | undefined, flag: Flag): string {
  const spelt = flag.names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const when = condition === undefined ? "" : ` -n ${quoted(condition)}`;
  const value = flag.valueNeeded
    ? flag.value !== undefined && isOffered(flag.value)
      ? ` -r${offer(flag.value)}`
      : " -x"
    : "";
  return `complete -c ${program}${when} ${spelt.join(" ")}${value} -d ${quoted(flag.description)}`;
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
