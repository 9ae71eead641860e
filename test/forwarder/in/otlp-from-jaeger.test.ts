import t from "tap";
import { otlpFromJaeger } from "../../../src/forwarder/in/otlp-from-jaeger.ts";
import { scanExport } from "../../../src/forwarder/in/scan-export.ts";
import { type AnyValue, ExportTraceServiceRequest, type KeyValue } from "../../../src/gen/otlp.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { type TaggedSpan, taggedBatch } from "../jaeger-batch.ts";

function scopesOf(spans: readonly TaggedSpan[]) {
  const body = otlpFromJaeger(taggedBatch(spans));
  t.equal(scanExport(body), spans.length);
  return decodeMessage(ExportTraceServiceRequest, body).resource_spans[0]?.scope_spans ?? [];
}

function anyIn(value: AnyValue | undefined): unknown {
  const { string_value, bool_value, int_value, bytes_value } = value as AnyValue;
  return string_value ?? bool_value ?? int_value ?? bytes_value;
}

const valuesOf = (attributes: readonly KeyValue[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, anyIn(value)]));

t.test("spans of one scope stand together, whatever came between", async (t) => {
  const names = ["a", "b", "a", "", "a"];
  // A byte array as long as this is written by reference, beside the others.
  const long = new Uint8Array(10_000).fill(7);
  const spans = names.map((name, i): TaggedSpan => {
    const tags: TaggedSpan["tags"] =
      name === ""
        ? [["long", long]]
        : [
            ["otel.scope.name", name],
            ["long", long],
          ];
    return { id: BigInt(i + 1), micros: 1_789_000_000_123_456n, tags };
  });
  const found = scopesOf(spans).map(({ scope, spans }) => [
    scope?.name,
    spans.map((span) => span.span_id[7]),
  ]);
  t.same(found, [
    ["a", [1, 3, 5]],
    ["b", [2]],
    ["", [4]],
  ]);
  t.same(valuesOf(scopesOf(spans)[1]?.spans[0]?.attributes), { long });
  t.same(valuesOf(scopesOf(spans)[1]?.spans[0]?.events[0]?.attributes), { "otel.scope.name": "b", long });
});

t.test("values pass as they are, and words that say nothing stay tags", async (t) => {
  const tags: TaggedSpan["tags"] = [
    ["", "no key"],
    ["text", "Grüße €"],
    ["small", 5n],
    ["negative", -5n],
    ["large", 2n ** 62n],
    ["error", false],
    ["span.kind", "server"],
    ["span.kind", "client"],
  ];
  const span = scopesOf([{ id: 1n, micros: 1n, tags }])[0]?.spans[0];
  t.same(valuesOf(span?.attributes), {
    "": "no key",
    text: "Grüße €",
    small: 5n,
    negative: -5n,
    large: 2n ** 62n,
    error: false,
    "span.kind": "client",
  });
  t.equal(span?.kind, 2, "the first one counts");
  t.equal(span?.status, undefined);
});

for (const micros of [0n, 1n, 999_999n, 1_000_000n, 1_789_000_000_123_456n, 2n ** 53n - 2n, 2n ** 54n, -1n])
  t.test(`${micros} µs are as many nanoseconds, in 64 bits`, async (t) => {
    const span = scopesOf([{ id: 1n, micros, tags: [] }])[0]?.spans[0];
    t.equal(span?.start_time_unix_nano, BigInt.asUintN(64, micros * 1000n));
    t.equal(span?.end_time_unix_nano, BigInt.asUintN(64, (micros + 1n) * 1000n));
  });

t.test("a batch that is none leaves nothing behind for the next", async (t) => {
  const batch = taggedBatch([{ id: 1n, micros: 1n, tags: [["a", "b"]] }]);
  t.throws(() => otlpFromJaeger(batch.subarray(0, batch.length - 8)), { name: "WireError" });
  const zero = taggedBatch([
    { id: 1n, micros: 1n, tags: [] },
    { id: 0n, micros: 1n, tags: [] },
  ]);
  t.throws(() => otlpFromJaeger(zero), { message: "an id is zero" });
  t.equal(scanExport(otlpFromJaeger(batch)), 1);
  t.equal(otlpFromJaeger(Buffer.of(0)).length, 0);
});

t.test("a process may say its name as often as it likes", async (t) => {
  const batch = taggedBatch([{ id: 1n, micros: 1n, tags: [] }]);
  const nameOf = (text: string) => Buffer.from(`\x0b\0\x01\0\0\0${String.fromCharCode(text.length)}${text}`);
  // A process of its own behind the batch's fields: the last one stands.
  const names = Buffer.concat([...Array<Buffer>(1_000_000).fill(nameOf("a")), nameOf("last")]);
  const process = Buffer.concat([Buffer.from("\x0c\0\x01"), names, Buffer.from("\0")]);
  const made = otlpFromJaeger(Buffer.concat([batch.subarray(0, -1), process, Buffer.from("\0")]));
  const { resource } = decodeMessage(ExportTraceServiceRequest, made).resource_spans[0] ?? {};
  t.same(valuesOf(resource?.attributes), { "service.name": "last" });
});
