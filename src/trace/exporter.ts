import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { delay } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import type { Announcements } from "./announcements.ts";
import { Backoff } from "./backoff.ts";
import type { Batch } from "./batch.ts";
import { DeliveryLog } from "./delivery-log.ts";
import { Greeter } from "./greeter.ts";
import { encodeScopeSpans } from "./otlp.ts";
import type { Envelope } from "./post-envelope.ts";
import type { Relayed } from "./relayed.ts";
import type { Post, Sent, Transport } from "./sent.ts";
import type { SpanCounts } from "./span-counts.ts";
import type { Target } from "./target.ts";

/**
 * From the SDK's batches to the receiver.
 *
 * A batch is encoded as soon as the SDK hands it over: as OTLP bytes a span takes a tenth of the memory it takes as
 * an object, so a receiver that is away for a while costs little. The bytes wait in a queue with an end; when it is
 * full the SDK is not told "done", its own queue fills, and what ends then is counted as lost.
 *
 * One loop sends: it takes as many batches as fit one request, and keeps to them until they are acknowledged or
 * refused. Between two requests it tells the receiver which spans are open, first of all on a new connection, unless
 * the receiver has shown that it does not know these words (docs/protocol.md). The loop belongs to no span: it is
 * started outside all of them.
 */

type Done = (result: { code: 0 | 1; error?: Error }) => void;

/** Result codes of the SDK's `ExportResult`. */
const exportSuccess = 0;
const exportFailed = 1;
/** A request this size costs no more per span than a larger one, and is answered soon. */
const maxRequestBytes = 512 * 1024;
/** Ids of ended spans travel in a header, which has to fit what servers take. */
const maxEnded = 400;
/** Tries that reached a receiver. One that never answers a certain batch must not hold up all others for ever. */
const maxTries = 8;
/** Of requests that are only passed on: they wait behind our own spans, and give up sooner. */
const maxRelayedBytes = 4 * 1024 * 1024;
const maxRelayedTries = 3;
/** What one of them takes beside its bytes: there may be many that hold next to nothing. */
const perRelayedBytes = 1024;

/** The exporter that the SDK's batch processor is given. */
export class QueuedExporter implements SpanExporter {
  readonly #transport: Transport;
  readonly #envelope: Envelope;
  readonly #announcements: Announcements;
  readonly #greeter: Greeter;
  readonly #counts: SpanCounts;
  readonly #told: DeliveryLog;
  readonly #maxQueuedBytes: number;
  readonly #stopped = new AbortController();
  #queue: Batch[] = [];
  #queuedBytes = 0;
  /** Batches whose encoding waits until the queue has room; in order. */
  #waiting: { spans: ReadableSpan[]; done: Done }[] = [];
  #wake: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #sending: Batch[] = [];
  readonly #relayed: Relayed[] = [];
  #relayedBytes = 0;
  #pause: AbortController | undefined;
  #announceDue = false;
  #goodbye: (() => void) | undefined;
  #backoff = new Backoff();

  constructor(
    transport: Transport,
    envelope: Envelope,
    announcements: Announcements,
    counts: SpanCounts,
    log: Log,
    maxQueuedBytes: number,
  ) {
    this.#transport = transport;
    this.#envelope = envelope;
    this.#announcements = announcements;
    this.#counts = counts;
    this.#told = new DeliveryLog(log, counts);
    this.#greeter = new Greeter(transport, envelope, announcements);
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  /** Sends until {@link shutdown}. Precondition: called once, with no span current. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      if (this.#announceDue) await this.#tellOpen();
      else if (this.#queue.length > 0) await this.#deliver();
      else if (this.#relayed.length > 0) await this.#passOn();
      else if (this.#goodbye !== undefined) await this.#sayGoodbye(this.#goodbye);
      else await this.#rouse();
    }
  }

  /** Called by the SDK's processor with a batch; `done` when the batch has found room here. */
  export(spans: ReadableSpan[], done: Done): void {
    if (this.#stopped.signal.aborted) done({ code: exportFailed, error: new Error("shut down") });
    else if (this.#waiting.length > 0 || this.#queuedBytes >= this.#maxQueuedBytes)
      this.#waiting.push({ spans, done });
    else this.#accept(spans, done);
  }

  /** Passes on what a workload has sent, once our own spans are out; false when there is no room for it. */
  relay(relayed: Relayed): boolean {
    const bytes = relayed.bytes.length + perRelayedBytes;
    if (this.#stopped.signal.aborted || this.#relayedBytes + bytes > maxRelayedBytes) return false;
    this.#relayed.push(relayed);
    this.#relayedBytes += bytes;
    this.#stir();
    return true;
  }

  /** There are open spans to tell of. */
  announce(): void {
    if (!this.#greeter.mayBeUnderstood) return;
    this.#announceDue = true;
    this.#stir();
  }

  /** The receiver has ended the connection while nothing was under way: what it knew is told to the next one. */
  connectionLost(): void {
    if (this.#greeter.understood) this.announce();
  }

  /** Sends to another receiver from now on: what waits, what it has not acknowledged, and what is open. */
  retarget(target: Target): void {
    this.#transport.retarget(target);
    this.#greeter.startAnew();
    this.#pause?.abort();
    this.announce();
  }

  /** Resolves when everything that was exported has been acknowledged or given up. */
  drained(): Promise<void> {
    // Whoever asks is in a hurry: a pause after a failure is cut short once.
    this.#pause?.abort();
    if (this.#queue.length === 0 && this.#sending.length === 0 && this.#relayedBytes === 0)
      return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Takes leave of a receiver that knows our words; resolves when that is done or not needed. After {@link drained}. */
  goodbye(): Promise<void> {
    if (!this.#greeter.understood) return Promise.resolve();
    return new Promise((resolve) => {
      this.#goodbye = resolve;
      this.#stir();
    });
  }

  forceFlush(): Promise<void> {
    return this.drained();
  }

  /** Stops at once: what is not acknowledged by now is lost, which the caller counts. Safe to repeat. */
  async shutdown(): Promise<void> {
    this.#stopped.abort();
    this.#transport.close();
    this.#stir();
    for (const { done } of this.#waiting.splice(0))
      done({ code: exportFailed, error: new Error("shut down") });
    for (const { ended } of this.#relayed.splice(0)) ended(false);
    this.#tellIdle();
    this.#goodbye?.();
  }

  async #rouse(): Promise<void> {
    this.#tellIdle();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #accept(spans: ReadableSpan[], done: Done): void {
    const encoded = encodeScopeSpans(spans);
    // The encoder gives a view on a larger slab, which a batch that waits should not keep alive.
    const bytes = this.#queue.length === 0 ? encoded : encoded.slice();
    const ended = this.#announcements.ended(spans);
    this.#queue.push({ bytes, spans: spans.length, offsetMs: this.#envelope.offsetMs, ended });
    this.#queuedBytes += bytes.length;
    this.#counts.unbatched -= spans.length;
    done({ code: exportSuccess });
    this.#stir();
  }

  /** Sends what stands first in the queue, until somebody has it. */
  async #deliver(): Promise<void> {
    this.#sending = takeRequest(this.#queue);
    const sent = await this.#try(() => this.#envelope.batches(this.#sending), maxTries);
    if (sent !== undefined) this.#settle(sent);
  }

  /** Sends one request of a workload's, or gives it up. */
  async #passOn(): Promise<void> {
    const relayed = this.#relayed.shift();
    if (relayed === undefined) return;
    const sent = await this.#try(() => this.#envelope.relayed(relayed), maxRelayedTries);
    this.#relayedBytes -= relayed.bytes.length + perRelayedBytes;
    relayed.ended(sent?.status === "sent");
  }

  /** Tries until the receiver has taken or refused a request; undefined when we are stopped before. */
  async #try(newPost: () => Post, limit: number): Promise<Settled | undefined> {
    let post: Post | undefined;
    for (let tries = 0; tries < limit; ) {
      // A request that was sent before comes first: the receiver takes none with a lower number than it has taken.
      let sent: Sent | undefined =
        post === undefined ? await this.#greeter.greet() : await this.#greeter.reach();
      if (sent === undefined) {
        // Made when somebody is there, and after the greeting, which tells the host's time; a repeat has the same bytes.
        post ??= newPost();
        sent = await this.#transport.send(post);
      }
      if (this.#stopped.signal.aborted && sent.status !== "sent") return undefined;
      if (sent.status !== "retry") return sent;
      if (sent.reached) tries++;
      await this.#rest(sent);
      if (this.#stopped.signal.aborted) return undefined;
    }
    return { status: "failed", error: new Error(`not accepted in ${limit} tries`) };
  }

  /** The loop's turn for announcements. */
  async #tellOpen(): Promise<void> {
    const unreached = await this.#greeter.tellOpen();
    if (unreached === undefined) this.#announceDue = false;
    else await this.#rest(unreached);
  }

  async #sayGoodbye(resolve: () => void): Promise<void> {
    await this.#greeter.goodbye();
    this.#goodbye = undefined;
    resolve();
  }

  #settle(sent: Settled): void {
    this.#backoff = new Backoff();
    if (this.#greeter.owesGreeting) this.#announceDue = true;
    const spans = this.#sending.reduce((sum, batch) => sum + batch.spans, 0);
    for (const batch of this.#sending) this.#queuedBytes -= batch.bytes.length;
    this.#sending = [];
    const refused = sent.status === "failed" ? spans : Math.min(sent.rejected, spans);
    this.#counts.sent += spans - refused;
    this.#counts.drop("refused", refused);
    if (sent.status === "failed") this.#told.refused(sent.error, spans);
    this.#acceptWaiting();
    if (sent.status === "sent") this.#told.taken(this.#waiting.length > 0 || this.#queue.length > 0);
  }

  #acceptWaiting(): void {
    while (this.#queuedBytes < this.#maxQueuedBytes) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#accept(next.spans, next.done);
    }
  }

  async #rest({ error, afterMs }: Retry): Promise<void> {
    this.#told.held(error);
    this.#pause = new AbortController();
    const signal = AbortSignal.any([this.#pause.signal, this.#stopped.signal]);
    await delay(afterMs ?? this.#backoff.nextMs(), signal).catch(() => {});
    this.#pause = undefined;
  }
}

type Settled = Sent & { status: "sent" | "failed" };
type Retry = Sent & { status: "retry" };

/** Takes as many batches off the front as fit one request, made under one setting of the clock; at least one. */
function takeRequest(queue: Batch[]): Batch[] {
  const offsetMs = queue[0]?.offsetMs;
  let count = 0;
  let bytes = 0;
  let ended = 0;
  for (const batch of queue) {
    bytes += batch.bytes.length;
    ended += batch.ended.length;
    const fits = bytes <= maxRequestBytes && ended <= maxEnded && batch.offsetMs === offsetMs;
    if (count > 0 && !fits) break;
    count++;
  }
  return queue.splice(0, count);
}
