import { earlierNs, laterNs, type Trace, type TraceNode } from "./trace-tree.ts";

/** One row of a waterfall. */
export type WaterfallRow = {
  readonly node: TraceNode;
  /** 0 for a root. */
  readonly depth: number;
  /** Position among the siblings, from 1, and how many there are. */
  readonly position: number;
  readonly siblings: number;
  /** The span that the row hangs below. */
  readonly parent: TraceNode | undefined;
};

/**
 * The rows of a trace from top to bottom, without what lies below a collapsed span. Without recursion: a trace may be
 * as deep as it likes.
 */
export function waterfallRows(trace: Trace, collapsed: ReadonlySet<string>): WaterfallRow[] {
  const rows: WaterfallRow[] = [];
  const open = rowsOf(trace.roots, 0, undefined);
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    rows.push(row);
    const { node, depth } = row;
    if (!collapsed.has(node.span.spanId)) open.push(...rowsOf(node.children, depth + 1, node));
  }
  return rows;
}

/** Last first, as a stack wants them. */
function rowsOf(nodes: readonly TraceNode[], depth: number, parent: TraceNode | undefined): WaterfallRow[] {
  return nodes
    .map((node, index) => ({ node, depth, parent, position: index + 1, siblings: nodes.length }))
    .reverse();
}

/** How long a span worked while none of its children did, in nanoseconds. */
export function selfTimeNs({ span, children }: TraceNode): bigint {
  let busyNs = 0n;
  let untilNs = span.startNs;
  // Children stand in order of start.
  for (const { span: child } of children) {
    const from = laterNs(child.startNs, untilNs);
    const to = earlierNs(child.endNs, span.endNs);
    if (to <= from) continue;
    busyNs += to - from;
    untilNs = to;
  }
  return span.endNs - span.startNs - busyNs;
}
