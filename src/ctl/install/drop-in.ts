import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
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

/**
 * Writes our drop-in at its path, as a whole or not at all.
 * @throws UsageError when a file of that name is not ours; the system error when it cannot be written.
 */
export async function writeDropIn(path: string, text: string): Promise<void> {
  await readOurs(path);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  // Beside the folder: a runtime would read it within.
  const fresh = `${dirname(path)}.agentctl-${process.pid}`;
  try {
    await writeFile(fresh, text, { flag: "wx", flush: true });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

/**
 * Removes our drop-in, and its folder when nothing else is in it. Gives false when there is none.
 * @throws UsageError when a file of that name is not ours.
 */
export async function removeDropIn(configPath: string): Promise<boolean> {
  const path = dropInPath(configPath);
  if ((await readOurs(path)) === undefined) return false;
  await rm(path);
  await rmdir(dirname(path)).catch(() => {}); // others have drop-ins there
  return true;
}

/** @throws UsageError when it is there and not ours. */
async function readOurs(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined || text.startsWith(dropInHead)) return text;
  throw new UsageError(`${path} was not written by agentctl`);
}

/** The drop-in that has the last word about a key, if one has. */
export function lastWord({ dropIns }: KataConfig, { table, key }: Change): DropIn | undefined {
  return dropIns.findLast((each) => valueAt(each.table, `${table}.${key}`) !== undefined);
}
