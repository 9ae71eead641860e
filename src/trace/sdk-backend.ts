import { type Context, createContextKey, type SpanOptions, type Tracer, trace } from "@opentelemetry/api";
import type { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { SpanAttributes } from "./attributes.ts";
import type { LiveSpan, OpenSpan, SpanBackend } from "./backend.ts";
import { hrTime, type SpanClock } from "./clock.ts";
import { rootContext } from "./linked-context.ts";
import type { OpenSpans } from "./open-spans.ts";
import { RecordedSpan, setAll } from "./recorded-span.ts";
import type { RemoteParent } from "./traceparent.ts";

/** Marks the context in which spans are delivered: nothing there may become a span itself. */
const deliveryKey = createContextKey("kata span delivery");
const deliveryContext = rootContext.setValue(deliveryKey, true);

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
    if (active.getValue(deliveryKey) !== undefined) return this.#ignored();
    const context = parent instanceof RecordedSpan ? parent.context : this.#contextOrRoot(active);
    const span = this.start(name, {}, context);
    setAll(span.span, attributes);
    return span;
  }

  /** A span from `startMs` (a `performance.now()` value) on, below the span in `context`, without attributes of its own. */
  start(name: string, options: SpanOptions, context: Context, startMs = performance.now()): RecordedSpan {
    const { offsetMs } = this.clock;
    options.startTime = hrTime(startMs, offsetMs);
    const span = this.#tracer.startSpan(name, options, context);
    if (this.#sandboxId !== undefined) span.setAttribute("kata.sandbox.id", this.#sandboxId);
    return new RecordedSpan(span, context, this.#manager, startMs, this.clock, this.openSpans);
  }

  /** Runs the delivery of spans: there, nothing becomes a span. */
  withoutSpans<T>(work: () => T): T {
    return this.#manager.with(deliveryContext, work);
  }

  #contextOrRoot(active: Context): Context {
    return trace.getSpan(active) === undefined ? this.root.context : active;
  }

  #ignored(): RecordedSpan {
    return new RecordedSpan(noSpan, rootContext, this.#manager, 0, this.clock);
  }
}

const noSpan = trace.wrapSpanContext({ traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 });

function below({ traceId, spanId, traceFlags }: RemoteParent): Context {
  return trace.setSpanContext(rootContext, { traceId, spanId, traceFlags, isRemote: true });
}
