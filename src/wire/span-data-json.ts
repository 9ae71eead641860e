import { decimalBytes } from "./decimal-bytes.ts";
import type {
  Moment,
  SpanData,
  SpanDataAttribute,
  SpanDataEvent,
  SpanDataLink,
  SpanDataValue,
} from "./span-data.ts";
import { WireError } from "./wire-error.ts";

/**
 * A span of agents 3.29 to 4.1: JSON of the tracing library's own struct (wire-and-tracing 3.3).
 *
 * Primer. Ids are integers of up to 39 digits, which JSON.parse would round without a word. So they are put in quotes
 * first. A quote within a text is escaped on this wire, so `"trace_id":` can only be a key.
 */
const longNumbers = /"(trace_id|span_id|parent_span_id|I64)":(-?\d{16,39})(?=[,}])/g;
/** In a list every long number may have lost digits: the (slower) parser that shows the source is used then. */
const longList = /"I64":\[[^\]]*\d{16}/;
const maxItems = 65_536;

const kinds: Readonly<Record<string, number>> = {
  Internal: 1,
  Server: 2,
  Client: 3,
  Producer: 4,
  Consumer: 5,
};
const statusCodes: Readonly<Record<string, number>> = { Unset: 0, Ok: 1, Error: 2 };
const nanosPerSecond = 1_000_000_000;
const noId = new Uint8Array(0);

/** @throws WireError when the text is not such a span. */
export function spanDataFromJson(text: string): SpanData {
  const quoted = text.replace(longNumbers, '"$1":"$2"');
  const span = objectIn(longList.test(text) ? parseKeepingDigits(quoted) : parse(quoted));
  const context = objectIn(span["span_context"]);
  const attributes = objectIn(span["attributes"]);
  const [events, links] = [objectIn(span["events"]), objectIn(span["links"])];
  return {
    ...contextOf(context),
    parentSpanId: optionalId(span["parent_span_id"]),
    kind: numberOf(kinds, span["span_kind"]),
    name: textIn(span["name"]),
    start: momentIn(span["start_time"]),
    end: momentIn(span["end_time"]),
    attributes: mapIn(attributes["map"]),
    droppedAttributes: countIn(attributes["dropped_count"]),
    events: queueIn(events["queue"]).map(eventIn),
    droppedEvents: countIn(events["dropped_count"]),
    links: queueIn(links["queue"]).map(linkIn),
    droppedLinks: countIn(links["dropped_count"]),
    statusCode: numberOf(statusCodes, span["status_code"]),
    statusMessage: textIn(span["status_message"]),
    resource: span["resource"] === null ? [] : mapIn(objectIn(span["resource"])["attrs"]),
  };
}

type Json = Readonly<Record<string, unknown>>;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WireError("not JSON");
  }
}

function parseKeepingDigits(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value, context?: { source?: string }) =>
      typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
        ? context?.source
        : value,
    );
  } catch {
    throw new WireError("not JSON");
  }
}

function contextOf(context: Json): Pick<SpanData, "traceId" | "spanId" | "flags" | "traceState"> {
  const state = context["trace_state"];
  return {
    traceId: decimalBytes(digitsIn(context["trace_id"]), 16),
    spanId: decimalBytes(digitsIn(context["span_id"]), 8),
    flags: countIn(context["trace_flags"]) & 0xff,
    traceState: state === null || state === undefined ? "" : listIn(state).map(pairIn).join(","),
  };
}

function pairIn(value: unknown): string {
  const [key, text] = listIn(value);
  return `${textIn(key)}=${textIn(text)}`;
}

function optionalId(value: unknown): Uint8Array {
  return value === 0 ? noId : decimalBytes(digitsIn(value), 8);
}

function digitsIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return String(value);
  throw new WireError("not an id");
}

/** Attributes as an object, key by key. */
function mapIn(value: unknown): SpanDataAttribute[] {
  const map = objectIn(value);
  const attributes: SpanDataAttribute[] = [];
  for (const key in map) attributes.push({ key, value: valueIn(map[key]) });
  return attributes;
}

/** Attributes as a list of `{key, value}`. */
function attributesIn(value: unknown): SpanDataAttribute[] {
  return listIn(value).map((item) => {
    const pair = objectIn(item);
    return { key: textIn(pair["key"]), value: valueIn(pair["value"]) };
  });
}

function valueIn(value: unknown): SpanDataValue {
  const tagged = objectIn(value);
  for (const tag in tagged) return tag === "Array" ? arrayIn(tagged[tag]) : scalarIn(tag, tagged[tag]);
  throw new WireError("value without a type");
}

function arrayIn(value: unknown): SpanDataValue {
  const tagged = objectIn(value);
  for (const tag in tagged)
    return { type: "array", value: listIn(tagged[tag]).map((item) => scalarIn(tag, item)) };
  throw new WireError("list without a type");
}

function scalarIn(tag: string, value: unknown): SpanDataValue {
  if (tag === "String") return { type: "string", value: textIn(value) };
  if (tag === "I64") return { type: "int", value: integerIn(value) };
  if (tag === "Bool" && typeof value === "boolean") return { type: "bool", value };
  // NaN and the infinities are written as null.
  if (tag === "F64" && value === null) return { type: "double", value: Number.NaN };
  if (tag === "F64" && typeof value === "number") return { type: "double", value };
  throw new WireError("unknown type of value");
}

function integerIn(value: unknown): number | bigint {
  if (Number.isSafeInteger(value)) return value as number;
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new WireError("not an integer");
}

function eventIn(value: unknown): SpanDataEvent {
  const event = objectIn(value);
  return {
    name: textIn(event["name"]),
    time: momentIn(event["timestamp"]),
    attributes: attributesIn(event["attributes"]),
    droppedAttributes: countIn(event["dropped_attributes_count"]),
  };
}

function linkIn(value: unknown): SpanDataLink {
  const link = objectIn(value);
  return {
    ...contextOf(objectIn(link["span_context"])),
    attributes: attributesIn(link["attributes"]),
    droppedAttributes: countIn(link["dropped_attributes_count"]),
  };
}

function momentIn(value: unknown): Moment {
  const time = objectIn(value);
  const [seconds, nanos] = [countIn(time["secs_since_epoch"]), countIn(time["nanos_since_epoch"])];
  if (nanos >= nanosPerSecond) throw new WireError("not a time");
  return { seconds, nanos };
}

function queueIn(value: unknown): readonly unknown[] {
  return value === null ? [] : listIn(value);
}

function numberOf(numbers: Readonly<Record<string, number>>, value: unknown): number {
  const number = typeof value === "string" && Object.hasOwn(numbers, value) ? numbers[value] : undefined;
  if (number === undefined) throw new WireError("unknown variant");
  return number;
}

function objectIn(value: unknown): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new WireError("not an object");
}

function listIn(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new WireError("not a list");
  if (value.length > maxItems) throw new WireError("too many items");
  return value;
}

function textIn(value: unknown): string {
  if (typeof value === "string") return value;
  throw new WireError("not a text");
}

function countIn(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new WireError("not a count");
}
