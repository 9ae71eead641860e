import {
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import t from "tap";
import { encodeResource, encodeScopeSpans, traceRequest } from "../../src/trace/otlp.ts";
import { decodeRequest, spansOf } from "../fakes/collector.ts";

const remote: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
  traceState: createTraceState("vendor=1,other=2"),
};
const local: SpanContext = { ...remote, isRemote: false };
const below = (context: SpanContext) => trace.setSpanContext(ROOT_CONTEXT, context);

/** What the exporter makes of one batch. */
const encoded = (spans: readonly ReadableSpan[]) =>
  Buffer.concat(traceRequest(encodeResource(spans[0]?.resource.attributes ?? {}), [encodeScopeSpans(spans)]));

function recorder() {
  const kept = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "kata-agent", n: 1.5, list: ["a", "b"] }),
    spanProcessors: [new SimpleSpanProcessor(kept)],
    spanLimits: { attributeCountLimit: 12, eventCountLimit: 2, linkCountLimit: 2 },
  });
  return {
    provider,
    tracer: provider.getTracer("kata-agent", "1.2.3"),
    spans: () => kept.getFinishedSpans(),
  };
}

/** Spans that between them use every field that the encoder knows. */
function everySort() {
  const { provider, tracer, spans } = recorder();
  tracer.startSpan("root").end();
  for (const kind of [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER])
    tracer.startSpan(`kind ${kind}`, { kind }, below(remote)).end();
  tracer.startSpan("local parent", {}, below(local)).end();
  const links: Link[] = [remote, local, remote].map((context) => ({ context, attributes: { a: 1 } }));
  tracer.startSpan("links", { links }).end();
  const values = tracer.startSpan("values", { startTime: [1_795_264_513, 999_999_999] });
  values.setAttributes({
    text: "plain",
    unicode: "häß 漢字 🚀",
    empty: "",
    long: "x".repeat(40_000),
    zero: 0,
    negative: -42,
    big: Number.MAX_SAFE_INTEGER,
    double: 1.25,
    huge: 1e300,
    yes: true,
    no: false,
    list: ["a", "b"],
    dropped: "one too many",
  });
  values.end([1_795_264_514, 0]);
  const events = tracer.startSpan("events");
  for (const name of ["first", "second", "third"]) events.addEvent(name, { n: 1 }, [1_795_264_513, 5]);
  events.end();
  for (const code of [SpanStatusCode.OK, SpanStatusCode.ERROR]) {
    const status = tracer.startSpan(`status ${code}`);
    status.setStatus({ code, message: "because" });
    status.end();
  }
  provider.getTracer("another scope").startSpan("in another scope").end();
  return spans();
}

t.test("spans of every sort read as those of the SDK's own encoder do", async (t) => {
  const spans = everySort();
  const ours = decodeRequest(encoded(spans));
  const theirs = decodeRequest(ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array);
  t.equal(spansOf(ours).length, spans.length);
  for (const [i, span] of spansOf(theirs).entries()) t.match(spansOf(ours)[i], withoutZeros(span), span.name);
  for (const [i, span] of spansOf(ours).entries()) t.match(spansOf(theirs)[i], withoutZeros(span), span.name);
  t.same(
    ours.resourceSpans.map((each) => each.resource.attributes).at(0),
    theirs.resourceSpans[0]?.resource.attributes,
  );
  const scopes = ours.resourceSpans.flatMap((each) => each.scopeSpans.map((scoped) => scoped.scope));
  t.same(scopes, [{ name: "kata-agent", version: "1.2.3" }, { name: "another scope" }]);
});

/** The SDK's encoder writes some zero values, and an empty status; both mean the same as leaving them out. */
function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutZeros);
  if (typeof value !== "object" || value === null) return value === 0 || value === "" ? undefined : value;
  const kept = Object.entries(value)
    .map(([key, each]) => [key, key === "value" ? each : withoutZeros(each)] as const)
    .filter(([, each]) => each !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

t.test("flags tell sampled, and whether parent and link are remote", async (t) => {
  const spans = spansOf(decodeRequest(encoded(everySort())));
  const flags = new Map(spans.map((span) => [span.name, span.flags]));
  t.equal(flags.get("root"), 0x101);
  t.equal(flags.get("kind 1"), 0x301);
  t.equal(flags.get("local parent"), 0x101);
  const links = spans.find((span) => span.name === "links")?.links ?? [];
  t.same(links.map((link) => link.flags).sort(), [0x101, 0x301]);
});

t.test("a batch larger than any slab of the encoder is whole, and so is the next", async (t) => {
  const { tracer, spans } = recorder();
  for (let i = 0; i < 3000; i++)
    tracer.startSpan(`span ${i}`, { attributes: { i, same: "s", changing: `value ${i}` } }).end();
  const all = spans();
  const first = encoded(all);
  const second = encoded(all.slice(0, 10));
  for (const [bytes, count] of [
    [first, 3000],
    [second, 10],
  ] as const) {
    const read = spansOf(decodeRequest(bytes));
    t.equal(read.length, count);
    t.ok(read.every((span, i) => span.attributes?.[2]?.value.stringValue === `value ${i}`));
    t.ok(read.every((span, i) => span.spanId === all[i]?.spanContext().spanId));
  }
});

t.test("batches of one request stand in one envelope, in their order", async (t) => {
  const all = everySort();
  const halves = [all.slice(0, 4), all.slice(4)].map((spans) => encodeScopeSpans(spans));
  const request = decodeRequest(Buffer.concat(traceRequest(encodeResource({ a: 1 }), halves)));
  t.equal(request.resourceSpans.length, 1);
  t.same(
    spansOf(request).map(({ name }) => name),
    all.map(({ name }) => name),
  );
});

t.test("nothing is encoded as nothing", async (t) => {
  t.equal(encodeScopeSpans([]).length, 0);
});
