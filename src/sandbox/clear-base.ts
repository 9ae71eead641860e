import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readMounts } from "../sys/read-mounts.ts";

/**
 * Empties the base directory before a sandbox is made (agent-api 3.1 step 1).
 *
 * What holds a mount point stays: below it may be the host's data (agent-api 10.3). Errors are ignored, as the
 * reference does: what cannot be deleted now will be in the way later, with a better message.
 */
export async function clearBase(base: string): Promise<void> {
  const mounted = (await readMounts()).map((entry) => entry.mountPoint);
  for (const name of await readdir(base).catch(() => [])) {
    const path = join(base, name);
    if (mounted.some((point) => point === path || point.startsWith(`${path}/`))) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
  await mkdir(base, { recursive: true, mode: 0o755 });
}
