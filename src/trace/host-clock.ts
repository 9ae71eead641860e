/**
 * How far the host's clock is from ours, from the `kata-clock` that the forwarder puts on its answers
 * (docs/protocol.md).
 *
 *     guest   sent ─────────────┐               ┌─ received        host − guest = told − (sent + received) / 2,
 *     host                      └─ told ────────┘                  give or take half the round trip
 *
 * It is kept against `performance.now()`, which nobody sets, so that setting the guest's clock needs no new sample.
 */

/** Two clocks of ordinary machines drift apart by at most so much of the time that has passed. */
const driftPerMs = 100e-6;

type Sample = { hostMinusMonotonicMs: number; atMs: number; doubtMs: number };

/** The best sample so far. */
export class HostClock {
  #best: Sample | undefined;

  /**
   * Takes the time that an answer told (ns since 1970, decimal), with the `performance.now()` before its request and
   * after it. A text that is no such time is passed over.
   */
  sample(told: string | undefined, sentAtMs: number, receivedAtMs: number): void {
    if (told === undefined || !/^\d{18,19}$/.test(told)) return;
    const hostMs = Number(BigInt(told) / 1000n) / 1000;
    const fresh: Sample = {
      hostMinusMonotonicMs: hostMs - (sentAtMs + receivedAtMs) / 2,
      atMs: receivedAtMs,
      doubtMs: (receivedAtMs - sentAtMs) / 2,
    };
    const best = this.#best;
    if (best === undefined || isBetter(fresh, best)) this.#best = fresh;
  }

  /**
   * Host minus guest in ns for times that were made with `offsetMs` (wall clock minus `performance.now()`); undefined
   * before the first sample. A double holds it to a quarter of a microsecond.
   */
  offsetNs(offsetMs: number): number | undefined {
    if (this.#best === undefined) return undefined;
    return Math.round((this.#best.hostMinusMonotonicMs - offsetMs) * 1e6);
  }
}

/** A sample counts for less as it ages; one that contradicts it says that the host's clock was set. */
function isBetter(fresh: Sample, best: Sample): boolean {
  const doubtMs = best.doubtMs + (fresh.atMs - best.atMs) * driftPerMs;
  const apartMs = Math.abs(fresh.hostMinusMonotonicMs - best.hostMinusMonotonicMs);
  return fresh.doubtMs < doubtMs || apartMs > fresh.doubtMs + doubtMs;
}
