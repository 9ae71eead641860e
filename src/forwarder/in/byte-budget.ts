import { Refusal } from "../refusal.ts";

/** Bytes that may be in memory: of all, or of one. */
export class ByteBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @throws Refusal 503 when it is too much. */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) throw new Refusal(503, "too much at once");
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
