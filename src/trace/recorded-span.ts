import { type Context, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import type { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { SpanAttributes } from "./attributes.ts";
import type { OpenSpan } from "./backend.ts";
import { hrTime, type SpanClock } from "./clock.ts";
import { errorFacts } from "./error-facts.ts";
import type { OpenSpans } from "./open-spans.ts";

/** A wait of an answer for its peer is worth an event from here on. */
const queuedMs = 1;

/**
 * One span of the SDK with the context that makes it current, and the clock offset under which it began.
 * The SDK takes its own end time from a clock of whole milliseconds when the start was given, so all times are given.
 */
export class RecordedSpan implements OpenSpan {
  readonly span: Span;
  /** `performance.now()` of its start. */
  readonly startMs: number;
  /** Kept by {@link OpenSpans}. */
  place = -1;
  /** Whether the receiver knows it as open: not yet, shall at the next chance, does. */
  told: "no" | "due" | "told" = "no";
  /** Of a call: `performance.now()` when its answer was there, to be written. */
  readyMs = Number.NaN;
  readonly #manager: AsyncLocalStorageContextManager;
  readonly #base: Context;
  readonly #clock: SpanClock;
  readonly #offsetMs: number;
  #context: Context | undefined;
  readonly #open: OpenSpans<RecordedSpan> | undefined;
  #ended = false;

  /**
   * `base`: the context that the span's own is made from. `open`: where to stand while open; left out for a span that
   * keeps nothing.
   */
  constructor(
    span: Span,
    base: Context,
    manager: AsyncLocalStorageContextManager,
    startMs: number,
    clock: SpanClock,
    open?: OpenSpans<RecordedSpan>,
  ) {
    this.span = span;
    this.startMs = startMs;
    this.#base = base;
    this.#manager = manager;
    this.#clock = clock;
    this.#offsetMs = clock.offsetMs;
    this.#open = open;
    open?.add(this);
  }

  /** The context in which this span is the current one. */
  get context(): Context {
    this.#context ??= trace.setSpan(this.#base, this.span);
    return this.#context;
  }

  set(attributes: SpanAttributes): void {
    if (!this.span.isRecording()) return;
    setAll(this.span, attributes);
    this.#changed();
  }

  event(name: string, attributes?: SpanAttributes): void {
    if (!this.span.isRecording()) return;
    this.span.addEvent(name, attributes, hrTime(performance.now(), this.#offsetMs));
    this.#changed();
  }

  run<T>(work: () => T): T {
    return this.#manager.with(this.context, work);
  }

  /** {@link run} for a function of one argument, without a closure: every traced call comes through here. */
  call<A, R>(work: (argument: A) => R, argument: A): R {
    return this.#manager.with(this.context, work, undefined, argument);
  }

  end(error?: unknown): void {
    if (this.#ended) return;
    if (error !== undefined) this.fail(error);
    this.finish();
  }

  /** Notes a failure as status and `error.type`. */
  fail(error: unknown): void {
    if (!this.span.isRecording()) return;
    const { type, message } = errorFacts(error);
    this.span.setAttribute("error.type", type);
    this.span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  /** Ends the span as it stands, at a `performance.now()` value; a second call does nothing. */
  finish(atMs = performance.now()): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open?.remove(this);
    if (!this.span.isRecording()) return;
    if (this.#offsetMs !== this.#clock.offsetMs) this.#noteOldClock();
    this.span.end(hrTime(atMs, this.#offsetMs));
  }

  /** The clock was set meanwhile: the distance of the host's clock that its batch tells is not this span's. */
  #noteOldClock(): void {
    const offsetNs = this.#clock.host.offsetNs(this.#offsetMs);
    if (offsetNs !== undefined) this.span.setAttribute("kata.clock.offset_ns", offsetNs);
  }

  /** What the receiver knows of it is out of date. */
  #changed(): void {
    if (this.told !== "told") return;
    this.told = "due";
    this.#open?.onTouch();
  }

  /** The answer of its call has been written, or never will be. */
  answered(): void {
    const nowMs = performance.now();
    if (nowMs - this.readyMs >= queuedMs && this.span.isRecording())
      this.span.addEvent("answer ready", undefined, hrTime(this.readyMs, this.#offsetMs));
    this.finish(nowMs);
  }

  /** Whether the tracing with this context manager made it. */
  madeBy(manager: AsyncLocalStorageContextManager): boolean {
    return this.#manager === manager;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Sets what is defined. One by one: the SDK checks and copies a whole set three times. */
export function setAll(span: Span, attributes: SpanAttributes): void {
  for (const key in attributes) {
    const value = attributes[key as keyof SpanAttributes];
    if (value !== undefined) span.setAttribute(key, value);
  }
}
