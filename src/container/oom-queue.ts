/**
 * Containers that lost a process for want of memory, one entry per event, for whoever asks next (agent-api 3.29).
 *
 * Askers are served in turn, each event goes to one of them, and one who has given up takes none with it.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";

/** The reference's capacity; beyond it the oldest event gives way. */
const maxEvents = 100;

type Asker = { resolve: (id: ContainerId) => void; reject: (reason: unknown) => void };

/** The events that wait, and the callers that do. */
export class OomQueue {
  readonly #events: ContainerId[] = [];
  readonly #askers = new Set<Asker>();
  #closed = false;

  /** Notes an event. */
  push(id: ContainerId): void {
    const [asker] = this.#askers;
    if (asker !== undefined) {
      this.#askers.delete(asker);
      asker.resolve(id);
      return;
    }
    if (this.#events.length >= maxEvents) this.#events.shift();
    this.#events.push(id);
  }

  /**
   * The next event.
   * @throws the reason of `signal`; INTERNAL with an empty text once the sandbox has been destroyed.
   */
  next(signal: AbortSignal): Promise<ContainerId> {
    if (this.#closed) return Promise.reject(ended());
    if (signal.aborted) return Promise.reject(signal.reason);
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    const { promise, resolve, reject } = Promise.withResolvers<ContainerId>();
    const asker: Asker = { resolve, reject };
    this.#askers.add(asker);
    const onAbort = () => {
      if (this.#askers.delete(asker)) reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Ends it for all askers, present and future. Safe to repeat. */
  close(): void {
    this.#closed = true;
    for (const asker of this.#askers) asker.reject(ended());
    this.#askers.clear();
  }
}

function ended(): AgentError {
  return new AgentError(Code.internal, "");
}
