/**
 * Directories below the host's share, held by descriptor.
 *
 * The share is the host's to write, so any name in it may turn into a link at any time. Every step is therefore
 * resolved by the kernel within the root of the share (openat2 with RESOLVE_IN_ROOT), and what is then done to the
 * last name is done through the open directory, `/proc/self/fd/<n>/<name>`, where no link can lead elsewhere
 * (agent-api 10.1).
 */
import { constants } from "node:fs";
import { chown, mkdir, open } from "node:fs/promises";
import { openWithin, Resolve } from "../sys/open-within.ts";
import { closeFd } from "../sys/pipe.ts";

/** `O_PATH`, which Node does not name: the directory as a place, without the right to read it. */
const pathOnly = 0o10000000;
const directoryFlags = pathOnly | constants.O_DIRECTORY;

/** Who owns and may use the directories that have to be made on the way. */
export type NewDirectories = { mode: number; uid: number; gid: number };

/** An open directory. `path` is a way to it that no link can change while it is open. */
export type OpenDirectory = Disposable & { readonly path: string };

/**
 * Opens the directory `names` below `root`, making what is missing. The immediate one is given to the owner named
 * (agent-api 3.23 step 1). The caller closes the result. @throws system errors, such as ENOTDIR, ELOOP.
 */
export async function openShareDirectory(
  root: string,
  names: readonly string[],
  made: NewDirectories,
): Promise<OpenDirectory> {
  const directory = await makeDirectoryWithin(root, names, made.mode);
  try {
    await chown(directory.path, made.uid, made.gid);
    return directory;
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

/**
 * Opens the directory `names` below `root`, making what is missing. The caller closes the result.
 * @throws system errors, such as ENOTDIR, ELOOP.
 */
export async function makeDirectoryWithin(
  root: string,
  names: readonly string[],
  mode: number,
): Promise<OpenDirectory> {
  const rootHandle = await open(root, directoryFlags);
  try {
    let current = await openWithin(rootHandle.fd, ".", { flags: directoryFlags, resolve: Resolve.inRoot });
    for (let depth = 1; depth <= names.length; depth += 1) {
      const parent = current;
      try {
        current = await step(rootHandle.fd, parent, names.slice(0, depth), mode);
      } finally {
        closeFd(parent);
      }
    }
    return openDirectory(current);
  } finally {
    await rootHandle.close();
  }
}

/**
 * Opens the directory `names` below `root` as it is; nothing is made or given away. The caller closes the result.
 * @throws system errors, such as ENOENT.
 */
export async function findShareDirectory(root: string, names: readonly string[]): Promise<OpenDirectory> {
  const rootHandle = await open(root, directoryFlags);
  try {
    const options = { flags: directoryFlags, resolve: Resolve.inRoot };
    return openDirectory(await openWithin(rootHandle.fd, names.join("/") || ".", options));
  } finally {
    await rootHandle.close();
  }
}

async function step(root: number, parent: number, names: readonly string[], mode: number): Promise<number> {
  const options = { flags: directoryFlags, resolve: Resolve.inRoot };
  const path = names.join("/");
  try {
    return await openWithin(root, path, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await mkdirUnlessThere(`/proc/self/fd/${parent}/${names.at(-1)}`, mode);
  return openWithin(root, path, options);
}

/** Makes a directory. Another copy may have been quicker: whether it is a directory is for the open after it to tell. */
export async function mkdirUnlessThere(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function openDirectory(fd: number): OpenDirectory {
  let open = true;
  return {
    path: `/proc/self/fd/${fd}/.`,
    [Symbol.dispose]() {
      if (open) closeFd(fd);
      open = false;
    },
  };
}
