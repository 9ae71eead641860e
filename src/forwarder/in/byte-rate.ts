/**
 * A bucket of bytes that fills steadily and holds two seconds' worth. Spending is never refused: what was too much is a
 * debt, and whoever is in debt waits before the next.
 */
export class ByteRate {
  readonly #perMs: number;
  readonly #capacity: number;
  #left: number;
  #atMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#perMs = bytesPerSecond / 1000;
    this.#capacity = bytesPerSecond * 2;
    this.#left = this.#capacity;
    this.#atMs = nowMs;
  }

  spend(bytes: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#left -= bytes;
  }

  /** How long until the debt is paid; 0 without one. */
  debtMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#left >= 0 ? 0 : -this.#left / this.#perMs;
  }

  #fill(nowMs: number): void {
    this.#left = Math.min(this.#capacity, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
