import { constants } from "node:fs";
import { kernel } from "./kernel.ts";

/** What is at a path. `unclear`: a link or `..` is on the way, or it cannot be looked at; somebody must look closer. */
export type Look = "missing" | "directory" | "other" | "unclear";

const missing = 0;
const unclear = -1;

/**
 * Looks at paths as seen by somebody whose root is `root`, all in one way to libuv's pool and back, where a share that
 * does not answer may hold it. What is missing or there lies where the path says: no link has been followed.
 * @throws ENOENT, ENOTDIR and others of open(2) for `root`.
 */
export async function lookWithin(root: string, paths: readonly string[]): Promise<Look[]> {
  const found = await kernel.lookWithin(root, paths);
  return paths.map((path, index) => lookOf(path, found[index] ?? unclear));
}

function lookOf(path: string, found: number): Look {
  // The kernel goes up from where it has got to; `missing/..` and the like are not for it to judge.
  if (found === unclear || path.split("/").includes("..")) return "unclear";
  if (found === missing) return "missing";
  return found === constants.S_IFDIR ? "directory" : "other";
}
