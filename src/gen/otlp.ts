// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type KeyValue = {
  key: string;
  value: AnyValue | undefined;
};
export const KeyValue: MessageType<KeyValue> = {
  name: "opentelemetry.proto.common.v1.KeyValue",
  fields: [
    [1, "key", "string"],
    [2, "value", "message", undefined, () => AnyValue],
  ],
  create: () => ({
    key: "",
    value: undefined,
  }),
};

export type AnyValue = {
  string_value: string | undefined;
  bool_value: boolean | undefined;
  int_value: bigint | undefined;
  double_value: number | undefined;
  array_value: ArrayValue | undefined;
  kvlist_value: KeyValueList | undefined;
  bytes_value: Uint8Array | undefined;
};
export const AnyValue: MessageType<AnyValue> = {
  name: "opentelemetry.proto.common.v1.AnyValue",
  fields: [
    [1, "string_value", "string", "optional"],
    [2, "bool_value", "bool", "optional"],
    [3, "int_value", "int64", "optional"],
    [4, "double_value", "double", "optional"],
    [5, "array_value", "message", undefined, () => ArrayValue],
    [6, "kvlist_value", "message", undefined, () => KeyValueList],
    [7, "bytes_value", "bytes", "optional"],
  ],
  create: () => ({
    string_value: undefined,
    bool_value: undefined,
    int_value: undefined,
    double_value: undefined,
    array_value: undefined,
    kvlist_value: undefined,
    bytes_value: undefined,
  }),
};

export type ArrayValue = {
  values: AnyValue[];
};
export const ArrayValue: MessageType<ArrayValue> = {
  name: "opentelemetry.proto.common.v1.ArrayValue",
  fields: [
    [1, "values", "message", "repeated", () => AnyValue],
  ],
  create: () => ({
    values: [],
  }),
};

export type KeyValueList = {
  values: KeyValue[];
};
export const KeyValueList: MessageType<KeyValueList> = {
  name: "opentelemetry.proto.common.v1.KeyValueList",
  fields: [
    [1, "values", "message", "repeated", () => KeyValue],
  ],
  create: () => ({
    values: [],
  }),
};

/** The code that made the spans. */
export type InstrumentationScope = {
  name: string;
  version: string;
  attributes: KeyValue[];
  dropped_attributes_count: number;
};
export const InstrumentationScope: MessageType<InstrumentationScope> = {
  name: "opentelemetry.proto.common.v1.InstrumentationScope",
  fields: [
    [1, "name", "string"],
    [2, "version", "string"],
    [3, "attributes", "message", "repeated", () => KeyValue],
    [4, "dropped_attributes_count", "uint32"],
  ],
  create: () => ({
    name: "",
    version: "",
    attributes: [],
    dropped_attributes_count: 0,
  }),
};

export type Resource = {
  attributes: KeyValue[];
  dropped_attributes_count: number;
};
export const Resource: MessageType<Resource> = {
  name: "opentelemetry.proto.resource.v1.Resource",
  fields: [
    [1, "attributes", "message", "repeated", () => KeyValue],
    [2, "dropped_attributes_count", "uint32"],
  ],
  create: () => ({
    attributes: [],
    dropped_attributes_count: 0,
  }),
};

export type ResourceSpans = {
  resource: Resource | undefined;
  scope_spans: ScopeSpans[];
  schema_url: string;
};
export const ResourceSpans: MessageType<ResourceSpans> = {
  name: "opentelemetry.proto.trace.v1.ResourceSpans",
  fields: [
    [1, "resource", "message", undefined, () => Resource],
    [2, "scope_spans", "message", "repeated", () => ScopeSpans],
    [3, "schema_url", "string"],
  ],
  create: () => ({
    resource: undefined,
    scope_spans: [],
    schema_url: "",
  }),
};

export type ScopeSpans = {
  scope: InstrumentationScope | undefined;
  spans: Span[];
  schema_url: string;
};
export const ScopeSpans: MessageType<ScopeSpans> = {
  name: "opentelemetry.proto.trace.v1.ScopeSpans",
  fields: [
    [1, "scope", "message", undefined, () => InstrumentationScope],
    [2, "spans", "message", "repeated", () => Span],
    [3, "schema_url", "string"],
  ],
  create: () => ({
    scope: undefined,
    spans: [],
    schema_url: "",
  }),
};

export type Span = {
  /** 16 bytes. */
  trace_id: Uint8Array;
  /** 8 bytes. */
  span_id: Uint8Array;
  trace_state: string;
  /** 8 bytes; empty for the root of a trace. */
  parent_span_id: Uint8Array;
  name: string;
  kind: number;
  start_time_unix_nano: bigint;
  end_time_unix_nano: bigint;
  attributes: KeyValue[];
  dropped_attributes_count: number;
  events: Event[];
  dropped_events_count: number;
  links: Link[];
  dropped_links_count: number;
  status: Status | undefined;
  /** Low byte: W3C trace flags. 0x100: it is known whether the parent is remote. 0x200: it is. */
  flags: number;
};
export const Span: MessageType<Span> = {
  name: "opentelemetry.proto.trace.v1.Span",
  fields: [
    [1, "trace_id", "bytes"],
    [2, "span_id", "bytes"],
    [3, "trace_state", "string"],
    [4, "parent_span_id", "bytes"],
    [5, "name", "string"],
    [6, "kind", "enum"],
    [7, "start_time_unix_nano", "fixed64"],
    [8, "end_time_unix_nano", "fixed64"],
    [9, "attributes", "message", "repeated", () => KeyValue],
    [10, "dropped_attributes_count", "uint32"],
    [11, "events", "message", "repeated", () => Event],
    [12, "dropped_events_count", "uint32"],
    [13, "links", "message", "repeated", () => Link],
    [14, "dropped_links_count", "uint32"],
    [15, "status", "message", undefined, () => Status],
    [16, "flags", "fixed32"],
  ],
  create: () => ({
    trace_id: new Uint8Array(0),
    span_id: new Uint8Array(0),
    trace_state: "",
    parent_span_id: new Uint8Array(0),
    name: "",
    kind: 0,
    start_time_unix_nano: 0n,
    end_time_unix_nano: 0n,
    attributes: [],
    dropped_attributes_count: 0,
    events: [],
    dropped_events_count: 0,
    links: [],
    dropped_links_count: 0,
    status: undefined,
    flags: 0,
  }),
};

/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const SpanKind = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
} as const;

export type Event = {
  time_unix_nano: bigint;
  name: string;
  attributes: KeyValue[];
  dropped_attributes_count: number;
};
export const Event: MessageType<Event> = {
  name: "opentelemetry.proto.trace.v1.Span.Event",
  fields: [
    [1, "time_unix_nano", "fixed64"],
    [2, "name", "string"],
    [3, "attributes", "message", "repeated", () => KeyValue],
    [4, "dropped_attributes_count", "uint32"],
  ],
  create: () => ({
    time_unix_nano: 0n,
    name: "",
    attributes: [],
    dropped_attributes_count: 0,
  }),
};

export type Link = {
  trace_id: Uint8Array;
  span_id: Uint8Array;
  trace_state: string;
  attributes: KeyValue[];
  dropped_attributes_count: number;
  flags: number;
};
export const Link: MessageType<Link> = {
  name: "opentelemetry.proto.trace.v1.Span.Link",
  fields: [
    [1, "trace_id", "bytes"],
    [2, "span_id", "bytes"],
    [3, "trace_state", "string"],
    [4, "attributes", "message", "repeated", () => KeyValue],
    [5, "dropped_attributes_count", "uint32"],
    [6, "flags", "fixed32"],
  ],
  create: () => ({
    trace_id: new Uint8Array(0),
    span_id: new Uint8Array(0),
    trace_state: "",
    attributes: [],
    dropped_attributes_count: 0,
    flags: 0,
  }),
};

export type Status = {
  message: string;
  code: number;
};
export const Status: MessageType<Status> = {
  name: "opentelemetry.proto.trace.v1.Status",
  fields: [
    [2, "message", "string"],
    [3, "code", "enum"],
  ],
  create: () => ({
    message: "",
    code: 0,
  }),
};

/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const StatusCode = {
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
} as const;

export type ExportTraceServiceRequest = {
  resource_spans: ResourceSpans[];
};
export const ExportTraceServiceRequest: MessageType<ExportTraceServiceRequest> = {
  name: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
  fields: [
    [1, "resource_spans", "message", "repeated", () => ResourceSpans],
  ],
  create: () => ({
    resource_spans: [],
  }),
};

export type ExportTraceServiceResponse = {
  /** Present when the collector took only a part. */
  partial_success: ExportTracePartialSuccess | undefined;
};
export const ExportTraceServiceResponse: MessageType<ExportTraceServiceResponse> = {
  name: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse",
  fields: [
    [1, "partial_success", "message", undefined, () => ExportTracePartialSuccess],
  ],
  create: () => ({
    partial_success: undefined,
  }),
};

export type ExportTracePartialSuccess = {
  rejected_spans: bigint;
  error_message: string;
};
export const ExportTracePartialSuccess: MessageType<ExportTracePartialSuccess> = {
  name: "opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess",
  fields: [
    [1, "rejected_spans", "int64"],
    [2, "error_message", "string"],
  ],
  create: () => ({
    rejected_spans: 0n,
    error_message: "",
  }),
};
