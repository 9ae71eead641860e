import type { SpanRecord } from "./span-record.ts";
import type { Trace } from "./trace-tree.ts";

/** A part of the system: a service, or a program that one runs. */
export type MapNode = {
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
  /** How many steps from where traces begin: its column in a drawing. */
  readonly column: number;
};

/** Calls from one part to another. */
export type MapEdge = {
  readonly from: string;
  readonly to: string;
  readonly calls: number;
  readonly errors: number;
  /** Sum over the calls, nanoseconds. */
  readonly durationNs: bigint;
};

/** Parts, and who works for whom. */
export type ServiceMap = { readonly nodes: readonly MapNode[]; readonly edges: readonly MapEdge[] };

/** Who works for whom in these traces: runtime → agent → crun. */
export function serviceMap(traces: readonly Trace[]): ServiceMap {
  const nodes = new Map<string, { spans: number; errors: number; column: number }>();
  const edges = new Map<
    string,
    { from: string; to: string; calls: number; errors: number; durationNs: bigint }
  >();
  for (const trace of traces) {
    const open = trace.roots.map((node) => ({ node, caller: undefined as string | undefined, column: 0 }));
    for (let item = open.pop(); item !== undefined; item = open.pop()) {
      const { node, caller, column } = item;
      const part = partOf(node.span);
      const failed = node.span.status.error ? 1 : 0;
      const own = nodes.get(part) ?? { spans: 0, errors: 0, column };
      nodes.set(part, {
        spans: own.spans + 1,
        errors: own.errors + failed,
        column: Math.max(own.column, column),
      });
      if (caller !== undefined && caller !== part) {
        const key = JSON.stringify([caller, part]);
        const edge = edges.get(key) ?? { from: caller, to: part, calls: 0, errors: 0, durationNs: 0n };
        edge.calls += 1;
        edge.errors += failed;
        edge.durationNs += node.span.endNs - node.span.startNs;
        edges.set(key, edge);
      }
      for (const child of node.children) {
        const next = partOf(child.span) === part ? column : Math.min(column + 1, maxColumns - 1);
        open.push({ node: child, caller: part, column: next });
      }
    }
  }
  return { nodes: [...nodes].map(([name, node]) => ({ name, ...node })), edges: [...edges.values()] };
}

/** Two services that call each other would push one another to the right for ever. */
const maxColumns = 8;

/** The service that made a span; crun makes none, so the agent's spans about it stand for it. */
function partOf(span: SpanRecord): string {
  return span.attributes.has("kata.crun.command") ? "crun" : span.service;
}
