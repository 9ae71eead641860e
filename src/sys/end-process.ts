import { kernel } from "./kernel.ts";

/**
 * Ends this process at once with `status` (0 to 255); what it has not written by then is lost. `process.exit` waits for
 * file work that is under way, and on a dead share that never ends.
 */
export function endProcess(status: number): never {
  return kernel.endProcess(status);
}
