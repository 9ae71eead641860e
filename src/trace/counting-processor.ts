import type { Context } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { SpanCounts } from "./span-counts.ts";

/**
 * Stands before the SDK's batch processor: keeps account of open spans, and refuses finished ones when too many wait,
 * so that every lost span is counted by cause. (The SDK's own bound is silent until there is room again.)
 */
export class CountingProcessor implements SpanProcessor {
  readonly open = new Set<Span>();
  readonly #next: SpanProcessor;
  readonly #counts: SpanCounts;
  readonly #maxQueuedSpans: number;

  constructor(next: SpanProcessor, counts: SpanCounts, maxQueuedSpans: number) {
    this.#next = next;
    this.#counts = counts;
    this.#maxQueuedSpans = maxQueuedSpans;
  }

  onStart(span: Span, _context: Context): void {
    this.open.add(span);
  }

  onEnd(span: ReadableSpan): void {
    this.open.delete(span as unknown as Span);
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
