import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { UsageError } from "./usage-error.ts";

/** Data of one CopyFile request: the Go shim's size, well below the 4 MiB that a frame may hold. */
export const copyChunkBytes = 1024 * 1024;
/** Permissions for parents that are not there yet, as the Go shim sends them. */
const parentMode = 0o750;

/** One CopyFile request, fields as in the schema (agent-api 3.23). */
export type CopyRequest = {
  readonly path: string;
  readonly file_size: bigint;
  readonly file_mode: number;
  readonly dir_mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly offset: bigint;
  readonly data: Uint8Array;
};

type Owner = { readonly uid: number; readonly gid: number };

/** Who shall own the copies: everyone keeps theirs, or all get the same. */
export type CopyOptions = { readonly owner?: Owner };

const empty = new Uint8Array();

function request(path: string, stats: Stats, options: CopyOptions): CopyRequest {
  return {
    path,
    file_size: 0n,
    file_mode: stats.mode,
    dir_mode: parentMode,
    uid: options.owner?.uid ?? stats.uid,
    gid: options.owner?.gid ?? stats.gid,
    offset: 0n,
    data: empty,
  };
}

async function* file(source: string, base: CopyRequest): AsyncGenerator<CopyRequest> {
  await using handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { size } = await handle.stat();
  if (size === 0) yield base;
  for (let offset = 0; offset < size; ) {
    const length = Math.min(copyChunkBytes, size - offset);
    const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
    if (bytesRead === 0) throw new UsageError(`${source} became shorter while it was copied`);
    yield { ...base, file_size: BigInt(size), offset: BigInt(offset), data: buffer.subarray(0, bytesRead) };
    offset += bytesRead;
  }
}

/**
 * The requests that bring `source` (a file, a symbolic link, or a directory with all below it) to `target` in the
 * guest, in order; each has to be answered before the next is made. Symbolic links are copied as such.
 * @throws UsageError when there is no such source, or for a device, FIFO or socket.
 */
export async function* copyPlan(
  source: string,
  target: string,
  options: CopyOptions = {},
): AsyncGenerator<CopyRequest> {
  const stats = await lstat(source).catch((error: Error) => {
    throw new UsageError(`cannot read ${source}: ${error.message}`);
  });
  const base = request(target, stats, options);
  if (stats.isSymbolicLink()) {
    yield { ...base, data: new Uint8Array(await readlink(source, { encoding: "buffer" })) };
  } else if (stats.isDirectory()) {
    yield base;
    for (const name of (await readdir(source)).sort()) {
      yield* copyPlan(join(source, name), posix.join(target, name), options);
    }
  } else if (stats.isFile()) {
    yield* file(source, base);
  } else {
    throw new UsageError(`${source} is neither a file, nor a directory, nor a symbolic link`);
  }
}
