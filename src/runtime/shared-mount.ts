import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { delay } from "../base/deadline.ts";
import type { Pid } from "../base/ids.ts";
import { parseMountInfo } from "../sys/mount-info.ts";
import { MountNamespace } from "../sys/mount-tree.ts";

/** How often is looked (agent-api 3.3.9). */
const pollMs = 100;

/** A process of which it is known whether it has ended; while it has not, its pid names it. */
export type Living = { readonly pid: Pid; readonly exit: object | undefined };

/**
 * Waits until something is mounted at `path` as the process sees it. Rejects with the reason of `signal`.
 * @throws INTERNAL when the process ends meanwhile.
 */
export async function mountAppears(living: Living, path: string, signal: AbortSignal): Promise<void> {
  const wanted = join("/", path, ".");
  for (;;) {
    signal.throwIfAborted();
    const text = await readFile(`/proc/${living.pid}/mountinfo`, "utf8").catch(() => "");
    alive(living);
    if (parseMountInfo(text).some(({ mountPoint }) => mountPoint === wanted)) return;
    await delay(pollMs, signal);
  }
}

/** What to share: `path` as the source sees it, `destination` as the other one does. */
export type Sharing = { source: Living; path: string; target: Living; destination: string };

/** Shows the mounts at `path` of one process to another, see `sys/mount-tree.ts`. @throws INTERNAL. */
export async function shareMount({ source, path, target, destination }: Sharing): Promise<void> {
  try {
    using from = namespaceOf(source);
    using to = namespaceOf(target);
    await from.share(path, to, destination);
  } catch (error) {
    throw AgentError.from(error, "share a mount");
  }
}

/** Opened first and then asked for its life, so that the pid cannot have been another's. */
function namespaceOf(living: Living): MountNamespace {
  const namespace = new MountNamespace(living.pid);
  try {
    alive(living);
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

function alive(living: Living): void {
  if (living.exit !== undefined)
    throw new AgentError(Code.internal, "a container of a shared mount has ended");
}
