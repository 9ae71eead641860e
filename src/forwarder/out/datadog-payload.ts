import { Encoder } from "@msgpack/msgpack";
import { hexOf, type PlacedSpan, textOfValue } from "./placed-span.ts";

/**
 * Datadog's native v0.4: a list of traces, each a list of spans, in msgpack (wire-and-tracing 7.5, backends 4). The
 * agent's decoder refuses a number of the wrong type, so ids and times are bigints, which are written as integers, and
 * `metrics` gets nothing but doubles.
 */

const encoder = new Encoder({ useBigInt64: true });
const types: readonly string[] = ["custom", "custom", "web", "http", "worker", "worker"];
const kinds: readonly string[] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const statusError = 2;
const autoKeep = 1;

/** A request's body, and how many traces it holds. */
export type DatadogPayload = { readonly body: Uint8Array; readonly traces: number };

/** Precondition: the spans have ids. */
export function datadogPayload(spans: readonly PlacedSpan[]): DatadogPayload {
  const traces = [...Map.groupBy(spans, ({ span }) => hexOf(span.trace_id)).values()];
  const chunks = traces.map((trace) => {
    const ids = new Set(trace.map(({ span }) => hexOf(span.span_id)));
    return trace.map((placed, index) => datadogSpan(placed, index === 0, ids));
  });
  return { body: encoder.encode(chunks), traces: chunks.length };
}

function datadogSpan(
  { service, resource, scopeName, span }: PlacedSpan,
  isFirst: boolean,
  ids: ReadonlySet<string>,
): Record<string, unknown> {
  const meta: Record<string, string> = {};
  const metrics: Record<string, number> = {};
  for (const { key, value } of [...resource, ...span.attributes]) {
    if (key === "service.name") continue;
    const number = value?.double_value ?? asDouble(value?.int_value);
    if (number === undefined) meta[key] = textOfValue(value);
    else metrics[key] = number;
  }
  meta["span.kind"] = kinds[span.kind] ?? "unspecified";
  if (scopeName !== "") meta["otel.scope.name"] = scopeName;
  const isError = span.status?.code === statusError;
  if (isError) {
    meta["error.message"] ??= span.status?.message ?? "";
    meta["error.type"] ??= "error";
  }
  if (span.events.length > 0) meta["events"] = eventsText(span.events);
  // Upper half of the trace's id, on the first span of each chunk.
  if (isFirst) meta["_dd.p.tid"] = hexOf(span.trace_id).slice(0, 16);
  // The agent looks for the decision on the span that is the topmost here.
  if (!ids.has(hexOf(span.parent_span_id))) metrics["_sampling_priority_v1"] = autoKeep;
  const duration = span.end_time_unix_nano - span.start_time_unix_nano;
  return {
    service,
    name: operationOf(span.kind, meta),
    resource: span.name,
    type: types[span.kind] ?? "custom",
    trace_id: lowHalf(span.trace_id.subarray(8)),
    span_id: lowHalf(span.span_id),
    parent_id: span.parent_span_id.length === 8 ? lowHalf(span.parent_span_id) : 0n,
    start: BigInt.asIntN(64, span.start_time_unix_nano),
    duration: duration > 0n ? BigInt.asIntN(64, duration) : 0n,
    error: isError ? 1 : 0,
    meta,
    metrics,
  };
}

/** A kind of work; what exactly stands in `resource`. */
function operationOf(kind: number, meta: Readonly<Record<string, string>>): string {
  const system = meta["rpc.system.name"] ?? meta["rpc.system"];
  const word = kinds[kind] ?? "internal";
  return system === undefined ? `otel.${word}` : `${system}.${word}`;
}

/** An integer that a double holds; others stay text. */
function asDouble(value: bigint | undefined): number | undefined {
  const number = value === undefined ? undefined : Number(value);
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

function eventsText(events: PlacedSpan["span"]["events"]): string {
  return JSON.stringify(
    events.map(({ name, time_unix_nano, attributes }) => ({
      name,
      time_unix_nano: time_unix_nano.toString(),
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, textOfValue(value)])),
    })),
  );
}

function lowHalf(id: Uint8Array): bigint {
  return Buffer.from(id.buffer, id.byteOffset, id.length).readBigUInt64BE();
}
