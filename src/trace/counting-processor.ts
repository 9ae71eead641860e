import type { Context } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Announcements } from "./announcements.ts";
import type { SpanCounts } from "./span-counts.ts";

/** How many spans may wait: as objects for their encoding, and in all until they are acknowledged. */
export type QueueLimits = { maxObjects: number; maxSpans: number };

/**
 * Stands before the SDK's batch processor: refuses spans when too many wait, so that every lost one is counted by
 * cause. (The SDK's own bound is silent until there is room again.)
 */
export class CountingProcessor implements SpanProcessor {
  readonly #next: SpanProcessor;
  readonly #counts: SpanCounts;
  readonly #announcements: Announcements;
  readonly #limits: QueueLimits;

  constructor(next: SpanProcessor, counts: SpanCounts, announcements: Announcements, limits: QueueLimits) {
    this.#next = next;
    this.#counts = counts;
    this.#announcements = announcements;
    this.#limits = limits;
  }

  onStart(_span: Span, _context: Context): void {}

  onEnd(span: ReadableSpan): void {
    this.#counts.ended++;
    const { unbatched, pending } = this.#counts;
    if (unbatched >= this.#limits.maxObjects || pending > this.#limits.maxSpans) {
      this.#counts.drop("queue-full", 1);
      this.#announcements.lost(span);
      return;
    }
    this.#counts.unbatched++;
    this.#next.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#next.shutdown();
  }
}
