import type { Interceptor } from "../rpc/call.ts";
import type { BootSteps } from "../trace/boot-steps.ts";

/** Ends the boot's trace: the wait for the first call is its last step. */
export class FirstCall {
  readonly #steps: BootSteps;
  #listeningMs: number | undefined;
  #came = false;

  constructor(steps: BootSteps) {
    this.#steps = steps;
  }

  /** The wait begins. */
  listening(): void {
    this.#listeningMs = performance.now();
  }

  readonly interceptor: Interceptor = (next) => (call) => {
    if (!this.#came) this.#note(call.receivedAtMs);
    return next(call);
  };

  #note(receivedAtMs: number): void {
    this.#came = true;
    // One that came while we began to listen was not waited for.
    const startMs = this.#listeningMs ?? receivedAtMs;
    this.#steps.note(
      "first call",
      { "kata.boot.step": "first call" },
      startMs,
      Math.max(startMs, receivedAtMs),
    );
  }
}
