import t from "tap";
import { otlpFromJson } from "../../../src/forwarder/in/otlp-from-json.ts";
import { ExportTraceServiceRequest } from "../../../src/gen/otlp.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";
import { Random } from "../../fakes/random.ts";
import { randomMessage } from "../../fakes/random-message.ts";

const idBytes: Record<string, number> = { trace_id: 16, span_id: 8, parent_span_id: 8 };

/** OTLP JSON as a library would write it, by way of JSON.stringify. */
function jsonOf(value: unknown, random: Random, key = ""): unknown {
  if (typeof value === "bigint")
    return random.below(4) === 0 && BigInt.asIntN(53, value) === value ? Number(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString(key in idBytes ? "hex" : "base64");
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, random));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [
    name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
    item === undefined && random.below(2) === 0 ? null : jsonOf(item, random, name),
  ]);
  if (random.below(4) === 0) entries.push(["someFutureField", { a: [1, "]", { b: null }] }]);
  if (random.below(4) === 0) entries.reverse();
  return Object.fromEntries(entries);
}

/** Gives ids the only length that they may have, or none, and texts what has to be escaped. */
function mended(value: unknown, random: Random): unknown {
  if (Array.isArray(value)) return value.map((item) => mended(item, random));
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  for (const [name, item] of Object.entries(value)) {
    const length = idBytes[name];
    const wanted =
      length !== undefined
        ? random.bytes(random.pick([0, length]))
        : name === "name"
          ? random.pick(['quoted "name"', "a\\b\n\u0001", "Grüße €", "plain", ""])
          : mended(item, random);
    Object.assign(value, { [name]: wanted });
  }
  return value;
}

t.test("what JSON says is what protobuf says", async (t) => {
  const random = new Random(21);
  for (let run = 0; run < 400; run++) {
    const request = mended(randomMessage(ExportTraceServiceRequest, random), random) as {
      resource_spans: object[];
    };
    const text = JSON.stringify(jsonOf(request, random), undefined, random.pick([0, 2]));
    const expected = decodeMessage(
      ExportTraceServiceRequest,
      encodeMessage(ExportTraceServiceRequest, request),
    );
    const found = decodeMessage(ExportTraceServiceRequest, otlpFromJson(Buffer.from(text)));
    if (!t.same(found, expected)) return t.comment(text);
  }
});

t.test("attributes that come again, at the same place or at another, are what they say", async (t) => {
  const random = new Random(22);
  const pool = [
    { key: "a", value: { string_value: "x" } },
    { key: "a", value: { string_value: "y" } },
    { key: "b", value: { int_value: 5n } },
    { key: "long", value: { string_value: "z".repeat(200) } },
    { key: "list", value: { array_value: { values: [{ bool_value: true }, { string_value: "Grüße" }] } } },
    { key: "none", value: {} },
  ];
  const attributes = () => Array.from({ length: random.below(20) }, () => random.pick(pool));
  for (let run = 0; run < 300; run++) {
    const spans = Array.from({ length: 3 }, () => ({
      attributes: attributes(),
      events: [{ attributes: attributes() }],
    }));
    const request = {
      resource_spans: [{ resource: { attributes: attributes() }, scope_spans: [{ spans }] }],
    };
    const text = JSON.stringify(jsonOf(request, new Random(1)), undefined, random.pick([0, 0, 0, 2]));
    const expected = encodeMessage(ExportTraceServiceRequest, request);
    const found = decodeMessage(ExportTraceServiceRequest, otlpFromJson(Buffer.from(text)));
    if (!t.same(found, decodeMessage(ExportTraceServiceRequest, expected))) return t.comment(text);
  }
});

const span = (fields: string) => `{"resourceSpans":[{"scopeSpans":[{"spans":[${fields}]}]}]}`;

t.test("keys may be escaped, values may be null, a request may be empty", async (t) => {
  const decoded = (text: string) =>
    decodeMessage(ExportTraceServiceRequest, otlpFromJson(Buffer.from(text))).resource_spans;
  t.equal(decoded(span(String.raw`{"n\u0061me":"x","kind":null}`))[0]?.scope_spans[0]?.spans[0]?.name, "x");
  t.same(decoded('{"resourceSpans":[]}'), []);
  t.same(decoded(' { "other" : {} , "resourceSpans" : [ ] } '), []);
});

for (const [wrong, why] of [
  ["", "not the JSON that is due"],
  ["[]", "not the JSON that is due"],
  ["{}", "no resourceSpans"],
  ['{"resourceSpans":null}', "no resourceSpans"],
  ['{"resourceSpans":[]}x', "more than one value"],
  ['{"resourceSpans":[{}', "not the JSON that is due"],
  ['{"resourceSpans":{}}', "not the JSON that is due"],
  [span('{"name":1}'), "not the JSON that is due"],
  [span('{"name":"\\x"}'), "not a text"],
  [span('{"kind":"x"}'), "not an integer"],
  [span('{"kind":1.5}'), "not an integer"],
  [span('{"startTimeUnixNano":"1.5"}'), "not an integer"],
  [span('{"startTimeUnixNano":9007199254740993}'), "not an integer"],
  [span('{"traceId":"00"}'), "not an id"],
  [span(`{"spanId":"${"g".repeat(16)}"}`), "not an id"],
  [span('{"attributes":[{"value":{"boolValue":1}}]}'), "neither true nor false"],
  [span('{"attributes":[{"value":{"doubleValue":"x"}}]}'), "not a number"],
] as const)
  t.test(`${wrong} is refused: ${why}`, async (t) => {
    t.throws(() => otlpFromJson(Buffer.from(wrong)), { name: "WireError", message: why });
    t.equal(otlpFromJson(Buffer.from('{"resourceSpans":[]}')).length, 0, "and leaves nothing behind");
  });

t.test("values that are nested without end, or without number, are given up", async (t) => {
  const deep = '{"arrayValue":{"values":['.repeat(100_000);
  t.throws(() => otlpFromJson(Buffer.from(span(`{"attributes":[{"value":${deep}`))), /nested too deeply/);
  const many = Array.from({ length: 2_100_000 }, () => "{}").join(",");
  t.throws(() => otlpFromJson(Buffer.from(`{"resourceSpans":[${many}]}`)), /too many values/);
});

t.test("what was remembered of one body is not taken for another that came in the same buffer", async (t) => {
  const bodyOf = (text: string) =>
    Buffer.from(
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"of","value":{"stringValue":"${text}"}}]}]}]}]}`,
    );
  const buffer = Buffer.allocUnsafeSlow(4096);
  for (let i = 10; i < 30; i++) {
    const body = bodyOf(`guest ${i}`);
    buffer.set(body);
    const made = otlpFromJson(buffer.subarray(0, body.length));
    const { resource_spans } = decodeMessage(ExportTraceServiceRequest, made);
    const [attribute] = resource_spans[0]?.scope_spans[0]?.spans[0]?.attributes ?? [];
    t.equal(attribute?.value?.string_value, `guest ${i}`);
  }
});
