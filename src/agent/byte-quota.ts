/** So many bytes a second in the long run, and so many at once. */
export class ByteQuota {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  #left: number;
  #atMs: number;

  constructor(
    { bytesPerSecond, burstBytes }: { bytesPerSecond: number; burstBytes: number },
    nowMs: () => number = () => performance.now(),
  ) {
    this.#perMs = bytesPerSecond / 1000;
    this.#burst = this.#left = burstBytes;
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  /** Takes `bytes` of it; false, and nothing taken, when there is not as much. */
  take(bytes: number): boolean {
    const nowMs = this.#nowMs();
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}
