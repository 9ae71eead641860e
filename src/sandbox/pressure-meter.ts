import { readFile } from "node:fs/promises";

/** Share of the time since the last look in which somebody waited for memory (or for a disk), 0 to 100. */
export class PressureMeter {
  readonly #files: readonly string[];
  readonly #now: () => number;
  #lastMs: number | undefined;
  #lastStalledUs = 0;

  /**
   * `files`: of the form of `/proc/pressure/memory`; their times add up, and those that are not there count nothing.
   * `now`: a clock in ms.
   */
  constructor(files: readonly string[], now: () => number = () => performance.now()) {
    this.#files = files;
    this.#now = now;
  }

  /** The pressure since the last call; 0 at the first. */
  async percent(): Promise<number> {
    const texts = await Promise.all(this.#files.map((file) => readFile(file, "utf8").catch(() => "")));
    const stalledUs = texts.reduce((sum, text) => sum + someStalledUs(text), 0);
    const nowMs = this.#now();
    const [lastMs, lastStalledUs] = [this.#lastMs, this.#lastStalledUs];
    this.#lastMs = nowMs;
    this.#lastStalledUs = stalledUs;
    if (lastMs === undefined || nowMs <= lastMs) return 0;
    return Math.min(100, Math.max(0, (stalledUs - lastStalledUs) / (nowMs - lastMs) / 10));
  }
}

/** `some … total=<µs>`: the time in which at least one task waited (Documentation/accounting/psi.rst of the kernel). */
function someStalledUs(text: string): number {
  return Number(/^some .*total=(\d+)/m.exec(text)?.[1] ?? 0);
}
