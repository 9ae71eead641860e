import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { OpenSpans } from "./open-spans.ts";
import type { RecordedSpan } from "./recorded-span.ts";

/**
 * Which open spans the receiver is told of, so that a guest that is killed leaves them behind (docs/protocol.md).
 *
 * A span is due when it has been open for a second, and again when it got new attributes. Nothing ticks in a guest
 * where nothing happens: a look at the open spans is planned when one is opened or changed, at most once a second.
 */
export class Announcements {
  readonly #open: OpenSpans<RecordedSpan>;
  readonly #onDue: () => void;
  /** Ids of spans that the receiver may know as open. */
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `onDue` is called when there is something to tell. */
  constructor(open: OpenSpans<RecordedSpan>, onDue: () => void) {
    this.#open = open;
    this.#onDue = onDue;
    open.onTouch = () => this.#plan();
  }

  /** Spans that are due, the oldest first, no more than fit one request; they count as told. */
  take(): ReadableSpan[] {
    const due = this.#due()
      .sort((a, b) => a.startMs - b.startMs)
      .slice(0, maxSpans);
    for (const span of due) {
      span.told = "told";
      this.#told.add(span.span.spanContext().spanId);
    }
    // What found no room is due at the next look.
    if (due.length === maxSpans) this.#plan();
    // The SDK's own spans are readable while they are open.
    return due.map(({ span }) => span as unknown as ReadableSpan);
  }

  /** A receiver that knows nothing, or may not know what was last taken: everything is due again. */
  forget(): void {
    for (const span of this.#open.all()) if (span.told === "told") span.told = "due";
    this.#plan();
  }

  /** The ids of those spans of a batch that were announced; they are not any more. */
  ended(spans: readonly ReadableSpan[]): string[] {
    if (this.#told.size === 0) return [];
    const ids = spans.map((span) => span.spanContext().spanId);
    return ids.filter((id) => this.#told.delete(id));
  }

  /** A span that ended and was lost: the receiver will close it. */
  lost(span: ReadableSpan): void {
    this.#told.delete(span.spanContext().spanId);
  }

  /** No more looks. Safe to repeat. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => this.#look(), dueAfterMs);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#due().length > 0) this.#onDue();
    if (this.#open.all().some((span) => span.told === "no" && !isOld(span))) this.#plan();
  }

  #due(): RecordedSpan[] {
    return this.#open
      .all()
      .filter(
        (span) => (span.told === "due" || (span.told === "no" && isOld(span))) && span.span.isRecording(),
      );
  }
}

/** A span that lives shorter than this arrives as a whole nearly as soon as its announcement would. */
const dueAfterMs = 1_000;
/** With some 400 bytes each these stay below half a MiB. */
const maxSpans = 1_000;

function isOld(span: RecordedSpan): boolean {
  return performance.now() - span.startMs >= dueAfterMs;
}
