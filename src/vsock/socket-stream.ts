/**
 * Primer. Bytes of a connected socket, in both directions, straight over the descriptor.
 *
 * Reading: one buffer for the whole process, because a chunk is only lent until `onChunk` returns. At most a few full
 * buffers per turn, so that one fast peer does not starve the others; what is left makes the poll fire again.
 *
 * Writing: what is written in one turn leaves in one call of the kernel, made in a microtask after it. What the socket
 * does not take stays queued until it is writable. The queue has no limit of its own: `write` says false above the
 * high mark, and the caller has to wait for `drained`.
 *
 * A failed write does not end the stream: the peer may have said its last word before it closed, and that is still to
 * be read. The end that reading finds then carries the error of the write.
 */
import type { ByteStream } from "../base/byte-stream.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { Descriptor } from "../sys/descriptor.ts";
import { kernel } from "../sys/kernel.ts";

const readBuffer = new Uint8Array(64 * 1024);
/**
 * Small chunks are copied together first: the kernel and the addon take longer over each than a copy does, and V8 has to
 * move the bytes of a small array out of its heap before the addon may have them.
 */
const joinBuffer = new Uint8Array(64 * 1024);
const smallChunkBytes = 1024;
const fullReadsPerTurn = 4;
const highMarkBytes = 1024 * 1024;
const lowMarkBytes = 256 * 1024;
const resolved = Promise.resolve();

/** A `ByteStream` over a connected socket, which it owns. `onEnd` is also called when we close it ourselves. */
export class SocketStream implements ByteStream {
  readonly peer: string;
  readonly #descriptor: Descriptor;
  #onChunk: ((chunk: Uint8Array) => void) | undefined;
  #onEnd: ((error?: Error) => void) | undefined;
  #paused = false;
  #readEnded = false;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** A flush is scheduled, or waits for the socket to become writable. */
  #flushing = false;
  /** Whether `write` still takes anything. */
  #open = true;
  #writeError: Error | undefined;
  /** Woken whenever the queue shrinks or is dropped. */
  #waiting: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  /** Precondition: the descriptor is a connected stream socket that nobody else reads. */
  constructor(descriptor: Descriptor, peer: string) {
    this.#descriptor = descriptor;
    this.peer = peer;
  }

  start(onChunk: (chunk: Uint8Array) => void, onEnd: (error?: Error) => void): void {
    this.#onChunk = onChunk;
    this.#onEnd = onEnd;
    if (this.#readEnded) void resolved.then(() => onEnd(this.#writeError));
    else if (!this.#paused) this.resume();
  }

  write(...chunks: Uint8Array[]): boolean {
    if (!this.#open) return true;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    if (!this.#flushing && this.#queuedBytes > 0) {
      this.#flushing = true;
      void resolved.then(this.#flush);
    }
    return this.#queuedBytes <= highMarkBytes;
  }

  get backlogBytes(): number {
    return this.#queuedBytes;
  }

  drained(): Promise<void> {
    return this.#queuedAtMost(lowMarkBytes);
  }

  pause(): void {
    this.#paused = true;
    this.#descriptor.onReadable(undefined);
  }

  resume(): void {
    this.#paused = false;
    if (this.#onChunk !== undefined && !this.#readEnded) this.#descriptor.onReadable(this.#read);
  }

  async end(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#queuedAtMost(0);
    if (!this.#descriptor.closed && this.#writeError === undefined) this.#shutdown();
  }

  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #read = (): void => {
    for (let reads = 0; reads < fullReadsPerTurn; reads++)
      if (!this.#readOnce() || this.#paused || this.#descriptor.closed) return;
  };

  /** True when the buffer was filled, so that there may be more. */
  #readOnce(): boolean {
    let got: number;
    try {
      got = this.#descriptor.read(readBuffer);
    } catch (error) {
      this.#endRead(error as Error);
      return false;
    }
    if (got > 0) this.#onChunk?.(readBuffer.subarray(0, got));
    if (got === 0) this.#endRead(this.#writeError);
    return got === readBuffer.length;
  }

  #endRead(error: Error | undefined): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#descriptor.onReadable(undefined);
    this.#onEnd?.(error);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#queuedBytes === 0) return;
    try {
      this.#sent(this.#descriptor.write(this.#joined()));
    } catch (error) {
      this.#open = false;
      this.#writeError = error as Error;
      this.#dropQueue();
    }
    if (this.#queuedBytes > 0) {
      this.#flushing = true;
      this.#descriptor.writable().then(this.#flush, this.#flush);
    }
    if (this.#waiting.length > 0) this.#wake();
  };

  #joined(): readonly Uint8Array[] {
    const chunks = this.#queue;
    const worthIt = this.#queuedBytes <= smallChunkBytes * chunks.length;
    if (!worthIt || this.#queuedBytes > joinBuffer.length) return chunks;
    let at = 0;
    for (const chunk of chunks) {
      joinBuffer.set(chunk, at);
      at += chunk.length;
    }
    return [joinBuffer.subarray(0, at)];
  }

  #sent(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#queuedBytes === 0) {
      this.#queue.length = 0;
      return;
    }
    let whole = 0;
    let rest = bytes;
    for (const chunk of this.#queue) {
      if (rest < chunk.length) break;
      rest -= chunk.length;
      whole++;
    }
    this.#queue.splice(0, whole);
    const [partial] = this.#queue;
    if (rest > 0 && partial !== undefined) this.#queue[0] = partial.subarray(rest);
  }

  #dropQueue(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #queuedAtMost(bytes: number): Promise<void> {
    while (this.#queuedBytes > bytes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #shutdown(): void {
    try {
      kernel.shutdownSocket(this.#descriptor.fd, false);
    } catch (error) {
      this.#writeError = error as Error;
    }
  }

  async #close(graceMs: number): Promise<void> {
    this.#open = false;
    this.#flush();
    if (graceMs > 0 && this.#queuedBytes > 0) await this.#drainWithin(graceMs);
    this.#descriptor.close();
    this.#dropQueue();
    this.#wake();
    this.#endRead(this.#writeError);
  }

  async #drainWithin(graceMs: number): Promise<void> {
    const limit = deadline(graceMs);
    try {
      await abortable(this.#queuedAtMost(0), limit.signal);
    } catch {
      // What the peer has not taken by now is lost; the limit says so.
    } finally {
      limit.done();
    }
  }
}
