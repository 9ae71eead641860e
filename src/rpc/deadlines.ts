import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LiveCall, Reply } from "./live-call.ts";

/**
 * Answers calls whose time is up.
 *
 * Nearly every call has a deadline and nearly every call ends in the turn in which it began. So a timer is set only
 * for those that are still running when their turn is over.
 */
export class Deadlines {
  #young: Young[] = [];

  /** Watches a call that has `timeoutMs` left, more than 0. */
  watch(call: LiveCall, timeoutMs: number, reply: Reply): void {
    if (timeoutMs > maxTimerMs) return;
    this.#young.push({ call, timeoutMs, reply });
    // A tick that is queued by a microtask runs when no microtask is left, so after all that can end at once.
    if (this.#young.length === 1) queueMicrotask(() => process.nextTick(() => this.#setTimers()));
  }

  #setTimers(): void {
    const young = this.#young;
    this.#young = [];
    for (const { call, timeoutMs, reply } of young) {
      if (!call.settled) call.startTimer(timeoutMs, () => expire(call, reply));
    }
  }
}

type Young = { call: LiveCall; timeoutMs: number; reply: Reply };

/** What the timers of Node can hold (24.8 days); a longer deadline is as good as none. */
const maxTimerMs = 0x7fff_ffff;

/** Answers DEADLINE_EXCEEDED; the text is what the upstream agent says (agent-api 0.1). */
export function expire(call: LiveCall, reply: Reply): void {
  const error = new AgentError(Code.deadlineExceeded, "timeout");
  if (call.abort(error)) reply.fail(call, error);
}
