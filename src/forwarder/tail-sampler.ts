import type { Deliver, Export } from "./export.ts";
import { freeBytes } from "./free-bytes.ts";
import type { Metrics } from "./metrics.ts";
import type { SamplingConfig } from "./sampling.ts";
import { factsOf } from "./span-facts.ts";
import { splitTraces } from "./split-traces.ts";

/**
 * Keeps what failed, what was slow, and one sandbox in so many of the rest.
 *
 * Primer. Spans are decided by group. A guest is a group, and the traces that it takes part in belong to it, so the
 * runtime's spans on the host share its fate; any other trace is a group of its own. Which groups are among the one in
 * N is told by a hash of their name, so it stays the same over restarts. Spans of the others wait: a failed or slow span
 * lets the whole group go on, now and from then on; after `holdMs` without one they are dropped. What waits is in memory,
 * and has an end: beyond it the group that has waited longest is decided early. What could not be handed on waits again,
 * unless its group is forgotten or the sampler closed meanwhile: nobody would ever look at it.
 */

const lookEveryMs = 1_000;
const maxGroups = 16_384;
const maxTraces = 65_536;

const done = Promise.resolve();

type Group = {
  readonly key: string;
  isKept: boolean;
  held: Export[];
  heldSinceMs: number;
  /** What is held is being handed on. */
  releasing: Promise<void> | undefined;
  /** The guest's group that has taken over what is held. */
  heir: Group | undefined;
};

/** The groups, what of them waits, and how they were decided. */
export class TailSampler {
  readonly #config: SamplingConfig;
  readonly #deliver: Deliver;
  readonly #metrics: Metrics;
  readonly #groups = new Map<string, Group>();
  /** Trace → the guest's group that it belongs to. */
  readonly #guestTraces = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #heldBytes = 0;
  #isClosed = false;

  constructor(config: SamplingConfig, deliver: Deliver, metrics: Metrics) {
    this.#config = config;
    this.#deliver = deliver;
    this.#metrics = metrics;
    this.#timer = setInterval(() => this.#look(performance.now() - config.holdMs), lookEveryMs);
    this.#timer.unref();
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Resolves when the export is handed on, waits, or is dropped. @throws what handing on throws. */
  take(exported: Export): Promise<void> {
    if (this.#config.keepOneIn === 1) return this.#deliver(exported);
    if (isGuest(exported.origin)) {
      const group = this.#group(exported.origin);
      const facts = factsOf(exported.body, this.#config, group.isKept);
      for (const trace of facts.traces) this.#adopt(trace, group);
      return this.#decide(group, exported, facts.isWorthKeeping);
    }
    return this.#takeByTrace(exported);
  }

  async #takeByTrace(exported: Export): Promise<void> {
    const facts = factsOf(exported.body, this.#config);
    const parts =
      facts.traces.size > 1 ? splitTraces(exported) : new Map([[firstOf(facts.traces), exported]]);
    for (const [trace, part] of parts) {
      const group = this.#group(this.#guestTraces.get(trace) ?? trace);
      const isWorthKeeping =
        parts.size > 1 ? factsOf(part.body, this.#config).isWorthKeeping : facts.isWorthKeeping;
      await this.#decide(group, part, isWorthKeeping);
    }
  }

  /**
   * Drops what still waits: nothing in it was worth keeping, or nobody has taken it. What is under way ends by itself, and
   * waits for nothing more. Safe to repeat.
   */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const group of this.#groups.values()) this.#drop(group);
  }

  #decide(group: Group, exported: Export, isWorthKeeping: boolean): Promise<void> {
    if (!group.isKept && isWorthKeeping) {
      group.isKept = true;
      this.#metrics.decided("kept");
    }
    if (!group.isKept) {
      this.#hold(group, exported);
      return done;
    }
    if (group.held.length === 0) return this.#deliver(exported);
    return this.#release(group).then(() => this.#deliver(exported));
  }

  #hold(group: Group, exported: Export): void {
    if (this.#isClosed) {
      this.#metrics.dropped("all", "sampled", exported.spans);
      return;
    }
    if (group.held.length === 0) group.heldSinceMs = performance.now();
    // The body is lent until the sender is answered.
    group.held.push({ ...exported, body: Buffer.from(exported.body) });
    this.#heldBytes += exported.body.length;
    while (this.#heldBytes > this.#config.maxBytes) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      this.#drop(oldest);
    }
  }

  /** @throws what handing on throws. */
  #release(group: Group): Promise<void> {
    group.releasing ??= this.#handOnHeld(group).finally(() => {
      group.releasing = undefined;
    });
    return group.releasing;
  }

  async #handOnHeld(group: Group): Promise<void> {
    for (let first = group.held[0]; first !== undefined; first = group.held[0]) {
      group.held.shift();
      this.#heldBytes -= first.body.length;
      try {
        await this.#deliver(first);
        freeBytes(first.body);
      } catch (error) {
        this.#putBack(group, first);
        throw error;
      }
    }
  }

  #putBack(group: Group, first: Export): void {
    const owner = group.heir ?? group;
    if (this.#isClosed || this.#groups.get(owner.key) !== owner) {
      freeBytes(first.body);
      this.#metrics.dropped("all", "queue-full", first.spans);
      return;
    }
    owner.held.unshift(first);
    this.#heldBytes += first.body.length;
  }

  #group(key: string): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) {
      // The one heard last stands last: the first is the one to forget.
      this.#groups.delete(key);
      this.#groups.set(key, known);
      return known;
    }
    const isKept = hash(key) % this.#config.keepOneIn === 0;
    if (isKept) this.#metrics.decided("sampled");
    const group: Group = {
      key,
      isKept,
      held: [],
      heldSinceMs: 0,
      releasing: undefined,
      heir: undefined,
    };
    this.#groups.set(key, group);
    if (this.#groups.size > maxGroups) this.#forgetFirst();
    return group;
  }

  #forgetFirst(): void {
    const [first] = this.#groups.values();
    if (first === undefined) return;
    this.#drop(first);
    this.#groups.delete(first.key);
  }

  /** A trace that a guest takes part in shares the guest's fate, with what came of it before. */
  #adopt(trace: string, group: Group): void {
    if (this.#guestTraces.has(trace)) return;
    this.#guestTraces.set(trace, group.key);
    if (this.#guestTraces.size > maxTraces)
      this.#guestTraces.delete(this.#guestTraces.keys().next().value as string);
    const before = this.#groups.get(trace);
    if (before === undefined || before === group) return;
    this.#groups.delete(trace);
    if (before.held.length > 0 && group.held.length === 0) group.heldSinceMs = before.heldSinceMs;
    group.held.unshift(...before.held);
    // If it is being handed on, that goes on with the list as it is here.
    before.held = group.held;
    before.heir = group;
    group.isKept ||= before.isKept;
  }

  #oldest(): Group | undefined {
    let oldest: Group | undefined;
    for (const group of this.#groups.values())
      if (group.held.length > 0 && (oldest === undefined || group.heldSinceMs < oldest.heldSinceMs))
        oldest = group;
    return oldest;
  }

  /** Drops what nothing was worth keeping in, and tries again to hand on what was. */
  #look(beforeMs: number): void {
    for (const group of this.#groups.values()) {
      if (group.held.length === 0 || group.heldSinceMs > beforeMs) continue;
      if (group.isKept) this.#release(group).catch(() => undefined);
      else this.#drop(group);
    }
  }

  #drop(group: Group): void {
    if (group.held.length === 0) return;
    for (const { body, spans } of group.held.splice(0)) {
      this.#heldBytes -= body.length;
      freeBytes(body);
      this.#metrics.dropped("all", group.isKept ? "queue-full" : "sampled", spans);
    }
    if (!group.isKept) this.#metrics.decided("dropped");
  }
}

function isGuest(origin: string): boolean {
  return origin.startsWith("sandbox:") || origin.startsWith("vsock:");
}

function firstOf(traces: ReadonlySet<string>): string {
  for (const trace of traces) return trace;
  return "";
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
