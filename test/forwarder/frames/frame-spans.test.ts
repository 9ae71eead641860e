import t from "tap";
import { BincodeSpanWalker } from "../../../src/forwarder/frames/bincode-span.ts";
import { FrameSpans } from "../../../src/forwarder/frames/frame-spans.ts";
import { JsonSpanWalker } from "../../../src/forwarder/frames/json-span.ts";
import { KnownTail } from "../../../src/forwarder/frames/known-tail.ts";
import { mendSpan, wantedTexts } from "../../../src/forwarder/frames/mend-span.ts";
import { SpanBatch } from "../../../src/forwarder/frames/span-batch.ts";
import { writeSpanData } from "../../../src/forwarder/frames/span-data-writer.ts";
import { SpanWriter } from "../../../src/forwarder/frames/span-writer.ts";
import { scanExport } from "../../../src/forwarder/in/scan-export.ts";
import { ExportTraceServiceRequest, ScopeSpans, type Span } from "../../../src/gen/otlp.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import type { SpanData } from "../../../src/wire/span-data.ts";
import { spanDataFromBincode } from "../../../src/wire/span-data-bincode.ts";
import { spanDataFromJson } from "../../../src/wire/span-data-json.ts";
import { Random } from "../../fakes/random.ts";
import { bincodeOf, jsonOf, randomSpan, type UpstreamSpan } from "../../fakes/upstream-span.ts";
import { textVector, vector } from "../../fakes/vectors.ts";

const golden = {
  JSON: Buffer.from(textVector("upstream-span-json")),
  bincode: Buffer.from(vector("upstream-span-bincode").subarray(8)),
};

/** A span as ScopeSpans holds it. */
function spanIn(bytes: Uint8Array): Span {
  const { spans } = decodeMessage(ScopeSpans, bytes);
  return spans[0] as Span;
}

/** The slow way: an object, mended, written. */
function read(frame: Uint8Array, decode: (bytes: Uint8Array, wanted: typeof wantedTexts) => SpanData): Span {
  const span = decode(frame, wantedTexts);
  mendSpan(span);
  return spanIn(writeSpanData(span).slice());
}

/** As agents make them. */
function usualSpan(random: Random): UpstreamSpan {
  const span = randomSpan(random, 0);
  const isUsual = ([, value]: (typeof span.attributes)[number]) =>
    !("String" in value) || (value.String.length < 100 && !/[\\\n]/.test(value.String));
  return { ...span, name: "pause_container", attributes: span.attributes.filter(isUsual) };
}

const encodings = [
  { name: "JSON", Walker: JsonSpanWalker, encode: jsonOf, decode: spanDataFromJson },
  { name: "bincode", Walker: BincodeSpanWalker, encode: bincodeOf, decode: spanDataFromBincode },
] as const;

for (const { name, Walker, encode, decode } of encodings) {
  /** The fast way; undefined when it does not know the frame. */
  const walk = (frame: Uint8Array, place = 3): Span | undefined => {
    const out = new SpanWriter();
    const tail = new KnownTail();
    const walker = new Walker(tail, out);
    const bytes = new Uint8Array(frame.length + 20).fill(0x22);
    bytes.set(frame, place);
    const view = new DataView(bytes.buffer);
    const write = () => walker.write(bytes, view, place, place + frame.length);
    if (!write()) {
      tail.learn(bytes, place + frame.length, []);
      if (!write()) return undefined;
    }
    return spanIn(out.take().bytes);
  };

  t.test(`a walk over ${name} makes of a span what reading it makes`, async (t) => {
    const random = new Random(11);
    let walked = 0;
    for (let run = 0; run < 2500; run++) {
      const oddness = random.pick([0, 0, 1, 10, 40]);
      const frame = encode(randomSpan(random, oddness));
      const span = walk(frame);
      if (span === undefined) continue;
      walked++;
      const expected = read(frame, decode);
      if (!isSame(span, expected)) t.same(span, expected, frame.toString());
    }
    t.ok(walked > 1000, `${walked} were walked`);
  });

  t.test(`every span of the usual form in ${name} is walked`, async (t) => {
    const random = new Random(12);
    for (let run = 0; run < 500; run++) {
      const frame = encode(usualSpan(random));
      if (walk(frame) === undefined) t.fail(frame.toString());
    }
  });

  t.test(`a mutated span in ${name} is walked as it is read, or not at all`, async (t) => {
    const random = new Random(13);
    const good = encode(usualSpan(random));
    let [walked, refused] = [0, 0];
    for (let run = 0; run < 6000; run++) {
      const length = random.below(4) === 0 ? random.below(good.length) : good.length;
      const bytes = Uint8Array.from(good.subarray(0, length));
      for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left--)
        bytes[random.below(bytes.length)] = random.pick([
          0,
          1,
          0x22,
          0x30,
          0x5c,
          0x7d,
          0xff,
          random.below(256),
        ]);
      const span = walk(bytes);
      if (span === undefined) {
        refused++;
        continue;
      }
      walked++;
      // What a walk passes over is looked at less closely than what is read.
      let expected: Span;
      try {
        expected = read(bytes, decode);
      } catch {
        continue;
      }
      if (!isSame(span, expected)) t.same(span, expected, bytes.toString());
    }
    t.ok(walked > 200, `${walked} walked`);
    t.ok(refused > 200, `${refused} refused`);
  });

  t.test(`a span in ${name} cut short anywhere is never walked`, async (t) => {
    const random = new Random(14);
    const good = encode(usualSpan(random));
    const out = new SpanWriter();
    const tail = new KnownTail();
    const walker = new Walker(tail, out);
    const bytes = Uint8Array.from(good);
    const view = new DataView(bytes.buffer);
    walker.write(bytes, view, 0, good.length);
    tail.learn(bytes, good.length, []);
    t.ok(walker.write(bytes, view, 0, good.length));
    out.take();
    for (let end = 0; end < good.length; end++)
      if (walker.write(bytes, view, 0, end)) t.fail(`walked to ${end}`);
    t.equal(out.take().bytes.length, 0, "and nothing is left of it");
  });
}

/** Much cheaper than an assertion each. */
function isSame(a: Span, b: Span): boolean {
  const plain = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  return JSON.stringify(a, plain) === JSON.stringify(b, plain);
}

t.test("golden payloads: the same span from both encodings' own form", async (t) => {
  for (const [name, frame] of Object.entries(golden)) {
    const spans = new FrameSpans();
    const batch = new SpanBatch("5a5a");
    for (let i = 0; i < 3; i++) spans.write(frame);
    batch.add(spans.take(), spans.resource);
    const body = batch.finish();
    t.equal(scanExport(body), 3);
    const [group] = decodeMessage(ExportTraceServiceRequest, body).resource_spans;
    const texts = group?.resource?.attributes.map(({ key, value }) => [key, value?.string_value]);
    t.same(texts, [
      ["service.name", "kata-agent"],
      ["kata.sandbox.id", "5a5a"],
    ]);
    t.equal(group?.scope_spans[0]?.scope?.name, "kata-agent");
    const made = group?.scope_spans[0]?.spans ?? [];
    t.same(made[1], made[0], `${name}: a frame walked is the same as the first one, which was read`);
    t.equal(Buffer.from(made[0]?.trace_id ?? []).toString("hex"), "0af7651916cd43dd8448eb211c80319c");
  }
});

t.test("the program's own resource is kept, and told apart from the next program's", async (t) => {
  const resources = ["a", "b", "b", "a"].map((value) => {
    const span = randomSpan(new Random(15), 0);
    span.resource = [
      ["host.name", { String: value }],
      ["service.name", { String: "own" }],
    ];
    return jsonOf(span);
  });
  const spans = new FrameSpans();
  const found = resources.map((frame) => {
    const batch = new SpanBatch(undefined);
    spans.write(frame);
    batch.add(spans.take(), spans.resource);
    const [group] = decodeMessage(ExportTraceServiceRequest, batch.finish()).resource_spans;
    return group?.resource?.attributes.map(({ value }) => value?.string_value).join(" ");
  });
  t.same(found, ["a own", "b own", "b own", "a own"]);
});

t.test("a span with more than the writer holds at once arrives whole", async (t) => {
  const span = randomSpan(new Random(16), 0);
  span.name = "large";
  span.attributes = Array.from({ length: 1000 }, (_, i) => ["code.filepath", { String: `${i}`.repeat(20) }]);
  span.attributes.push(["thread.name", { String: "x".repeat(300_000) }]);
  for (const encode of [jsonOf, bincodeOf]) {
    const spans = new FrameSpans();
    const batch = new SpanBatch(undefined);
    for (let i = 0; i < 3; i++) spans.write(encode(span));
    batch.add(spans.take(), spans.resource);
    const [group] = decodeMessage(ExportTraceServiceRequest, batch.finish()).resource_spans;
    const made = group?.scope_spans[0]?.spans ?? [];
    t.same(
      made.map(({ attributes }) => attributes.length),
      [1001, 1001, 1001],
    );
  }
});
