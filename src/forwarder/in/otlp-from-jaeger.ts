import type { Input } from "../../gen/message-type.ts";
import { type AnyValue, ExportTraceServiceRequest, type KeyValue, type Span } from "../../gen/otlp.ts";
import { encodeMessage } from "../../wire/protobuf-encode.ts";
import { ThriftReader, thriftType } from "../../wire/thrift-reader.ts";
import { WireError } from "../../wire/wire-error.ts";

/**
 * Jaeger's thrift `Batch`, as both Kata runtimes post it to `/api/traces` (wire-and-tracing 4.2, 4.3), to OTLP.
 *
 * Field numbers of jaeger.thrift: Batch 1 process, 2 spans; Process 1 serviceName, 2 tags; Span 1 traceIdLow,
 * 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName, 6 references, 7 flags, 8 startTime µs, 9 duration µs,
 * 10 tags, 11 logs; SpanRef 1 type, 2 traceIdLow, 3 traceIdHigh, 4 spanId; Log 1 timestamp µs, 2 fields;
 * Tag 1 key, 2 type, 3 string, 4 double, 5 bool, 6 long, 7 binary.
 *
 * Tags that are OpenTelemetry's own words in Jaeger's clothes are turned back: `span.kind`, `error`,
 * `otel.status_code`, `otel.status_description`, `otel.scope.name`, `otel.library.name`, `w3c.tracestate`.
 */

const childOf = 0;
const nanosPerMicro = 1000n;
const sampledBit = 1;
const kinds: Readonly<Record<string, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const statusCodes: Readonly<Record<string, number>> = { OK: 1, ERROR: 2 };

type Attribute = Input<KeyValue> & { key: string; value: Input<AnyValue> };
type Tags = Attribute[];
type SpanInput = { -readonly [K in keyof Input<Span>]: Input<Span>[K] };
type Placed = { scope: string; span: SpanInput };

/** @throws WireError when the bytes are not a batch. */
export function otlpFromJaeger(body: Uint8Array): Uint8Array {
  const from = new ThriftReader(body);
  let resource: Tags = [];
  const spans: Placed[] = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.struct) resource = processOf(from);
    else if (id === 2 && type === thriftType.list) from.structs(() => spans.push(spanOf(from)));
    else return false;
    return true;
  });
  if (spans.length === 0) return new Uint8Array(0);
  const scopes = Map.groupBy(spans, ({ scope }) => scope);
  const scope_spans = [...scopes].map(([name, placed]) => ({
    scope: { name },
    spans: placed.map(({ span }) => span),
  }));
  return encodeMessage(ExportTraceServiceRequest, {
    resource_spans: [{ resource: { attributes: resource }, scope_spans }],
  });
}

function processOf(from: ThriftReader): Tags {
  const attributes: Tags = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.string)
      attributes.unshift({ key: "service.name", value: { string_value: from.string() } });
    else if (id === 2 && type === thriftType.list) attributes.push(...tagsOf(from));
    else return false;
    return true;
  });
  return attributes.filter(({ key }, index) => key !== "service.name" || index === 0);
}

function spanOf(from: ThriftReader): Placed {
  const ids = { low: 0n, high: 0n, span: 0n, parent: 0n };
  let [name, flags, startMicros, durationMicros] = ["", sampledBit, 0n, 0n];
  let tags: Tags = [];
  let references: Reference[] = [];
  let events: NonNullable<SpanInput["events"]> = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.i64) ids.low = from.i64();
    else if (id === 2 && type === thriftType.i64) ids.high = from.i64();
    else if (id === 3 && type === thriftType.i64) ids.span = from.i64();
    else if (id === 4 && type === thriftType.i64) ids.parent = from.i64();
    else if (id === 5 && type === thriftType.string) name = from.string();
    else if (id === 6 && type === thriftType.list) references = collect(from, referenceOf);
    else if (id === 7 && type === thriftType.i32) flags = from.i32();
    else if (id === 8 && type === thriftType.i64) startMicros = from.i64();
    else if (id === 9 && type === thriftType.i64) durationMicros = from.i64();
    else if (id === 10 && type === thriftType.list) tags = tagsOf(from);
    else if (id === 11 && type === thriftType.list) events = collect(from, eventOf);
    else return false;
    return true;
  });
  const traceId = bytesOf(ids.high, ids.low);
  const parent = references.find(
    (reference) => reference.type === childOf && isSame(reference.traceId, traceId),
  );
  const span: SpanInput = {
    trace_id: traceId,
    span_id: bytesOf(ids.span),
    parent_span_id: ids.parent === 0n ? (parent?.spanId ?? new Uint8Array(0)) : bytesOf(ids.parent),
    name,
    kind: 1,
    start_time_unix_nano: startMicros * nanosPerMicro,
    end_time_unix_nano: (startMicros + durationMicros) * nanosPerMicro,
    events,
    links: references
      .filter((reference) => reference !== parent && !isParent(reference, ids.parent, traceId))
      .map(({ traceId: trace_id, spanId: span_id }) => ({ trace_id, span_id })),
    flags: flags & sampledBit,
  };
  return { scope: takeOwnWords(span, tags), span };
}

/** Moves tags that stand for fields of OTLP to those fields; gives the scope's name. */
function takeOwnWords(span: SpanInput, tags: Tags): string {
  const text = (key: string) => {
    const index = tags.findIndex((tag) => tag.key === key);
    return index < 0 ? undefined : (tags.splice(index, 1)[0]?.value.string_value ?? "");
  };
  const isError = tags.some((tag) => tag.key === "error" && tag.value.bool_value === true);
  span.kind = kinds[text("span.kind") ?? "internal"] ?? 1;
  const code = statusCodes[text("otel.status_code") ?? ""] ?? (isError ? 2 : 0);
  const message = text("otel.status_description") ?? "";
  if (code !== 0) span.status = { code, message };
  if (isError) text("error");
  span.trace_state = text("w3c.tracestate") ?? "";
  const scope = text("otel.scope.name") ?? text("otel.library.name") ?? "";
  for (const key of ["internal.span.format"]) text(key);
  span.attributes = tags;
  return scope;
}

type Reference = { type: number; traceId: Uint8Array; spanId: Uint8Array };

function referenceOf(from: ThriftReader): Reference {
  let [refType, low, high, span] = [0, 0n, 0n, 0n];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.i32) refType = from.i32();
    else if (id === 2 && type === thriftType.i64) low = from.i64();
    else if (id === 3 && type === thriftType.i64) high = from.i64();
    else if (id === 4 && type === thriftType.i64) span = from.i64();
    else return false;
    return true;
  });
  return { type: refType, traceId: bytesOf(high, low), spanId: bytesOf(span) };
}

function isParent(reference: Reference, parent: bigint, traceId: Uint8Array): boolean {
  return parent !== 0n && isSame(reference.spanId, bytesOf(parent)) && isSame(reference.traceId, traceId);
}

function eventOf(from: ThriftReader): Input<NonNullable<Span["events"]>[number]> {
  let micros = 0n;
  let attributes: Tags = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.i64) micros = from.i64();
    else if (id === 2 && type === thriftType.list) attributes = tagsOf(from);
    else return false;
    return true;
  });
  const index = attributes.findIndex(({ key }) => key === "event" || key === "message");
  const name = index < 0 ? "log" : (attributes.splice(index, 1)[0]?.value.string_value ?? "log");
  return { time_unix_nano: micros * nanosPerMicro, name, attributes };
}

function tagsOf(from: ThriftReader): Tags {
  return collect(from, tagOf);
}

function tagOf(from: ThriftReader): Attribute {
  let key = "";
  let value: Input<AnyValue> = {};
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.string) key = from.string();
    else if (id === 3 && type === thriftType.string) value = { string_value: from.string() };
    else if (id === 4 && type === thriftType.double) value = { double_value: from.double() };
    else if (id === 5 && type === thriftType.bool) value = { bool_value: from.bool() };
    else if (id === 6 && type === thriftType.i64) value = { int_value: from.i64() };
    else if (id === 7 && type === thriftType.string) value = { bytes_value: from.binary() };
    else return false;
    return true;
  });
  return { key, value };
}

function collect<T>(from: ThriftReader, read: (from: ThriftReader) => T): T[] {
  const items: T[] = [];
  from.structs(() => items.push(read(from)));
  return items;
}

/** 64-bit numbers, highest first. */
function bytesOf(...numbers: bigint[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setBigInt64(i * 8, number);
  if (bytes.every((byte) => byte === 0)) throw new WireError("an id is zero");
  return bytes;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
