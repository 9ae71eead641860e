import { stat } from "node:fs/promises";
import { delay } from "../base/deadline.ts";
import { guestPaths } from "../base/guest-paths.ts";
import { readMounts } from "../sys/read-mounts.ts";

const timeoutMs = 2_000;
let walking: Promise<void> | undefined;

/**
 * Looks at every mount below the share, which makes the host's file server let go of sources that are gone
 * (agent-api 3.17). Results do not matter. A dead share would hold a look for ever, so the caller waits two seconds
 * at most, and there is never more than one walk: a second call waits for the first one's.
 */
export async function touchShareMounts(share: string = guestPaths.share): Promise<void> {
  walking ??= walk(share).finally(() => {
    walking = undefined;
  });
  const limit = new AbortController();
  await Promise.race([walking, delay(timeoutMs, limit.signal).catch(() => undefined)]);
  limit.abort();
}

async function walk(share: string): Promise<void> {
  for (const { mountPoint } of await readMounts()) {
    if (mountPoint.startsWith(`${share}/`)) await stat(mountPoint).catch(() => undefined);
  }
}
