import { stat } from "node:fs/promises";
import { deadline } from "../base/deadline.ts";
import { guestPaths } from "../base/guest-paths.ts";
import { Waiters } from "../base/waiters.ts";
import { mayHang } from "../sys/may-hang.ts";
import { readMounts } from "../sys/read-mounts.ts";

const timeoutMs = 2_000;
let walking = false;
/** Not the promise of the walk, which keeps every wait for it: a walk may hang for as long as the guest lives. */
const walked = new Waiters<void>();

/**
 * Looks at every mount below the share, which makes the host's file server let go of sources that are gone
 * (agent-api 3.17). Results do not matter. A dead share would hold a look for ever, so the caller waits two seconds
 * at most, and there is never more than one walk: a second call waits for the first one's.
 */
export async function touchShareMounts(
  share: string = guestPaths.share,
  look: (mountPoint: string) => Promise<unknown> = stat,
): Promise<void> {
  const mounts = walking ? undefined : await readMounts();
  const limit = deadline(timeoutMs);
  const done = walked.wait(limit.signal).catch(() => undefined);
  if (mounts !== undefined && !walking) {
    const below = mounts.map(({ mountPoint }) => mountPoint).filter((path) => path.startsWith(`${share}/`));
    void walk(below, look);
  }
  await done;
  limit.done();
}

async function walk(mountPoints: string[], look: (mountPoint: string) => Promise<unknown>): Promise<void> {
  walking = true;
  for (const mountPoint of mountPoints) {
    await mayHang(mountPoint, () => look(mountPoint)).catch(() => undefined);
  }
  walking = false;
  walked.wake();
}
