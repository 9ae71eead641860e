import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Container } from "../container/container.ts";
import { type SharedMount, shareMounts } from "../container/shared-mounts.ts";
import type { CreateContainerRequest } from "../gen/agent.ts";
import type { Rooms } from "./rooms.ts";

/** More than any pod has containers; each may be waited for. */
const maxSharedMounts = 64;

/** The shared mounts of a request. @throws INTERNAL for paths that are not clean and absolute, or too many. */
export function sharedMounts(request: CreateContainerRequest): SharedMount[] {
  const { shared_mounts: sent } = request;
  if (sent.length > maxSharedMounts) throw new AgentError(Code.internal, "too many shared mounts");
  return sent.map(({ src_ctr, src_path, dst_path }) => ({
    sourceName: src_ctr,
    sourcePath: clean(src_path),
    path: clean(dst_path),
  }));
}

/** Shows them to the container that was just created (agent-api 3.3.9). @throws INTERNAL; the reason of `signal`. */
export async function showSharedMounts(
  rooms: Rooms,
  container: Container,
  mounts: readonly SharedMount[],
  signal: AbortSignal,
): Promise<void> {
  const late = await shareMounts(container, mounts, rooms.registry.all(), signal);
  if (late.length > 0) {
    rooms.log.warn({ container: container.id, count: late.length }, "shared mounts did not appear in time");
  }
}

function clean(path: string): string {
  const sound = path.startsWith("/") && !path.includes("\0") && !path.split("/").includes("..");
  if (!sound) throw new AgentError(Code.internal, "path of a shared mount is not a clean absolute path");
  return path;
}
