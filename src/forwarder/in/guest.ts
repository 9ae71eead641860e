import { delay } from "../../base/deadline.ts";
import type { Spent } from "../export.ts";
import { Refusal } from "../refusal.ts";
import { ByteBudget } from "./byte-budget.ts";
import { ByteRate } from "./byte-rate.ts";
import type { Limits } from "./limits.ts";
import type { Origin } from "./origin.ts";

/** A guest in debt for longer is told to come again later, and does not hold a request open. */
const longestPaceMs = 5_000;
/** Nothing else is done while secrets are looked for: a guest waits for so many times what its texts take. */
const spentTimes = 10;

/** One sender: what it holds now, how fast it may go. Lives as long as it has connections. */
export class Guest {
  readonly origin: Origin;
  readonly limits: Limits;
  connections = 0;
  readonly #all: ByteBudget;
  readonly #own: ByteBudget;
  readonly #rate: ByteRate | undefined;

  constructor(origin: Origin, limits: Limits, all: ByteBudget) {
    this.origin = origin;
    this.limits = limits;
    this.#all = all;
    this.#own = new ByteBudget(origin.isGuest ? limits.maxHeldBytesPerGuest : limits.maxHeldBytes);
    if (origin.isGuest) this.#rate = new ByteRate(limits.guestBytesPerSecond, performance.now());
  }

  /** @throws Refusal 503 when its own share, or everybody's, is used up. */
  take(bytes: number): void {
    this.#own.take(bytes);
    try {
      this.#all.take(bytes);
    } catch (error) {
      this.#own.give(bytes);
      throw error;
    }
  }

  give(bytes: number): void {
    this.#own.give(bytes);
    this.#all.give(bytes);
  }

  /** How long until it has paid for what it sent. */
  get debtMs(): number {
    return this.#rate?.debtMs(performance.now()) ?? 0;
  }

  /** Counts bytes against its rate. */
  spend(bytes: number): void {
    this.#rate?.spend(bytes, performance.now());
  }

  /** Counts the time that its texts took. */
  readonly spent: Spent = (ms) => this.spend((this.limits.guestBytesPerSecond / 1000) * ms * spentTimes);

  /**
   * Waits until it has paid for what it sent before; nothing is read from it meanwhile.
   * @throws Refusal 429 when that would take long; the reason of the signal.
   */
  async pace(signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + longestPaceMs;
    // Others have waited too, and whoever goes first may have made a new debt.
    for (let { debtMs } = this; debtMs > 0; { debtMs } = this) {
      if (performance.now() + debtMs > endMs) throw new Refusal(429, "too fast");
      await delay(debtMs, signal);
    }
  }
}
