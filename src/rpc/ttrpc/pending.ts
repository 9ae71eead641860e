import { AgentError } from "../../base/agent-error.ts";
import { Code } from "../../base/code.ts";
import type { MessageType } from "../../gen/message-type.ts";
import type { CallOptions } from "../client.ts";

/** A call that waits for its answer, its deadline, or the signal of its caller: the first one decides. */
export class Pending {
  readonly type: MessageType;
  readonly answer: Promise<object>;
  readonly #settle: { resolve(message: object): void; reject(reason: unknown): void };
  readonly #onEnd: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  /** `onEnd` is called once, when the call no longer waits. */
  constructor(type: MessageType, { timeoutMs, signal }: CallOptions, onEnd: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    this.type = type;
    this.answer = promise;
    this.#settle = { resolve, reject };
    this.#onEnd = onEnd;
    this.#signal = signal;
    if (timeoutMs !== undefined && timeoutMs <= maxTimerMs) {
      const error = () => this.reject(new AgentError(Code.deadlineExceeded, "timeout"));
      this.#timer = setTimeout(error, Math.max(0, timeoutMs));
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.reject(signal.reason);
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  resolve(message: object): void {
    this.#end();
    this.#settle.resolve(message);
  }

  reject(reason: unknown): void {
    this.#end();
    this.#settle.reject(reason);
  }

  #end(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#onEnd();
  }
}

/** What the timers of Node can hold (24.8 days). */
const maxTimerMs = 0x7fff_ffff;
