import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/**
 * Writes a cpio archive of the "newc" kind, which the kernel unpacks as initramfs.
 *
 * Per entry: a header of 110 ASCII characters (magic 070701, then thirteen fields of eight hex digits), the path
 * with a NUL, padding to four bytes, the data, padding to four bytes. The last entry is called TRAILER!!!. Sources:
 * the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
 *
 * Entries are written by rising path, owned by root, with one fixed time, so that the same tree gives the same bytes
 * on every machine and for every user; a file system is not involved, so device nodes need no root either.
 */
export type CpioEntry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: "dir" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "node"; readonly major: number; readonly minor: number }
  | { readonly kind: "file"; readonly data: Uint8Array }
  | { readonly kind: "file"; readonly source: string }
);

const typeBits = { dir: 0o040000, link: 0o120000, node: 0o020000, file: 0o100000 } as const;

/** 1 January 2026, seconds since 1970. Any time would do; zero makes some programs take a file for one that is not there. */
export const fixedTimeS = 1_767_225_600;

// QEMU and boot loaders hand archives over in blocks; the kernel skips zeros between two archives in a row.
const blockBytes = 512;

/** Writes the archive to `file` and returns its size in bytes. Paths are absolute: `/etc/passwd`. All files bear `timeS`. */
export function writeCpio(file: string, entries: readonly CpioEntry[], timeS = fixedTimeS): number {
  const fd = openSync(file, "w");
  let bytes = 0;
  const put = (chunk: Uint8Array): void => {
    for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
    bytes += chunk.length;
  };
  try {
    const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const [index, entry] of sorted.entries()) putEntry(put, entry, index + 1, timeS);
    put(header("TRAILER!!!", 0, 0, { mode: 0, nlink: 1, mtime: 0, major: 0, minor: 0 }));
    put(new Uint8Array(-bytes & (blockBytes - 1)));
  } finally {
    closeSync(fd);
  }
  return bytes;
}

function putEntry(put: (chunk: Uint8Array) => void, entry: CpioEntry, inode: number, mtime: number): void {
  const data = dataOf(entry);
  const { major, minor } = entry.kind === "node" ? entry : { major: 0, minor: 0 };
  const nlink = entry.kind === "dir" ? 2 : 1;
  const mode = entry.mode | typeBits[entry.kind];
  put(header(entry.path.slice(1), inode, data.length, { mode, nlink, mtime, major, minor }));
  put(data);
  put(new Uint8Array(-data.length & 3));
}

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "link") return Buffer.from(entry.target);
  if (entry.kind !== "file") return new Uint8Array();
  return "data" in entry ? entry.data : readFileSync(entry.source);
}

type Fields = { mode: number; nlink: number; mtime: number; major: number; minor: number };

function header(name: string, inode: number, size: number, fields: Fields): Uint8Array {
  const { mode, nlink, mtime, major, minor } = fields;
  const nameBytes = Buffer.byteLength(name) + 1;
  const numbers = [inode, mode, 0, 0, nlink, mtime, size, 0, 0, major, minor, nameBytes, 0];
  const text = `070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}${name}\0`;
  return Buffer.from(text + "\0".repeat(-Buffer.byteLength(text) & 3));
}
