import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";

/** Twice the time of 3, and a seventh off the size; 19 takes minutes for another tenth. */
const zstdLevel = 6;

/**
 * Packs `top`, a folder in the working folder of `dir`, into a zstd tarball at `file`: sorted, owned by root, all from
 * `dateS`. Throws when tar does.
 */
export async function packFolder(dir: string, top: string, file: string, dateS: number): Promise<void> {
  const flags = ["--sort=name", `--mtime=@${dateS}`, "--owner=0", "--group=0", "--numeric-owner"];
  const tar = spawn("tar", ["-C", dir, ...flags, "--format=gnu", "-cf", "-", top], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve, reject) => tar.on("error", reject).on("exit", resolve));
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } });
  await Promise.all([pipeline(tar.stdout, compress, createWriteStream(file)), ended]);
  if ((await ended) !== 0) throw new Error(`tar failed in ${dirname(file)}`);
}
