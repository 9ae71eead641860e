/**
 * A disk with one partition around a file system, as Kata's image builder lays it out, made without loop devices.
 *
 *     plain                      with the NVDIMM header (`nvdimm-header.ts`)
 *     0        MBR               0        MBR for readers that ignore the header: partition 1 at 3 MiB
 *     1 MiB    file system       4 KiB    header: what begins at 2 MiB is the disk
 *                                2 MiB    MBR: partition 1 at 1 MiB from here
 *                                3 MiB    file system
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { nvdimmHeader, nvdimmHeaderOffset } from "./nvdimm-header.ts";

const megabyte = 1 << 20;
const sectorBytes = 512;
const headerBytes = 2 * megabyte;
const partitionAt = megabyte;

/** The host maps such an image into the guest's memory in pieces of this size. */
const nvdimmAlignment = 128 * megabyte;

/** Writes the disk around `fileSystem` to `image`, and returns its size in bytes. */
export function makeDiskImage(image: string, fileSystem: string, { dax }: { dax: boolean }): number {
  const frontBytes = (dax ? headerBytes : 0) + partitionAt;
  const alignment = dax ? nvdimmAlignment : megabyte;
  const bytes = Math.ceil((frontBytes + statSync(fileSystem).size) / alignment) * alignment;
  createEmpty(image, bytes);
  if (dax) {
    // sfdisk writes at the front of a file, so the inner table is made in one of its own.
    const inner = `${image}.mbr`;
    createEmpty(inner, bytes - headerBytes);
    partition(inner, partitionAt);
    copyBytes(inner, image, headerBytes, sectorBytes);
    rmSync(inner);
  }
  partition(image, frontBytes);
  if (dax) writeAt(image, nvdimmHeader(headerBytes), nvdimmHeaderOffset);
  copyBytes(fileSystem, image, frontBytes, statSync(fileSystem).size);
  return bytes;
}

function createEmpty(file: string, bytes: number): void {
  closeSync(openSync(file, "w"));
  truncateSync(file, bytes);
}

/** One Linux partition from `startBytes` to the end; the number of the disk is fixed. */
function partition(file: string, startBytes: number): void {
  const script = `label: dos\nlabel-id: 0x6b617461\nunit: sectors\nstart=${startBytes / sectorBytes}, type=83\n`;
  const options = ["--quiet", "--no-reread", "--no-tell-kernel"];
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  execFileSync("sfdisk", [...options, file], {
    input: script,
    env: { ...process.env, PATH: path },
    stdio: ["pipe", "ignore", "pipe"],
  });
}

function writeAt(file: string, bytes: Uint8Array, at: number): void {
  const fd = openSync(file, "r+");
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    }
  } finally {
    closeSync(fd);
  }
}

/** Copies the first `bytes` of one file into another; blocks of zeros stay holes. */
function copyBytes(from: string, to: string, at: number, bytes: number): void {
  const fd = openSync(from, "r");
  const block = Buffer.alloc(megabyte);
  try {
    for (let done = 0; done < bytes; ) {
      const read = readSync(fd, block, 0, Math.min(block.length, bytes - done), done);
      const chunk = block.subarray(0, read);
      if (chunk.some((byte) => byte !== 0)) writeAt(to, chunk, at + done);
      done += read;
    }
  } finally {
    closeSync(fd);
  }
}
