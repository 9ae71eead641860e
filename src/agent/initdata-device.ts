/**
 * The disk that a guest's initdata lies on (agent-api 1.4 step 10):
 *
 *     offset 0   8 bytes   `initdata`
 *     offset 8   8 bytes   length of what follows, little-endian
 *     offset 16            gzip of the document
 */
import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

const magic = "initdata";
const headBytes = 16;
/** More than any policy comes to when packed. The length is the host's word, and memory is taken by it. */
const maxPackedBytes = 16n * 1024n * 1024n;
const diskName = /^(?:vd|sd)/;

/**
 * The packed document of the first disk that has one; undefined when none has. `isDisk` tells whether a file is a disk.
 * @throws INVALID_ARGUMENT for a length that the disk cannot hold, or beyond 16 MiB; what reading throws.
 */
export async function findInitdata(dev = "/dev", isDisk = isBlock): Promise<Uint8Array | undefined> {
  const names = (await readdir(dev)).filter((name) => diskName.test(name)).sort();
  for (const name of names) {
    // A drive without a medium cannot be opened, and does not hold the boot up.
    const disk = await open(join(dev, name), constants.O_RDONLY | constants.O_NONBLOCK).catch(
      () => undefined,
    );
    if (disk === undefined) continue;
    try {
      if (!(await isDisk(disk))) continue;
      const head = await read(disk, headBytes, 0).catch(() => undefined);
      if (head === undefined || head.toString("latin1", 0, magic.length) !== magic) continue;
      return await packed(disk, head.readBigUInt64LE(magic.length));
    } finally {
      await disk.close();
    }
  }
  return undefined;
}

async function isBlock(disk: FileHandle): Promise<boolean> {
  return (await disk.stat()).isBlockDevice();
}

async function packed(disk: FileHandle, length: bigint): Promise<Uint8Array> {
  if (length > maxPackedBytes) throw new AgentError(Code.invalidArgument, "initdata: it is too long");
  return read(disk, Number(length), headBytes);
}

async function read(disk: FileHandle, length: number, from: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await disk.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) throw new AgentError(Code.invalidArgument, "initdata: the disk is too short for it");
    done += bytesRead;
  }
  return bytes;
}
