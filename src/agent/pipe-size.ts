import type { Log } from "../base/log.ts";
import { closeFd, makePipe, setPipeSize } from "../sys/pipe.ts";

/**
 * Tries at start-up whether the kernel makes pipes as large as the option asks, and tells when it does not: a
 * container is created all the same, with the kernel's own size. `bytes` 0 = not asked for.
 */
export function tryPipeSize(bytes: number, log: Log): void {
  if (bytes === 0) return;
  const { readEnd, writeEnd } = makePipe();
  try {
    setPipeSize(writeEnd, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.warn({ bytes, code }, "agent.container_pipe_size is refused by the kernel, which keeps its own");
  } finally {
    closeFd(readEnd);
    closeFd(writeEnd);
  }
}
