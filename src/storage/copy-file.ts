import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { lchown, lstat, mkdir, open, realpath, rename, rm, symlink } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";
import { mayHang } from "../sys/may-hang.ts";
import { readMounts } from "../sys/read-mounts.ts";
import { span } from "../trace/span.ts";
import { type PartialFile, PartialFiles } from "./partial-files.ts";
import { findShareDirectory, mkdirUnlessThere, openShareDirectory } from "./share-directory.ts";

/** One request of CopyFile (agent-api 3.23). `mode` is a whole `st_mode`: its type says what to make. */
export type CopyRequest = {
  path: string;
  mode: number;
  dirMode: number;
  uid: number;
  gid: number;
  totalBytes: number;
  offsetBytes: number;
  data: Uint8Array;
};

const typeBits = 0o170000;
const regularType = 0o100000;
const directoryType = 0o040000;
const symlinkType = 0o120000;
const permissionBits = 0o7777;
/** The callers leave the mode of parents at 0 when they have no opinion. */
const defaultDirectoryMode = 0o750;
const maxNameBytes = 255;
const maxTargetBytes = 4095;
const partialFiles = new PartialFiles();

/**
 * Puts a file, a directory or a symlink below the share; nothing outside it can be reached or changed.
 * @throws INTERNAL for a path outside the share, another file type, a size or offset that makes no sense, or with the
 *   errno of what failed.
 */
export async function copyFile(request: CopyRequest): Promise<void> {
  const names = namesBelow(guestPaths.share, request.path);
  const kind = kindOf(request.mode);
  await span("copy file", { "kata.file.type": kind, "kata.file.bytes": request.data.length }, async () => {
    try {
      await mayHang(request.path, () => make(request, kind, names));
    } catch (error) {
      throw AgentError.from(error, `copy ${kind}`);
    }
  });
}

async function make(request: CopyRequest, kind: Kind, names: readonly string[]): Promise<void> {
  await mkdir(guestPaths.share, { recursive: true, mode: 0o755 });
  const made = { mode: request.dirMode & 0o777 || defaultDirectoryMode, uid: request.uid, gid: request.gid };
  using parent = await openShareDirectory(guestPaths.share, names.slice(0, -1), made);
  await makers[kind](request, parent.path, names.at(-1) ?? "");
}

type Kind = "regular" | "directory" | "symlink";
type Maker = (request: CopyRequest, parent: string, name: string) => Promise<void>;

const makers: Readonly<Record<Kind, Maker>> = {
  regular: makeFile,
  directory: makeDirectory,
  symlink: makeSymlink,
};

function kindOf(mode: number): Kind {
  const type = mode & typeBits;
  if (type === regularType) return "regular";
  if (type === directoryType) return "directory";
  if (type === symlinkType) return "symlink";
  throw new AgentError(Code.internal, "only files, directories and symlinks can be copied");
}

function namesBelow(root: string, path: string): string[] {
  if (!path.startsWith(`${root}/`)) throw new AgentError(Code.internal, "path is outside the share");
  const names = path
    .slice(root.length + 1)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  const sound = names.every(
    (name) => name !== ".." && !name.includes("\0") && Buffer.byteLength(name) <= maxNameBytes,
  );
  if (names.length === 0 || !sound) throw new AgentError(Code.internal, "path is outside the share");
  return names;
}

async function makeDirectory(request: CopyRequest, parent: string, name: string): Promise<void> {
  const path = `${parent}/${name}`;
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) await rm(path);
  if (!found?.isDirectory()) await mkdirUnlessThere(path, request.mode & 0o777);
  // By descriptor: the name may have become a link since.
  const handle = await open(path, constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await handle.chmod(request.mode & permissionBits);
    await handle.chown(request.uid, request.gid);
  } finally {
    await handle.close();
  }
}

/** A new link is put in place by rename, so that replacing one is atomic: config maps are refreshed that way. */
async function makeSymlink(request: CopyRequest, parent: string, name: string): Promise<void> {
  const fresh = `${parent}/.kata-link-${randomBytes(12).toString("hex")}`;
  await linkTo(request.data, fresh);
  try {
    await lchown(fresh, request.uid, request.gid);
    await replace(fresh, `${parent}/${name}`);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** The texts of the system name the target, and the data of a request is nobody else's business. */
async function linkTo(target: Uint8Array, path: string): Promise<void> {
  if (target.length === 0 || target.length > maxTargetBytes || target.includes(0)) {
    throw new AgentError(Code.internal, "the target of the symlink is none");
  }
  await symlink(Buffer.from(target), path).catch((error: NodeJS.ErrnoException) => {
    throw new AgentError(Code.internal, `${error.code}: the symlink could not be made`);
  });
}

async function makeFile(request: CopyRequest, parent: string, name: string): Promise<void> {
  const { totalBytes, offsetBytes, data } = request;
  if (
    !(
      Number.isSafeInteger(totalBytes) &&
      totalBytes >= 0 &&
      Number.isSafeInteger(offsetBytes) &&
      offsetBytes >= 0
    )
  ) {
    throw new AgentError(Code.internal, "size or offset makes no sense");
  }
  if (offsetBytes + data.length > totalBytes)
    throw new AgentError(Code.internal, "data reaches beyond the size");
  const stale = partialFiles.replaced(request.path, totalBytes);
  if (stale !== undefined) await rm(`${parent}/${stale}`, { force: true });
  const evicted = partialFiles.evicted(request.path);
  const partial = partialFiles.at(request.path, totalBytes);
  if (evicted !== undefined) await removeHidden(evicted.path, evicted.name);
  const path = `${parent}/${partial.name}`;
  try {
    if (!(await writePiece(request, path, partial))) return;
    partialFiles.done(request.path);
    await replace(path, `${parent}/${name}`);
  } catch (error) {
    // The caller gives up, and a hidden file that nobody completes would fill the guest's memory.
    partialFiles.done(request.path);
    await rm(path, { force: true });
    throw error;
  }
}

/** Removes the hidden file of a copy that was given up. Where it cannot be found any more, the host has moved it. */
async function removeHidden(path: string, name: string): Promise<void> {
  try {
    const names = namesBelow(guestPaths.share, path).slice(0, -1);
    using parent = await findShareDirectory(guestPaths.share, names);
    await rm(`${parent.path}/${name}`, { force: true });
  } catch {
    // The copy that takes its place must not fail for it.
  }
}

/** Writes one piece into the hidden file; true when with it the file is whole, owner and mode included. */
async function writePiece(request: CopyRequest, path: string, partial: PartialFile): Promise<boolean> {
  const { data, offsetBytes } = request;
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    const { bytesWritten } = await handle.write(data, 0, data.length, offsetBytes);
    if (bytesWritten < data.length) throw new AgentError(Code.internal, "ENOSPC: the file does not fit");
    if (!partial.has(offsetBytes, data.length)) return false;
    await handle.chown(request.uid, request.gid);
    await handle.chmod(request.mode & permissionBits);
    return true;
  } finally {
    await handle.close();
  }
}

/**
 * Renames over whatever is there; a directory has to go first, unless something is mounted on or below it: that is
 * never deleted into (agent-api 10.3).
 */
async function replace(fresh: string, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    if (await hasMounts(path)) throw new AgentError(Code.internal, "EBUSY: something is mounted there");
    await rm(path, { recursive: true });
  }
  await rename(fresh, path);
}

/** The path leads over an open descriptor; the kernel tells what is mounted by the name that it stands for. */
async function hasMounts(path: string): Promise<boolean> {
  const real = await realpath(path);
  return (await readMounts()).some(
    ({ mountPoint }) => mountPoint === real || mountPoint.startsWith(`${real}/`),
  );
}
