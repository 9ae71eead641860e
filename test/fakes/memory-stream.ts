import type { ByteStream } from "../../src/base/byte-stream.ts";

/**
 * Two ends of a connection in memory. Bytes cross in a later turn, in one buffer per write burst that is overwritten
 * after delivery, so that a receiver that keeps a view is found out. `limitBytes` bounds what waits for a reader
 * before `write` answers false.
 */
export function memoryStreamPair(limitBytes = 1 << 20): [MemoryStream, MemoryStream] {
  const a = new MemoryStream("memory:a", limitBytes);
  const b = new MemoryStream("memory:b", limitBytes);
  a.peerEnd = b;
  b.peerEnd = a;
  return [a, b];
}

/** One end of a pair. */
export class MemoryStream implements ByteStream {
  readonly peer: string;
  peerEnd!: MemoryStream;
  /** Bytes that have been taken for sending, in all. */
  sentBytes = 0;
  /** How often `write` was called. */
  writes = 0;
  readonly #limitBytes: number;
  #onChunk: ((chunk: Uint8Array) => void) | undefined;
  #onEnd: ((error?: Error) => void) | undefined;
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #paused = false;
  #deliveryQueued = false;
  #noMore = false;
  #ended = false;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(peer: string, limitBytes: number) {
    this.peer = peer;
    this.#limitBytes = limitBytes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  start(onChunk: (chunk: Uint8Array) => void, onEnd: (error?: Error) => void): void {
    this.#onChunk = onChunk;
    this.#onEnd = onEnd;
    this.#queueDelivery();
  }

  write(...chunks: Uint8Array[]): boolean {
    if (this.#closed || this.peerEnd.#closed) return true;
    this.writes++;
    for (const chunk of chunks) {
      this.sentBytes += chunk.length;
      this.peerEnd.#inbox.push(chunk);
      this.peerEnd.#inboxBytes += chunk.length;
    }
    this.peerEnd.#queueDelivery();
    return this.peerEnd.#inboxBytes <= this.#limitBytes;
  }

  get backlogBytes(): number {
    return this.peerEnd.#inboxBytes;
  }

  drained(): Promise<void> {
    if (this.#closed || this.peerEnd.#closed || this.peerEnd.#inboxBytes <= this.#limitBytes)
      return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#queueDelivery();
  }

  async end(): Promise<void> {
    this.peerEnd.#noMore = true;
    this.peerEnd.#queueDelivery();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#releaseWriters();
    this.peerEnd.#releaseWriters();
    await this.end();
  }

  /** The connection breaks, as when the other machine is gone. */
  break(error: Error): void {
    this.#ended = true;
    this.#onEnd?.(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #queueDelivery(): void {
    if (this.#deliveryQueued || this.#onChunk === undefined) return;
    this.#deliveryQueued = true;
    setImmediate(() => {
      this.#deliveryQueued = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#paused || this.#closed || this.#ended) return;
    const all = Buffer.concat(this.#inbox);
    this.#inbox = [];
    this.#inboxBytes = 0;
    if (all.length > 0) {
      this.#onChunk?.(all);
      all.fill(0xaa);
      this.peerEnd.#releaseWriters();
    }
    if (this.#noMore && this.#inbox.length === 0 && !this.#ended) {
      this.#ended = true;
      this.#onEnd?.();
    }
  }

  #releaseWriters(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
