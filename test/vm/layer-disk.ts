import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What a request has to say about a layer, so that it is checked. */
export type LayerHashes = { readonly rootHash: string; readonly hashOffset: number; readonly salt: string };

const block = 4096;
const sector = 512;
/** Where partitions may begin: at a megabyte. */
const alignment = 1 << 20;

/** Makes an EROFS image of a folder, with its tree of hashes behind it. */
export function makeLayer(image: string, folder: string): LayerHashes {
  execFileSync("mkfs.erofs", ["-T0", "--all-root", "--quiet", image, folder], { stdio: "pipe" });
  const hashOffset = Math.ceil(statSync(image).size / block) * block;
  truncateSync(image, hashOffset);
  const salt = "5a".repeat(32);
  const options = [`--hash-offset=${hashOffset}`, `--data-blocks=${hashOffset / block}`, `--salt=${salt}`];
  const said = execFileSync("veritysetup", ["format", ...options, image, image], { encoding: "utf8" });
  const rootHash = /^Root hash:\s*([0-9a-f]+)$/m.exec(said)?.[1];
  if (rootHash === undefined) throw new Error(`veritysetup told no root hash: ${said}`);
  return { rootHash, hashOffset, salt };
}

/** Puts images on a disk with a GPT, one partition each, in order. */
export function makeDisk(disk: string, images: readonly string[]): string {
  let next = alignment;
  const places = images.map((image) => {
    const start = next;
    const bytes = Math.ceil(statSync(image).size / alignment) * alignment;
    next += bytes;
    return { image, start, bytes };
  });
  writeFileSync(disk, "");
  truncateSync(disk, next + alignment);
  const lines = places.map(({ start, bytes }) => `start=${start / sector}, size=${bytes / sector}`);
  execFileSync("sfdisk", ["--quiet", disk], {
    input: ["label: gpt", ...lines, ""].join("\n"),
    stdio: "pipe",
  });
  const fd = openSync(disk, "r+");
  for (const { image, start } of places) writeSync(fd, readFileSync(image), 0, undefined, start);
  closeSync(fd);
  return disk;
}

/** Makes a disk with an empty ext4 on it. */
export function makeUpper(dir: string): string {
  const disk = join(dir, "upper.img");
  writeFileSync(disk, "");
  truncateSync(disk, 16 << 20);
  execFileSync("mkfs.ext4", ["-q", "-F", disk], { stdio: "pipe" });
  return disk;
}
