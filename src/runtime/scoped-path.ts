import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** What the kernel allows on one path (path_resolution(7)). */
const maxLinks = 40;
const missing: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** What is known of paths already: where the link at one leads, or that there is none. */
export type KnownLinks = Map<string, string | undefined>;

/**
 * Where an absolute path leads for somebody whose root is `root`: links are followed, also to what is not there yet,
 * and never out. An answer about the moment, for checks; nothing is held open. Off the event loop: the root may be on a
 * share that does not answer, so the caller goes through `mayHang`. Looks at many paths share what they find in `known`.
 * @throws INTERNAL for too many links; system errors.
 */
export async function scopedPath(root: string, path: string, known: KnownLinks = new Map()): Promise<string> {
  const left = partsOf(path);
  const done: string[] = [];
  for (let links = 0; ; ) {
    const part = left.shift();
    if (part === undefined) return `/${done.join("/")}`;
    if (part === "..") {
      done.pop();
      continue;
    }
    const place = join(root, ...done, part);
    const target = known.has(place) ? known.get(place) : await linkAt(place);
    known.set(place, target);
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

/** The names that an absolute path consists of; `..` is one. */
export function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

async function linkAt(path: string): Promise<string | undefined> {
  try {
    // Most parts are no links, and an error takes ten times as long to make as a look.
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    // Nothing there, which leads nowhere else. What cannot be looked at is no answer.
    const { code = "" } = error as NodeJS.ErrnoException;
    if (missing.has(code)) return undefined;
    throw error;
  }
}
