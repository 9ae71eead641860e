import { chmodSync, copyFileSync, lutimesSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A file of a package: its place below the root, and what is in it. */
export type Placed = {
  readonly path: string;
  readonly mode: number;
  readonly content: { readonly copyOf: string } | string | Uint8Array;
};

/** Writes the files below `folder`, which is emptied first; every file and folder gets the time `dateS`. */
export function stage(folder: string, files: readonly Placed[], dateS: number): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { path, mode, content } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    if (typeof content === "object" && "copyOf" in content) copyFileSync(content.copyOf, target);
    else writeFileSync(target, content);
    chmodSync(target, mode);
  }
  setTimes(folder, dateS);
}

function setTimes(folder: string, dateS: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      setTimes(path, dateS);
      chmodSync(path, 0o755);
    } else lutimesSync(path, dateS, dateS);
  }
  lutimesSync(folder, dateS, dateS);
}
