/**
 * How much of a queue each origin takes. One may take half of it at most, and so leaves room for the others however
 * much it sends and however long a backend is away.
 */
const largestShare = 0.5;

/** The bytes that each origin has in one queue. */
export class Shares {
  readonly #maxBytes: number;
  readonly #byOrigin = new Map<string, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** An empty queue takes anything, else what is larger than its share would never go out. */
  hasRoom(bytes: number, origin: string): boolean {
    if (this.#bytes === 0) return true;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    const own = this.#byOrigin.get(origin) ?? 0;
    return own === 0 || own + bytes <= this.#maxBytes * largestShare;
  }

  add(bytes: number, origin: string): void {
    this.#bytes += bytes;
    this.#byOrigin.set(origin, (this.#byOrigin.get(origin) ?? 0) + bytes);
  }

  remove(bytes: number, origin: string): void {
    this.#bytes -= bytes;
    const left = (this.#byOrigin.get(origin) ?? 0) - bytes;
    if (left > 0) this.#byOrigin.set(origin, left);
    else this.#byOrigin.delete(origin);
  }
}
