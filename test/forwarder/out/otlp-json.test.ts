import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import t from "tap";
import { jsonFromProtobuf } from "../../../src/forwarder/out/otlp-json.ts";
import { ExportTraceServiceRequest } from "../../../src/gen/otlp.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";

const id = (byte: number, length: number) => new Uint8Array(length).fill(byte);

t.test("protobuf becomes OTLP JSON: hex ids, decimal 64-bit numbers, enums as integers", async (t) => {
  const request = {
    resource_spans: [
      {
        resource: { attributes: [{ key: "service.name", value: { string_value: "kata-agent" } }] },
        scope_spans: [
          {
            scope: { name: "kata-agent" },
            spans: [
              {
                trace_id: id(0xab, 16),
                span_id: id(0x01, 8),
                name: "grpc.AgentService/PauseContainer",
                kind: 2,
                start_time_unix_nano: 1789000000123456789n,
                end_time_unix_nano: 18446744073709551615n,
                attributes: [
                  { key: "int", value: { int_value: -9007199254740993n } },
                  { key: "zero", value: { int_value: 0n } },
                  { key: "false", value: { bool_value: false } },
                  { key: "empty", value: { string_value: "" } },
                  { key: "nan", value: { double_value: Number.NaN } },
                  { key: "half", value: { double_value: 0.5 } },
                  { key: "bytes", value: { bytes_value: id(0xff, 3) } },
                  { key: "list", value: { array_value: { values: [{ string_value: "a" }] } } },
                  {
                    key: "map",
                    value: { kvlist_value: { values: [{ key: "k", value: { int_value: 1n } }] } },
                  },
                ],
                links: [{ trace_id: id(0xcd, 16), span_id: id(0x02, 8), flags: 0x301 }],
                status: { code: 2, message: "no" },
                flags: 769,
              },
            ],
          },
        ],
      },
    ],
  };
  const line = jsonFromProtobuf(encodeMessage(ExportTraceServiceRequest, request));
  t.notMatch(line, /\n/);
  t.same(JSON.parse(line), {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "kata-agent" } }] },
        scopeSpans: [
          {
            scope: { name: "kata-agent" },
            spans: [
              {
                traceId: "ab".repeat(16),
                spanId: "01".repeat(8),
                name: "grpc.AgentService/PauseContainer",
                kind: 2,
                startTimeUnixNano: "1789000000123456789",
                endTimeUnixNano: "18446744073709551615",
                attributes: [
                  { key: "int", value: { intValue: "-9007199254740993" } },
                  { key: "zero", value: { intValue: "0" } },
                  { key: "false", value: { boolValue: false } },
                  { key: "empty", value: { stringValue: "" } },
                  { key: "nan", value: { doubleValue: "NaN" } },
                  { key: "half", value: { doubleValue: 0.5 } },
                  { key: "bytes", value: { bytesValue: "////" } },
                  { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }] } } },
                  {
                    key: "map",
                    value: { kvlistValue: { values: [{ key: "k", value: { intValue: "1" } }] } },
                  },
                ],
                links: [{ traceId: "cd".repeat(16), spanId: "02".repeat(8), flags: 769 }],
                status: { code: 2, message: "no" },
                flags: 769,
              },
            ],
          },
        ],
      },
    ],
  });
});

t.test("what the SDK writes as JSON is what comes of its protobuf", async (t) => {
  const kept = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "other" }),
    spanProcessors: [new SimpleSpanProcessor(kept)],
  });
  const span = provider
    .getTracer("scope", "1")
    .startSpan("name", { attributes: { s: "x", b: true, d: 1.5 } });
  span.addEvent("event", { s: "y" });
  span.end();
  const spans = kept.getFinishedSpans();
  const protobuf = ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array;
  const json = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)));
  const ours = JSON.parse(jsonFromProtobuf(protobuf));
  t.match(json, ours);
});

const maxItems = 262_144;
const hostile: [why: string, body: Uint8Array][] = [
  ["is cut off", Uint8Array.of(0x0a, 0x05, 0x12)],
  ["is text", new TextEncoder().encode("hello there, forwarder")],
  ["promises more than it has", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ["nests too deeply", nested(500)],
  ["has too many messages", empties(maxItems + 1)],
  ["has too many messages further in", field(1, empties(maxItems))],
];
for (const [why, body] of hostile)
  t.test(`protobuf that ${why} is refused`, async (t) => {
    t.throws(() => jsonFromProtobuf(body), { name: "WireError" });
  });

t.test("protobuf with as many messages as may be is taken", async (t) => {
  const { resourceSpans } = JSON.parse(jsonFromProtobuf(empties(maxItems)));
  t.equal(resourceSpans.length, maxItems);
});

/** Arrays within arrays as the value of an attribute of the resource. */
function nested(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < depth; i++) value = field(5, field(1, value));
  return field(1, field(1, field(1, field(2, value))));
}

/** Field 1 so many times, with nothing in it. */
function empties(count: number): Uint8Array {
  return new Uint8Array(2 * count).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
}

function field(number: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest & 127) | 128);
  return joined(Uint8Array.of(number * 8 + 2, ...length, rest), content);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

t.test("fields may come in any order, and of one that comes twice the last stands", async (t) => {
  const attribute = (key: string) => field(9, field(1, new TextEncoder().encode(key)));
  const name = (text: string) => field(5, new TextEncoder().encode(text));
  const parts = [attribute("a"), name("first"), attribute("b"), field(1, id(1, 16)), name("second")];
  const span = parts.reduce(joined, new Uint8Array(0));
  const { resourceSpans } = JSON.parse(jsonFromProtobuf(field(1, field(2, field(2, span)))));
  t.same(resourceSpans[0].scopeSpans[0].spans, [
    { traceId: "01".repeat(16), name: "second", attributes: [{ key: "a" }, { key: "b" }] },
  ]);
});

t.test("unknown fields are passed over, and text is escaped", async (t) => {
  const name = field(5, new TextEncoder().encode('line\nfeed "quoted" \u0001 漢'));
  const span = joined(field(99, id(7, 300)), name);
  const line = jsonFromProtobuf(field(1, field(2, field(2, span))));
  t.equal(JSON.parse(line).resourceSpans[0].scopeSpans[0].spans[0].name, 'line\nfeed "quoted" \u0001 漢');
});

const times = [
  1n,
  999_999_999n,
  1_000_000_000n,
  4_294_967_296n,
  1_789_000_000_000_000_000n,
  1_789_000_000_999_999_999n,
];
for (const time of [...times, 0xffff_ffff_ffff_ffffn, ...Array.from({ length: 50 }, randomTime)])
  t.test(`${time} ns is written exactly`, async (t) => {
    const request = { resource_spans: [{ scope_spans: [{ spans: [{ start_time_unix_nano: time }] }] }] };
    const line = jsonFromProtobuf(encodeMessage(ExportTraceServiceRequest, request));
    t.match(line, `"startTimeUnixNano":"${time}"`);
  });

function randomTime(): bigint {
  return BigInt(Math.floor(Math.random() * 18e9)) * 1_000_000_000n + BigInt(Math.floor(Math.random() * 1e9));
}

t.test("a remembered text does not change with the buffer that it was read from", async (t) => {
  const spans = (text: string) =>
    encodeMessage(ExportTraceServiceRequest, {
      resource_spans: [
        { scope_spans: [{ spans: [{ attributes: [{ key: "of", value: { string_value: text } }] }] }] },
      ],
    });
  // As many as there are places: some fall on the place of another.
  const buffer = Buffer.alloc(spans("00000").length);
  const wrong: string[] = [];
  for (let i = 10_000; i < 30_000; i++) {
    buffer.set(spans(`${i}`));
    const text = jsonFromProtobuf(buffer);
    if (!text.includes(`"${i}"`)) wrong.push(text);
  }
  t.same(wrong.slice(0, 3), []);
});
