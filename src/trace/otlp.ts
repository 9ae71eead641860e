import type { Attributes, AttributeValue, Link, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace-base";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";

/**
 * Spans of the SDK as an OTLP ExportTraceServiceRequest (wire-and-tracing 7.1 has all field numbers).
 *
 *     resource_spans 1 { resource 1, scope_spans 2 { scope 1, span 2, span 2, … }, scope_spans 2 { … } }
 *
 * A batch is encoded as its `scope_spans` as soon as it is there; what stands around them, when it is sent, since the
 * resource tells things of that moment. Every span that the agent makes passes here, so the work that repeats is kept:
 * a key is encoded once, and a trace id once for as long as it stays the same.
 */

type Writer = ProtobufWriter;

/** Span.flags: the sampled and random bits as they are, "remoteness is known", and "parent (or target) is remote". */
const flagMask = 0xff;
const remotenessKnown = 0x100;
const isRemote = 0x200;

const writer = new ProtobufWriter(64 * 1024);

/**
 * Encodes a batch as `scope_spans` fields; the result is written to by nobody. Spans of one scope that follow each
 * other share an envelope.
 */
export function encodeScopeSpans(spans: readonly ReadableSpan[]): Uint8Array {
  for (let from = 0; from < spans.length; ) {
    const first = spans[from] as ReadableSpan;
    const scopeSpans = writer.begin(2, 3);
    writer.bytes(1, encodedScope(first));
    for (; spans[from]?.instrumentationScope === first.instrumentationScope; from++)
      writeSpan(writer, spans[from] as ReadableSpan);
    writer.end(scopeSpans, 3);
  }
  return writer.finish();
}

/** Encodes the attributes of a resource. */
export function encodeResource(attributes: Attributes): Uint8Array {
  const out = new ProtobufWriter();
  writeAttributes(out, 1, attributes);
  return out.finish();
}

/** A request of encoded batches, in pieces: one envelope with the resource, and the batches by reference. */
export function traceRequest(resource: Uint8Array, scopeSpans: readonly Uint8Array[]): Uint8Array[] {
  const out = new ProtobufWriter(resource.length + 32);
  out.bytes(1, resource);
  const head = out.finish();
  out.varint(resourceSpansTag);
  out.varint(scopeSpans.reduce((sum, bytes) => sum + bytes.length, head.length));
  return [out.finish(), head, ...scopeSpans];
}

/** Field 1, a message. */
const resourceSpansTag = 0x0a;

function encodedScope({ instrumentationScope: scope }: ReadableSpan): Uint8Array {
  const out = new ProtobufWriter();
  out.string(1, scope.name);
  if (scope.version) out.string(2, scope.version);
  return out.finish();
}

function writeSpan(out: Writer, span: ReadableSpan): void {
  const context = span.spanContext();
  const parent = span.parentSpanContext;
  const mark = out.begin(2, 2);
  writeIds(out, context);
  const state = context.traceState?.serialize();
  if (state) out.string(3, state);
  if (parent !== undefined) out.bytes(4, hexBytes(parent.spanId, parentId));
  out.string(5, span.name);
  // The SDK counts kinds from 0 INTERNAL, OTLP has 0 for "unspecified".
  out.uint(6, span.kind + 1);
  writeTime(out, 7, span.startTime);
  writeTime(out, 8, span.endTime);
  writeAttributes(out, 9, span.attributes);
  if (span.droppedAttributesCount > 0) out.uint(10, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(out, event);
  if (span.droppedEventsCount > 0) out.uint(12, span.droppedEventsCount);
  for (const link of span.links) writeLink(out, link);
  if (span.droppedLinksCount > 0) out.uint(14, span.droppedLinksCount);
  writeStatus(out, span);
  out.fixed32(16, flagsOf(context, parent));
  out.end(mark, 2);
}

function flagsOf(context: SpanContext, related: SpanContext | undefined): number {
  return (context.traceFlags & flagMask) | remotenessKnown | (related?.isRemote ? isRemote : 0);
}

function writeStatus(out: Writer, { status }: ReadableSpan): void {
  if (status.code === 0) return;
  const mark = out.begin(15);
  if (status.message) out.string(2, status.message);
  out.uint(3, status.code);
  out.end(mark);
}

function writeEvent(out: Writer, event: TimedEvent): void {
  const mark = out.begin(11);
  writeTime(out, 1, event.time);
  out.string(2, event.name);
  if (event.attributes !== undefined) writeAttributes(out, 3, event.attributes);
  if (event.droppedAttributesCount) out.uint(4, event.droppedAttributesCount);
  out.end(mark);
}

function writeLink(out: Writer, { context, attributes, droppedAttributesCount }: Link): void {
  const mark = out.begin(13);
  writeIds(out, context);
  const state = context.traceState?.serialize();
  if (state) out.string(3, state);
  if (attributes !== undefined) writeAttributes(out, 4, attributes);
  if (droppedAttributesCount) out.uint(5, droppedAttributesCount);
  out.fixed32(6, flagsOf(context, context));
  out.end(mark);
}

function writeAttributes(out: Writer, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined && value !== null) out.bytes(field, encodedAttribute(key, value));
  }
}

/** Most attributes have the value they had last time: the method, the peer, the sandbox, the container at work. */
const lastEncoded = new Map<string, { value: AttributeValue; bytes: Uint8Array }>();
const pieces = new ProtobufWriter();

/** A KeyValue. Keys come from a fixed list, so the map has an end. */
function encodedAttribute(key: string, value: AttributeValue): Uint8Array {
  const last = lastEncoded.get(key);
  if (last !== undefined && last.value === value) return last.bytes;
  pieces.string(1, key);
  writeAnyValue(pieces, 2, value);
  const bytes = pieces.finish();
  lastEncoded.set(key, { value, bytes });
  return bytes;
}

function writeAnyValue(out: Writer, field: number, value: AttributeValue): void {
  const mark = out.begin(field);
  if (typeof value === "string") out.string(1, value);
  else if (typeof value === "boolean") out.bool(2, value);
  else if (typeof value === "number") writeNumber(out, value);
  else {
    const array = out.begin(5);
    for (const element of value) if (element != null) writeAnyValue(out, 1, element);
    out.end(array);
  }
  out.end(mark);
}

function writeNumber(out: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) out.double(4, value);
  else if (value >= 0) out.uint(3, value);
  else out.int64(3, BigInt(value));
}

/** Seconds and nanoseconds as one fixed64, without a bigint: the product is built in two halves of 32 bits. */
function writeTime(out: Writer, field: number, [seconds, nanos]: readonly [number, number]): void {
  const low = (seconds % 65536) * 1e9 + nanos;
  const high = Math.floor(seconds / 65536) * 1e9 + Math.floor(low / 65536);
  out.fixed64Parts(field, (high % 65536) * 65536 + (low % 65536), Math.floor(high / 65536));
}

const traceId = new Uint8Array(16);
const spanId = new Uint8Array(8);
const parentId = new Uint8Array(8);
let knownTraceId = "";

function writeIds(out: Writer, context: SpanContext): void {
  if (context.traceId !== knownTraceId) {
    hexBytes(context.traceId, traceId);
    knownTraceId = context.traceId;
  }
  out.bytes(1, traceId);
  out.bytes(2, hexBytes(context.spanId, spanId));
}

/** Fills `into` from lower-case hex, two digits a byte. */
function hexBytes(hex: string, into: Uint8Array): Uint8Array {
  for (let i = 0; i < into.length; i++)
    into[i] = (nibble(hex.charCodeAt(2 * i)) << 4) | nibble(hex.charCodeAt(2 * i + 1));
  return into;
}

function nibble(char: number): number {
  return char < 58 ? char - 48 : char - 87;
}
