/**
 * Files and directories that others change while we work on them, held by descriptor.
 *
 * The source of a watchable mount is the host's to write, its copy may be a container's: any name in them may turn into
 * a link at any time. So each is opened once, without a link on the way (openat2), looked at through the descriptor,
 * and reached by `/proc/self/fd/<n>`, where only the last name is left to be looked up.
 */
import { type BigIntStats, constants, fstat } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { openWithin, Resolve } from "../sys/open-within.ts";
import { closeFd } from "../sys/pipe.ts";

/** `path` leads to what is held, and is good as long as it is held. */
export type Handle = Disposable & { readonly fd: number; readonly path: string };

/** O_PATH of Linux, which Node does not name: a place, without the right to read it. */
const pathOnly = 0o10000000;
const held = pathOnly | constants.O_NOFOLLOW;
const noLinks = Resolve.noSymlinks | Resolve.noMagicLinks;
const fstatBig = promisify(fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>;

/** Opens an absolute path without following a link anywhere on it. The caller closes it. @throws INTERNAL, ELOOP, ENOENT. */
export async function holdPath(path: string): Promise<Handle> {
  const root = await open("/", pathOnly | constants.O_DIRECTORY);
  try {
    const found = handle(await openWithin(root.fd, `.${path}`, { flags: held, resolve: noLinks }));
    if (!(await statOf(found)).isSymbolicLink()) return found;
    found[Symbol.dispose]();
    throw new AgentError(Code.internal, "a link stands in its place");
  } finally {
    await root.close();
  }
}

/**
 * Opens what lies below a directory, itself included as `.`; a link at the end is opened as such, one before it is not
 * followed. `sameMount`: nor is another mount entered. The caller closes it. @throws ELOOP, ENOENT, EXDEV.
 */
export async function holdBelow(directory: Handle, path: string, sameMount = false): Promise<Handle> {
  const resolve = Resolve.beneath | noLinks | (sameMount ? Resolve.noCrossDevice : 0);
  return handle(await openWithin(directory.fd, path, { flags: held, resolve }));
}

/** What the kernel tells of it, off the event loop: it may lie on a share that is dead. */
export function statOf({ fd }: Handle): Promise<BigIntStats> {
  return fstatBig(fd, { bigint: true });
}

function handle(fd: number): Handle {
  let open = true;
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (open) closeFd(fd);
      open = false;
    },
  };
}
