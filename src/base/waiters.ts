/**
 * Those who wait for something that may take months to come, each until a signal of its own.
 *
 * A promise keeps all that was ever hung on it until it settles, so waits with short limits would pile up on one that
 * lives long. Here each wait has a place of its own, and leaves nothing behind when it is given up.
 */
export class Waiters<T> {
  readonly #places = new Set<PromiseWithResolvers<T>>();

  /** How many wait now. */
  get count(): number {
    return this.#places.size;
  }

  /** What the next {@link wake} brings. Rejects with the reason of `signal` when that aborts first. */
  wait(signal: AbortSignal): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const place = Promise.withResolvers<T>();
    this.#places.add(place);
    const onAbort = () => {
      this.#places.delete(place);
      place.reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return place.promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Ends every wait that is under way, with `value`; who comes later waits for the next time. */
  wake(value: T): void {
    for (const place of this.#places) place.resolve(value);
    this.#places.clear();
  }
}
