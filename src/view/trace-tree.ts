import type { SpanRecord } from "./span-record.ts";

/** A span with what happened below it, in order of start. */
export type TraceNode = {
  readonly span: SpanRecord;
  readonly children: TraceNode[];
  /** The span names a parent that is not there: not exported, lost, or in another file. */
  readonly missingParent: boolean;
};

/** All spans of one trace id. */
export type Trace = {
  readonly traceId: string;
  /** One, when the trace is whole; every span without a known parent otherwise. */
  readonly roots: readonly TraceNode[];
  readonly spanCount: number;
  readonly errorCount: number;
  readonly missingParentCount: number;
  readonly services: readonly string[];
  readonly startNs: bigint;
  readonly endNs: bigint;
};

const byStart = (a: TraceNode, b: TraceNode): number =>
  a.span.startNs === b.span.startNs
    ? a.span.spanId.localeCompare(b.span.spanId)
    : a.span.startNs < b.span.startNs
      ? -1
      : 1;

/** The later of two times. */
export const laterNs = (a: bigint, b: bigint): bigint => (b > a ? b : a);

/** The earlier of two times. */
export const earlierNs = (a: bigint, b: bigint): bigint => (b < a ? b : a);

function markReachable(root: TraceNode, seen: Set<TraceNode>): void {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...node.children);
  }
}

/** Spans that are each other's ancestors hang from no root: cut the ring at its earliest span and call that one an orphan. */
function cutRings(nodes: readonly TraceNode[], roots: TraceNode[]): void {
  const seen = new Set<TraceNode>();
  for (const root of roots) markReachable(root, seen);
  for (const node of nodes) {
    if (seen.has(node)) continue;
    const parent = nodes.find((other) => other.children.includes(node));
    parent?.children.splice(parent.children.indexOf(node), 1);
    const root: TraceNode = { ...node, missingParent: true };
    markReachable(root, seen);
    seen.add(node);
    roots.push(root);
  }
}

function buildTrace(traceId: string, spans: readonly SpanRecord[]): Trace {
  const ids = new Set(spans.map((span) => span.spanId));
  const nodes = spans
    .map((span): TraceNode => {
      const missingParent = span.parentSpanId !== "" && !ids.has(span.parentSpanId);
      return { span, children: [], missingParent };
    })
    .sort(byStart);
  const byId = new Map(nodes.map((node) => [node.span.spanId, node]));
  const roots: TraceNode[] = [];
  for (const node of nodes) (byId.get(node.span.parentSpanId)?.children ?? roots).push(node);
  cutRings(nodes, roots);
  return {
    traceId,
    roots: roots.sort(byStart),
    spanCount: spans.length,
    errorCount: spans.filter((span) => span.status.error).length,
    missingParentCount: roots.filter((root) => root.missingParent).length,
    services: [...new Set(nodes.map((node) => node.span.service))],
    startNs: nodes[0]?.span.startNs ?? 0n,
    endNs: nodes.map((node) => node.span.endNs).reduce(laterNs, 0n),
  };
}

/**
 * Groups spans by trace and hangs each below its parent. A span that came twice (an export that was repeated) counts
 * once. Traces and siblings stand in order of start.
 */
export function buildTraces(spans: Iterable<SpanRecord>): Trace[] {
  const byTrace = new Map<string, Map<string, SpanRecord>>();
  for (const span of spans) {
    const known = byTrace.get(span.traceId) ?? new Map<string, SpanRecord>();
    byTrace.set(span.traceId, known);
    if (!known.has(span.spanId)) known.set(span.spanId, span);
  }
  return [...byTrace]
    .map(([traceId, known]) => buildTrace(traceId, [...known.values()]))
    .sort((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0));
}
