const lineFeed = 10;
const firstBytes = 1024;

/**
 * Cuts what a guest sends into lines. A line longer than `maxBytes` loses what is beyond. What has come of a line lies in
 * one buffer that doubles: a guest may send it byte by byte.
 */
export class LineCutter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Takes bytes that are valid only until it returns. */
  take(chunk: Uint8Array): void {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      this.#keep(chunk.subarray(from, at));
      this.end();
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** What has come is a line, if it is not empty. */
  end(): void {
    if (this.#bytes === 0) return;
    const line = this.#buffer.toString("utf8", 0, this.#bytes);
    this.#bytes = 0;
    this.#onLine(line);
  }

  #keep(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#maxBytes - this.#bytes);
    if (kept.length === 0) return;
    const bytesThen = this.#bytes + kept.length;
    if (bytesThen > this.#buffer.length) this.#grow(bytesThen);
    this.#buffer.set(kept, this.#bytes);
    this.#bytes = bytesThen;
  }

  #grow(bytes: number): void {
    const length = Math.max(bytes, 2 * this.#buffer.length, firstBytes);
    const larger = Buffer.alloc(Math.min(length, this.#maxBytes));
    larger.set(this.#buffer.subarray(0, this.#bytes));
    this.#buffer = larger;
  }
}
