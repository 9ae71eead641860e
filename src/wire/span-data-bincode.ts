import { BincodeReader } from "./bincode-reader.ts";
import type {
  Moment,
  SpanData,
  SpanDataAttribute,
  SpanDataEvent,
  SpanDataLink,
  SpanDataValue,
  WantedTexts,
} from "./span-data.ts";
import { WireError } from "./wire-error.ts";

/** By bincode's number of the variant: client, server, producer, consumer, internal. */
const kinds = [3, 2, 4, 5, 1];
const statusCodes = [0, 1, 2];
/** bincode's number of the variant for texts. */
const textType = 3;
const nanosPerSecond = 1_000_000_000;
/** What the smallest of each takes: a key and a value; a time, a name and lists; two ids and lists. */
const minAttributeBytes = 8 + 4 + 1;
const minEventBytes = 8 + 12 + 8 + 4;
const minLinkBytes = 24 + 3 + 8 + 4;

/**
 * A span of agents 2.2 to 3.28 (wire-and-tracing 3.5). `wanted`: the span's attributes with texts that somebody needs; all,
 * without it.
 * @throws WireError when the bytes are not one span, the whole of it and nothing else.
 */
export function spanDataFromBincode(payload: Uint8Array, wanted?: WantedTexts): SpanData {
  const from = new BincodeReader(payload);
  const context = contextOf(from);
  const parentSpanId = withoutZero(from.reversed(8));
  const kind = variant(from, kinds);
  const name = from.string();
  const [start, end] = [momentOf(from), momentOf(from)];
  const count = from.count(minAttributeBytes);
  const attributes = attributesOf(from, count, wanted);
  // The keys once more, by age: nobody needs them.
  for (let left = from.count(8); left > 0; left--) from.skipString();
  from.u32();
  const droppedAttributes = from.u32() + count - attributes.length;
  const [events, droppedEvents] = queueOf(from, minEventBytes, eventOf);
  const [links, droppedLinks] = queueOf(from, minLinkBytes, linkOf);
  const statusCode = variant(from, statusCodes);
  const statusMessage = from.string();
  const resource = from.bool() ? allAttributesOf(from) : [];
  if (from.left > 0) throw new WireError("bytes after the span");
  return {
    ...context,
    parentSpanId,
    kind,
    name,
    start,
    end,
    attributes,
    droppedAttributes,
    events,
    droppedEvents,
    links,
    droppedLinks,
    statusCode,
    statusMessage,
    resource,
  };
}

function contextOf(from: BincodeReader): Pick<SpanData, "traceId" | "spanId" | "flags" | "traceState"> {
  const [traceId, spanId, flags] = [from.reversed(16), from.reversed(8), from.u8()];
  from.bool();
  const pairs: string[] = [];
  if (from.bool())
    for (let left = from.count(16); left > 0; left--) pairs.push(`${from.string()}=${from.string()}`);
  return { traceId, spanId, flags, traceState: pairs.join(",") };
}

function allAttributesOf(from: BincodeReader): SpanDataAttribute[] {
  return attributesOf(from, from.count(minAttributeBytes), undefined);
}

function attributesOf(
  from: BincodeReader,
  count: number,
  wanted: WantedTexts | undefined,
): SpanDataAttribute[] {
  const attributes: SpanDataAttribute[] = [];
  for (let left = count; left > 0; left--) {
    const key = from.string();
    const type = from.u32();
    if (type === textType && wanted !== undefined && !wanted.has(key)) from.skipString();
    else attributes.push({ key, value: readValue(from, type) });
  }
  return attributes;
}

function readValue(from: BincodeReader, type: number): SpanDataValue {
  return type === 4 ? { type: "array", value: arrayOf(from) } : scalarOf(from, type);
}

function scalarOf(from: BincodeReader, type: number): SpanDataValue {
  switch (type) {
    case 0:
      return { type: "bool", value: from.bool() };
    case 1:
      return { type: "int", value: from.i64() };
    case 2:
      return { type: "double", value: from.f64() };
    case textType:
      return { type: "string", value: from.string() };
    default:
      throw new WireError("unknown type of value");
  }
}

function arrayOf(from: BincodeReader): SpanDataValue[] {
  const type = from.u32();
  const values: SpanDataValue[] = [];
  for (let left = from.count(type === 0 ? 1 : 8); left > 0; left--) values.push(scalarOf(from, type));
  return values;
}

/** An `EvictedQueue`: its items, and how many it lost. */
function queueOf<T>(
  from: BincodeReader,
  minBytes: number,
  read: (from: BincodeReader) => T,
): [items: T[], dropped: number] {
  const items: T[] = [];
  if (from.bool()) for (let left = from.count(minBytes); left > 0; left--) items.push(read(from));
  from.u32();
  return [items, from.u32()];
}

function eventOf(from: BincodeReader): SpanDataEvent {
  return {
    name: from.string(),
    time: momentOf(from),
    attributes: allAttributesOf(from),
    droppedAttributes: from.u32(),
  };
}

function linkOf(from: BincodeReader): SpanDataLink {
  return { ...contextOf(from), attributes: allAttributesOf(from), droppedAttributes: from.u32() };
}

function momentOf(from: BincodeReader): Moment {
  const moment = { seconds: from.u64(), nanos: from.u32() };
  if (moment.nanos >= nanosPerSecond) throw new WireError("not a time");
  return moment;
}

function variant(from: BincodeReader, numbers: readonly number[]): number {
  const number = numbers[from.u32()];
  if (number === undefined) throw new WireError("unknown variant");
  return number;
}

/** No parent is written as zero. */
function withoutZero(id: Uint8Array): Uint8Array {
  return id.every((byte) => byte === 0) ? id.subarray(0, 0) : id;
}
