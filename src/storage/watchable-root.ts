import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";

/** The one directory of the Go runtime and that of runtime-rs. */
const roots: ReadonlySet<string> = new Set([
  `${guestPaths.share}/watchable`,
  `${guestPaths.share}/passthrough/watchable`,
]);
const rootless = /^\/run\/user\/([1-9]\d{0,9})(?=\/)/;
const maxNameBytes = 255;
const maxUid = 0xffff_fffe;
/** Names that begin so are ours, for what is being made. */
export const stagingPrefix = ".kata-watch-";

/**
 * Where a watchable mount lies: a name in one of the roots that runtimes use, which a host without root prefixes by
 * `/run/user/<uid>` (agent-api 7). @throws INTERNAL for any other place.
 */
export function watchableRoot(mountPoint: string): { root: string; name: string } {
  const path = absolutePath(mountPoint, "watchable mount point");
  const slash = path.lastIndexOf("/");
  const [root, name] = [path.slice(0, slash), path.slice(slash + 1)];
  const uid = rootless.exec(root)?.[1];
  const sound =
    roots.has(root.replace(rootless, "")) &&
    Number(uid ?? 0) <= maxUid &&
    name !== "" &&
    name !== "." &&
    Buffer.byteLength(name) <= maxNameBytes &&
    !name.startsWith(stagingPrefix);
  if (!sound) throw new AgentError(Code.internal, "watchable mount point is in none of the places for it");
  return { root, name };
}
