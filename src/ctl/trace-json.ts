import type { Trace, TraceNode } from "../view/trace-tree.ts";

function nodeJson(node: TraceNode): object {
  const { span } = node;
  return {
    span_id: span.spanId,
    name: span.name,
    service: span.service,
    start_unix_nano: span.startNs,
    duration_ns: span.endNs - span.startNs,
    ...(span.status.error ? { error: span.status.message } : {}),
    ...(node.missingParent ? { missing_parent: span.parentSpanId } : {}),
    attributes: Object.fromEntries(span.attributes),
    ...(span.events.length > 0 ? { events: span.events.map((event) => event.name) } : {}),
    ...(span.links.length > 0 ? { links: span.links } : {}),
    children: node.children.map(nodeJson),
  };
}

/** A trace as one JSON document with nested spans, for programs: `--json`. 64-bit numbers are still `bigint`. */
export function traceJson(trace: Trace): object {
  return {
    trace_id: trace.traceId,
    span_count: trace.spanCount,
    error_count: trace.errorCount,
    missing_parent_count: trace.missingParentCount,
    services: trace.services,
    start_unix_nano: trace.startNs,
    duration_ns: trace.endNs - trace.startNs,
    roots: trace.roots.map(nodeJson),
  };
}
