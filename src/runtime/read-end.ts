/**
 * The agent's end of a pipe or terminal that a container process writes to.
 *
 * Pull model: nothing is read before somebody asks, so the kernel's buffer is the only buffer and a process that
 * nobody reads from is held back exactly as it would be by any pipe. How a stream ends (agent-api 3.10):
 *   - end of file, or EIO of a terminal whose last user has gone: the next read answers no bytes;
 *   - the process has exited but something else still holds the pipe: reads go on for a grace period after the
 *     exit, then answer no bytes;
 *   - `finish()`: what the kernel still holds is moved here, so that the descriptor can be closed while a late
 *     reader still gets every byte.
 */
import type { Descriptor } from "../sys/descriptor.ts";

/** How long output is awaited after the exit while something else still holds the stream (agent-api 3.10). */
const graceAfterExitMs = 500;
/** What one read moves at most: the default capacity of a pipe. Bigger reads answer short, as callers expect. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** What `finish` keeps for late readers: no pipe of the default size holds more. */
const maxTailBytes = 1024 * 1024;
const nothing = new Uint8Array(0);

export class ReadEnd {
  #descriptor: Descriptor | undefined;
  #tail: Uint8Array[] = [];
  #graceOver = false;
  #graceTimer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  /** True when every byte has been handed out and no more can come. */
  get ended(): boolean {
    return this.#descriptor === undefined && this.#tail.length === 0;
  }

  /**
   * The next bytes, at most `maxBytes`; none at the end of the stream. Readers take turns in the order they came.
   * Rejects with the reason of `signal` when that aborts first; no byte is lost by it.
   */
  read(maxBytes: number, signal: () => AbortSignal): Promise<Uint8Array> {
    if (this.#waiting === 0) {
      const ready = this.#take(maxBytes);
      if (ready !== undefined) return Promise.resolve(ready);
    }
    this.#waiting += 1;
    const turn = this.#turn
      .then(() => this.#next(maxBytes, signal()))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Tells that the process has exited: from now on reads end after the grace period even if the pipe stays open. */
  exited(): void {
    if (this.#descriptor === undefined || this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(() => {
      this.#graceOver = true;
      this.#wake?.();
    }, graceAfterExitMs);
  }

  /** Moves what the kernel still holds into memory and closes the descriptor. Safe to repeat. */
  finish(): void {
    let bytes = 0;
    while (this.#descriptor !== undefined && bytes < maxTailBytes) {
      const chunk = this.#readOnce(scratch.length);
      if (chunk === undefined || chunk.length === 0) break;
      this.#tail.push(chunk);
      bytes += chunk.length;
    }
    this.#closeDescriptor();
  }

  /** Drops everything and closes the descriptor. Safe to repeat. */
  close(): void {
    this.#tail = [];
    this.#closeDescriptor();
  }

  async #next(maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      // First: bytes that are taken for a caller who has gone would be lost to the next one.
      signal.throwIfAborted();
      const ready = this.#take(maxBytes);
      if (ready !== undefined) return ready;
      await this.#readable(signal);
    }
  }

  /** Bytes, none at the end, or undefined when one has to wait. */
  #take(maxBytes: number): Uint8Array | undefined {
    const kept = this.#tail[0];
    if (kept !== undefined) {
      if (kept.length > maxBytes) this.#tail[0] = kept.subarray(maxBytes);
      else this.#tail.shift();
      return kept.subarray(0, maxBytes);
    }
    if (this.#descriptor === undefined) return nothing;
    const chunk = this.#readOnce(maxBytes);
    if (chunk === undefined && this.#graceOver) return nothing;
    return chunk;
  }

  #readOnce(maxBytes: number): Uint8Array | undefined {
    if (this.#descriptor === undefined) return nothing;
    let count: number;
    try {
      count = this.#descriptor.read(scratch, 0, Math.min(maxBytes, scratch.length));
    } catch {
      // EIO is how a terminal says that its last user is gone; whatever else broke ends the stream just as well.
      count = 0;
    }
    if (count < 0) return undefined;
    if (count === 0) {
      if (maxBytes > 0) this.#closeDescriptor();
      return nothing;
    }
    return Uint8Array.prototype.slice.call(scratch, 0, count);
  }

  #readable(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#descriptor?.onReadable(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(() => {
      this.#wake = undefined;
      this.#descriptor?.onReadable(undefined);
    });
  }

  #closeDescriptor(): void {
    clearTimeout(this.#graceTimer);
    this.#descriptor?.close();
    this.#descriptor = undefined;
    this.#wake?.();
  }
}
