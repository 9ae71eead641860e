import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildTarget } from "../target.ts";
import { realPathBelow } from "./real-path.ts";
import { staticCrun } from "./static-crun.ts";
import { stripNode } from "./strip-node.ts";
import type { SystemRoot } from "./system-root.ts";

const projectDir = join(import.meta.dirname, "../..");

/**
 * Puts what is neither built by us nor as the distribution has it where agent.tree expects it, in `guest/` of the build
 * folder: Node without symbols, and crun.
 */
export function prepareGuestPrograms(system: SystemRoot, say: (line: string) => void): void {
  const { out: build, strip } = buildTarget(projectDir, system.architecture);
  stripNode(build, strip);
  const crun = staticCrun(system, say) ?? realPathBelow(system.path, "/usr/bin/crun");
  placeIfOther(crun, join(build, "guest/crun"));
}

function placeIfOther(source: string, place: string): void {
  if (existsSync(place) && statSync(place).mtimeMs >= statSync(source).mtimeMs) {
    if (statSync(place).size === statSync(source).size) return;
  }
  mkdirSync(dirname(place), { recursive: true });
  copyFileSync(source, `${place}.${process.pid}`);
  renameSync(`${place}.${process.pid}`, place);
}
