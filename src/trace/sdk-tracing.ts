import { randomUUID } from "node:crypto";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { tracingState } from "./backend.ts";
import { BootReplay } from "./boot-replay.ts";
import { CountingProcessor } from "./counting-processor.ts";
import { QueuedExporter } from "./exporter.ts";
import { TraceInterceptor } from "./interceptor.ts";
import { OtlpConnection } from "./otlp-connection.ts";
import { SdkBackend } from "./sdk-backend.ts";
import { SpanCounts } from "./span-counts.ts";
import type { FlushReport, Tracing, TracingOptions } from "./tracing-options.ts";

/**
 * The only module that puts the parts of the OpenTelemetry SDK together; loaded when tracing starts and not before.
 *
 *     spans ─ CountingProcessor ─ BatchSpanProcessor ─ QueuedExporter ─ OtlpConnection ─ ByteStream
 *             (lost ones)         (192, or 0.5 s)      (OTLP bytes)     (HTTP/1.1)
 */

const maxQueuedSpans = 2048;
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
const spanLimits = {
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
  readonly #exporter: QueuedExporter;
  readonly #processor: CountingProcessor;
  readonly #provider: BasicTracerProvider;
  readonly #backend: SdkBackend;
  readonly #interceptor: TraceInterceptor;
  #shutdown: Promise<FlushReport> | undefined;

  constructor(options: TracingOptions) {
    this.#options = options;
    const { connect, authority, log, serviceVersion: version } = options;
    const connection = new OtlpConnection({ connect, authority, connectTimeoutMs, answerTimeoutMs });
    this.#exporter = new QueuedExporter(
      connection,
      this.#counts,
      log,
      options.maxQueuedBytes ?? maxQueuedBytes,
    );
    this.#processor = newProcessor(this.#exporter, this.#counts, options.maxQueuedSpans ?? maxQueuedSpans);
    this.#provider = newProvider(options, this.#processor);
    context.setGlobalContextManager(this.#manager.enable());
    const tracer = this.#provider.getTracer("kata-agent", version);
    const startMs = Math.min(performance.now(), options.bootSteps?.earliestMs ?? Number.POSITIVE_INFINITY);
    this.#backend = new SdkBackend(
      tracer,
      this.#manager,
      options.rootName ?? "sandbox",
      startMs,
      options.parent,
    );
    this.#interceptor = new TraceInterceptor(this.#backend, options.mode);
    this.#backend.withoutSpans(() => void this.#exporter.run());
    options.bootSteps?.replay(new BootReplay(this.#backend).take);
    tracingState.backend = this.#backend;
  }

  get interceptor() {
    return this.#interceptor.intercept;
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
    const flushed = this.#processor.forceFlush().then(() => this.#exporter.drained());
    await within(timeoutMs, flushed);
    return this.#counts.pending === 0;
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
    await this.flush(timeoutMs);
    this.#counts.drop("shutdown", this.#counts.pending);
    await this.#exporter.shutdown();
    // The processor offers what is left to an exporter that has stopped; that is counted above.
    await this.#provider.shutdown().catch(() => {});
    context.disable();
    return this.#lastReport();
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

function newProcessor(exporter: QueuedExporter, counts: SpanCounts, maxQueued: number): CountingProcessor {
  const batches = new BatchSpanProcessor(exporter, {
    maxQueueSize: maxQueued,
    maxExportBatchSize: Math.min(batchSpans, maxQueued),
    scheduledDelayMillis: batchDelayMs,
    exportTimeoutMillis: never,
  });
  return new CountingProcessor(batches, counts, maxQueued);
}

function newProvider(options: TracingOptions, processor: CountingProcessor): BasicTracerProvider {
  const resource = resourceFromAttributes({
    "service.name": "kata-agent",
    "service.version": options.serviceVersion,
    "service.instance.id": options.serviceInstanceId ?? randomUUID(),
    ...options.resource,
  });
  return new BasicTracerProvider({ resource, spanLimits, spanProcessors: [processor] });
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
