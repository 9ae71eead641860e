import type { TraceSummary } from "./trace-summary.ts";

/** What the forwarder tells the page about the traces that it holds: `GET api/traces`. */
export type TraceList = {
  /** Rises with every change. */
  readonly version: number;
  readonly traces: readonly TraceSummary[];
  /** Traces that had to go because newer ones took their room. */
  readonly forgotten: number;
};

/** Orders a list: failed ones first and then the slow ones, or the newest first. */
export type TraceOrder = "trouble" | "newest";

/** The traces that match a query, in order. */
export function listed(
  traces: readonly TraceSummary[],
  query: string,
  order: TraceOrder,
): readonly TraceSummary[] {
  const wanted = termsOf(query);
  return traces.filter((trace) => wanted.every((term) => matches(trace, term))).sort(orders[order]);
}

const orders: Record<TraceOrder, (a: TraceSummary, b: TraceSummary) => number> = {
  trouble: (a, b) => troubleOf(b) - troubleOf(a) || b.durationNs - a.durationNs,
  newest: (a, b) => b.startMs - a.startMs,
};

function troubleOf({ errorCount, incompleteCount }: TraceSummary): number {
  return errorCount > 0 ? 2 : incompleteCount > 0 ? 1 : 0;
}

type Term = { readonly field: string; readonly text: string };

const fields: Record<string, (trace: TraceSummary) => readonly string[]> = {
  sandbox: (trace) => trace.sandboxes,
  container: (trace) => trace.containers,
  pod: (trace) => trace.pods,
  method: (trace) => trace.methods,
  service: (trace) => trace.services,
  trace: (trace) => [trace.traceId],
  name: (trace) => [trace.name],
};

/** `pod:web` looks in one field, a plain word in all of them; words are all to be found. */
function termsOf(query: string): Term[] {
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => {
      const at = word.indexOf(":");
      const field = word.slice(0, Math.max(0, at));
      return Object.hasOwn(fields, field) ? { field, text: word.slice(at + 1) } : { field: "", text: word };
    });
}

function matches(trace: TraceSummary, { field, text }: Term): boolean {
  const looked = field === "" ? Object.values(fields) : [fields[field]];
  return looked.some((read) => read?.(trace).some((value) => value.toLowerCase().includes(text)));
}

/** What a list tells of one sandbox. */
export type SandboxRow = {
  readonly id: string;
  readonly traces: number;
  readonly failed: number;
  readonly lastMs: number;
};

/** The sandboxes of a list, those with failures first, then the ones heard of last. */
export function sandboxesOf(traces: readonly TraceSummary[]): SandboxRow[] {
  const rows = new Map<string, SandboxRow>();
  for (const trace of traces) {
    for (const id of trace.sandboxes) {
      const row = rows.get(id) ?? { id, traces: 0, failed: 0, lastMs: 0 };
      rows.set(id, {
        id,
        traces: row.traces + 1,
        failed: row.failed + (trace.errorCount > 0 ? 1 : 0),
        lastMs: Math.max(row.lastMs, trace.startMs + trace.durationNs / 1e6),
      });
    }
  }
  return [...rows.values()].sort((a, b) => b.failed - a.failed || b.lastMs - a.lastMs);
}
