import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../usage-error.ts";
import { parseToml, type TomlTable } from "./parse-toml.ts";
import { readText } from "./read-text.ts";

/** A configuration of a Kata runtime: the file itself, and the drop-ins beside it, in the order in which they count. */
export type KataConfig = {
  /** Links followed: the runtimes' usual name is a link to the one of a hypervisor. */
  readonly path: string;
  readonly text: string;
  readonly table: TomlTable;
  readonly dropIns: readonly DropIn[];
};

/** One file of `config.d/`. */
export type DropIn = { readonly path: string; readonly text: string; readonly table: TomlTable };

const maxBytes = 1024 * 1024;

/** Where drop-ins lie: every file, by name, and no folder (image-and-runtime 2). */
export function dropInFolder(path: string): string {
  return join(dirname(path), "config.d");
}

/**
 * Reads the configuration of either runtime.
 * @throws UsageError when a file cannot be read or is no TOML.
 */
export async function readKataConfig(given: string): Promise<KataConfig> {
  const path = await configPath(given);
  const { text, table } = await readToml(path);
  const folder = dropInFolder(path);
  const names = await readdir(folder).catch(() => []);
  const dropIns: DropIn[] = [];
  for (const name of names.sort()) {
    const each = join(folder, name);
    if (!(await isFolder(each))) dropIns.push({ path: each, ...(await readToml(each)) });
  }
  return { path, text, table, dropIns };
}

/**
 * The file that is meant, links followed.
 * @throws UsageError when there is none.
 */
export function configPath(given: string): Promise<string> {
  return realpath(given).catch((error: Error) => {
    throw new UsageError(`${given} cannot be read: ${error.message}`);
  });
}

async function readToml(path: string): Promise<{ text: string; table: TomlTable }> {
  try {
    const text = await readText(path, maxBytes);
    return { text, table: await parseToml(text) };
  } catch (error) {
    const [reason = ""] = (error as Error).message.split("\n");
    throw new UsageError(`${path} cannot be read: ${reason}`);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** What the runtime makes of it: the file with its drop-ins over it; without those that `except` names. */
export function inForce({ table, dropIns }: KataConfig, except?: string): TomlTable {
  const counted = dropIns.filter(({ path }) => basename(path) !== except);
  return counted.reduce((sum, each) => merged(sum, each.table), table);
}

/** The configuration as it will be with another text in one of its files, which may be a drop-in that is new. */
export async function withText(config: KataConfig, path: string, text: string): Promise<KataConfig> {
  const changed = { path, text, table: await parseToml(text) };
  if (path === config.path) return { ...config, ...changed };
  const others = config.dropIns.filter((each) => each.path !== path);
  const dropIns = [...others, changed].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ...config, dropIns };
}

/** The value at a dotted place such as `agent.kata.enable_tracing`. */
export function valueAt(table: TomlTable, place: string): unknown {
  return place.split(".").reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), table);
}

function merged(below: TomlTable, above: TomlTable): TomlTable {
  const sum: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = sum[key];
    sum[key] = isTable(old) && isTable(value) ? merged(old, value) : value;
  }
  return sum;
}

/** Whether this is a table, not a list, a date or a plain value. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
