import { ByteBudget } from "./byte-budget.ts";
import { Guest } from "./guest.ts";
import type { Limits } from "./limits.ts";
import type { Origin } from "./origin.ts";

/** The announced spans of one that has gone are looked through within it, which may leave it in debt. */
const rememberMs = 30_000;

/** All senders that are connected now. */
export class Guests {
  readonly #limits: Limits;
  readonly #budget: ByteBudget;
  readonly #byKey = new Map<string, Guest>();
  readonly #leaving = new Set<Guest>();
  #connections = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#budget = new ByteBudget(limits.maxHeldBytes);
  }

  get connections(): number {
    return this.#connections;
  }

  get heldBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Guests proper that are connected. */
  get count(): number {
    let count = 0;
    for (const { origin, connections } of this.#byKey.values())
      if (origin.isGuest && connections > 0) count++;
    return count;
  }

  /** Counts a connection in; undefined when there are too many. The caller owes {@link Guests.leave}. */
  join(origin: Origin): Guest | undefined {
    if (this.#connections >= this.#limits.maxConnections) return undefined;
    const guest = this.#byKey.get(origin.key) ?? new Guest(origin, this.#limits, this.#budget);
    if (origin.isGuest && guest.connections >= this.#limits.maxConnectionsPerGuest) return undefined;
    this.#byKey.set(origin.key, guest);
    guest.connections++;
    this.#connections++;
    return guest;
  }

  /** Counts it out again. */
  leave(guest: Guest): void {
    guest.connections--;
    this.#connections--;
    if (guest.connections === 0 && !this.#leaving.has(guest)) this.#forgetIn(rememberMs, guest);
  }

  /** A guest in debt is remembered until it is paid: connecting anew must not clear it. */
  #forgetIn(ms: number, guest: Guest): void {
    this.#leaving.add(guest);
    setTimeout(() => this.#forget(guest), ms).unref();
  }

  #forget(guest: Guest): void {
    const { debtMs } = guest;
    this.#leaving.delete(guest);
    if (debtMs > 0) this.#forgetIn(debtMs, guest);
    else if (guest.connections === 0 && this.#byKey.get(guest.origin.key) === guest)
      this.#byKey.delete(guest.origin.key);
  }
}
