import { IdMap } from "./id-map.ts";

/**
 * Puts the pieces of a shattered trace together again.
 *
 * Primer. When the runtime sends no context, upstream's agent gives a call's span and each of its children a trace id
 * of its own, while the parent ids stay right (wire-and-tracing 6.3, fault 4). A child is of its parent's trace by
 * definition, so spans that are linked by parent ids get the trace id of the topmost of them. Children end, and arrive,
 * before their parents. So spans are joined a batch at a time, and what is known of each span id is kept: a parent that
 * comes later takes over the trace id its children went out with. Ids of other connections never meet here.
 *
 * Spans are written already: their ids are read, and trace ids changed, where they stand (`span-writer.ts`).
 */

/** What is known is kept in two halves: when the younger is full the older is forgotten. */
const maxKnown = 8_192;
const traceAt = 2;
const spanIdAt = 20;
const parentTagAt = 28;
const parentTag = 0x22;
const parentIdAt = 30;
const traceBytes = 16;
const noTrace = -1;
const none: Uint8Array = new Uint8Array(0);

/** Index in the batch by span id, while one is joined. */
const byId = new IdMap();

/** What is known of the spans of one connection. */
export class TraceJoiner {
  #young = new KnownTraces();
  #old = new KnownTraces();
  #bytes: Uint8Array = none;
  #places: readonly number[] = [];
  #parents = new Int32Array(0);
  /** The walk that a span was met in; 0: none yet. */
  #walks = new Int32Array(0);
  #way: number[] = [];

  /** Changes the trace ids of the spans at `places`, which arrived together, where their parents say so. */
  join(bytes: Uint8Array, places: readonly number[]): void {
    this.#bytes = bytes;
    this.#places = places;
    this.#index();
    for (let index = 0; index < places.length; index++) this.#settle(index);
    for (const place of places) this.#rememberSpan(place);
    this.#bytes = none;
    byId.clear();
  }

  #index(): void {
    const places = this.#places;
    this.#parents = new Int32Array(places.length);
    this.#walks = new Int32Array(places.length);
    for (let i = 0; i < places.length; i++) {
      const at = (places[i] as number) + spanIdAt;
      byId.set(this.#word(at), this.#word(at + 4), i);
    }
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number;
      const at = place + parentIdAt;
      this.#parents[i] = this.#hasParent(place) ? byId.get(this.#word(at), this.#word(at + 4)) : -1;
    }
  }

  /** Climbs from a span to the topmost one of the batch, and gives all on the way that one's trace. */
  #settle(from: number): void {
    const walks = this.#walks;
    if (walks[from] !== 0) return;
    const walk = from + 1;
    const way = this.#way;
    way.length = 0;
    let at = from;
    while (at >= 0 && walks[at] === 0) {
      walks[at] = walk;
      way.push(at);
      at = this.#parents[at] as number;
    }
    const top = this.#places[way.at(-1) as number] as number;
    // A walk that has come back to itself is a circle, and has no top.
    if (at >= 0 && walks[at] !== walk) this.#giveAll(this.#bytes, (this.#places[at] as number) + traceAt);
    else if (this.#giveKnown(top)) return;
    else this.#giveAll(this.#bytes, top + traceAt);
  }

  /** The trace that the top's parent, or else one on the way, went out with. */
  #giveKnown(top: number): boolean {
    if (this.#hasParent(top) && this.#giveKnownOf(top + parentIdAt)) return true;
    for (const index of this.#way)
      if (this.#giveKnownOf((this.#places[index] as number) + spanIdAt)) return true;
    return false;
  }

  #giveKnownOf(idAt: number): boolean {
    const half = this.#halfWith(idAt);
    if (half === undefined) return false;
    this.#giveAll(half.bytes, half.find(this.#word(idAt), this.#word(idAt + 4)));
    return true;
  }

  #halfWith(idAt: number): KnownTraces | undefined {
    const high = this.#word(idAt);
    const low = this.#word(idAt + 4);
    if (this.#young.find(high, low) !== noTrace) return this.#young;
    return this.#old.find(high, low) === noTrace ? undefined : this.#old;
  }

  /** Gives all on the way the trace that stands at `at`. */
  #giveAll(from: Uint8Array, at: number): void {
    for (const index of this.#way) {
      const to = (this.#places[index] as number) + traceAt;
      if (from === this.#bytes && to === at) continue;
      for (let i = 0; i < traceBytes; i++) this.#bytes[to + i] = from[at + i] as number;
    }
  }

  #rememberSpan(place: number): void {
    this.#remember(place + spanIdAt, place + traceAt);
    if (this.#hasParent(place)) this.#remember(place + parentIdAt, place + traceAt);
  }

  #remember(idAt: number, at: number): void {
    if (this.#halfWith(idAt) !== undefined) return;
    if (this.#young.size >= maxKnown) {
      const forgotten = this.#old;
      forgotten.clear();
      this.#old = this.#young;
      this.#young = forgotten;
    }
    this.#young.add(this.#word(idAt), this.#word(idAt + 4), this.#bytes, at);
  }

  #hasParent(place: number): boolean {
    return this.#bytes[place + parentTagAt] === parentTag;
  }

  #word(at: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }
}

/** Span id → the trace that the span, or its first child, went out with. */
class KnownTraces {
  readonly #places = new IdMap();
  bytes = new Uint8Array(64 * traceBytes);

  get size(): number {
    return this.#places.size;
  }

  /** Where the trace stands in `bytes`; {@link noTrace} when nothing is known. */
  find(high: number, low: number): number {
    return this.#places.get(high, low);
  }

  add(high: number, low: number, from: Uint8Array, at: number): void {
    const place = this.size * traceBytes;
    if (place === this.bytes.length) {
      const larger = new Uint8Array(place * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    for (let i = 0; i < traceBytes; i++) this.bytes[place + i] = from[at + i] as number;
    this.#places.set(high, low, place);
  }

  clear(): void {
    this.#places.clear();
  }
}
