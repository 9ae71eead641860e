/**
 * Where the page has its traces from: a forwarder that it asks, or the page itself when `agentctl trace --html` wrote
 * it. In both cases spans arrive as OTLP JSON, the public format, and are read by the code that agentctl uses.
 */
import { parseOtlpLine } from "../view/otlp-json.ts";
import type { SpanRecord } from "../view/span-record.ts";
import type { TraceList } from "../view/trace-list.ts";
import { summaryOf } from "../view/trace-summary.ts";
import { buildTraces, type Trace } from "../view/trace-tree.ts";

/** A trace to look at, with the OTLP JSON lines that it was read from. */
export type LoadedTrace = { readonly trace: Trace; readonly lines: readonly string[] };

/** Where traces come from. */
export type Source = {
  /** True when more may come while one looks. */
  readonly live: boolean;
  /** Calls back with the list, now and at every change; `undefined` while the forwarder cannot be reached. */
  watch(onList: (list: TraceList | undefined) => void): void;
  /** One trace; undefined when it is not there (any more). */
  load(traceId: string): Promise<LoadedTrace | undefined>;
};

/** The source of this page. */
export function openSource(page: Document): Source {
  const lines = embeddedLines(page);
  return lines === undefined ? forwarderSource() : embeddedSource(lines);
}

function embeddedLines(page: Document): string[] | undefined {
  const text = page.getElementById("spans")?.textContent ?? "";
  if (text.trim() === "") return undefined;
  const lines: unknown = JSON.parse(text);
  return Array.isArray(lines) ? lines.map((line) => JSON.stringify(line)) : undefined;
}

function embeddedSource(lines: readonly string[]): Source {
  const spans = lines.flatMap((line) => parseOtlpLine(line).spans);
  const byTrace = Map.groupBy(spans, (span) => span.traceId);
  const traces = new Map(buildTraces(spans).map((trace) => [trace.traceId, trace]));
  const summaries = [...traces.values()].map((trace) => summaryOf(trace, byTrace.get(trace.traceId) ?? []));
  return {
    live: false,
    watch: (onList) => onList({ version: 1, traces: summaries, forgotten: 0 }),
    async load(traceId) {
      const trace = traces.get(traceId);
      return trace && { trace, lines: lines.filter((line) => line.includes(traceId)) };
    },
  };
}

function forwarderSource(): Source {
  return {
    live: true,
    watch(onList) {
      const refresh = async () => onList((await ask("api/traces")) as TraceList | undefined);
      const changes = new EventSource("api/changes");
      changes.onmessage = () => void refresh();
      changes.onerror = () => onList(undefined);
    },
    async load(traceId) {
      const request = await ask(`api/traces/${encodeURIComponent(traceId)}`);
      if (request === undefined) return undefined;
      const line = JSON.stringify(request);
      return loaded(parseOtlpLine(line).spans, traceId, line);
    },
  };
}

function loaded(spans: readonly SpanRecord[], traceId: string, line: string): LoadedTrace | undefined {
  const trace = buildTraces(spans).find((built) => built.traceId === traceId);
  return trace && { trace, lines: [line] };
}

async function ask(path: string): Promise<unknown> {
  const answer = await fetch(path).catch(() => undefined);
  return answer?.ok ? answer.json() : undefined;
}
