/**
 * What a file was before agentctl changed it, beside it:
 *
 *   FILE.before-agentctl           its bytes
 *   FILE.before-agentctl.sha256    what agentctl made of it, as `sha256sum --check` reads it
 *
 * The first backup stays until it is brought back, also when agentctl changes its own work again. The sum tells whether
 * somebody else has changed the file since: then bringing it back would take their work away.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  chmod,
  chown,
  copyFile,
  link,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename } from "node:path";
import { UsageError } from "../usage-error.ts";

/** Where the bytes of before are kept. */
export function backupOf(path: string): string {
  return `${path}.before-agentctl`;
}

const sumOf = (path: string): string => `${backupOf(path)}.sha256`;

/**
 * Writes the file anew, as a whole or not at all, with its owner and mode; keeps what it was.
 * @throws UsageError when somebody has changed it since agentctl did; the system error when it cannot be written.
 */
export async function replaceKept(path: string, text: string): Promise<void> {
  if (!(await exists(backupOf(path)))) await keep(path);
  else if (!(await isOurs(path)) && !(await isAsBefore(path)))
    throw new UsageError(
      `${path} was changed since agentctl did: look at ${backupOf(path)}, and remove it or call agentctl uninstall --force`,
    );
  // The sum first: who is interrupted here finds a file that still is the old one.
  const line = `${digest(Buffer.from(text))}  ${basename(path)}\n`;
  await writeFile(sumOf(path), line);
  await replace(path, text);
}

/**
 * Brings back the bytes of before and removes the backup. Gives false when there is none.
 * @throws UsageError when somebody has changed the file since, unless `force`.
 */
export async function bringBack(path: string, force: boolean): Promise<boolean> {
  if (!(await exists(backupOf(path)))) return false;
  const before = await readFile(backupOf(path));
  if (!force && !(await isAsBefore(path)) && !(await isOurs(path)))
    throw new UsageError(
      `${path} was changed since agentctl did: --force brings ${backupOf(path)} back all the same`,
    );
  await replace(path, before);
  await rm(sumOf(path), { force: true });
  await rm(backupOf(path));
  return true;
}

/** The backup is there as a whole or not at all, and never takes the place of one that is. */
async function keep(path: string): Promise<void> {
  const fresh = `${backupOf(path)}.${process.pid}`;
  try {
    await copyFile(path, fresh, constants.COPYFILE_EXCL);
    await link(fresh, backupOf(path));
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Whether the file is what the backup holds, as when somebody was interrupted. */
async function isAsBefore(path: string): Promise<boolean> {
  return (await readFile(backupOf(path))).equals(await readFile(path));
}

async function isOurs(path: string): Promise<boolean> {
  const line = await readFile(sumOf(path), "utf8").catch(() => "");
  return line.split(" ", 1)[0] === digest(await readFile(path));
}

/** A reader sees the old file or the new one. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const fresh = `${path}.agentctl-${process.pid}`;
  const { uid, gid, mode } = await stat(path);
  try {
    await writeFile(fresh, content, { flag: "wx", flush: true });
    await chown(fresh, uid, gid);
    await chmod(fresh, mode & 0o7777);
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
