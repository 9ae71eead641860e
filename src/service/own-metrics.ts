/** What the agent counts itself. Names and numbers only; nothing of any request. */
import { codeName } from "../base/code.ts";
import { itemGauge, type Metric, type Sample } from "../base/metric.ts";
import type { CallCounts } from "../rpc/call-counts.ts";
import type { FlushReport } from "../trace/tracing-options.ts";

/** Calls by method and status code, and those under way; methods that were never called are left out. */
export function callMetrics(counts: CallCounts): Metric[] {
  const ended: Sample[] = [];
  const running: Sample[] = [];
  for (const [{ path: method }, count] of counts.all()) {
    count.ended.forEach((number, code) => {
      if (number > 0) ended.push([{ method, code: codeName(code) }, number]);
    });
    if (count.running > 0) running.push([{ method }, count.running]);
  }
  return [
    counter("kata_agent_rpc_calls_total", "Calls that have ended, by method and status code.", ended),
    {
      name: "kata_agent_rpc_running",
      help: "Calls that the agent works on.",
      kind: "gauge",
      samples: running,
    },
  ];
}

/** Where the spans have gone; nothing while tracing is off. */
export function spanMetrics(report: FlushReport | undefined): Metric[] {
  if (report === undefined) return [];
  const { sent, pending, droppedBy } = report;
  const dropped = Object.entries(droppedBy).map(([reason, count]): Sample => [{ reason }, count]);
  return [
    counter("kata_agent_spans_sent_total", "Spans that the receiver has acknowledged.", [[{}, sent]]),
    {
      name: "kata_agent_spans_queued",
      help: "Spans that have ended and wait.",
      kind: "gauge",
      samples: [[{}, pending]],
    },
    counter("kata_agent_spans_dropped_total", "Spans that were lost, by reason.", dropped),
  ];
}

/** What has come of the spans that containers sent; nothing when none has. */
export function relayMetrics(counts: Readonly<Record<string, number>>): Metric[] {
  const samples = Object.entries(counts).filter(([, count]) => count > 0);
  if (samples.length === 0) return [];
  return [
    counter(
      "kata_agent_relayed_requests_total",
      "OTLP requests of containers, by result.",
      samples.map(([result, count]): Sample => [{ result }, count]),
    ),
  ];
}

/** Memory by what the JavaScript engine keeps in it. */
export function heapMetrics(): Metric[] {
  const { heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const items = { heap_total: heapTotal, heap_used: heapUsed, external, array_buffers: arrayBuffers };
  return [
    itemGauge(
      "kata_agent_heap_bytes",
      "Memory of the agent's JavaScript engine in bytes.",
      Object.entries(items),
    ),
  ];
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "counter", samples };
}
