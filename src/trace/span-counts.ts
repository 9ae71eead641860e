import type { DropReason, FlushReport } from "./tracing-options.ts";

/** The books of one tracing: where every recorded span has gone. */
export class SpanCounts {
  /** Spans that ended, sampled or not dropped before. */
  ended = 0;
  /** Spans that wait in the SDK's processor for encoding. */
  unbatched = 0;
  /** Spans that the receiver has acknowledged. */
  sent = 0;
  readonly droppedBy: Record<DropReason, number> = { "queue-full": 0, refused: 0, shutdown: 0 };

  drop(reason: DropReason, count: number): void {
    this.droppedBy[reason] += count;
  }

  get dropped(): number {
    return this.droppedBy["queue-full"] + this.droppedBy.refused + this.droppedBy.shutdown;
  }

  /** Spans that ended and found room. */
  get taken(): number {
    return this.ended - this.droppedBy["queue-full"];
  }

  /** Those of {@link taken} that are acknowledged or lost since. */
  get settled(): number {
    return this.sent + this.droppedBy.refused + this.droppedBy.shutdown;
  }

  /** Spans that ended and are neither acknowledged nor lost. */
  get pending(): number {
    return this.ended - this.sent - this.dropped;
  }

  report(): FlushReport {
    const { sent, pending, dropped, ended } = this;
    return { sent, pending, dropped, droppedBy: { ...this.droppedBy }, complete: sent === ended };
  }
}
