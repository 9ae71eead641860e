import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Node without its symbols, 33 MB less for a guest to unpack and to keep in memory: `guest/node` of this build folder.
 * Made anew only when Node is newer. `strip` is the tool of its architecture.
 */
export function stripNode(build: string, strip = "strip"): void {
  const [source, made] = [join(build, "lib/node"), join(build, "guest/node")];
  if (existsSync(made) && statSync(made).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(dirname(made), { recursive: true });
  execFileSync(strip, ["-o", `${made}.part`, source]);
  renameSync(`${made}.part`, made);
}
