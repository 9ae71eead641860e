import { randomUUID } from "node:crypto";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
} from "@opentelemetry/sdk-trace-node";
import type { Call, Handler } from "../rpc/call.ts";
import { Announcements } from "./announcements.ts";
import { tracingState } from "./backend.ts";
import { BootReplay } from "./boot-replay.ts";
import { CallSampler } from "./call-sampler.ts";
import { SpanClock } from "./clock.ts";
import { CountingProcessor } from "./counting-processor.ts";
import { QueuedExporter } from "./exporter.ts";
import { TraceInterceptor } from "./interceptor.ts";
import { OpenSpans } from "./open-spans.ts";
import { OtlpConnection } from "./otlp-connection.ts";
import { Envelope } from "./post-envelope.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import type { Relayed } from "./relayed.ts";
import { SdkBackend } from "./sdk-backend.ts";
import { SpanCounts } from "./span-counts.ts";
import type { Target } from "./target.ts";
import { fullSettings, type TraceSettings } from "./trace-settings.ts";
import type { FlushReport, SpanLimits, Tracing, TracingOptions } from "./tracing-options.ts";

/**
 * The only module that puts the parts of the OpenTelemetry SDK together; loaded when tracing starts and not before.
 *
 *     spans ─ CountingProcessor ─ BatchSpanProcessor ─ QueuedExporter ─ OtlpConnection ─ ByteStream
 *             (lost ones)         (192, or 0.5 s)      (OTLP bytes)     (HTTP/1.1)
 *     open spans ─ Announcements ────────────────────┘
 */

const maxQueuedSpans = 2048;
/** Spans without an acknowledgement, in all: with a receiver that is away, some ten megabytes. */
const maxPendingSpans = 32_768;
const maxQueuedBytes = 8 * 1024 * 1024;
/** A batch leaves when it has this many spans: as bytes it just fits one slab of the encoder … */
const batchSpans = 192;
/** … or after this time: half of what a killed guest may lose. */
const batchDelayMs = 500;
const connectTimeoutMs = 2_000;
const answerTimeoutMs = 10_000;
const defaultFlushMs = 1_000;
/** The exporter has limits of its own; the SDK's would only let go of a batch without telling. */
const never = 2 ** 31 - 1;

/** What one span may hold. Values are ids, words and numbers; anything longer is a fault. */
const spanLimits: SpanLimits = {
  attributeCountLimit: 64,
  attributeValueLengthLimit: 1024,
  eventCountLimit: 64,
  linkCountLimit: 16,
  attributePerEventCountLimit: 16,
  attributePerLinkCountLimit: 16,
};

/** Starts the SDK; from here on `span()` makes spans. */
export function openTracing(options: TracingOptions): Tracing {
  return new SdkTracing(options);
}

class SdkTracing implements Tracing {
  readonly #options: TracingOptions;
  readonly #counts = new SpanCounts();
  readonly #manager = new AsyncLocalStorageContextManager();
  readonly #clock = new SpanClock();
  readonly #openSpans = new OpenSpans<RecordedSpan>();
  readonly #announcements = new Announcements(this.#openSpans, () => this.#exporter.announce());
  readonly #envelope: Envelope;
  readonly #exporter: QueuedExporter;
  readonly #processor: CountingProcessor;
  readonly #provider: BasicTracerProvider;
  readonly #backend: SdkBackend;
  readonly #interceptor: TraceInterceptor;
  #shutdown: Promise<FlushReport> | undefined;

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#envelope = newEnvelope(options, this.#clock, this.#counts);
    this.#exporter = new QueuedExporter(
      this.#newConnection(),
      this.#envelope,
      this.#announcements,
      this.#counts,
      options.log,
      options.maxQueuedBytes ?? maxQueuedBytes,
    );
    this.#processor = this.#newProcessor();
    this.#provider = new BasicTracerProvider({
      // Given, so that no variable of the environment decides: which calls are recorded is ours to say.
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanLimits: { ...spanLimits, ...options.spanLimits },
      spanProcessors: [this.#processor],
    });
    context.setGlobalContextManager(this.#manager.enable());
    const tracer = this.#provider.getTracer("kata-agent", options.serviceVersion);
    const startMs = Math.min(performance.now(), options.bootSteps?.earliestMs ?? Number.POSITIVE_INFINITY);
    this.#backend = new SdkBackend(
      tracer,
      this.#manager,
      { clock: this.#clock, openSpans: this.#openSpans },
      { name: options.rootName ?? "sandbox", startMs, parent: options.parent },
    );
    // What has ended by now belongs to the old setting, and leaves with it.
    this.#clock.onJump = () => void this.#processor.forceFlush();
    const sampler = new CallSampler(options.settings ?? { ...fullSettings, type: options.mode });
    this.#backend.steps = sampler.steps;
    this.#interceptor = new TraceInterceptor(this.#backend, sampler, {
      annotationsOf: options.annotationsOf ?? (() => undefined),
      linkKeys: options.linkKeys ?? [],
      onPod: (pod) => this.#envelope.describe(pod),
    });
    this.#backend.withoutSpans(() => void this.#exporter.run());
    options.bootSteps?.replay(new BootReplay(this.#backend).take);
    tracingState.backend = this.#backend;
  }

  get interceptor() {
    return this.#interceptor.intercept;
  }

  handle(next: Handler, call: Call): Promise<object> {
    return this.#interceptor.handle(next, call);
  }

  configure(settings: TraceSettings): void {
    this.#interceptor.sampler = new CallSampler(settings);
    this.#backend.steps = this.#interceptor.sampler.steps;
  }

  retarget(target: Target): void {
    this.#exporter.retarget(target);
  }

  relay(relayed: Relayed): boolean {
    return this.#exporter.relay(relayed);
  }

  get openCount(): number {
    return this.#openSpans.size;
  }

  get traceId(): string {
    return this.#backend.root.span.spanContext().traceId;
  }

  get root() {
    return this.#backend.root;
  }

  setSandboxId(id: string): void {
    this.#backend.setSandboxId(id);
  }

  report(): FlushReport {
    return this.#counts.report();
  }

  async flush(timeoutMs: number): Promise<boolean> {
    // What ends meanwhile is not asked about; spans settle in the order in which they ended.
    const { taken } = this.#counts;
    const flushed = this.#processor.forceFlush().then(() => this.#exporter.drained());
    await within(timeoutMs, flushed);
    return this.#counts.settled >= taken;
  }

  shutdown(timeoutMs = defaultFlushMs): Promise<FlushReport> {
    this.#shutdown ??= this.#stop(timeoutMs);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #stop(timeoutMs: number): Promise<FlushReport> {
    if (tracingState.backend === this.#backend) tracingState.backend = undefined;
    this.#interceptor.stop();
    this.#endOpenSpans();
    this.#announcements.stop();
    const startMs = performance.now();
    if (await this.flush(timeoutMs))
      await within(timeoutMs - (performance.now() - startMs), this.#exporter.goodbye());
    this.#counts.drop("shutdown", this.#counts.pending);
    await this.#exporter.shutdown();
    // The processor offers what is left to an exporter that has stopped; that is counted above.
    await this.#provider.shutdown().catch(() => {});
    context.disable();
    return this.#lastReport();
  }

  #newConnection(): OtlpConnection {
    const { connect, authority } = this.#options;
    return new OtlpConnection({
      connect,
      authority,
      connectTimeoutMs,
      answerTimeoutMs,
      onAnswer: ({ headers }, sentAtMs) =>
        this.#clock.host.sample(headers.get("kata-clock"), sentAtMs, performance.now()),
      onLost: () => this.#exporter.connectionLost(),
    });
  }

  #newProcessor(): CountingProcessor {
    const maxObjects = this.#options.maxQueuedSpans ?? maxQueuedSpans;
    const batches = new BatchSpanProcessor(this.#exporter, {
      maxQueueSize: maxObjects,
      maxExportBatchSize: Math.min(this.#options.batch?.spans ?? batchSpans, maxObjects),
      scheduledDelayMillis: this.#options.batch?.delayMs ?? batchDelayMs,
      exportTimeoutMillis: never,
    });
    const limits = { maxObjects, maxSpans: this.#options.maxPendingSpans ?? maxPendingSpans };
    return new CountingProcessor(batches, this.#counts, this.#announcements, limits);
  }

  #endOpenSpans(): void {
    const { root, openSpans } = this.#backend;
    for (const span of openSpans.all()) {
      if (span === root) continue;
      span.set({ "kata.incomplete": true });
      span.finish();
    }
    root.finish();
  }

  #lastReport(): FlushReport {
    const report = this.#counts.report();
    const { sent, dropped } = report;
    if (report.complete) this.#options.log.info({ sent }, "all spans delivered");
    else this.#options.log.warn({ sent, dropped, ...report.droppedBy }, "spans lost at the end");
    return report;
  }
}

function newEnvelope(options: TracingOptions, clock: SpanClock, counts: SpanCounts): Envelope {
  const instanceId = options.serviceInstanceId ?? randomUUID();
  const resource = {
    "service.name": "kata-agent",
    "service.version": options.serviceVersion,
    "service.instance.id": instanceId,
    ...options.resource,
  };
  return new Envelope({ instanceId, resource, clock, counts });
}

/** Waits for `work`, but not longer than `timeoutMs`, and whatever its end. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  work.then(
    () => resolve(),
    () => resolve(),
  );
  await promise;
  clearTimeout(timer);
}
