import type { OptionRow } from "../../src/agent/options/option-row.ts";
import { type OptionText, optionTexts, valueWords } from "../../src/agent/options/option-texts.ts";
import { type AgentOptions, optionTable } from "../../src/agent/options/options.ts";

/** The tables of docs/options.md, made from the options that the agent reads. */

type Named = { readonly row: OptionRow<unknown>; readonly text: OptionText };

const memAgent = "mem_agent_";

/** All rows, in the order of the texts. */
function options(): Named[] {
  const names = Object.keys(optionTexts) as (keyof AgentOptions)[];
  return names.map((name) => ({ row: optionTable[name] as OptionRow<unknown>, text: optionTexts[name] }));
}

/** Each table by the name that stands at its place in the page. */
export function optionTables(): Readonly<Record<string, string>> {
  const all = options();
  const isMem = ({ row }: Named) => row.file?.startsWith(memAgent) === true;
  return {
    options: table(
      ["command line", "file", "environment", "value", "default", "", "since"],
      all.filter((one) => one.row.idle !== true && !isMem(one)),
      (one) => [...keysOf(one.row), wordsFor(one), fallbackOf(one), one.text.text, one.text.since],
    ),
    "mem-agent": table(
      ["behind `agent.mem_agent_` and `mem_agent_`", "value", "default", "", "since"],
      all.filter(isMem),
      (one) => [
        code(one.row.file?.slice(memAgent.length)),
        wordsFor(one),
        fallbackOf(one),
        one.text.text,
        one.text.since,
      ],
    ),
    "without effect": table(
      ["command line", "file", "environment", "value", "what it would be", "since"],
      all.filter(({ row }) => row.idle === true),
      (one) => [...keysOf(one.row), wordsFor(one), one.text.text, one.text.since],
    ),
  };
}

function table(head: readonly string[], rows: readonly Named[], cells: (one: Named) => string[]): string {
  const line = (texts: readonly string[]) =>
    `|${texts.map((text) => (text === "" ? " |" : ` ${text} |`)).join("")}`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map((one) => line(cells(one)))].join("\n");
}

function keysOf({ cmdline, file, env, oldEnv }: OptionRow<unknown>): string[] {
  const environment = [env, oldEnv].map(code).filter((text) => text !== "");
  return [code(cmdline), code(file), environment.join(", ")];
}

function code(text: string | undefined): string {
  return text === undefined ? "" : `\`${text}\``;
}

function wordsFor({ row, text }: Named): string {
  const value = text.value ?? valueWords.get(row.read);
  if (value === undefined)
    throw new Error(`no words for the values of ${row.cmdline ?? row.file ?? row.env}`);
  return value;
}

/** Times stand in the table in milliseconds, and in every source in seconds. */
function fallbackOf({ row, text }: Named): string {
  const { fallback, read } = row;
  if (text.fallback !== undefined) return text.fallback;
  if (typeof fallback === "boolean")
    return valueWords.get(read) === "`true` or `false`" ? `\`${fallback}\`` : onOff(fallback);
  if (typeof fallback === "number")
    return String(valueWords.get(read) === "seconds" ? fallback / 1000 : fallback);
  if (typeof fallback === "bigint") return String(fallback);
  return typeof fallback === "string" && fallback !== "" ? code(fallback) : "";
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
