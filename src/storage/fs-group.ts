/**
 * Primer. Gives the files of a volume to a group, so that a pod's processes can use them (agent-api 4.1).
 *
 * What is in a volume was written by others and may change while we walk, so no path is ever looked up twice: each
 * entry is opened once as a handle (O_PATH), without following a link and without entering another mount, and then
 * looked at and changed through that handle, by its name below /proc/self/fd. A link has no group worth changing and
 * nothing behind it is touched. The walk is depth first, with one handle for each level, off the event loop, and one
 * entry at a time: it may take long, and other work needs the threads too.
 */
import { constants, type Dir, fstat, type Stats } from "node:fs";
import { chmod, chown, type FileHandle, open, opendir } from "node:fs/promises";
import { promisify } from "node:util";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { mayHang } from "../sys/may-hang.ts";
import { openWithin, Resolve } from "../sys/open-within.ts";
import { closeFd } from "../sys/pipe.ts";
import { span } from "../trace/span.ts";
import type { FsGroup } from "./storage.ts";

/** `readOnly`: files are made readable, not writable. */
export type FsGroupWish = FsGroup & { readonly readOnly: boolean };

const setgid = 0o2000;
const groupRead = 0o440;
const groupWrite = 0o660;
const searchable = 0o110;
const typeBits = 0o170000;
/** O_PATH of Linux, the same on all machines we run on. */
const pathOnly = 0o10000000;
/** A path of the kernel has no more parts than this. */
const maxDepth = 2_048;
/** The number that means "leave it" to chown(2). */
const noGroup = 0xffff_ffff;

const inside = Resolve.beneath | Resolve.noSymlinks | Resolve.noMagicLinks | Resolve.noCrossDevice;
const statOf = promisify(fstat) as (fd: number) => Promise<Stats>;

/**
 * Gives all files below `root`, the root of a volume, to a group. A volume that cannot be written is left as it is.
 * @throws INTERNAL with the errno of what failed; the reason of `signal`. What was changed before stays so.
 */
export async function applyFsGroup(root: string, wish: FsGroupWish, signal?: AbortSignal): Promise<void> {
  if (wish.gid === noGroup) throw new AgentError(Code.internal, "fsGroup is no group");
  await span("fs group", {}, async (live) => {
    try {
      live.set({ "kata.count": await changeTree(root, wish, signal) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EROFS" || signal?.aborted) signal?.throwIfAborted();
      else throw AgentError.from(error, "fsGroup", Code.internal);
    }
  });
}

/** @returns how many entries were looked at. */
async function changeTree(root: string, wish: FsGroupWish, signal: AbortSignal | undefined): Promise<number> {
  const [handle, stats] = await mayHang(root, () => openRoot(root));
  try {
    if (stats.isSymbolicLink()) throw new AgentError(Code.internal, "a volume is no link");
    if (wish.policy === "onRootMismatch" && isRight(stats, wish)) return 0;
    let count = 1;
    if (stats.isDirectory()) count += await changeBelow(handle.fd, { root, wish, signal }, 0);
    // The root last: it tells the next walk that this one came to its end.
    await mayHang(root, () => change(handle.fd, stats, wish));
    return count;
  } finally {
    await handle.close();
  }
}

async function openRoot(root: string): Promise<[FileHandle, Stats]> {
  const handle = await open(root, pathOnly | constants.O_NOFOLLOW);
  return [handle, await handle.stat()];
}

/** A walk that may take long: it lets others have their turn after each step. */
async function changeBelow(directory: number, walk: Walk, depth: number): Promise<number> {
  const { root, wish, signal } = walk;
  if (depth >= maxDepth) throw new AgentError(Code.internal, "volume is nested too deeply");
  let count = 0;
  await using entries: Dir = await mayHang(root, () => opendir(named(directory)));
  for (;;) {
    const entry = await mayHang(root, () => entries.read());
    if (entry === null) return count;
    signal?.throwIfAborted();
    const fd = await mayHang(root, () => openEntry(directory, entry.name));
    if (fd === undefined) continue;
    try {
      const stats = await mayHang(root, () => statOf(fd));
      count += 1;
      if (stats.isDirectory()) count += await changeBelow(fd, walk, depth + 1);
      if (!stats.isSymbolicLink()) await mayHang(root, () => change(fd, stats, wish));
    } finally {
      closeFd(fd);
    }
  }
}

type Walk = { readonly root: string; readonly wish: FsGroupWish; readonly signal: AbortSignal | undefined };

/** Undefined for what has gone meanwhile, for another mount, and for a link that has taken the entry's place. */
async function openEntry(directory: number, name: string): Promise<number | undefined> {
  try {
    return await openWithin(directory, name, { flags: pathOnly | constants.O_NOFOLLOW, resolve: inside });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EXDEV" || code === "ELOOP") return undefined;
    throw error;
  }
}

/** chown(2) takes set-id bits away, so the mode is set after it. */
async function change(fd: number, stats: Stats, wish: FsGroupWish): Promise<void> {
  const mode = stats.mode & ~typeBits;
  const wanted = mode | bitsFor(stats, wish);
  const regroup = stats.gid !== wish.gid;
  if (regroup) await chown(named(fd), stats.uid, wish.gid);
  if (wanted !== mode || (regroup && (mode & 0o6000) !== 0)) await chmod(named(fd), wanted);
}

function bitsFor(stats: Stats, { readOnly }: FsGroupWish): number {
  const bits = readOnly ? groupRead : groupWrite;
  return stats.isDirectory() ? bits | searchable | setgid : bits;
}

/** The test of the reference: group, set-id bit and the mode of a directory. */
function isRight(stats: Stats, wish: FsGroupWish): boolean {
  const bits = (wish.readOnly ? groupRead : groupWrite) | searchable | setgid;
  return stats.gid === wish.gid && (stats.mode & bits) === bits;
}

const named = (fd: number): string => `/proc/self/fd/${fd}`;
