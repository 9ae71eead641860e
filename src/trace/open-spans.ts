/** What has a place among the open spans. */
export type Listed = { place: number };

/**
 * The spans that are open now, to be announced, and to be ended when tracing stops.
 *
 * A plain array, and each span knows its place. A `Set` did this with a cost that no profile names: each time it
 * rehashes, the dead table (in V8's old space by then) keeps all spans it ever held alive through the next young
 * collections, which made those twenty times longer.
 */
export class OpenSpans<T extends Listed> {
  readonly #spans: T[] = [];
  /** Called when a span was added, or one that the receiver knows has changed. Must be cheap. */
  onTouch: () => void = () => {};

  add(span: T): void {
    span.place = this.#spans.push(span) - 1;
    this.onTouch();
  }

  /** Precondition: the span was added and not yet removed. */
  remove(span: T): void {
    const last = this.#spans.pop() as T;
    if (last === span) return;
    this.#spans[span.place] = last;
    last.place = span.place;
  }

  get size(): number {
    return this.#spans.length;
  }

  /** The spans at this moment, in no order. */
  all(): readonly T[] {
    return this.#spans.slice();
  }
}
