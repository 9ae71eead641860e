import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** How the blocks of a device are checked against one hash (agent-api 4.2.1; dm-verity of the kernel). */
export type Verity = {
  /** Hexadecimal digits. */
  rootHash: string;
  /** Where the tree of hashes begins on the device, behind a superblock if there is one; a block boundary. */
  treeOffsetBytes: number;
  dataBlocks: number;
  dataBlockBytes: number;
  hashBlockBytes: number;
  algorithm: string;
  /** Hexadecimal digits, or `-` for none. */
  salt: string;
  hashType: 0 | 1;
};

const prefix = "X-kata.dmverity.";
const minBlockBytes = 512;
const maxBlockBytes = 65_536;

/**
 * What the options of a layer say about verity; undefined for a layer that is not checked. The superblock that may be
 * on the device is not believed: all that it says is in the options. @throws INTERNAL.
 */
export function verityOptions(options: readonly string[]): Verity | undefined {
  if (!options.includes("X-kata.dmverity-enabled=true")) return undefined;
  const value = (key: string) =>
    options
      .findLast((option) => option.startsWith(`${prefix}${key}=`))
      ?.slice(prefix.length + key.length + 1);
  const dataBlockBytes = blockSize(value("blocksize"));
  const hashBlockBytes = blockSize(value("hashsize"));
  const hashOffset = whole(value("hashoffset"), "hash offset");
  if (hashOffset === 0 || hashOffset % dataBlockBytes !== 0 || hashOffset % hashBlockBytes !== 0) {
    throw wrong("hash offset");
  }
  const bare = value("no-superblock") ?? "false";
  if (bare !== "true" && bare !== "false") throw wrong("no-superblock");
  const hashType = value("hashtype") ?? "1";
  if (hashType !== "0" && hashType !== "1") throw wrong("hash type");
  return {
    rootHash: matching(value("roothash"), /^(?:[0-9a-f]{2}){16,64}$/i, "root hash"),
    treeOffsetBytes: hashOffset + (bare === "true" ? 0 : hashBlockBytes),
    dataBlocks: hashOffset / dataBlockBytes,
    dataBlockBytes,
    hashBlockBytes,
    algorithm: matching(value("algorithm") ?? "sha256", /^[a-z0-9][a-z0-9-]{0,31}$/, "algorithm"),
    salt: matching(value("salt") || "-", /^(?:-|(?:[0-9a-f]{2}){1,256})$/i, "salt"),
    hashType: hashType === "0" ? 0 : 1,
  };
}

function blockSize(text = "4096"): number {
  const bytes = whole(text, "block size");
  const isPower = (bytes & (bytes - 1)) === 0;
  if (bytes < minBlockBytes || bytes > maxBlockBytes || !isPower) throw wrong("block size");
  return bytes;
}

function whole(text: string | undefined, what: string): number {
  return Number(matching(text, /^\d{1,15}$/, what));
}

function matching(text: string | undefined, pattern: RegExp, what: string): string {
  if (text === undefined || !pattern.test(text)) throw wrong(what);
  return text;
}

function wrong(what: string): AgentError {
  return new AgentError(Code.internal, `dm-verity ${what} is missing or invalid`);
}
