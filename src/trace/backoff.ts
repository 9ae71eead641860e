/** Pauses between tries: doubling from 100 ms to 5 s, each between half and all of that, so that guests spread. */
export class Backoff {
  #nextMs = firstMs;

  /** The next pause in ms. */
  nextMs(): number {
    const limit = this.#nextMs;
    this.#nextMs = Math.min(limit * 2, longestMs);
    return limit * (0.5 + Math.random() / 2);
  }
}

const firstMs = 100;
/** A guest's boot may be over in this time: whoever starts the receiver late still sees the sandbox soon. */
const longestMs = 5_000;
