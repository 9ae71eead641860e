const lineFeed = 10;

/** Cuts what a guest sends into lines. A line longer than `maxBytes` loses what is beyond. */
export class LineCutter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
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
    const line = Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#bytes = 0;
    this.#onLine(line);
  }

  #keep(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#maxBytes - this.#bytes);
    if (kept.length === 0) return;
    this.#parts.push(Buffer.from(kept));
    this.#bytes += kept.length;
  }
}
