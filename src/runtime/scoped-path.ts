import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** What the kernel allows on one path (path_resolution(7)). */
const maxLinks = 40;

/**
 * Where an absolute path leads for somebody whose root is `root`: links are followed, also to what is not there yet,
 * and never out. An answer about the moment, for checks; nothing is held open. @throws INTERNAL for too many links.
 */
export function scopedPath(root: string, path: string): string {
  const left = partsOf(path);
  const done: string[] = [];
  for (let links = 0; ; ) {
    const part = left.shift();
    if (part === undefined) return `/${done.join("/")}`;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = linkAt(join(root, ...done, part));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > maxLinks) throw new AgentError(Code.internal, "ELOOP: too many links in the path of a mount");
    if (target.startsWith("/")) done.length = 0;
    left.unshift(...partsOf(target));
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function linkAt(path: string): string | undefined {
  try {
    // Most parts are no links, and an error takes ten times as long to make as a look.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
    return readlinkSync(path);
  } catch {
    // ENOTDIR, or gone meanwhile: nothing there, which leads nowhere else.
    return undefined;
  }
}
