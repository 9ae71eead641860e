import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fixedTimeS } from "../image/cpio.ts";
import type { TreeEntry } from "../image/guest-tree.ts";
import { isCLibrary, libraryFolder } from "./carried-entries.ts";

/**
 * Writes the entries as a tar archive with zstd and returns its size in bytes: by rising path, owned by root, with one
 * fixed time, so that the same entries give the same bytes.
 */
export function packTarball(file: string, entries: readonly TreeEntry[]): number {
  const stage = `${file}.stage`;
  rmSync(stage, { recursive: true, force: true });
  try {
    for (const entry of entries) place(stage, entry);
    const listed = entries.map(({ path }) => path.slice(1)).sort();
    const names = `${stage}/.names`;
    writeFileSync(names, listed.map((name) => `${name}\n`).join(""));
    const reproducible = [
      "--format=gnu",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      `--mtime=@${fixedTimeS}`,
    ];
    // The number of threads changes nothing in what zstd writes, but having none does.
    const packer = "zstd -12 -T2 --no-progress";
    const args = ["--create", "--file", `${file}.part`, `--use-compress-program=${packer}`, ...reproducible];
    execFileSync("tar", [...args, "--no-recursion", "--directory", stage, "--files-from", names]);
    // What is made of the tarball need not be made again when it is the same.
    if (isSame(`${file}.part`, file)) rmSync(`${file}.part`);
    else renameSync(`${file}.part`, file);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return statSync(file).size;
}

function isSame(one: string, other: string): boolean {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other));
}

function place(stage: string, entry: TreeEntry): void {
  const path = join(stage, entry.path);
  mkdirSync(dirname(path), { recursive: true });
  if (entry.kind === "link") {
    symlinkSync(entry.target, path);
    return;
  }
  if (entry.kind !== "file") throw new Error(`no ${entry.kind} in a tarball: ${entry.path}`);
  if ("data" in entry) writeFileSync(path, entry.data);
  else copyFileSync(entry.source, path);
  chmodSync(path, entry.mode);
  if (needsOwnLibraries(path)) findOwnLibraries(path);
}

const elfMagic = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** Whether the file needs a library that the tarball brings. */
function needsOwnLibraries(path: string): boolean {
  if (!readFileSync(path).subarray(0, elfMagic.length).equals(elfMagic)) return false;
  const said = execFileSync("readelf", ["--wide", "--dynamic", path], { encoding: "utf8" });
  return [...said.matchAll(/\(NEEDED\).*\[(.*)\]/g)].some(([, name = ""]) => !isCLibrary(name));
}

/** The older of both kinds of search path: it holds for the libraries of libraries too. */
function findOwnLibraries(path: string): void {
  execFileSync("patchelf", ["--force-rpath", "--set-rpath", libraryFolder, path]);
}
