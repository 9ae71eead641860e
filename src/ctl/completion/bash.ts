import type { Flag, Outline } from "./outline.ts";

/** A command with the words that lead to it: `/trace/start`, empty for the program. */
type Placed = { readonly path: string; readonly outline: Outline };

/**
 * The completions of a program for bash: commands and flags where they can stand, files behind flags that take one and
 * wherever nothing else fits. The script needs nothing but bash.
 */
export function bashCompletion(program: Outline): string {
  const all = placed("", program);
  const name = functionName(program.name);
  return `# bash completion for ${program.name}
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path= word words= skip=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((skip)); then
      skip=0
      continue
    fi
    case $path/$word in
${alternatives(commandPaths(all), "path=$path/$word")}${alternatives(valueFlags(all), "skip=1")}    esac
  done
  COMPREPLY=()
  case $path//$prev in
${all.flatMap(choicesBehindFlags).join("")}${alternatives(fileFlags(all), 'COMPREPLY=($(compgen -f -- "$cur")); return')}${alternatives(valueFlags(all).map(behind), "return")}  esac
  case $path in
${all.map(wordsOf).join("")}  esac
  [ -z "$path" ] || words="$words ${commonWords(program)}"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F ${name} ${program.name}
`;
}

/** A shell function's name for a program. */
export function functionName(program: string): string {
  return `_${program.replaceAll("-", "_")}`;
}

function placed(path: string, outline: Outline): Placed[] {
  return [{ path, outline }, ...outline.commands.flatMap((each) => placed(`${path}/${each.name}`, each))];
}

function commandPaths(all: readonly Placed[]): string[] {
  return all.map(({ path }) => path).filter((path) => path !== "");
}

/** `path/--flag` of the flags that take the next word. */
function valueFlags(all: readonly Placed[]): string[] {
  return flagPaths(all, (flag) => flag.valueNeeded);
}

function fileFlags(all: readonly Placed[]): string[] {
  return flagPaths(all, (flag) => flag.valueNeeded && flag.value?.isFile === true).map(behind);
}

/** Those of all commands are told once, with the program. */
function ownFlags({ path, outline }: Placed): readonly Flag[] {
  return path === "" ? outline.flags : outline.flags.filter(({ isCommon }) => !isCommon);
}

/** A file may have a slash and be called like a flag's path, so what comes before the cursor is told by two of them. */
const behind = (path: string): string => path.replace(/\/(?=-)/, "//");

function flagPaths(all: readonly Placed[], wanted: (flag: Flag) => boolean): string[] {
  return all.flatMap(({ path, outline }) =>
    ownFlags({ path, outline })
      .filter(wanted)
      .flatMap(({ names, isCommon }) => names.map((name) => `${isCommon ? "*" : path}/${name}`)),
  );
}

function choicesBehindFlags({ path, outline }: Placed): string[] {
  return ownFlags({ path, outline })
    .filter(({ valueNeeded, value }) => valueNeeded && (value?.choices.length ?? 0) > 0)
    .map(({ names, value }) => {
      const patterns = names.map((name) => `${path}//${name}`).join(" | ");
      const words = value?.choices.join(" ");
      return `    ${patterns}) COMPREPLY=($(compgen -W "${words}" -- "$cur")); return ;;\n`;
    });
}

function commonWords({ flags }: Outline): string {
  return flags.flatMap(({ names, isCommon }) => (isCommon ? names : [])).join(" ");
}

function wordsOf({ path, outline }: Placed): string {
  const words = [
    ...outline.commands.map(({ name }) => name),
    ...outline.operands.flatMap(({ choices }) => choices),
    ...ownFlags({ path, outline }).flatMap(({ names }) => names),
  ];
  return `    ${path === "" ? "''" : path}) words='${words.join(" ")}' ;;\n`;
}

function alternatives(patterns: readonly string[], work: string): string {
  return patterns.length === 0 ? "" : `      ${patterns.join(" | ")}) ${work} ;;\n`;
}
