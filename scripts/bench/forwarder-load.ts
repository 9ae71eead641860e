import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";

/** Spans of 333 bytes in protobuf: eight attributes and an event, as others were measured with. */

const startNanos = 1_789_000_000_123_456_789n;
/** Spans of each request that is made here. */
export const spansPerRequest = 100;

const texts = {
  "rpc.system.name": "ttrpc",
  "rpc.method": "CreateContainer",
  "rpc.response.status_code": "OK",
  "client.address": "vsock:2",
  "container.id": "c1",
  "thread.name": "main",
  "kata.stage": "up",
};

const random = () => BigInt(Math.floor(Math.random() * 2 ** 48)) * 65_536n + 1n;
/** A sandbox is one trace. */
const trace = random() * 2n ** 64n + random();

function ids(): { trace: bigint; span: bigint; parent: bigint } {
  return { trace, span: random(), parent: random() };
}

function bytesOf(id: bigint, length: number): Uint8Array {
  return Uint8Array.from(
    Buffer.from(
      id
        .toString(16)
        .padStart(length * 2, "0")
        .slice(-length * 2),
      "hex",
    ),
  );
}

function otlpSpan(): object {
  const { trace, span, parent } = ids();
  return {
    trace_id: bytesOf(trace, 16),
    span_id: bytesOf(span, 8),
    parent_span_id: bytesOf(parent, 8),
    name: "grpc.AgentService/CreateContainer",
    kind: 2,
    start_time_unix_nano: startNanos,
    end_time_unix_nano: startNanos + 1_000_000n,
    attributes: [
      ...Object.entries(texts).map(([key, string_value]) => ({ key, value: { string_value } })),
      { key: "kata.count", value: { int_value: 3n } },
    ],
    events: [{ name: "dispatched", time_unix_nano: startNanos + 5n }],
    flags: 0x301,
  };
}

function request(): object {
  const resource = { attributes: [{ key: "service.name", value: { string_value: "kata-agent" } }] };
  const spans = Array.from({ length: spansPerRequest }, otlpSpan);
  return { resource_spans: [{ resource, scope_spans: [{ scope: { name: "kata-agent" }, spans }] }] };
}

/** One request of OTLP protobuf. */
export function protobufRequest(): Uint8Array {
  return encodeMessage(ExportTraceServiceRequest, request());
}

const hexIds = new Set(["trace_id", "span_id", "parent_span_id"]);

/** One request of OTLP JSON. */
export function jsonRequest(): Uint8Array {
  const camel = (key: string) => key.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  const convert = (value: unknown, key = ""): unknown => {
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString(hexIds.has(key) ? "hex" : "base64");
    if (Array.isArray(value)) return value.map((item) => convert(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [camel(name), convert(item, name)]),
    );
  };
  return Buffer.from(JSON.stringify(convert(request())));
}

const thrift = { text: 11, int64: 10, int32: 8, struct: 12, list: 15 };

function thriftField(id: number, type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(type, 0, id), value]);
}

function thriftText(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([length, Buffer.from(value)]);
}

function thriftInt64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
}

function thriftList(structs: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(5);
  head[0] = thrift.struct;
  head.writeUInt32BE(structs.length, 1);
  return Buffer.concat([head, ...structs.flatMap((each) => [each, Buffer.of(0)])]);
}

function jaegerSpan(): Buffer {
  const { trace: id, span, parent } = ids();
  const numbers = [id, id >> 64n, span, parent].map((value, i) =>
    thriftField(i + 1, thrift.int64, thriftInt64(value)),
  );
  const tags = Object.entries(texts).map(([key, value]) =>
    Buffer.concat([
      thriftField(1, thrift.text, thriftText(key)),
      thriftField(2, thrift.int32, Buffer.alloc(4)),
      thriftField(3, thrift.text, thriftText(value)),
    ]),
  );
  return Buffer.concat([
    ...numbers,
    thriftField(5, thrift.text, thriftText("CreateContainer")),
    thriftField(7, thrift.int32, Buffer.of(0, 0, 0, 1)),
    thriftField(8, thrift.int64, thriftInt64(startNanos / 1000n)),
    thriftField(9, thrift.int64, thriftInt64(1000n)),
    thriftField(10, thrift.list, thriftList(tags)),
  ]);
}

/** One batch in Jaeger's thrift, as a Kata runtime posts it. */
export function jaegerRequest(): Uint8Array {
  const process = Buffer.concat([thriftField(1, thrift.text, thriftText("kata")), Buffer.of(0)]);
  const spans = Array.from({ length: spansPerRequest }, jaegerSpan);
  return Buffer.concat([
    thriftField(1, thrift.struct, process),
    thriftField(2, thrift.list, thriftList(spans)),
    Buffer.of(0),
  ]);
}

function frame(payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeBigUInt64BE(BigInt(payload.length));
  return Buffer.concat([header, payload]);
}

const seconds = 1_789_000_000;
const legacyTexts = { ...texts, "code.namespace": "kata_agent::rpc" };

/** As many frames of agent 4.1, a span each, as a request has spans. */
export function jsonFrames(): Uint8Array {
  const frames = Array.from({ length: spansPerRequest }, () => {
    const { trace, span, parent } = ids();
    const map = Object.fromEntries(
      Object.entries(legacyTexts).map(([key, value]) => [key, { String: value }]),
    );
    const list = { queue: null, max_len: 128, dropped_count: 0 };
    const time = (nanos: number) => ({ secs_since_epoch: seconds, nanos_since_epoch: nanos });
    const text = JSON.stringify({
      span_context: { trace_id: "T", span_id: "S", trace_flags: 1, is_remote: false, trace_state: null },
      parent_span_id: "P",
      span_kind: "Internal",
      name: "pause_container",
      start_time: time(1),
      end_time: time(1_000_000),
      attributes: { map, evict_list: Object.keys(map), max_len: 128, dropped_count: 0 },
      events: list,
      links: list,
      status_code: "Unset",
      status_message: "",
      resource: { attrs: { "service.name": { String: "unknown_service" } } },
    });
    return frame(
      Buffer.from(text.replace('"T"', `${trace}`).replace('"S"', `${span}`).replace('"P"', `${parent}`)),
    );
  });
  return Buffer.concat(frames);
}

/** The same of agent 3.28. */
export function bincodeFrames(): Uint8Array {
  return Buffer.concat(Array.from({ length: spansPerRequest }, () => frame(bincodeSpan())));
}

function bincodeSpan(): Buffer {
  const { trace, span, parent } = ids();
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number | bigint) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(value.length), Buffer.from(value)]);
  const entries = Object.entries(legacyTexts);
  return Buffer.concat([
    Buffer.from(bytesOf(trace, 16)).reverse(),
    u64(span),
    Buffer.of(1, 0, 0),
    u64(parent),
    u32(4),
    text("pause_container"),
    u64(seconds),
    u32(1),
    u64(seconds),
    u32(1_000_000),
    u64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), u32(3), text(value)]),
    u64(entries.length),
    ...entries.map(([key]) => text(key)),
    u32(128),
    u32(0),
    Buffer.of(0),
    u32(128),
    u32(0),
    Buffer.of(0),
    u32(128),
    u32(0),
    u32(0),
    text(""),
    Buffer.of(1),
    u64(1),
    text("service.name"),
    u32(3),
    text("unknown_service"),
  ]);
}
