import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const busybox = "/usr/bin/busybox";
const folders = ["bin", "proc", "sys", "dev", "tmp", "etc", "run", "root"];

/** Makes a root file system in `root` that holds nothing but busybox and its applets. */
export function makeBusyboxRoot(root: string): string {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  cpSync(busybox, join(root, "bin/busybox"));
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n");
  for (const applet of applets.filter((name) => name !== "" && name !== "busybox")) {
    symlinkSync("busybox", join(root, "bin", applet));
  }
  return root;
}
