import type { Log } from "../../base/log.ts";
import type { Deliver } from "../export.ts";
import type { Metrics } from "../metrics.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { Guest } from "./guest.ts";
import type { GuestWords } from "./guest-words.ts";
import { OpenSpans } from "./open-spans.ts";

/**
 * What our agents have said about themselves: which requests they sent, which spans are open (docs/protocol.md).
 *
 * Primer. An instance is one run of an agent, named by its origin and the id it gives itself, so that no guest can speak
 * for another one. It is there while it has connections; when the last one has gone it gets a grace to come back, then
 * its open spans are closed and sent on. What was taken is remembered longer, for repeats.
 */

/** The agent's own pauses between tries are up to 5 s. */
const graceMs = 10_000;
const maxInstances = 8_192;
/** Announced spans of all guests, as bytes. */
const maxBytesTogether = 32 * 1024 * 1024;
/** Of one origin: an agent that is started again and again must not push out the others. */
const maxInstancesPerOrigin = 64;

/** One run of an agent. */
export type Instance = {
  readonly origin: string;
  /** Highest number that was taken. */
  taken: number;
  /** A request is on its way through: the same one again has to wait for its end. */
  busy: Promise<unknown> | undefined;
  connections: number;
  lostAt: bigint;
  /** Smallest difference seen between arrival and the guest's clock, ns. */
  clockLag: bigint | undefined;
  openSpans: OpenSpans | undefined;
  /** Who pays for what its open spans take. */
  guest: Guest | undefined;
  grace: NodeJS.Timeout | undefined;
};

/** Host time, ns since 1970. */
export const hostNanos = (): bigint =>
  BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;

/** All instances, with their connections and open spans. */
export class Announcements {
  readonly #deliver: Deliver;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #graceMs: number;
  readonly #instances = new Map<string, Instance>();
  readonly #budget = new ByteBudget(maxBytesTogether);
  readonly #perOrigin = new Map<string, number>();
  readonly #ending = new AbortController();

  constructor(deliver: Deliver, metrics: Metrics, log: Log, grace = graceMs) {
    this.#deliver = deliver;
    this.#metrics = metrics;
    this.#log = log;
    this.#graceMs = grace;
  }

  /** Spans that are announced now, of all guests. */
  get openSpans(): number {
    let count = 0;
    for (const { openSpans } of this.#instances.values()) count += openSpans?.size ?? 0;
    return count;
  }

  /** The instance that speaks; undefined when its origin has had too many. */
  instance(origin: string, words: GuestWords): Instance | undefined {
    const key = `${origin} ${words.instance}`;
    const instance = this.#instances.get(key) ?? this.#newInstance(origin);
    if (instance === undefined) return undefined;
    // The one heard last stands last: the first is the one to forget.
    this.#instances.delete(key);
    this.#instances.set(key, instance);
    this.#forgetOldest();
    if (words.clockNanos !== undefined) {
      const lag = hostNanos() - words.clockNanos;
      if (instance.clockLag === undefined || lag < instance.clockLag) instance.clockLag = lag;
    }
    return instance;
  }

  /** A connection of the instance is there. */
  joined(instance: Instance): void {
    instance.connections++;
    clearTimeout(instance.grace);
    instance.grace = undefined;
  }

  /** A connection of the instance has gone. */
  left(instance: Instance): void {
    instance.connections--;
    if (instance.connections > 0) return;
    instance.lostAt = hostNanos();
    this.#beginGrace(instance);
  }

  /** `guest` pays for closing them. @throws WireError; Refusal 413 when it has announced too much, 503 when all have. */
  announce(instance: Instance, body: Uint8Array, guest: Guest): void {
    instance.guest = guest;
    instance.openSpans ??= new OpenSpans(this.#budget);
    instance.openSpans.announce(body);
    // Its connection may have gone while the request was under way.
    if (instance.connections === 0) this.#beginGrace(instance);
  }

  /** An orderly end: what is still announced is closed now. */
  async goodbye(instance: Instance): Promise<void> {
    await this.#closeSpans(instance, hostNanos());
  }

  /** The forwarder ends: the guests live on, so only those that were lost already are closed. */
  async close(): Promise<void> {
    this.#ending.abort();
    const lost = [...this.#instances.values()].filter(({ grace }) => grace !== undefined);
    for (const { grace } of lost) clearTimeout(grace);
    await Promise.all(lost.map((instance) => this.#closeSpans(instance, instance.lostAt)));
  }

  #beginGrace(instance: Instance): void {
    if (this.#ending.signal.aborted || instance.grace !== undefined || (instance.openSpans?.size ?? 0) === 0)
      return;
    instance.grace = setTimeout(() => void this.#closeSpans(instance, instance.lostAt), this.#graceMs);
  }

  async #closeSpans(instance: Instance, at: bigint): Promise<void> {
    instance.grace = undefined;
    if (instance.openSpans === undefined || instance.openSpans.size === 0) return;
    const { body, spans } = instance.openSpans.close(at - (instance.clockLag ?? 0n));
    instance.openSpans = undefined;
    this.#metrics.closedOpenSpans(spans);
    try {
      await instance.guest?.pace(this.#ending.signal);
      await this.#deliver({ body, spans, origin: instance.origin }, instance.guest?.spent);
    } catch (error) {
      this.#log.warn({ origin: instance.origin, spans, err: (error as Error).message }, "open spans lost");
      this.#metrics.dropped("all", "queue-full", spans);
    }
  }

  #newInstance(origin: string): Instance | undefined {
    const isGuest = origin.startsWith("sandbox:") || origin.startsWith("vsock:");
    if (isGuest && (this.#perOrigin.get(origin) ?? 0) >= maxInstancesPerOrigin && !this.#forgetOne(origin))
      return undefined;
    const count = this.#perOrigin.get(origin) ?? 0;
    this.#perOrigin.set(origin, count + 1);
    return {
      origin,
      taken: 0,
      busy: undefined,
      connections: 0,
      lostAt: 0n,
      clockLag: undefined,
      openSpans: undefined,
      guest: undefined,
      grace: undefined,
    };
  }

  #forgetOldest(): void {
    for (const [key, instance] of this.#instances) {
      if (this.#instances.size <= maxInstances) return;
      if (isIdle(instance)) this.#forget(key, instance);
    }
  }

  /** Makes room for a new instance of an origin; false when all are in use. */
  #forgetOne(origin: string): boolean {
    for (const [key, instance] of this.#instances) {
      if (instance.origin !== origin || !isIdle(instance)) continue;
      this.#forget(key, instance);
      return true;
    }
    return false;
  }

  #forget(key: string, { origin }: Instance): void {
    this.#instances.delete(key);
    const left = (this.#perOrigin.get(origin) ?? 1) - 1;
    if (left > 0) this.#perOrigin.set(origin, left);
    else this.#perOrigin.delete(origin);
  }
}

function isIdle({ connections, grace, busy }: Instance): boolean {
  return connections === 0 && grace === undefined && busy === undefined;
}
