import { HostClock } from "./host-clock.ts";

/** Seconds and nanoseconds since the epoch: the SDK's own form of a time. */
export type HrTime = [seconds: number, nanos: number];

/** Beyond this the wall clock was set, rather than slewed. */
const jumpMs = 50;
const stallMs = 10;
const lookEveryMs = 100;

/**
 * Turns `performance.now()` values into wall-clock times with a microsecond's resolution.
 *
 * All times of one span are made with one offset, so that setting the clock in the middle of it (the runtime does
 * this after a resume) changes neither its duration nor its order. {@link SpanClock.follow} takes up the new time for
 * later spans.
 */
export class SpanClock {
  /** Wall clock minus `performance.now()`, in ms. */
  offsetMs: number = performance.timeOrigin;
  /** How far the host's clock is, for whoever wants to align. */
  readonly host = new HostClock();
  /** Called before `offsetMs` changes because the wall clock was set. */
  onJump: () => void = () => {};
  #nextLookMs = 0;

  constructor() {
    this.follow(performance.now());
  }

  /** Looks whether the wall clock was set, at most ten times a second. `nowMs`: `performance.now()`, or nearly. */
  follow(nowMs: number): void {
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + lookEveryMs;
    const beforeMs = performance.now();
    const offsetMs = Date.now() - beforeMs;
    // A thread that is stopped between the two looks sees a clock that was set, and is not: look again later.
    if (performance.now() - beforeMs > stallMs) return;
    // Date.now() counts whole milliseconds: the finer offset stays as long as both agree.
    if (Math.abs(offsetMs - this.offsetMs) <= jumpMs) return;
    this.onJump();
    this.offsetMs = offsetMs;
  }
}

/** The wall-clock time of a `performance.now()` value under an offset. */
export function hrTime(performanceMs: number, offsetMs: number): HrTime {
  const ms = performanceMs + offsetMs;
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
