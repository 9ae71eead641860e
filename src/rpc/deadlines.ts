import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LiveCall, Reply } from "./live-call.ts";

/**
 * Answers calls whose time is up.
 *
 * Primer. Nearly every call has a deadline of many seconds, and nearly every call ends within a millisecond: a timer
 * each would be made only to be thrown away. So calls are first only put on a list. A sweep, a few milliseconds later,
 * gives a timer to those of them that still run; there is no sweep while there are no calls.
 */
export class Deadlines {
  #watched: Watched[] = [];

  /** Watches a call that has `timeoutMs` left, more than 0. */
  watch(call: LiveCall, timeoutMs: number, reply: Reply): void {
    if (timeoutMs > maxTimerMs) return;
    if (timeoutMs <= sweepMs) {
      call.startTimer(timeoutMs, () => expire(call, reply));
      return;
    }
    if (this.#watched.length === 0) setTimeout(() => this.#sweep(), sweepMs);
    this.#watched.push({ call, dueAtMs: performance.now() + timeoutMs, reply });
  }

  #sweep(): void {
    const watched = this.#watched;
    this.#watched = [];
    const nowMs = performance.now();
    for (const { call, dueAtMs, reply } of watched) {
      if (!call.settled) call.startTimer(Math.max(0, dueAtMs - nowMs), () => expire(call, reply));
    }
  }
}

type Watched = { call: LiveCall; dueAtMs: number; reply: Reply };

const sweepMs = 10;
/** What the timers of Node can hold (24.8 days); a longer deadline is as good as none. */
const maxTimerMs = 0x7fff_ffff;

/** Answers DEADLINE_EXCEEDED; the text is what the upstream agent says (agent-api 0.1). */
export function expire(call: LiveCall, reply: Reply): void {
  const error = new AgentError(Code.deadlineExceeded, "timeout");
  if (call.abort(error)) reply.fail(call, error);
}
