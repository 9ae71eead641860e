import { AgentError } from "./agent-error.ts";
import { Code } from "./code.ts";

/** A signal with the duty to call `done` when the work it limits has ended; otherwise its timer lives on. */
export type Deadline = { signal: AbortSignal; done: () => void };

/** What a timer of Node can hold, 24.8 days: with more it would fire at once. */
const maxTimerMs = 0x7fff_ffff;

/**
 * A signal that aborts after `timeoutMs` or when `parent` does, whichever is first.
 * The reason on time-out is an {@link AgentError} with DEADLINE_EXCEEDED. The caller owes `done()`.
 */
export function deadline(timeoutMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const onParent = () => controller.abort(parent?.reason);
  const timer = setTimeout(
    () => controller.abort(new AgentError(Code.deadlineExceeded, "timeout")),
    Math.min(Math.max(0, timeoutMs), maxTimerMs),
  );
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onParent);
    },
  };
}

/** Waits `ms`, or until `signal` aborts (then it rejects with the reason of the signal). */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * `work`, or a rejection with the reason of `signal` as soon as that aborts. The work itself goes on unwatched.
 *
 * Only for work that was begun for this one wait: each call leaves some 260 bytes on the promise until that settles.
 * What many wait for, or the same one again and again, takes `Waiters`.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) throw signal.reason;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
