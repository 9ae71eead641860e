import { ExportTraceServiceRequest } from "../gen/otlp.ts";
import { decodeMessage } from "../wire/protobuf-decode.ts";
import { encodeMessage } from "../wire/protobuf-encode.ts";
import type { Export } from "./export.ts";

const traceBytes = 16;

/**
 * An export of several traces as one of each. Only senders on the host mix traces, and only sampling has to tell them
 * apart, so this decodes. @throws WireError when it cannot.
 */
export function splitTraces({ body, origin }: Export): Map<string, Export> {
  const request = decodeMessage(ExportTraceServiceRequest, body, { stable: true });
  const traces = new Map<string, { resource_spans: typeof request.resource_spans; spans: number }>();
  for (const resourceSpans of request.resource_spans)
    for (const scopeSpans of resourceSpans.scope_spans)
      for (const [trace, spans] of Map.groupBy(scopeSpans.spans, ({ trace_id }) => traceOf(trace_id))) {
        const part = traces.get(trace) ?? { resource_spans: [], spans: 0 };
        traces.set(trace, part);
        part.resource_spans.push({ ...resourceSpans, scope_spans: [{ ...scopeSpans, spans }] });
        part.spans += spans.length;
      }
  return new Map(
    [...traces].map(([trace, { resource_spans, spans }]) => [
      trace,
      { body: encodeMessage(ExportTraceServiceRequest, { resource_spans }), spans, origin },
    ]),
  );
}

/** Empty for an id that is none. */
function traceOf(id: Uint8Array): string {
  if (id.length !== traceBytes) return "";
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
}
