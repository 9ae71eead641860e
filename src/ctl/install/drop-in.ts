import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UsageError } from "../usage-error.ts";
import { dropInHead } from "./edit-config.ts";
import { type DropIn, dropInFolder, type KataConfig, valueAt } from "./kata-config.ts";
import type { Change } from "./plan.ts";

/** Late by its name, so that it counts after those of others. */
export const dropInName = "90-agentctl.toml";

/** Where our drop-in lies. */
export function dropInPath(configPath: string): string {
  return join(dropInFolder(configPath), dropInName);
}

/** Writes our drop-in at its path. @throws the system error. */
export async function writeDropIn(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, text, { flush: true });
}

/**
 * Removes our drop-in, and its folder when nothing else is in it. Gives false when there is none.
 * @throws UsageError when a file of that name is not ours.
 */
export async function removeDropIn(configPath: string): Promise<boolean> {
  const path = dropInPath(configPath);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  if (!text.startsWith(dropInHead)) throw new UsageError(`${path} was not written by agentctl`);
  await rm(path);
  await rmdir(dirname(path)).catch(() => {}); // others have drop-ins there
  return true;
}

/** The drop-in that has the last word about a key, if one has. */
export function lastWord({ dropIns }: KataConfig, { table, key }: Change): DropIn | undefined {
  return dropIns.findLast((each) => valueAt(each.table, `${table}.${key}`) !== undefined);
}
