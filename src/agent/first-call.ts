import type { Interceptor } from "../rpc/call.ts";
import type { BootSteps } from "../trace/boot-steps.ts";

/** Ends the boot's trace: the wait for the first call, from now on, is its last step. */
export function firstCall(steps: BootSteps): Interceptor {
  const listeningMs = performance.now();
  let waiting = true;
  return (next) => (call) => {
    if (waiting) {
      waiting = false;
      const endMs = Math.max(listeningMs, call.receivedAtMs);
      steps.note("first call", { "kata.boot.step": "first call" }, listeningMs, endMs);
    }
    return next(call);
  };
}
