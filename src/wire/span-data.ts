/**
 * A span as upstream's agents send it: the tracing library's own struct, in JSON or in bincode (wire-and-tracing 3.3,
 * 3.5). Ids are bytes, big-endian; an absent parent is an empty array. Numbers that may not fit a double are bigints.
 */
export type SpanData = {
  traceId: Uint8Array;
  spanId: Uint8Array;
  /** W3C trace flags. */
  flags: number;
  traceState: string;
  parentSpanId: Uint8Array;
  /** OTLP's number: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  name: string;
  start: Moment;
  end: Moment;
  attributes: SpanDataAttribute[];
  droppedAttributes: number;
  events: SpanDataEvent[];
  droppedEvents: number;
  links: SpanDataLink[];
  droppedLinks: number;
  /** OTLP's number: 0 unset, 1 ok, 2 error. */
  statusCode: number;
  statusMessage: string;
  resource: SpanDataAttribute[];
};

/** Time since 1970. `nanos` is below 10^9. */
export type Moment = { seconds: number; nanos: number };

/** One attribute of a span, an event or a link. */
export type SpanDataAttribute = { key: string; value: SpanDataValue };

/** A 64-bit integer that is a `number` is a safe integer. */
export type SpanDataValue =
  | { type: "bool"; value: boolean }
  | { type: "int"; value: number | bigint }
  | { type: "double"; value: number }
  | { type: "string"; value: string }
  | { type: "array"; value: SpanDataValue[] };

/** One event of a span. */
/** Keys whose texts are wanted; of all others texts are passed over, and counted as dropped attributes. */
export type WantedTexts = ReadonlySet<string>;

export type SpanDataEvent = {
  name: string;
  time: Moment;
  attributes: SpanDataAttribute[];
  droppedAttributes: number;
};

/** One link of a span to another. */
export type SpanDataLink = {
  traceId: Uint8Array;
  spanId: Uint8Array;
  flags: number;
  traceState: string;
  attributes: SpanDataAttribute[];
  droppedAttributes: number;
};
