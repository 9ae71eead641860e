/**
 * The one seam between whoever has a connection and whoever speaks a protocol over it.
 *
 * Delivery is by callback, not by iterator: one buffer is reused for every read, and a burst of frames costs no
 * promise. A stream in memory satisfies this type, so everything above `vsock` runs in a test without a VM.
 */
export type ByteStream = AsyncDisposable & {
  /**
   * Begins delivery. `onChunk` gets bytes that are valid only until it returns: copy what must stay.
   * `onEnd` is called exactly once, when the peer has closed its half or the stream broke (`error` then says how).
   * Precondition: called once.
   */
  start(onChunk: (chunk: Uint8Array) => void, onEnd: (error?: Error) => void): void;
  /**
   * Takes the bytes for sending, in order, and owns them from then on. False when more waits than the stream
   * likes to hold: the caller should then wait for {@link drained} before it writes more.
   * After the stream broke or was closed the bytes are dropped.
   */
  write(...chunks: Uint8Array[]): boolean;
  /** Bytes that were taken and not sent yet. At 0 nothing that was handed over is used any more. */
  readonly backlogBytes: number;
  /** Resolves when the backlog is small again, or when the stream has ended in any way. */
  drained(): Promise<void>;
  /** Stops and resumes delivery, so that a peer that sends faster than we answer is held back by its socket. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes our half. Delivery from the peer goes on. */
  end(): Promise<void>;
  /** Sends what is queued within `graceMs` (default 0), then closes both halves. Safe to repeat. */
  close(graceMs?: number): Promise<void>;
  /** Text for logs and spans, such as `unix` or `vsock:2:1234`. */
  readonly peer: string;
};
