/**
 * Primer. A hot-plugged device appears some time after the request that wants it, or before. So a wait looks first
 * (sysfs cannot lose anything), and then again after every event of the kernel, since any of them may be the one that
 * makes the device complete. Events only wake; what counts is what the look finds.
 *
 * One socket serves all waits for the life of the agent. The kernel may drop events when they come in a flood; it says
 * so, and every wait looks again. Where no event comes, because the socket cannot be opened or because the network
 * namespace belongs to another user namespace, a slow clock takes their place.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { UeventSocket } from "../sys/netlink.ts";
import type { Uevent } from "../sys/uevent.ts";
import { span } from "../trace/span.ts";

/** How often a wait looks when no event came; `blindMs`: when there is no socket. */
const pollMs = 1_000;
const blindMs = 50;

/** `timeoutMs`: how long a device may take to come. `open`: where events come from; a test may have its own. */
export type UeventsOptions = {
  log: Log;
  timeoutMs: number;
  pollMs?: number;
  open?: (onEvent: (event: Uevent) => void, onLost: () => void) => Disposable;
};

/**
 * `what`: the kind of thing waited for, for the span and the error: fixed words, nothing of the request.
 * `missing`: the text of the error, when callers look at it. `timeoutMs`: another limit than the agent's.
 */
export type DeviceWait = {
  what: string;
  missing?: string;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
};

/** The kernel's device events, for all who wait for a device (agent-api 5.1, 5.2). */
export class Uevents implements Disposable {
  readonly #options: UeventsOptions;
  readonly #wakes = new Set<() => void>();
  readonly #listeners = new Set<(event: Uevent | undefined) => void>();
  #events: Disposable | undefined;
  #closed = false;

  constructor(options: UeventsOptions) {
    this.#options = options;
  }

  /**
   * Opens the socket, and lets the listeners look for what came before. Where that is not allowed it says so once, and
   * waits look by the clock. Safe to repeat.
   */
  start(): void {
    if (this.#closed || this.#events !== undefined) return;
    const open = this.#options.open ?? ((onEvent, onLost) => new UeventSocket(onEvent, onLost));
    try {
      this.#events = open(
        (event) => this.#happened(event),
        () => this.#happened(undefined),
      );
    } catch (error) {
      const { message } = AgentError.from(error);
      this.#options.log.warn(
        { error: message },
        "no device events here, devices are looked for by the clock",
      );
    }
    this.#happened(undefined);
  }

  /** Tells `listener` of every event; undefined stands for those that were lost, such as all before the start. */
  subscribe(listener: (event: Uevent | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * What `look` finds: at once, or as soon as the kernel has made it. `look` must be safe to repeat.
   * @throws INTERNAL when the time is over or the agent ends; the reason of `signal`; what `look` throws.
   */
  async waitFor<T>(look: () => Promise<T | undefined>, wait: DeviceWait): Promise<T> {
    const { signal, timeoutMs = this.#options.timeoutMs } = wait;
    const there = await abortable(look(), signal);
    if (there !== undefined) return there;
    return span(`${wait.what} wait`, { "kata.timeout_ms": timeoutMs }, () =>
      this.#await(look, { ...wait, timeoutMs }),
    );
  }

  /** Ends all waits. Safe to repeat. */
  close(): void {
    this.#closed = true;
    this.#events?.[Symbol.dispose]();
    this.#events = undefined;
    for (const wake of this.#wakes) wake();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #happened(event: Uevent | undefined): void {
    for (const listener of this.#listeners) listener(event);
    if (event?.action === "remove") return;
    for (const wake of this.#wakes) wake();
  }

  async #await<T>(
    look: () => Promise<T | undefined>,
    { what, missing, timeoutMs, signal }: DeviceWait & { timeoutMs: number },
  ): Promise<T> {
    let news = Promise.withResolvers<void>();
    const wake = () => news.resolve();
    const every = this.#events === undefined ? blindMs : (this.#options.pollMs ?? pollMs);
    const clock = setInterval(wake, every);
    const limit = deadline(timeoutMs, signal);
    this.#wakes.add(wake);
    try {
      for (;;) {
        if (this.#closed) throw new AgentError(Code.internal, `${what}: the agent ends`);
        const found = await abortable(look(), limit.signal);
        if (found !== undefined) return found;
        await abortable(news.promise, limit.signal);
        news = Promise.withResolvers<void>();
      }
    } catch (error) {
      if (error !== limit.signal.reason || signal?.aborted) throw error;
      throw new AgentError(Code.internal, missing ?? `${what} did not come within ${timeoutMs} ms`);
    } finally {
      this.#wakes.delete(wake);
      clearInterval(clock);
      limit.done();
    }
  }
}
