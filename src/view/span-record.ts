/** A finished span as the tree needs it, whoever made it. Times are nanoseconds since 1970. */
export type SpanRecord = {
  /** 32 hex digits, lower case. */
  readonly traceId: string;
  /** 16 hex digits, lower case. */
  readonly spanId: string;
  /** 16 hex digits, or empty for the root of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP numbers: 1 INTERNAL, 2 SERVER, 3 CLIENT, 4 PRODUCER, 5 CONSUMER. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly status: { readonly error: boolean; readonly message: string };
  readonly events: readonly SpanEvent[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** `service.name` of the resource, `unknown` when there is none. */
  readonly service: string;
};

/** Something that happened at a moment within a span. */
export type SpanEvent = {
  readonly name: string;
  readonly timeNs: bigint;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
};

/** 64-bit integers stay exact as `bigint`; arrays and maps arrive as their JSON text. */
export type AttributeValue = string | boolean | number | bigint;
