import { hexOf, type PlacedSpan, placedSpans, textOfValue } from "./placed-span.ts";

/**
 * Spans of one export as text for people: one line each, children below their parents as far as both are here.
 *
 *     kata-agent 0af7…319c
 *       grpc.AgentService/CreateContainer 12.3 ms
 *         crun create 8.1 ms ERROR INTERNAL
 */

const unfit = /[^\x20-\x7e\xa0-\uffff]/g;
const statusError = 2;
const maxDepth = 32;
/** What says most, in few words. */
const shownKeys = ["container.id", "error.type", "kata.incomplete"];

/** @throws WireError when it does not decode. */
export function treeText(body: Uint8Array): string {
  const spans = placedSpans(body);
  const byTrace = Map.groupBy(spans, ({ span }) => hexOf(span.trace_id));
  return [...byTrace].flatMap(([traceId, trace]) => traceLines(traceId, trace)).join("\n");
}

function traceLines(traceId: string, spans: readonly PlacedSpan[]): string[] {
  const ids = new Set(spans.map(({ span }) => hexOf(span.span_id)));
  const byParent = Map.groupBy(spans, ({ span }) => {
    const parent = hexOf(span.parent_span_id);
    return ids.has(parent) && parent !== hexOf(span.span_id) ? parent : "";
  });
  const lines = [`${clean(spans[0]?.service ?? "")} ${traceId}`];
  const walk = (parent: string, depth: number) => {
    const children = byParent.get(parent) ?? [];
    byParent.delete(parent);
    for (const { span } of children.sort(byStart)) {
      lines.push("  ".repeat(Math.min(depth, maxDepth)) + spanLine(span));
      walk(hexOf(span.span_id), depth + 1);
    }
  };
  walk("", 1);
  // Spans that are each other's parents hang below nobody.
  for (const children of byParent.values())
    for (const { span } of children) lines.push(`  ${spanLine(span)}`);
  return lines;
}

function byStart(a: PlacedSpan, b: PlacedSpan): number {
  return Number(a.span.start_time_unix_nano - b.span.start_time_unix_nano);
}

function spanLine(span: PlacedSpan["span"]): string {
  const ms = Number(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6;
  const shown = span.attributes
    .filter(({ key }) => shownKeys.includes(key))
    .map(({ key, value }) => `${key}=${clean(textOfValue(value))}`);
  const status = span.status?.code === statusError ? ["ERROR", clean(span.status.message)] : [];
  return [clean(span.name), `${ms.toFixed(1)} ms`, ...status, ...shown]
    .filter((word) => word !== "")
    .join(" ");
}

/** Control characters of a guest must not reach a terminal. */
function clean(text: string): string {
  return text.replace(unfit, "?").slice(0, 200);
}
