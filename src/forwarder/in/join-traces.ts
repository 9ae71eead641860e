import type { SpanData } from "../../wire/span-data.ts";

/**
 * Puts the pieces of a shattered trace together again.
 *
 * Primer. When the runtime sends no context, upstream's agent gives a call's span and each of its children a trace id
 * of its own, while the parent ids stay right (wire-and-tracing 6.3, fault 4). A child is of its parent's trace by
 * definition, so spans that are linked by parent ids get the trace id of the topmost of them. Children end, and arrive,
 * before their parents. So spans are joined a batch at a time, and what is known of each span id is kept: a parent that
 * comes later takes over the trace id its children went out with. Ids of other connections never meet here.
 */

const maxKnown = 16_384;

/** What is known of the spans of one connection. */
export class TraceJoiner {
  /** Span id → the trace that the span, or its first child, went out with; oldest first. */
  readonly #known = new Map<string, Uint8Array>();

  /** Changes the trace ids of `spans`, which arrived together, where their parents say so. */
  join(spans: readonly SpanData[]): void {
    if (spans.length === 0) return;
    const ids = spans.map((span) => keyOf(span.spanId));
    const parents = spans.map((span) => keyOf(span.parentSpanId));
    const byId = new Map(ids.map((id, index) => [id, index]));
    const traces: (Uint8Array | undefined)[] = new Array(spans.length);
    for (let index = 0; index < spans.length; index++) this.#settle(index, spans, parents, byId, ids, traces);
    for (const [index, span] of spans.entries()) {
      span.traceId = traces[index] ?? span.traceId;
      this.#remember(ids[index] as string, span.traceId);
      if (parents[index] !== "") this.#remember(parents[index] as string, span.traceId);
    }
    while (this.#known.size > maxKnown) this.#known.delete(this.#known.keys().next().value as string);
  }

  /** Climbs from a span to the topmost one of the batch, and gives all on the way that one's trace. */
  #settle(
    from: number,
    spans: readonly SpanData[],
    parents: readonly string[],
    byId: ReadonlyMap<string, number>,
    ids: readonly string[],
    traces: (Uint8Array | undefined)[],
  ): void {
    if (traces[from] !== undefined) return;
    const way: number[] = [];
    const seen = new Set<number>();
    let at: number | undefined = from;
    let top = from;
    while (at !== undefined && traces[at] === undefined && !seen.has(at)) {
      seen.add(at);
      way.push(at);
      top = at;
      at = byId.get(parents[at] as string);
    }
    const settled = at === undefined ? undefined : traces[at];
    const trace =
      settled ??
      this.#known.get(parents[top] as string) ??
      way.map((index) => this.#known.get(ids[index] as string)).find((known) => known !== undefined) ??
      (spans[top] as SpanData).traceId;
    for (const index of way) traces[index] = trace;
  }

  #remember(id: string, trace: Uint8Array): void {
    if (!this.#known.has(id)) this.#known.set(id, trace);
  }
}

/** A key for maps, made of two bytes a character: cheaper than digits. Empty for no id. */
function keyOf(id: Uint8Array): string {
  if (id.length !== 8) return "";
  const pair = (at: number) => ((id[at] as number) << 8) | (id[at + 1] as number);
  return String.fromCharCode(pair(0), pair(2), pair(4), pair(6));
}
