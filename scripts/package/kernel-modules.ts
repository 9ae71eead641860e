import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { guestKernel, guestModules } from "../image/guest-kernel.ts";
import { ownSystemRoot } from "../image/system-root.ts";

const listOfModules = join(import.meta.dirname, "../../rootfs/modules");

/**
 * Lays what Debian's kernel has as modules where Kata's own has it built in below `tree`, with the list that an agent which
 * is init loads. Returns the release of that kernel, the name of the folder in `lib/modules`.
 */
export function layModules(tree: string, say: (line: string) => void): string {
  const kernel = guestKernel(ownSystemRoot(say).path);
  const list = readFileSync(listOfModules, "utf8");
  for (const entry of guestModules(kernel, list, "/usr/lib/kata-agent-node/modules.list")) {
    if (!("data" in entry)) continue;
    mkdirSync(dirname(join(tree, entry.path)), { recursive: true });
    writeFileSync(join(tree, entry.path), entry.data);
  }
  // It warns that the list of what the kernel has built in is not there, which none of ours needs.
  execFileSync("depmod", ["-b", tree, kernel.release], { stdio: "pipe" });
  return kernel.release;
}
