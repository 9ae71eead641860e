import type { Context } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { SpanCounts } from "./span-counts.ts";

/**
 * Stands before the SDK's batch processor: refuses spans when too many wait, so that every lost one is counted by
 * cause. (The SDK's own bound is silent until there is room again.)
 */
export class CountingProcessor implements SpanProcessor {
  readonly #next: SpanProcessor;
  readonly #counts: SpanCounts;
  readonly #maxQueuedSpans: number;

  constructor(next: SpanProcessor, counts: SpanCounts, maxQueuedSpans: number) {
    this.#next = next;
    this.#counts = counts;
    this.#maxQueuedSpans = maxQueuedSpans;
  }

  onStart(_span: Span, _context: Context): void {}

  onEnd(span: ReadableSpan): void {
    this.#counts.ended++;
    if (this.#counts.unbatched >= this.#maxQueuedSpans) {
      this.#counts.drop("queue-full", 1);
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
