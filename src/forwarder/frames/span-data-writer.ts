import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import type { Moment, SpanData, SpanDataAttribute, SpanDataValue } from "../../wire/span-data.ts";
import { nanosHigh, nanosLow } from "../../wire/unix-nanos.ts";

/**
 * Writes mended spans of upstream's agents as they stand in an OTLP ScopeSpans message (wire-and-tracing 7.1 has the field
 * numbers), ids first.
 */

/** Lengths that most messages have room for in two bytes. */
const usually = 2;
const maxUsualSeconds = 2 ** 36;

const writer = new ProtobufWriter(64 * 1024);

/** A mended span, with its tag and length. Good until the next call. */
export function writeSpanData(span: SpanData): Uint8Array {
  writer.reuse();
  // Of a span that could not be written, nothing may come with the next one.
  writer.rewind(0);
  const mark = writer.begin(2, usually);
  writer.bytes(1, span.traceId);
  writer.bytes(2, span.spanId);
  if (span.parentSpanId.length > 0) writer.bytes(4, span.parentSpanId);
  if (span.traceState !== "") writer.string(3, span.traceState);
  writer.string(5, span.name);
  writer.uint(6, span.kind);
  writeTime(7, span.start);
  writeTime(8, span.end);
  writeAttributes(writer, 9, span.attributes);
  writeCount(10, span.droppedAttributes);
  for (const event of span.events) {
    const inner = writer.begin(11);
    writeTime(1, event.time);
    writer.string(2, event.name);
    writeAttributes(writer, 3, event.attributes);
    writeCount(4, event.droppedAttributes);
    writer.end(inner);
  }
  writeCount(12, span.droppedEvents);
  writeLinks(span);
  writeCount(14, span.droppedLinks);
  if (span.statusCode !== 0) writeStatus(span);
  writer.fixed32(16, span.flags);
  writer.end(mark, usually);
  return writer.finish();
}

function writeLinks({ links }: SpanData): void {
  for (const link of links) {
    const inner = writer.begin(13);
    writer.bytes(1, link.traceId);
    writer.bytes(2, link.spanId);
    if (link.traceState !== "") writer.string(3, link.traceState);
    writeAttributes(writer, 4, link.attributes);
    writeCount(5, link.droppedAttributes);
    writer.fixed32(6, link.flags);
    writer.end(inner);
  }
}

function writeStatus({ statusCode, statusMessage }: SpanData): void {
  const inner = writer.begin(15);
  if (statusMessage !== "") writer.string(2, statusMessage);
  writer.uint(3, statusCode);
  writer.end(inner);
}

/** Attributes as `field` of the message that is being written. */
export function writeAttributes(
  to: ProtobufWriter,
  field: number,
  attributes: readonly SpanDataAttribute[],
): void {
  for (const { key, value } of attributes) {
    const pair = to.begin(field);
    to.string(1, key);
    const any = to.begin(2);
    writeValue(to, value);
    to.end(any);
    to.end(pair);
  }
}

function writeValue(to: ProtobufWriter, value: SpanDataValue): void {
  if (value.type === "string") to.string(1, value.value);
  else if (value.type === "bool") to.bool(2, value.value);
  else if (value.type === "double") to.double(4, value.value);
  else if (value.type === "array") writeArray(to, value.value);
  else if (typeof value.value === "number" && value.value >= 0) to.uint(3, value.value);
  else to.int64(3, BigInt(value.value));
}

function writeArray(to: ProtobufWriter, values: readonly SpanDataValue[]): void {
  const list = to.begin(5);
  for (const value of values) {
    const any = to.begin(1);
    writeValue(to, value);
    to.end(any);
  }
  to.end(list);
}

function writeCount(field: number, count: number): void {
  if (count > 0) writer.uint(field, count);
}

function writeTime(field: number, { seconds, nanos }: Moment): void {
  if (seconds <= maxUsualSeconds)
    writer.fixed64Parts(field, nanosLow(seconds, nanos), nanosHigh(seconds, nanos));
  else writer.fixed64(field, BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
}
