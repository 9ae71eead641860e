import t from "tap";
import { TraceJoiner } from "../../../src/forwarder/frames/join-traces.ts";
import { Random } from "../../fakes/random.ts";

type Ids = { trace: number; span: number; parent: number };

/** The ids of spans as they are written, and where each begins; ids have small numbers. */
function written(spans: readonly Ids[]): { bytes: Uint8Array; places: number[] } {
  const parts = spans.map(({ trace, span, parent }) => {
    const id = (value: number, length: number) => {
      const bytes = Buffer.alloc(length);
      bytes.writeUInt32BE(value, length - 4);
      return bytes;
    };
    const head = [Buffer.of(0x0a, 16), id(trace, 16), Buffer.of(0x12, 8), id(span, 8)];
    return Buffer.concat(
      parent === 0 ? [...head, Buffer.of(0x39)] : [...head, Buffer.of(0x22, 8), id(parent, 8)],
    );
  });
  let at = 0;
  const places = parts.map((part) => {
    const place = at;
    at += part.length;
    return place;
  });
  return { bytes: Buffer.concat(parts), places };
}

function joined(joiner: TraceJoiner, spans: readonly Ids[]): number[] {
  const { bytes, places } = written(spans);
  joiner.join(bytes, places);
  return places.map((place) => Buffer.from(bytes).readUInt32BE(place + 14));
}

t.test("what is linked by parent ids gets the topmost's trace, in any order", async (t) => {
  const spans = [
    { trace: 11, span: 3, parent: 2 },
    { trace: 13, span: 1, parent: 0 },
    { trace: 12, span: 2, parent: 1 },
    { trace: 14, span: 9, parent: 0 },
  ];
  t.same(joined(new TraceJoiner(), spans), [13, 13, 13, 14]);
});

t.test("a parent that comes later takes the trace that its children went out with", async (t) => {
  const joiner = new TraceJoiner();
  t.same(joined(joiner, [{ trace: 11, span: 2, parent: 1 }]), [11]);
  t.same(joined(joiner, [{ trace: 12, span: 3, parent: 2 }]), [11], "and so do later children");
  t.same(joined(joiner, [{ trace: 13, span: 1, parent: 0 }]), [11]);
});

t.test("spans that are each other's parents end", async (t) => {
  const spans = [
    { trace: 1, span: 1, parent: 2 },
    { trace: 2, span: 2, parent: 1 },
    { trace: 3, span: 3, parent: 3 },
  ];
  t.same(joined(new TraceJoiner(), spans), [2, 2, 3]);
});

t.test("what is known has an end, and the youngest is kept", async (t) => {
  const joiner = new TraceJoiner();
  const ids = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ trace: from + i, span: from + i, parent: 0 }));
  for (let from = 1; from < 40_000; from += 500) joined(joiner, ids(from, 500));
  t.same(joined(joiner, [{ trace: 7, span: 50_000, parent: 40_000 }]), [40_000], "known");
  t.same(joined(joiner, [{ trace: 7, span: 50_001, parent: 1 }]), [7], "forgotten");
});

/** The rule in the plainest form. */
class PlainJoiner {
  readonly #known = new Map<number, number>();

  join(spans: readonly Ids[]): number[] {
    const byId = new Map(spans.map((span, index) => [span.span, index]));
    const traces: (number | undefined)[] = spans.map(() => undefined);
    for (let from = 0; from < spans.length; from++) {
      const way: number[] = [];
      let at: number | undefined = from;
      while (at !== undefined && traces[at] === undefined && !way.includes(at)) {
        way.push(at);
        at = byId.get((spans[at] as Ids).parent);
      }
      if (way.length === 0) continue;
      const top = spans[way.at(-1) as number] as Ids;
      const known = way.map((index) => this.#known.get((spans[index] as Ids).span));
      const trace =
        (at === undefined ? undefined : traces[at]) ??
        this.#known.get(top.parent) ??
        known.find((each) => each !== undefined) ??
        top.trace;
      for (const index of way) traces[index] = trace;
    }
    for (const [index, span] of spans.entries())
      for (const id of [span.span, span.parent])
        if (id !== 0 && !this.#known.has(id)) this.#known.set(id, traces[index] as number);
    return traces as number[];
  }
}

t.test("random batches are joined as the rule says", async (t) => {
  const random = new Random(3);
  let changed = 0;
  for (let run = 0; run < 200; run++) {
    const [joiner, plain] = [new TraceJoiner(), new PlainJoiner()];
    const ids = 3 + random.below(60);
    for (let batch = 0; batch < 8; batch++) {
      const spans = Array.from({ length: 1 + random.below(20) }, () => ({
        trace: 1000 + random.below(10_000),
        span: 1 + random.below(ids),
        parent: random.below(ids),
      }));
      const [found, expected] = [joined(joiner, spans), plain.join(spans)];
      if (found.join() !== expected.join()) t.same(found, expected);
      changed += spans.filter(({ trace }, index) => trace !== found[index]).length;
    }
  }
  t.ok(changed > 1000, `${changed} spans changed their trace`);
});
