import { JsonCursor } from "./json-cursor.ts";
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

/**
 * A span of agents 3.29 to 4.1: JSON of the tracing library's own struct (wire-and-tracing 3.3).
 *
 * Ids are integers of up to 39 digits, which JSON.parse would round without a word; and a span is a frame of its own, so
 * what nobody needs must cost little. So the text is walked once, by its bytes. Keys may come in any order, unknown ones
 * are passed over; those that make a span have to be there.
 */

const kinds: ReadonlyMap<string, number> = new Map([
  ["Internal", 1],
  ["Server", 2],
  ["Client", 3],
  ["Producer", 4],
  ["Consumer", 5],
]);
const statusCodes: ReadonlyMap<string, number> = new Map([
  ["Unset", 0],
  ["Ok", 1],
  ["Error", 2],
]);
const nanosPerSecond = 1_000_000_000;
const noId = new Uint8Array(0);

type Context = Pick<SpanData, "traceId" | "spanId" | "flags" | "traceState">;

/**
 * `wanted`: the span's attributes with texts that somebody needs; all, without it.
 * @throws WireError when the bytes are not such a span.
 */
export function spanDataFromJson(bytes: Uint8Array, wanted?: WantedTexts): SpanData {
  const from = new JsonCursor(bytes);
  let context: Context | undefined;
  let [start, end]: (Moment | undefined)[] = [];
  const span = emptySpan();
  from.object((key) => {
    if (key === "span_context") context = contextOf(from);
    else if (key === "parent_span_id") span.parentSpanId = optionalId(from);
    else if (key === "span_kind") span.kind = wordOf(from, kinds);
    else if (key === "name") span.name = from.text();
    else if (key === "start_time") start = momentOf(from);
    else if (key === "end_time") end = momentOf(from);
    else if (key === "attributes") attributesOf(from, span, wanted);
    else if (key === "events") span.droppedEvents = queueOf(from, () => span.events.push(eventOf(from)));
    else if (key === "links") span.droppedLinks = queueOf(from, () => span.links.push(linkOf(from)));
    else if (key === "status_code") span.statusCode = wordOf(from, statusCodes);
    else if (key === "status_message") span.statusMessage = from.text();
    else if (key === "resource") resourceOf(from, span);
    else from.skip();
  });
  from.end();
  if (context === undefined || start === undefined || end === undefined) throw new WireError("not a span");
  span.traceId = context.traceId;
  span.spanId = context.spanId;
  span.flags = context.flags;
  span.traceState = context.traceState;
  span.start = start;
  span.end = end;
  return span;
}

function emptySpan(): SpanData {
  const never = { seconds: 0, nanos: 0 };
  return {
    traceId: noId,
    spanId: noId,
    flags: 0,
    traceState: "",
    parentSpanId: noId,
    kind: 1,
    name: "",
    start: never,
    end: never,
    attributes: [],
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    statusCode: 0,
    statusMessage: "",
    resource: [],
  };
}

function contextOf(from: JsonCursor): Context {
  const context: Context = { traceId: noId, spanId: noId, flags: 0, traceState: "" };
  from.object((key) => {
    if (key === "trace_id") context.traceId = from.id(16);
    else if (key === "span_id") context.spanId = from.id(8);
    else if (key === "trace_flags") context.flags = from.count() & 0xff;
    else if (key === "trace_state" && !from.isNull()) context.traceState = stateOf(from);
    else if (key === "is_remote") from.bool();
    else if (key !== "trace_state") from.skip();
  });
  if (context.traceId.length === 0 || context.spanId.length === 0) throw new WireError("no ids");
  return context;
}

function stateOf(from: JsonCursor): string {
  const pairs: string[] = [];
  from.list(() => {
    const pair: string[] = [];
    from.list(() => pair.push(from.text()));
    pairs.push(pair.join("="));
  });
  return pairs.join(",");
}

function optionalId(from: JsonCursor): Uint8Array {
  const id = from.id(8);
  return id.every((byte) => byte === 0) ? noId : id;
}

function attributesOf(from: JsonCursor, span: SpanData, wanted: WantedTexts | undefined): void {
  from.object((key) => {
    if (key === "map") span.droppedAttributes += mapOf(from, span.attributes, wanted);
    else if (key === "dropped_count") span.droppedAttributes += from.count();
    else from.skip();
  });
}

function resourceOf(from: JsonCursor, span: SpanData): void {
  if (from.isNull()) return;
  from.object((key) => {
    if (key === "attrs") mapOf(from, span.resource, undefined);
    else from.skip();
  });
}

/** Attributes as an object, key by key; gives how many were passed over. */
function mapOf(from: JsonCursor, to: SpanDataAttribute[], wanted: WantedTexts | undefined): number {
  let passedOver = 0;
  from.object((key) => {
    const tag = from.beginVariant();
    if (tag === "String" && wanted !== undefined && !wanted.has(key)) {
      from.skip();
      passedOver++;
    } else to.push({ key, value: variantOf(from, tag) });
    from.endVariant();
  });
  return passedOver;
}

/** Attributes as a list of `{key, value}`. */
function pairsOf(from: JsonCursor): SpanDataAttribute[] {
  const attributes: SpanDataAttribute[] = [];
  from.list(() => {
    let [name, value]: [string, SpanDataValue | undefined] = ["", undefined];
    from.object((key) => {
      if (key === "key") name = from.text();
      else if (key === "value") value = readValue(from);
      else from.skip();
    });
    if (value === undefined) throw new WireError("attribute without a value");
    attributes.push({ key: name, value });
  });
  return attributes;
}

function readValue(from: JsonCursor): SpanDataValue {
  const value = variantOf(from, from.beginVariant());
  from.endVariant();
  return value;
}

function variantOf(from: JsonCursor, tag: string): SpanDataValue {
  return tag === "Array" ? arrayOf(from) : scalarOf(from, tag);
}

function arrayOf(from: JsonCursor): SpanDataValue {
  const values: SpanDataValue[] = [];
  from.object((tag) => from.list(() => values.push(scalarOf(from, tag))));
  return { type: "array", value: values };
}

function scalarOf(from: JsonCursor, tag: string): SpanDataValue {
  switch (tag) {
    case "String":
      return { type: "string", value: from.text() };
    case "I64":
      return { type: "int", value: integerOf(from) };
    case "Bool":
      return { type: "bool", value: from.bool() };
    case "F64":
      // NaN and the infinities are written as null.
      return { type: "double", value: from.isNull() ? Number.NaN : doubleOf(from) };
    default:
      throw new WireError("unknown type of value");
  }
}

function integerOf(from: JsonCursor): number | bigint {
  const digits = from.number();
  if (!/^-?\d{1,20}$/.test(digits)) throw new WireError("not an integer");
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

function doubleOf(from: JsonCursor): number {
  const number = Number(from.number());
  if (Number.isNaN(number)) throw new WireError("not a number");
  return number;
}

/** Reads an `EvictedQueue`, item by item; gives how many it lost. */
function queueOf(from: JsonCursor, onItem: () => void): number {
  let dropped = 0;
  from.object((key) => {
    if (key === "queue" && !from.isNull()) from.list(onItem);
    else if (key === "dropped_count") dropped = from.count();
    else if (key !== "queue") from.skip();
  });
  return dropped;
}

function eventOf(from: JsonCursor): SpanDataEvent {
  const event: SpanDataEvent = {
    name: "",
    time: { seconds: 0, nanos: 0 },
    attributes: [],
    droppedAttributes: 0,
  };
  from.object((key) => {
    if (key === "name") event.name = from.text();
    else if (key === "timestamp") event.time = momentOf(from);
    else if (key === "attributes") event.attributes = pairsOf(from);
    else if (key === "dropped_attributes_count") event.droppedAttributes = from.count();
    else from.skip();
  });
  return event;
}

function linkOf(from: JsonCursor): SpanDataLink {
  let context: Context | undefined;
  const rest: Pick<SpanDataLink, "attributes" | "droppedAttributes"> = {
    attributes: [],
    droppedAttributes: 0,
  };
  from.object((key) => {
    if (key === "span_context") context = contextOf(from);
    else if (key === "attributes") rest.attributes = pairsOf(from);
    else if (key === "dropped_attributes_count") rest.droppedAttributes = from.count();
    else from.skip();
  });
  if (context === undefined) throw new WireError("link without a target");
  return { ...(context as Context), ...rest };
}

function momentOf(from: JsonCursor): Moment {
  const time: Moment = { seconds: -1, nanos: -1 };
  from.object((key) => {
    if (key === "secs_since_epoch") time.seconds = from.count();
    else if (key === "nanos_since_epoch") time.nanos = from.count();
    else from.skip();
  });
  if (time.seconds < 0 || time.nanos < 0 || time.nanos >= nanosPerSecond) throw new WireError("not a time");
  return time;
}

function wordOf(from: JsonCursor, words: ReadonlyMap<string, number>): number {
  const number = words.get(from.text());
  if (number === undefined) throw new WireError("unknown variant");
  return number;
}
