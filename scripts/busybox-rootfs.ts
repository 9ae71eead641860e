import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Debian's static build: it needs nothing else in the container. */
const ownBusybox = "/bin/busybox";
const programs = [
  "sh",
  "cat",
  "echo",
  "sleep",
  "stty",
  "tty",
  "true",
  "false",
  "id",
  "head",
  "md5sum",
  "ls",
  "wc",
];

/** Makes a root file system with BusyBox, this machine's or a given one, in a new directory; returns its path. */
export function busyboxRootfs(path: string, busybox = ownBusybox): string {
  for (const folder of ["bin", "proc", "sys", "dev", "tmp", "etc"])
    mkdirSync(join(path, folder), { recursive: true });
  copyFileSync(busybox, join(path, "bin/busybox"));
  for (const program of programs) symlinkSync("busybox", join(path, "bin", program));
  return path;
}
