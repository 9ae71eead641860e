/**
 * A file system made of a folder, as a file: without mounting anything, without root, and the same bytes each time. What
 * these tools would take from the clock or from chance (times, the number of the file system, the seed of its hashes) is
 * fixed.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { CpioEntry } from "./cpio.ts";

/** The file systems that Kata's kernels have and its image builder makes. */
export type FileSystem = "ext4" | "erofs";

/** Makes the file system `kind` as `file` from the folder, whose entries these are. Throws an Error of the tool's words. */
export function makeFileSystem(
  kind: FileSystem,
  file: string,
  { folder, entries, timeS }: { folder: string; entries: readonly CpioEntry[]; timeS: number },
): void {
  if (kind === "erofs") makeErofs(file, folder, timeS);
  else makeExt4(file, folder, entries, timeS);
}

const megabyte = 1 << 20;
const blockBytes = 4096;
/** In a smaller one mke2fs makes no journal. */
const smallestMegabytes = 16;
const uuid = uuidOf("kata-agent-node root");

/** A UUID that is the same for the same name (version 8 of RFC 9562: whatever the maker likes). */
function uuidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-");
}

function makeErofs(file: string, folder: string, timeS: number): void {
  // lz4hc is what Kata's kernels can read.
  const options = ["-zlz4hc,12", `-T${timeS}`, `-U${uuid}`, "--all-root", "-C65536", "--quiet"];
  run("mkfs.erofs", [...options, file, folder], timeS);
}

function makeExt4(file: string, folder: string, entries: readonly CpioEntry[], timeS: number): void {
  const { megabytes, inodes } = ext4Size(entries);
  const options = [
    ...["-q", "-F", "-t", "ext4", "-b", String(blockBytes), "-m", "0", "-N", String(inodes), "-U", uuid],
    // The runtimes mount with data=ordered, which the kernel refuses where there is no journal.
    ...["-J", "size=4", "-O", "^resize_inode,^metadata_csum_seed"],
    ...["-E", `hash_seed=${uuid},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`],
  ];
  run("mkfs.ext4", [...options, "-d", folder, file, `${megabytes}M`], timeS);
  settle(file, entries, timeS);
}

/** What mke2fs takes from the folder although it should not: its owner, and when inodes were changed and read. */
function settle(file: string, entries: readonly CpioEntry[], timeS: number): void {
  const paths = entries.filter(({ kind }) => kind !== "node").map(({ path }) => path);
  const fields: Readonly<Record<string, string>> = {
    uid: "0",
    gid: "0",
    ctime: `@${timeS}`,
    atime: `@${timeS}`,
  };
  const commands = ["/", ...paths].flatMap((path) => [
    ...Object.entries(fields).map(([field, value]) => `set_inode_field "${path}" ${field} ${value}`),
    ...["ctime", "atime", "mtime"].map((field) => `set_inode_field "${path}" ${field}_extra 0`),
  ]);
  run("debugfs", ["-w", "-f", "-", file], timeS, commands.join("\n"));
}

/** Whole blocks of every file, what the tables and the journal take, and a twentieth for the maps of extents. */
function ext4Size(entries: readonly CpioEntry[]): { megabytes: number; inodes: number } {
  const blocks = entries.reduce((sum, entry) => sum + Math.ceil(bytesOf(entry) / blockBytes) + 1, 0);
  const inodes = entries.length + 64;
  const journalBytes = 4 * megabyte;
  const bytes = blocks * blockBytes * 1.05 + inodes * 256 + journalBytes + 2 * megabyte;
  return { megabytes: Math.max(smallestMegabytes, Math.ceil(bytes / megabyte)), inodes };
}

/** How many bytes of data an entry holds. */
export function bytesOf(entry: CpioEntry): number {
  if (entry.kind !== "file") return 0;
  return "data" in entry ? entry.data.length : statSync(entry.source).size;
}

function run(tool: string, args: readonly string[], timeS: number, input = ""): void {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  // The second is what e2fsprogs of Debian 12 reads, the first what newer ones do.
  const time = { SOURCE_DATE_EPOCH: String(timeS), E2FSPROGS_FAKE_TIME: String(timeS) };
  try {
    execFileSync(tool, args, {
      input,
      env: { ...process.env, PATH: path, ...time },
      stdio: ["pipe", "ignore", "pipe"],
    });
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message?: string };
    throw new Error(`${tool} failed: ${stderr?.toString().trim() || message}`);
  }
}
