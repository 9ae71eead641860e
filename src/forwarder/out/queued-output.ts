import { delay } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Export } from "../export.ts";
import type { Metrics } from "../metrics.ts";
import type { Output, Waiting } from "./output.ts";
import type { Posted, Sender } from "./posted.ts";
import type { Queue } from "./queue.ts";

/**
 * One backend with its own queue, so that a slow one holds up no other.
 *
 * What waits is sent as one request, which is what makes many small guests cheap. When the backend refuses it, its
 * parts are sent one by one, so that the bad bytes of one guest cost nobody else. What the backend cannot take now is
 * tried again for as long as it takes: the queue has an end, and what finds no room is counted by who was asked for it.
 */

/**
 * A request this large is worth sending at once; a smaller one waits a moment for company. What a request costs here and
 * there does not depend on its length before that.
 */
const enoughBytes = 1024 * 1024;
const maxJoinedBytes = enoughBytes;
const gatherMs = 50;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** A backend behind its queue. */
export class QueuedOutput implements Output {
  readonly name: string;
  readonly #queue: Queue;
  readonly #sender: Sender;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #outage = false;
  /** Ends the wait for company. */
  #enough: (() => void) | undefined;

  /** Begins to send what the queue holds from before. */
  constructor(name: string, queue: Queue, sender: Sender, metrics: Metrics, log: Log) {
    this.name = name;
    this.#queue = queue;
    this.#sender = sender;
    this.#metrics = metrics;
    this.#log = log;
    this.#wake();
  }

  hasRoom(bytes: number, origin: string): boolean {
    return this.#queue.hasRoom(bytes, origin);
  }

  /** @throws the system error when the queue cannot be written; Error once it is closed: its spool may be another's. */
  async take(exported: Export): Promise<void> {
    if (this.#stopped.signal.aborted) throw new Error("output is closed");
    await this.#queue.push(exported);
    if (this.#running === undefined) this.#wake();
    else if (this.#queue.bytes >= enoughBytes) this.#enough?.();
  }

  waiting(): Waiting {
    const { spans, bytes, oldestAtMs } = this.#queue;
    const oldestSeconds = oldestAtMs === undefined ? 0 : (performance.now() - oldestAtMs) / 1000;
    return { spans, bytes, oldestSeconds };
  }

  close(limitMs: number): Promise<void> {
    this.#closing ??= this.#close(limitMs);
    return this.#closing;
  }

  async #close(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopped.abort(), limitMs);
    this.#enough?.();
    await this.#running;
    clearTimeout(timer);
    this.#stopped.abort();
    this.#sender.close();
    const { spans, survives } = this.#queue;
    if (spans > 0 && survives) this.#log.info({ output: this.name, spans }, "spans wait on the disk");
    else if (spans > 0) {
      this.#metrics.dropped(this.name, "shutdown", spans);
      this.#log.warn({ output: this.name, spans }, "exports lost");
    }
    await this.#queue.close();
  }

  #wake(): void {
    if (this.#queue.length > 0 && !this.#stopped.signal.aborted)
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
        this.#wake();
      });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (this.#queue.length > 0 && !signal.aborted) {
      await this.#gather();
      try {
        const parts = await this.#queue.peek(maxJoinedBytes);
        if (await this.#deliver(parts)) await this.#queue.drop(parts.length);
      } catch (error) {
        this.#noteOutage((error as Error).message);
        await delay(longestPauseMs, signal).catch(() => {});
      }
    }
  }

  /** Waits until a request is worth sending, or for as long as the first may wait. */
  async #gather(): Promise<void> {
    if (this.#queue.bytes >= enoughBytes || this.#closing !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, gatherMs);
    this.#enough = resolve;
    await promise;
    clearTimeout(timer);
    this.#enough = undefined;
  }

  /** True when the parts are done with, one way or the other; false when stopped before. */
  async #deliver(parts: readonly Export[]): Promise<boolean> {
    const { signal } = this.#stopped;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const posted = await this.#try(parts);
      if (posted.status === "sent") return this.#noteAnswer(parts, posted.rejected ?? 0);
      if (posted.status === "failed") return this.#refused(parts, posted.reason);
      this.#noteOutage(posted.reason);
      const jittered = pauseMs * (0.5 + Math.random() / 2);
      await delay(posted.afterMs ?? jittered, signal).catch(() => {});
      if (signal.aborted) return false;
    }
  }

  async #try(parts: readonly Export[]): Promise<Posted> {
    const startMs = performance.now();
    try {
      return await this.#sender.send(parts, this.#stopped.signal);
    } catch (error) {
      // What has to be read for this backend cannot be: that will not change.
      if (error instanceof WireError) return { status: "failed", reason: error.message };
      throw error;
    } finally {
      this.#metrics.answered(this.name, (performance.now() - startMs) / 1000);
    }
  }

  async #refused(parts: readonly Export[], reason: string): Promise<boolean> {
    if (parts.length > 1) {
      for (const part of parts) if (!(await this.#deliver([part]))) return false;
      return true;
    }
    this.#metrics.dropped(this.name, "refused", spansIn(parts));
    this.#log.warn({ output: this.name, reason }, "export refused by the backend");
    return true;
  }

  #noteOutage(reason: string): void {
    if (!this.#outage) this.#log.warn({ output: this.name, reason }, "backend does not answer, retrying");
    this.#outage = true;
  }

  #noteAnswer(parts: readonly Export[], rejected: number): true {
    const spans = spansIn(parts);
    const refused = Math.min(rejected, spans);
    this.#metrics.sent(this.name, spans - refused);
    if (refused > 0) this.#metrics.dropped(this.name, "refused", refused);
    if (this.#outage) this.#log.info({ output: this.name }, "backend answers again");
    this.#outage = false;
    return true;
  }
}

function spansIn(parts: readonly Export[]): number {
  return parts.reduce((sum, part) => sum + part.spans, 0);
}
