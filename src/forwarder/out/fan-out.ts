import type { Log } from "../../base/log.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Export } from "../export.ts";
import type { Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import type { Output } from "./output.ts";

/**
 * Hands each export to every output. One that has no room loses it, counted, and holds up nobody; the sender is told
 * "not now" only when no output takes it.
 */
export class FanOut {
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #full = new Set<string>();
  /** May be exchanged at any time. Those that have to read the bytes come first: they find out what does not decode. */
  outputs: readonly Output[] = [];
  /** Some have left and others are not open yet: having none does not mean that none is wanted. */
  isExchanging = false;

  constructor(metrics: Metrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** @throws Refusal 503 when no output took it; WireError when one that reads cannot. */
  readonly deliver = async (exported: Export): Promise<void> => {
    const { outputs } = this;
    const ready = outputs.filter((output) => output.hasRoom(exported.body.length, exported.origin));
    if (ready.length === 0 && outputs.length > 0) throw new Refusal(503, "queues are full");
    if (outputs.length === 0 && this.isExchanging) throw new Refusal(503, "backends are exchanged");
    for (const output of outputs) this.#note(output, ready.includes(output), exported.spans);
    let taken = outputs.length === 0 ? 1 : 0;
    for (const output of ready) {
      try {
        await output.take(exported);
        taken++;
      } catch (error) {
        if (error instanceof WireError) throw error;
        this.#metrics.dropped(output.name, "cannot-write", exported.spans);
        this.#log.warn({ output: output.name, err: (error as Error).message }, "output cannot write");
      }
    }
    if (taken === 0) throw new Refusal(503, "cannot write");
  };

  /** Said once when it begins and once when it is over. */
  #note(output: Output, hasRoom: boolean, spans: number): void {
    if (!hasRoom) this.#metrics.dropped(output.name, "queue-full", spans);
    if (hasRoom !== this.#full.has(output.name)) return;
    if (hasRoom) this.#full.delete(output.name);
    else this.#full.add(output.name);
    if (hasRoom) this.#log.info({ output: output.name }, "output has room again");
    else this.#log.warn({ output: output.name }, "output is full, exports dropped");
  }
}
