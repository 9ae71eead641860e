import { startedAtTicks, ticksNow } from "../sys/process-age.ts";
import type { BootSteps } from "../trace/boot-steps.ts";
import type { Role } from "./role.ts";

const msPerTick = 10;

/**
 * Notes what was before our first line, by the clock of the kernel in /proc, which counts hundredths of a second: the kernel
 * from its start to that of our process (in a guest of ours; elsewhere that would be the life of the machine), then the
 * launcher and Node itself.
 */
export function noteStart(role: Role, steps: BootSteps): void {
  const started = startedAtTicks(process.pid);
  if (started === undefined) return;
  const kernelMs = performance.now() - ticksNow() * msPerTick;
  // A tick is rounded down, and no step may end after the one that follows it began.
  const startedMs = Math.min(kernelMs + started * msPerTick, 0);
  if (role === "machine-init") steps.note("kernel", { "kata.boot.step": "kernel" }, kernelMs, startedMs);
  steps.note("node start", { "kata.boot.step": "node start" }, startedMs, Math.max(startedMs, 0));
}
