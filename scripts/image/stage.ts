import { chmodSync, copyFileSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CpioEntry } from "./cpio.ts";

/**
 * Lays entries down as a folder, for tools that make a file system of one; every file bears `timeS`. Device nodes are
 * left out: the kernel mounts a devtmpfs over /dev before the first process of a disk runs. Owners are left to the tools,
 * so this needs no root.
 */
export function layDown(folder: string, entries: readonly CpioEntry[], timeS: number): void {
  mkdirSync(folder);
  const sorted = [...entries].filter(({ kind }) => kind !== "node").sort(byPath);
  for (const entry of sorted) put(join(folder, entry.path), entry);
  // Backwards, as a file that comes into a folder changes the folder's time.
  for (const { path } of sorted.toReversed()) lutimesSync(join(folder, path), timeS, timeS);
  lutimesSync(folder, timeS, timeS);
}

const byPath = (a: CpioEntry, b: CpioEntry): number => (a.path < b.path ? -1 : 1);

function put(place: string, entry: CpioEntry): void {
  if (entry.kind === "link") {
    symlinkSync(entry.target, place);
    return;
  }
  if (entry.kind === "dir") mkdirSync(place);
  else if (entry.kind === "file" && "data" in entry) writeFileSync(place, entry.data);
  else if (entry.kind === "file") copyFileSync(entry.source, place);
  chmodSync(place, entry.mode);
}
