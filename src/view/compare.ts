import type { Trace, TraceNode } from "./trace-tree.ts";

/** One step of two traces beside each other; a step may be missing in one of them. */
export type ComparedRow = {
  readonly name: string;
  readonly depth: number;
  readonly left: TraceNode | undefined;
  readonly right: TraceNode | undefined;
  /** Right minus left, nanoseconds; a step that is missing counts as 0. */
  readonly deltaNs: bigint;
};

/**
 * Lays two traces over each other: below the same parent the n-th span of a name is the same step. Rows stand in the
 * order of the left trace; what only the right one has follows its siblings.
 */
export function compareTraces(left: Trace, right: Trace): ComparedRow[] {
  const rows: ComparedRow[] = [];
  const open = pairs(left.roots, right.roots, 0);
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    rows.push(row);
    open.push(...pairs(row.left?.children ?? [], row.right?.children ?? [], row.depth + 1));
  }
  return rows;
}

/** The pairs of two lists of siblings, last first as a stack wants them. */
function pairs(left: readonly TraceNode[], right: readonly TraceNode[], depth: number): ComparedRow[] {
  const waiting = Map.groupBy(right, ({ span }) => span.name);
  const rows = left.map((node) => rowOf(node, waiting.get(node.span.name)?.shift(), depth));
  for (const rest of waiting.values()) rows.push(...rest.map((node) => rowOf(undefined, node, depth)));
  return rows.reverse();
}

function rowOf(left: TraceNode | undefined, right: TraceNode | undefined, depth: number): ComparedRow {
  const name = (left ?? right)?.span.name ?? "";
  return { name, depth, left, right, deltaNs: durationNs(right) - durationNs(left) };
}

function durationNs(node: TraceNode | undefined): bigint {
  return node === undefined ? 0n : node.span.endNs - node.span.startNs;
}
