import { setTimeout as pause } from "node:timers/promises";

// For what does not come at all: a machine that is slow and shared may need long for what it does in a moment elsewhere.
const defaultLimitMs = 120_000;
const everyMs = 20;

/** Looks again and again until `condition` holds. @throws an Error that names `what` when it does not within the limit. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = defaultLimitMs,
): Promise<void> {
  for (const endMs = performance.now() + limitMs; !(await condition()); await pause(everyMs)) {
    if (performance.now() > endMs) throw new Error(`waited in vain: ${what}`);
  }
}
