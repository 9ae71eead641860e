import {
  type Context,
  createContextKey,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { SpanAttributes } from "./attributes.ts";
import {
  type CurrentSpan,
  type LiveSpan,
  noSpan,
  type OpenSpan,
  type SpanBackend,
  type SpanPlace,
} from "./backend.ts";
import { hrTime, type SpanClock } from "./clock.ts";
import { rootContext } from "./linked-context.ts";
import type { OpenSpans } from "./open-spans.ts";
import { RecordedSpan, setAll } from "./recorded-span.ts";
import type { RemoteParent } from "./traceparent.ts";

/** Marks a context where nothing becomes a span: the delivery of spans, and calls that are not recorded. */
const silentKey = createContextKey("kata no spans");
const silentContext = rootContext.setValue(silentKey, true);

/** What every span of a call says, in its context. */
export type Facts = readonly (readonly [key: keyof SpanAttributes, value: string])[];

/** Where {@link Facts} stand in a context. */
export const factsKey: symbol = createContextKey("kata call facts");

/** Where the caller's baggage stands in a context. */
export const baggageKey: symbol = createContextKey("kata baggage");

/**
 * Makes spans with the SDK. The parent is always decided before the span is made: the one given, else the current
 * one, else the root of the sandbox.
 */
export class SdkBackend implements SpanBackend {
  readonly clock: SpanClock;
  readonly openSpans: OpenSpans<RecordedSpan>;
  readonly root: RecordedSpan;
  readonly #tracer: Tracer;
  readonly #manager: AsyncLocalStorageContextManager;
  /** Whether steps within calls and in the background become spans. */
  steps = true;
  #sandboxId: string | undefined;

  constructor(
    tracer: Tracer,
    manager: AsyncLocalStorageContextManager,
    books: { clock: SpanClock; openSpans: OpenSpans<RecordedSpan> },
    root: { name: string; startMs: number; parent?: RemoteParent | undefined },
  ) {
    this.#tracer = tracer;
    this.#manager = manager;
    this.clock = books.clock;
    this.openSpans = books.openSpans;
    const context = root.parent === undefined ? rootContext : below(root.parent);
    this.root = this.start(root.name, {}, context, root.startMs);
    // Should the guest be killed young, its trace has at least a root.
    this.root.told = "due";
  }

  /** From now on every span carries the id, and so does the root. */
  setSandboxId(id: string): void {
    this.#sandboxId = id;
    this.root.set({ "kata.sandbox.id": id });
  }

  open(name: string, attributes: SpanAttributes, parent?: LiveSpan): OpenSpan {
    const active = this.#manager.active();
    if (!this.steps || parent === noSpan || active.getValue(silentKey) !== undefined) return noSpan;
    const context = this.#isOurs(parent) ? parent.context : this.#contextOrRoot(active);
    const span = this.start(name, {}, context);
    setAll(span.span, attributes);
    return span;
  }

  openRoot(name: string, attributes: SpanAttributes, cause: SpanPlace | undefined): OpenSpan {
    if (!this.steps) return noSpan;
    const { traceId, spanId } = cause ?? this.root.span.spanContext();
    const links = [{ context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED } }];
    const span = this.start(name, { links }, rootContext);
    setAll(span.span, attributes);
    return span;
  }

  note(name: string, attributes: SpanAttributes, startMs: number, endMs: number, parent: LiveSpan): void {
    if (!this.steps || !this.#isOurs(parent)) return;
    const span = this.start(name, {}, parent.context, startMs);
    setAll(span.span, attributes);
    span.finish(Math.max(startMs, endMs));
  }

  environment(): readonly string[] {
    const active = this.#manager.active();
    const current = this.current();
    const context = trace.getSpanContext(active);
    if (current === undefined || context === undefined) return [];
    const flags = context.traceFlags.toString(16).padStart(2, "0");
    const entries = [`TRACEPARENT=00-${current.traceId}-${current.spanId}-${flags}`];
    const state = context.traceState?.serialize() ?? "";
    if (state !== "") entries.push(`TRACESTATE=${state}`);
    const baggage = active.getValue(baggageKey);
    if (typeof baggage === "string") entries.push(`BAGGAGE=${baggage}`);
    return entries;
  }

  /** A span from `startMs` (a `performance.now()` value) on, below the span in `context`, without attributes of its own. */
  start(name: string, options: SpanOptions, context: Context, startMs = performance.now()): RecordedSpan {
    const { offsetMs } = this.clock;
    options.startTime = hrTime(startMs, offsetMs);
    const span = this.#tracer.startSpan(name, options, context);
    if (this.#sandboxId !== undefined) span.setAttribute("kata.sandbox.id", this.#sandboxId);
    const facts = context.getValue(factsKey) as Facts | undefined;
    if (facts !== undefined) for (const [key, value] of facts) span.setAttribute(key, value);
    return new RecordedSpan(span, context, this.#manager, startMs, this.clock, this.openSpans);
  }

  current(): CurrentSpan | undefined {
    const active = this.#manager.active();
    const span = trace.getSpan(active);
    if (span === undefined || !span.isRecording() || active.getValue(silentKey) !== undefined)
      return undefined;
    const { traceId, spanId } = span.spanContext();
    const event = (name: string, attributes: SpanAttributes) =>
      void span.addEvent(name, attributes, hrTime(performance.now(), this.clock.offsetMs));
    return { traceId, spanId, event };
  }

  /** Runs the delivery of spans: there, nothing becomes a span. */
  withoutSpans<T>(work: () => T): T {
    return this.#manager.with(silentContext, work);
  }

  /** {@link withoutSpans} for a function of one argument, without a closure. */
  silently<A, R>(work: (argument: A) => R, argument: A): R {
    return this.#manager.with(silentContext, work, undefined, argument);
  }

  #contextOrRoot(active: Context): Context {
    return trace.getSpan(active) === undefined ? this.root.context : active;
  }

  /** A span that an earlier tracing made is the parent of nothing any more: its trace is complete. */
  #isOurs(parent: LiveSpan | undefined): parent is RecordedSpan {
    return parent instanceof RecordedSpan && parent.madeBy(this.#manager);
  }
}

function below({ traceId, spanId, traceFlags }: RemoteParent): Context {
  return trace.setSpanContext(rootContext, { traceId, spanId, traceFlags, isRemote: true });
}
