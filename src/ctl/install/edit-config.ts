import { isDeepStrictEqual } from "node:util";
import { UsageError } from "../usage-error.ts";
import { isTable } from "./kata-config.ts";
import { parseToml, type TomlTable } from "./parse-toml.ts";
import type { Change } from "./plan.ts";
import { TomlLines } from "./toml-lines.ts";

/**
 * The text with the changes made where the keys stand. What comes out is parsed: it has to say what the text said before,
 * and the changes, and nothing else.
 * @throws UsageError when the file is written in a way that cannot be changed line by line.
 */
export async function editConfig(text: string, changes: readonly Change[]): Promise<string> {
  const lines = new TomlLines(text);
  for (const { table, key, after } of changes) {
    if (after === undefined) lines.comment(table, key);
    else lines.set(table, key, tomlValue(after), beside[key]);
  }
  const outcome = lines.toString();
  const said = await parseToml(outcome).catch(() => undefined);
  // Cloned, since the parser's tables are of another make than ours.
  if (isDeepStrictEqual(structuredClone(said), structuredClone(changed(await parseToml(text), changes))))
    return outcome;
  throw new UsageError(
    "it is written in a way that is not changed safely (keys over several lines, or with dots): --drop-in puts a file beside it",
  );
}

/** What people look for in one place. */
const beside: Readonly<Record<string, string>> = { initrd: "image", image: "initrd", rootfs_type: "image" };

/** The changes as a file for `config.d/`, which counts after the configuration itself. */
export function dropInText(changes: readonly Change[]): string {
  const tables = new Map<string, string[]>();
  for (const { table, key, after } of changes)
    tables.set(table, [...(tables.get(table) ?? []), `${key} = ${tomlValue(after ?? "")}`]);
  const parts = [...tables].map(([table, lines]) => `[${table}]\n${lines.join("\n")}\n`);
  return [`${dropInHead}\n`, ...parts].join("\n");
}

/** The first line of a drop-in of ours. */
export const dropInHead = "# Written by agentctl install; agentctl uninstall takes it away.";

/** JSON's texts are TOML's, but for the character DEL, which TOML wants escaped. */
function tomlValue(value: string | boolean): string {
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}

function changed(table: TomlTable, changes: readonly Change[]): TomlTable {
  return changes.reduce(
    (sum, { table: place, key, after }) => withValue(sum, [...place.split("."), key], after),
    table,
  );
}

function withValue(table: TomlTable, [key = "", ...rest]: readonly string[], value: unknown): TomlTable {
  const { [key]: old, ...others } = table;
  if (rest.length > 0) return { ...table, [key]: withValue(isTable(old) ? old : {}, rest, value) };
  return value === undefined ? others : { ...table, [key]: value };
}
