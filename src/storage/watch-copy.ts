/**
 * Writes the copy of a watched source, in a way that its readers notice and cannot trip over.
 *
 * A new version of a file or link is made aside, in the same file system, and renamed into its place: readers see the
 * old or the new one, and inotify tells one event. A file that is the whole mount is written in place instead, since
 * the container has this very file bound; it is small, and written by one call.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  chown,
  lchown,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
} from "node:fs/promises";
import { type Handle, holdBelow, statOf } from "./watch-handle.ts";
import { TooMuchToWatch, type WatchedEntry, watchLimits } from "./watch-scan.ts";
import { stagingPrefix } from "./watchable-root.ts";

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** A container may have made directories of its own in the copy. */
const maxDepth = 64;

/** Reads a file that is held. @throws TooMuchToWatch when it has grown beyond all limits. */
export async function contentsOf(file: Handle): Promise<Buffer> {
  if (!(await statOf(file)).isFile()) throw new Error("a file has become something else");
  const handle = await open(file.path, O_RDONLY | O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(watchLimits.bytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > watchLimits.bytes) throw new TooMuchToWatch();
      if (bytesRead === 0) return buffer.subarray(0, length);
    }
  } finally {
    await handle.close();
  }
}

/** Puts a file in the place `name` of a directory; `aside` is a directory of the same mount. */
export async function putFile(
  aside: Handle,
  directory: Handle,
  name: string,
  bytes: Buffer,
  like: WatchedEntry,
): Promise<void> {
  await putAside(aside, directory, name, async (fresh) => {
    const handle = await open(fresh, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.chown(like.uid, like.gid);
      await handle.chmod(like.mode);
    } finally {
      await handle.close();
    }
  });
}

/** Puts a link in a place, in the same way. Where it leads does not matter: nobody here follows it. */
export async function putLink(
  aside: Handle,
  directory: Handle,
  name: string,
  like: WatchedEntry,
): Promise<void> {
  await putAside(aside, directory, name, async (fresh) => {
    await symlink(like.target ?? "", fresh);
    await lchown(fresh, like.uid, like.gid);
  });
}

/** Writes a file where it is, as the same file. */
export async function putInPlace(
  directory: Handle,
  name: string,
  bytes: Buffer,
  like: WatchedEntry,
): Promise<void> {
  const handle = await open(`${directory.path}/${name}`, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.chown(like.uid, like.gid);
    await handle.chmod(like.mode);
  } finally {
    await handle.close();
  }
}

/** Puts a directory in a place; one that is there is kept with what is in it. */
export async function putDirectory(directory: Handle, name: string, like: WatchedEntry): Promise<void> {
  const path = `${directory.path}/${name}`;
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    using there = await holdBelow(directory, name);
    if (!(await statOf(there)).isDirectory()) {
      await unlink(path);
      await mkdir(path, 0o700);
    }
  }
  using made = await holdBelow(directory, name);
  await chown(made.path, like.uid, like.gid);
  await chmod(made.path, like.mode);
}

/** Takes away what is at a place, with all below it; it follows no link and enters no other mount. */
export async function removeEntry(directory: Handle, name: string, depth = 0): Promise<void> {
  const path = `${directory.path}/${name}`;
  try {
    await unlink(path);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code !== "EISDIR" && code !== "EPERM") throw error;
  }
  if (depth >= maxDepth) throw new Error("a copy is nested too deeply");
  using below = await holdBelow(directory, name, true);
  for (const each of await readdir(below.path)) await removeEntry(below, each, depth + 1);
  await rmdir(path);
}

async function putAside(
  aside: Handle,
  directory: Handle,
  name: string,
  make: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = `${aside.path}/${stagingPrefix}${randomBytes(8).toString("hex")}`;
  try {
    await make(fresh);
    await rename(fresh, `${directory.path}/${name}`).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EISDIR") throw error;
      await removeEntry(directory, name);
      await rename(fresh, `${directory.path}/${name}`);
    });
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
