import type { AttributeValue, SpanRecord } from "./span-record.ts";
import type { Trace } from "./trace-tree.ts";

/**
 * A trace in one row of a list. Plain JSON, since it crosses from the forwarder to the page: times are milliseconds
 * since 1970, durations nanoseconds, both as numbers.
 */
export type TraceSummary = {
  readonly traceId: string;
  /** Name of the span that the trace begins with. */
  readonly name: string;
  readonly startMs: number;
  readonly durationNs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  /** Spans whose parent is not there, or that were still open when the guest was lost. */
  readonly incompleteCount: number;
  readonly services: readonly string[];
  readonly sandboxes: readonly string[];
  readonly containers: readonly string[];
  /** `namespace/name` of Kubernetes pods. */
  readonly pods: readonly string[];
  /** RPC methods called, the full ones: `grpc.AgentService/CreateContainer`. */
  readonly methods: readonly string[];
};

/** So many names of each kind are told; a trace of a guest that lives for weeks may hold thousands. */
const maxNames = 64;

/** Boils a trace down to what a list shows and a search looks at. */
export function summaryOf(trace: Trace, spans: Iterable<SpanRecord>): TraceSummary {
  const sandboxes = new Set<string>();
  const containers = new Set<string>();
  const pods = new Set<string>();
  const methods = new Set<string>();
  let incompleteCount = trace.missingParentCount;
  for (const { attributes } of spans) {
    note(sandboxes, attributes.get("kata.sandbox.id") ?? attributes.get("sandbox"));
    note(containers, attributes.get("container.id"));
    note(pods, podOf(attributes));
    note(methods, attributes.get("rpc.method"));
    if (attributes.get("kata.incomplete") === true) incompleteCount += 1;
  }
  return {
    traceId: trace.traceId,
    name: trace.roots[0]?.span.name ?? "",
    startMs: Number(trace.startNs / 1000n) / 1000,
    durationNs: Number(trace.endNs - trace.startNs),
    spanCount: trace.spanCount,
    errorCount: trace.errorCount,
    incompleteCount,
    services: trace.services.slice(0, maxNames),
    sandboxes: [...sandboxes],
    containers: [...containers],
    pods: [...pods],
    methods: [...methods],
  };
}

function note(names: Set<string>, value: AttributeValue | undefined): void {
  if (typeof value === "string" && value !== "" && names.size < maxNames) names.add(value);
}

function podOf(attributes: SpanRecord["attributes"]): string | undefined {
  const name = attributes.get("k8s.pod.name");
  if (name === undefined) return undefined;
  const namespace = attributes.get("k8s.namespace.name");
  return namespace === undefined ? String(name) : `${namespace}/${name}`;
}
