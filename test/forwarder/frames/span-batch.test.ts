import t from "tap";
import { FrameSpans } from "../../../src/forwarder/frames/frame-spans.ts";
import { SpanBatch } from "../../../src/forwarder/frames/span-batch.ts";
import { scanExport } from "../../../src/forwarder/in/scan-export.ts";
import { ExportTraceServiceRequest, type ResourceSpans } from "../../../src/gen/otlp.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { Random } from "../../fakes/random.ts";
import { bincodeOf, randomSpan } from "../../fakes/upstream-span.ts";

const decoded = (body: Uint8Array): ResourceSpans =>
  decodeMessage(ExportTraceServiceRequest, body).resource_spans[0] as ResourceSpans;

/** A batch, and how to add spans to it. */
function gathering(): { batch: SpanBatch; add(count: number, host?: string): void } {
  const [random, spans, batch] = [new Random(31), new FrameSpans(), new SpanBatch("5a5a")];
  const add = (count: number, host = "h") => {
    for (let i = 0; i < count; i++) {
      const span = randomSpan(random, 0);
      span.resource = [["host.name", { String: host }]];
      spans.write(bincodeOf(span));
    }
    batch.add(spans.take(), spans.resource);
  };
  return { batch, add };
}

t.test("a batch of any size is one request with one resource", async (t) => {
  const { batch, add } = gathering();
  for (const count of [1, 10, 500, 2000]) {
    for (let left = count; left > 0; left -= 50) add(Math.min(left, 50));
    t.equal(batch.spans, count);
    const body = batch.finish();
    t.equal(scanExport(body), count);
    const { resource, scope_spans } = decoded(body);
    t.same(
      resource?.attributes.map(({ key }) => key),
      ["service.name", "kata.sandbox.id", "host.name"],
    );
    t.equal(scope_spans.length, 1);
    batch.release();
  }
});

t.test("a resource that is longer than the room kept for it arrives whole", async (t) => {
  const { batch, add } = gathering();
  const host = "h".repeat(100_000);
  add(3, host);
  const { resource, scope_spans } = decoded(batch.finish());
  t.equal(resource?.attributes.at(-1)?.value?.string_value, host);
  t.equal(scope_spans[0]?.spans.length, 3);
});

t.test("a finished batch stays as it is while the next is gathered, and gives its memory back", async (t) => {
  const { batch, add } = gathering();
  add(20);
  const body = batch.finish();
  const before = Buffer.from(body);
  t.equal(batch.spans, 0);
  t.ok(batch.bytes >= body.length, "it counts until it is released");
  add(20);
  t.ok(before.equals(body));
  batch.release();
  batch.release();
  const next = batch.finish();
  t.equal(scanExport(next), 20);
  t.not(next.buffer, body.buffer);
  batch.release();
  t.equal(batch.bytes, 0);
  add(20);
  t.ok([body.buffer, next.buffer].includes(batch.finish().buffer), "which is used again");
});
