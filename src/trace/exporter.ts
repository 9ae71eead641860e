import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { delay } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { Backoff } from "./backoff.ts";
import { encodeTraceRequest } from "./otlp.ts";
import type { Sent } from "./sent.ts";
import type { SpanCounts } from "./span-counts.ts";

/**
 * From the SDK's batches to the receiver.
 *
 * A batch is encoded as soon as the SDK hands it over: as OTLP bytes a span takes a tenth of the memory it takes as
 * an object, so a receiver that is away for a while costs little. The bytes wait in a queue with an end; when it is
 * full the SDK is not told "done", its own queue fills, and what ends then is counted as lost.
 *
 * One loop sends: it takes as many batches as fit one request (encoded requests joined are one valid request), and
 * keeps to them until they are acknowledged or refused. It belongs to no span: it is started outside all of them.
 */

/** Whoever can carry one request. */
export type Transport = { send(body: readonly Uint8Array[]): Promise<Sent>; close(): void };

type Batch = { bytes: Uint8Array; spans: number };
type Done = (result: { code: 0 | 1; error?: Error }) => void;

/** Result codes of the SDK's `ExportResult`. */
const exportSuccess = 0;
const exportFailed = 1;
/** A request this size costs no more per span than a larger one, and is answered soon. */
const maxRequestBytes = 512 * 1024;
/** Tries that reached a receiver. One that never answers a certain batch must not hold up all others for ever. */
const maxTries = 8;

export class QueuedExporter implements SpanExporter {
  readonly #transport: Transport;
  readonly #counts: SpanCounts;
  readonly #log: Log;
  readonly #maxQueuedBytes: number;
  readonly #stopped = new AbortController();
  #queue: Batch[] = [];
  #queuedBytes = 0;
  /** Batches whose encoding waits until the queue has room; in order. */
  #waiting: { spans: ReadableSpan[]; done: Done }[] = [];
  #wake: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #sending: Batch[] = [];
  #pause: AbortController | undefined;
  #outage = false;
  /** Spans lost for want of room that the log has been told of. */
  #toldLost = 0;

  constructor(transport: Transport, counts: SpanCounts, log: Log, maxQueuedBytes: number) {
    this.#transport = transport;
    this.#counts = counts;
    this.#log = log;
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  /** Sends until {@link shutdown}. Precondition: called once, with no span current. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      if (this.#queue.length === 0) {
        for (const resolve of this.#idle.splice(0)) resolve();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else await this.#deliver();
    }
  }

  /** Called by the SDK's processor with a batch; `done` when the batch has found room here. */
  export(spans: ReadableSpan[], done: Done): void {
    if (this.#stopped.signal.aborted) done({ code: exportFailed, error: new Error("shut down") });
    else if (this.#waiting.length > 0 || this.#queuedBytes >= this.#maxQueuedBytes)
      this.#waiting.push({ spans, done });
    else this.#accept(spans, done);
  }

  /** Resolves when everything that was exported has been acknowledged or given up. */
  drained(): Promise<void> {
    // Whoever asks is in a hurry: a pause after a failure is cut short once.
    this.#pause?.abort();
    if (this.#queue.length === 0 && this.#sending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  forceFlush(): Promise<void> {
    return this.drained();
  }

  /** Stops at once: what is not acknowledged by now is lost, which the caller counts. Safe to repeat. */
  async shutdown(): Promise<void> {
    this.#stopped.abort();
    this.#transport.close();
    this.#wake?.();
    for (const { done } of this.#waiting.splice(0))
      done({ code: exportFailed, error: new Error("shut down") });
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #accept(spans: ReadableSpan[], done: Done): void {
    const encoded = encodeTraceRequest(spans);
    // The encoder gives a view on a larger slab, which a batch that waits should not keep alive.
    const bytes = this.#queue.length === 0 ? encoded : encoded.slice();
    this.#queue.push({ bytes, spans: spans.length });
    this.#queuedBytes += bytes.length;
    this.#counts.unbatched -= spans.length;
    done({ code: exportSuccess });
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Sends what stands first in the queue, until somebody has it. */
  async #deliver(): Promise<void> {
    this.#sending = takeRequest(this.#queue);
    const body = this.#sending.map((batch) => batch.bytes);
    const backoff = new Backoff();
    for (let tries = 0; tries < maxTries; ) {
      const sent = await this.#transport.send(body);
      if (this.#stopped.signal.aborted && sent.status !== "sent") return;
      if (sent.status !== "retry") return this.#settle(sent);
      this.#noteOutage(sent.error);
      if (sent.reached) tries++;
      await this.#rest(sent.afterMs ?? backoff.nextMs());
      if (this.#stopped.signal.aborted) return;
    }
    this.#settle({ status: "failed", error: new Error(`not accepted in ${maxTries} tries`) });
  }

  #settle(sent: Sent & { status: "sent" | "failed" }): void {
    const spans = this.#sending.reduce((sum, batch) => sum + batch.spans, 0);
    for (const batch of this.#sending) this.#queuedBytes -= batch.bytes.length;
    this.#sending = [];
    const refused = sent.status === "failed" ? spans : Math.min(sent.rejected, spans);
    this.#counts.sent += spans - refused;
    this.#counts.drop("refused", refused);
    if (sent.status === "failed")
      this.#log.warn({ err: sent.error.message, spans }, "spans refused by the receiver");
    this.#acceptWaiting();
    if (sent.status === "sent") this.#noteRecovery();
  }

  #acceptWaiting(): void {
    while (this.#queuedBytes < this.#maxQueuedBytes) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#accept(next.spans, next.done);
    }
  }

  async #rest(ms: number): Promise<void> {
    this.#pause = new AbortController();
    const signal = AbortSignal.any([this.#pause.signal, this.#stopped.signal]);
    await delay(ms, signal).catch(() => {});
    this.#pause = undefined;
  }

  #noteOutage(error: Error): void {
    if (!this.#outage)
      this.#log.warn({ err: error.message }, "span receiver does not answer: spans wait, retrying");
    this.#outage = true;
  }

  /** Says once, when there is room again, what was lost while there was none. */
  #noteRecovery(): void {
    if (this.#waiting.length > 0 || (this.#queue.length > 0 && !this.#outage)) return;
    const dropped = this.#counts.droppedBy["queue-full"] - this.#toldLost;
    this.#toldLost += dropped;
    const what = this.#outage ? "span receiver answers again" : "span receiver has caught up";
    if (dropped > 0) this.#log.warn({ dropped }, `${what}: spans were lost meanwhile`);
    else if (this.#outage) this.#log.info({}, `${what}: no span was lost`);
    this.#outage = false;
  }
}

/** Takes as many batches off the front as fit one request; at least one. */
function takeRequest(queue: Batch[]): Batch[] {
  let count = 0;
  let bytes = 0;
  for (const batch of queue) {
    if (count > 0 && bytes + batch.bytes.length > maxRequestBytes) break;
    bytes += batch.bytes.length;
    count++;
  }
  return queue.splice(0, count);
}
