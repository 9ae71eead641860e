import { delay } from "../base/deadline.ts";

/** Does something again and again, never twice at a time, until it is closed. */
export class Periodic {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #ending = new AbortController();
  #periodMs: number;
  #wait = new AbortController();
  #ended: Promise<void> | undefined;

  /** `work` must not throw. It begins one period after {@link start}. */
  constructor(periodMs: number, work: (signal: AbortSignal) => Promise<void>) {
    this.#periodMs = periodMs;
    this.#work = work;
  }

  start(): void {
    this.#ended ??= this.#run();
  }

  /** Waits for `periodMs` from now on; the wait under way begins anew. */
  setPeriod(periodMs: number): void {
    this.#periodMs = periodMs;
    this.#wait.abort();
  }

  /** Ends the work under way, and resolves when it has ended. Safe to repeat. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#wait.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#wait = new AbortController();
      const due = await delay(this.#periodMs, this.#wait.signal).then(
        () => true,
        () => false,
      );
      if (due && !signal.aborted) await this.#work(signal);
    }
  }
}
