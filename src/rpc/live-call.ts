import type { AgentError } from "../base/agent-error.ts";
import type { AnswerWatcher, Call, Metadata } from "./call.ts";
import type { Route } from "./route.ts";

/** Who sends the outcome of a call to the peer. Exactly one of the two is called, once. */
export type Reply = {
  answer(call: LiveCall, message: object): void;
  fail(call: LiveCall, error: AgentError): void;
};

/**
 * A call that a peer waits for.
 *
 * It is settled once: by its handler, its deadline, or the loss of its connection, whichever is first. What comes
 * later is dropped. Work that goes on after its call was settled has been told through {@link Call.signal}.
 */
export class LiveCall implements Call {
  readonly route: Route;
  readonly request: object;
  readonly metadata: Metadata;
  readonly protocol: "ttrpc" | "grpc";
  readonly peer: string;
  readonly receivedAtMs: number;
  /** How the protocol finds the call again, such as a stream id. */
  readonly id: number;
  #settled = false;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #reason: AgentError | undefined;
  #watcher: AnswerWatcher | undefined;

  constructor(
    route: Route,
    request: object,
    origin: Pick<Call, "metadata" | "protocol" | "peer" | "receivedAtMs"> & { readonly id: number },
  ) {
    this.route = route;
    this.request = request;
    this.metadata = origin.metadata;
    this.protocol = origin.protocol;
    this.peer = origin.peer;
    this.receivedAtMs = origin.receivedAtMs;
    this.id = origin.id;
  }

  get method(): Call["method"] {
    return this.route.method;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get aborted(): AgentError | undefined {
    return this.#reason;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** True for the first caller, who then owes the peer the outcome. Ends the watch over the deadline. */
  settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    return true;
  }

  /** Settles the call and tells whoever works on it why nobody waits any more. False when it was settled already. */
  abort(reason: AgentError): boolean {
    if (!this.settle()) return false;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.written();
    return true;
  }

  watch(watcher: AnswerWatcher): void {
    if (this.#reason === undefined) this.#watcher = watcher;
    else watcher.answered();
  }

  /** Whoever sends the answer says that it has left, or cannot. Safe to repeat. */
  written(): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.answered();
  }

  /** Calls `onDue` after `ms`, unless the call is settled before. */
  startTimer(ms: number, onDue: () => void): void {
    this.#timer = setTimeout(onDue, ms);
  }
}
