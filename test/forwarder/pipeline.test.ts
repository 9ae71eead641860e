import t from "tap";
import type { Export } from "../../src/forwarder/export.ts";
import { Metrics } from "../../src/forwarder/metrics.ts";
import { Pipeline } from "../../src/forwarder/pipeline.ts";
import type { SamplingConfig } from "../../src/forwarder/sampling.ts";
import { Scrubber } from "../../src/forwarder/scrubber.ts";
import { factsOf } from "../../src/forwarder/span-facts.ts";
import { splitTraces } from "../../src/forwarder/split-traces.ts";
import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { attributesOf, decodeRequest, spansOf } from "../fakes/collector.ts";

type SpanFacts = { name?: string; trace?: number; ms?: number; failed?: boolean; text?: string };

function exported(origin: string, ...spans: SpanFacts[]): Export {
  const all = spans.map(({ name = "n", trace = 1, ms = 1, failed = false, text = "t" }, index) => ({
    trace_id: new Uint8Array(16).fill(trace),
    span_id: new Uint8Array(8).fill(index + 1),
    name,
    start_time_unix_nano: 1_789_000_000_000_000_000n,
    end_time_unix_nano: 1_789_000_000_000_000_000n + BigInt(ms * 1e6),
    status: failed ? { code: 2, message: text } : undefined,
    attributes: [
      { key: "k", value: { string_value: text } },
      { key: "list", value: { array_value: { values: [{ string_value: text }] } } },
    ],
    events: [{ name: text, attributes: [{ key: "k", value: { string_value: text } }] }],
  }));
  const body = encodeMessage(ExportTraceServiceRequest, {
    resource_spans: [{ scope_spans: [{ spans: all }] }],
  });
  return { body, spans: spans.length, origin };
}

/** Keeps one in a million: none of the groups here. */
const rules: SamplingConfig = {
  keepOneIn: 1_000_003,
  slowMs: 1000,
  slowMsByName: new Map([["quick", 10]]),
  holdMs: 60_000,
  maxBytes: 100_000,
};

function sampled(config: Partial<SamplingConfig> = {}) {
  const names: string[] = [];
  const metrics = new Metrics();
  const deliver = async ({ body }: Export) => {
    names.push(...spansOf(decodeRequest(body)).map(({ name }) => name));
  };
  const pipeline = new Pipeline(deliver, metrics);
  pipeline.configure([], { ...rules, ...config });
  return { pipeline, names, metrics };
}

t.test("a failed span lets its whole sandbox go on, what waited first", async (t) => {
  const { pipeline, names, metrics } = sampled();
  await pipeline.deliver(exported("sandbox:a", { name: "a1" }));
  await pipeline.deliver(exported("sandbox:b", { name: "b1" }));
  t.same(names, []);
  await pipeline.deliver(exported("sandbox:a", { name: "a2", failed: true }));
  await pipeline.deliver(exported("sandbox:a", { name: "a3" }));
  t.same(names, ["a1", "a2", "a3"]);
  pipeline.close();
  t.equal(pipeline.heldBytes, 0);
  const text = await metrics.text();
  t.match(text, /decisions_total\{decision="kept"\} 1/);
  t.match(text, /decisions_total\{decision="dropped"\} 1/);
  t.match(text, /spans_dropped_total\{backend="all",reason="sampled"\} 1/);
});

t.test("what waits is kept, though its memory is somebody else's by then", async (t) => {
  const { pipeline, names } = sampled();
  const first = exported("sandbox:a", { name: "a1" });
  await pipeline.deliver(first);
  first.body.fill(0xff);
  await pipeline.deliver(exported("sandbox:a", { name: "a2", failed: true }));
  t.same(names, ["a1", "a2"]);
  pipeline.close();
});

t.test("of a kept sandbox every trace is known, and the runtime's spans in it are kept", async (t) => {
  const { pipeline, names } = sampled();
  await pipeline.deliver(exported("sandbox:a", { name: "bad", trace: 1, failed: true }));
  await pipeline.deliver(exported("sandbox:a", { name: "a2", trace: 2 }, { name: "a3", trace: 3 }));
  await pipeline.deliver(exported("tcp:127.0.0.1", { name: "runtime", trace: 3 }));
  t.same(names, ["bad", "a2", "a3", "runtime"]);
  pipeline.close();
});

t.test("slow is by the span's name, or for all", async (t) => {
  const { pipeline, names } = sampled();
  await pipeline.deliver(exported("sandbox:a", { name: "quick", ms: 11 }));
  await pipeline.deliver(exported("sandbox:b", { name: "other", ms: 900 }));
  await pipeline.deliver(exported("sandbox:c", { name: "other", ms: 1100 }));
  t.same(names, ["quick", "other"]);
  pipeline.close();
});

t.test("the runtime's spans share the fate of the guest of their trace, whoever comes first", async (t) => {
  const { pipeline, names } = sampled();
  await pipeline.deliver(
    exported("tcp:127.0.0.1", { name: "runtime", trace: 7 }, { name: "stranger", trace: 9 }),
  );
  await pipeline.deliver(exported("sandbox:a", { name: "agent", trace: 7 }));
  await pipeline.deliver(exported("sandbox:a", { name: "bad", trace: 7, failed: true }));
  await pipeline.deliver(exported("tcp:127.0.0.1", { name: "later", trace: 7 }));
  t.same(names, ["runtime", "agent", "bad", "later"]);
  pipeline.close();
});

t.test("what a guest adopts while it is handed on goes out once", async (t) => {
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const names: string[] = [];
  const deliver = async ({ body }: Export) => {
    await open;
    names.push(...spansOf(decodeRequest(body)).map(({ name }) => name));
  };
  const pipeline = new Pipeline(deliver, new Metrics());
  pipeline.configure([], rules);
  // Larger than what Node keeps in one piece of memory with others: it is freed when it is gone.
  const text = "t".repeat(5000);
  for (const name of ["first", "second"])
    await pipeline.deliver(exported("tcp:127.0.0.1", { name, trace: 7, text }));
  const going = [
    pipeline.deliver(exported("tcp:127.0.0.1", { name: "bad", trace: 7, failed: true })),
    pipeline.deliver(exported("sandbox:a", { name: "agent", trace: 7 })),
  ];
  resolve();
  await Promise.all(going);
  t.same(names.sort(), ["agent", "bad", "first", "second"]);
  t.equal(pipeline.heldBytes, 0);
  pipeline.close();
});

t.test("an id that is none makes no trace, so nobody keeps it however long it is", async (t) => {
  const spans = [1, 2, 3].map((byte) => ({
    trace_id: new Uint8Array(byte === 3 ? 10_000 : 16).fill(byte),
    span_id: new Uint8Array(8).fill(byte),
  }));
  const body = encodeMessage(ExportTraceServiceRequest, { resource_spans: [{ scope_spans: [{ spans }] }] });
  const traces = ["01".repeat(16), "02".repeat(16)];
  t.same([...factsOf(body, rules).traces], traces);
  t.same([...splitTraces({ body, spans: 3, origin: "tcp:127.0.0.1" }).keys()], [...traces, ""]);
});

t.test("one in so many is kept, the same ones each time", async (t) => {
  const run = async () => {
    const { pipeline, names } = sampled({ keepOneIn: 10 });
    for (let i = 0; i < 500; i++) await pipeline.deliver(exported(`sandbox:${i}`, { name: `${i}` }));
    pipeline.close();
    return names;
  };
  const kept = await run();
  t.ok(kept.length > 20 && kept.length < 90, `${kept.length} of 500`);
  t.same(await run(), kept);
});

t.test("what waits has an end", async (t) => {
  const { pipeline, metrics } = sampled({ maxBytes: 1000 });
  for (let i = 0; i < 100; i++) await pipeline.deliver(exported(`sandbox:${i}`, {}));
  t.ok(pipeline.heldBytes <= 1000);
  t.match(await metrics.text(), /decision="dropped"\} 9\d/);
  pipeline.close();
});

for (const pattern of ["password=[a-z]+", "(?<=password=)\\w+"])
  t.test(`secrets are taken out of every text: ${pattern}`, async (t) => {
    const scrubber = new Scrubber([new RegExp(pattern, "gu")]);
    const clean = exported("o", { text: "nothing" });
    t.same(Buffer.from(scrubber.scrub(clean).body), Buffer.from(clean.body), "what has none is as it was");
    const secret = "x password=hunter y";
    const { body } = scrubber.scrub(exported("o", { text: secret, name: secret, failed: true }));
    t.notOk(Buffer.from(body).includes("hunter"));
    t.match(attributesOf(spansOf(decodeRequest(body))[0] ?? {})["k"], /^x .*\[scrubbed\] y$/);
  });

t.test("a text that makes a pattern take for ever is refused, and the next one is looked at", async (t) => {
  const scrubber = new Scrubber([/(a+)+b/gu]);
  t.throws(() => scrubber.scrub(exported("o", { text: "a".repeat(100) })), { name: "TookTooLong" });
  const { body } = scrubber.scrub(exported("o", { text: "x aab y" }));
  t.equal(attributesOf(spansOf(decodeRequest(body))[0] ?? {})["k"], "x [scrubbed] y");
});
