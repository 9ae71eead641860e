import type { Log } from "../base/log.ts";
import type { SpanCounts } from "./span-counts.ts";

/** Says what a person should know of the delivery of spans, each thing once: that it is held up, and what was lost meanwhile. */
export class DeliveryLog {
  readonly #log: Log;
  readonly #counts: SpanCounts;
  #outage = false;
  /** Spans lost for want of room that the log has been told of. */
  #toldLost = 0;

  constructor(log: Log, counts: SpanCounts) {
    this.#log = log;
    this.#counts = counts;
  }

  /** A request was not taken and will be sent again. */
  held(error: Error): void {
    if (!this.#outage)
      this.#log.warn({ err: error.message }, "span receiver does not answer: spans wait, retrying");
    this.#outage = true;
  }

  /** The receiver will not have these spans. */
  refused(error: Error, spans: number): void {
    this.#log.warn({ err: error.message, spans }, "spans refused by the receiver");
  }

  /** A request was taken. `behind`: more waits; the losses are told when that is over, or an outage is. */
  taken(behind: boolean): void {
    if (behind && !this.#outage) return;
    const dropped = this.#counts.droppedBy["queue-full"] - this.#toldLost;
    this.#toldLost += dropped;
    const what = this.#outage ? "span receiver answers again" : "span receiver has caught up";
    if (dropped > 0) this.#log.warn({ dropped }, `${what}: spans were lost meanwhile`);
    else if (this.#outage) this.#log.info({}, `${what}: no span was lost`);
    this.#outage = false;
  }
}
