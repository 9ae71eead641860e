/**
 * The agent's end of a pipe or terminal that a container process writes to.
 *
 * Pull model: nothing is read before somebody asks, so a process that nobody reads from is held back as it would be by
 * any pipe. Who asks has all that is there read, up to one block, and who got all that it asked for has the next block
 * read ahead: at most one block is kept for the next readers, and the kernel is asked again only when that is gone.
 * Readers stand in line, and each leaves it the moment its caller gives up. How a stream ends (agent-api 3.10):
 *   - end of file, or EIO of a terminal whose last user has gone: the next read answers no bytes;
 *   - the process has exited but something else still holds the pipe: reads go on for a grace period after the
 *     exit, then answer no bytes. Whatever the process itself has said is among the first bytes read after its exit,
 *     as many as the kernel's buffer holds: so many may be read however late, and something that goes on writing
 *     cannot go on for ever;
 *   - `finish()`: what the kernel still holds is moved here, so that the descriptor can be closed while a late
 *     reader still gets every byte.
 */
import { blockBytes, giveBack, lendFromBytes, shareBlock, takeBlock } from "../base/blocks.ts";
import type { Descriptor } from "../sys/descriptor.ts";

/** How long output is awaited after the exit while something else still holds the stream (agent-api 3.10). */
const graceAfterExitMs = 500;
/** What a pipe holds unless it was told otherwise (pipe(7)); a terminal holds less. */
const defaultCapacityBytes = 64 * 1024;
const nothing = new Uint8Array(0);

type Reader = {
  readonly maxBytes: number;
  readonly resolve: (data: Uint8Array) => void;
};

/** One output of a process, stdout or stderr. */
export class ReadEnd {
  readonly #capacityBytes: number;
  #descriptor: Descriptor | undefined;
  #tail: Uint8Array[] = [];
  readonly #readers = new Set<Reader>();
  #watching = false;
  #aheadQueued = false;
  #graceOver = false;
  #graceTimer: NodeJS.Timeout | undefined;
  /** What may still be read of the kernel's buffer, once the process has exited. */
  #leftBytes = Number.POSITIVE_INFINITY;

  /** Owns `descriptor`; `capacityBytes` is what the kernel's buffer behind it can hold. */
  constructor(descriptor: Descriptor, capacityBytes: number = defaultCapacityBytes) {
    this.#descriptor = descriptor;
    this.#capacityBytes = capacityBytes;
  }

  /** True when every byte has been handed out and no more can come. */
  get ended(): boolean {
    return this.#descriptor === undefined && this.#tail.length === 0;
  }

  /**
   * The next bytes, at most `maxBytes` and at most a block; none at the end of the stream. They are the caller's, who may
   * give them back (base/blocks.ts). Readers take turns in the order they came. Rejects with the reason of `signal` as
   * soon as that aborts; no byte is lost by it.
   */
  read(maxBytes: number, signal: () => AbortSignal): Promise<Uint8Array> {
    if (this.#readers.size === 0) {
      const ready = this.#take(maxBytes);
      if (ready !== undefined) return Promise.resolve(ready);
    }
    return this.#queue(maxBytes, signal());
  }

  /** Tells that the process has exited: from now on reads end after the grace period even if the pipe stays open. */
  exited(): void {
    if (this.#descriptor === undefined || this.#graceTimer !== undefined) return;
    this.#leftBytes = this.#capacityBytes;
    this.#graceTimer = setTimeout(() => {
      this.#graceOver = true;
      this.#serve();
    }, graceAfterExitMs);
  }

  /** Moves what the kernel still holds into memory and closes the descriptor. Safe to repeat. */
  finish(): void {
    for (let bytes = 0; this.#descriptor !== undefined && bytes < this.#capacityBytes; ) {
      const chunk = this.#readOnce();
      if (chunk === undefined || chunk.length === 0) break;
      this.#tail.push(chunk);
      bytes += chunk.length;
    }
    this.#release();
    this.#serve();
  }

  /** Drops everything and closes the descriptor. Safe to repeat. */
  close(): void {
    for (const chunk of this.#tail.splice(0)) giveBack(chunk);
    this.#release();
    this.#serve();
  }

  #queue(maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#readers.delete(reader);
        this.#watch();
        reject(signal.reason);
      };
      const reader: Reader = {
        maxBytes,
        resolve(data) {
          signal.removeEventListener("abort", leave);
          resolve(data);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#readers.add(reader);
      this.#watch();
    });
  }

  /** Answers the readers in line, as far as there is something to answer. */
  readonly #serve = (): void => {
    for (const reader of this.#readers) {
      const ready = this.#take(reader.maxBytes);
      if (ready === undefined) break;
      this.#readers.delete(reader);
      reader.resolve(ready);
    }
    this.#watch();
  };

  #watch(): void {
    const wanted = this.#readers.size > 0;
    if (this.#descriptor === undefined || wanted === this.#watching) return;
    this.#watching = wanted;
    this.#descriptor.onReadable(wanted ? this.#serve : undefined);
  }

  /** Bytes, none at the end, or undefined when one has to wait. */
  #take(maxBytes: number): Uint8Array | undefined {
    const ready = this.#next(maxBytes);
    const wasFilled = ready !== undefined && ready.length >= Math.min(maxBytes, blockBytes);
    if (wasFilled && ready.length >= lendFromBytes && !this.#aheadQueued) {
      this.#aheadQueued = true;
      setImmediate(this.#readAhead);
    }
    return ready;
  }

  /**
   * Who got all that it asked for asks again: the next block is read while the answer is on its way. Not after the exit,
   * when it is counted what may still be read.
   */
  readonly #readAhead = (): void => {
    this.#aheadQueued = false;
    const isIdle = this.#tail.length === 0 && this.#readers.size === 0;
    if (!isIdle || this.#descriptor === undefined || this.#graceTimer !== undefined) return;
    const chunk = this.#readOnce();
    if (chunk !== undefined && chunk.length > 0) this.#tail.push(chunk);
  };

  #next(maxBytes: number): Uint8Array | undefined {
    if (this.#tail.length > 0) return this.#cut(maxBytes);
    if (this.#descriptor === undefined || (this.#graceOver && this.#leftBytes <= 0)) return nothing;
    if (maxBytes === 0) return nothing;
    const chunk = this.#readOnce();
    if (chunk === undefined) return this.#graceOver ? nothing : undefined;
    if (chunk.length <= maxBytes) return chunk;
    this.#tail.push(chunk);
    return this.#cut(maxBytes);
  }

  /** The first of what has been read ahead. Precondition: there is some. */
  #cut(maxBytes: number): Uint8Array {
    const kept = this.#tail[0] as Uint8Array;
    if (kept.length <= maxBytes) {
      this.#tail.shift();
      if (kept.length >= lendFromBytes) return kept;
      // So little is copied again on its way, and the block behind it would never come back.
      const rest = copy(kept, kept.length);
      giveBack(kept);
      return rest;
    }
    this.#tail[0] = kept.subarray(maxBytes);
    if (maxBytes < lendFromBytes) return copy(kept, maxBytes);
    shareBlock(kept);
    return kept.subarray(0, maxBytes);
  }

  /** What the kernel has, at most a block; none at the end, or undefined when there is nothing yet. */
  #readOnce(): Uint8Array | undefined {
    if (this.#descriptor === undefined) return nothing;
    const block = takeBlock();
    let count: number;
    try {
      count = this.#descriptor.read(block);
    } catch {
      // EIO is how a terminal says that its last user is gone; whatever else broke ends the stream just as well.
      count = 0;
    }
    if (count >= lendFromBytes) {
      this.#leftBytes -= count;
      return block.subarray(0, count);
    }
    if (count === 0) this.#release();
    const few = count < 0 ? undefined : copy(block, count);
    giveBack(block);
    this.#leftBytes -= Math.max(0, count);
    return few;
  }

  #release(): void {
    clearTimeout(this.#graceTimer);
    this.#descriptor?.close();
    this.#descriptor = undefined;
  }
}

function copy(bytes: Uint8Array, count: number): Uint8Array {
  return new Uint8Array(bytes.subarray(0, count));
}
