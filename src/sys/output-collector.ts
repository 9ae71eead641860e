import { Descriptor } from "./descriptor.ts";

/** Where reads land before they are copied to their size; one for all, as a read and its copy happen in one turn. */
const shared = new Uint8Array(64 * 1024);

/** Collects what comes out of a pipe, up to a limit. */
export class OutputCollector {
  /** Called once when more than the limit came; the rest is thrown away. */
  onOverflow: (() => void) | undefined;
  readonly #pipe: Descriptor;
  readonly #maxBytes: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Owns `fd` from now on and reads from it at once. */
  constructor(fd: number, maxBytes: number) {
    this.#pipe = new Descriptor(fd);
    this.#maxBytes = maxBytes;
    this.#pipe.onReadable(() => this.#take());
  }

  /** Takes what is still in the pipe, without waiting for its end, and closes it. */
  finish(): Uint8Array {
    while (!this.#pipe.closed && this.#take());
    this.close();
    return Buffer.concat(this.#parts, this.#length);
  }

  /** Safe to repeat. */
  close(): void {
    this.#pipe.close();
  }

  /** One read; false when there is nothing more for now. */
  #take(): boolean {
    const got = this.#pipe.read(shared);
    if (got === 0) this.close();
    if (got <= 0) return false;
    if (this.#length + got > this.#maxBytes) {
      this.close();
      this.onOverflow?.();
      return false;
    }
    this.#parts.push(shared.slice(0, got));
    this.#length += got;
    return true;
  }
}
