/**
 * The newest traces, for the page to show.
 *
 * Spans are kept as the JSON text that they came as, grouped by trace: text takes a third of the memory of objects,
 * and what the page asks for can be put together without parsing. The list needs more, a summary of each trace; it is
 * made when somebody looks, and only for traces that have changed. Memory has one bound; the trace that has been quiet
 * the longest goes first.
 *
 * What stands here is a copy: no guest waits for it and no span is answered for by it.
 */
import { parseOtlpLine } from "../../view/otlp-json.ts";
import type { TraceList } from "../../view/trace-list.ts";
import { summaryOf, type TraceSummary } from "../../view/trace-summary.ts";
import { buildTraces } from "../../view/trace-tree.ts";

const defaultMaxChars = 32 * 1024 * 1024;
/** A single trace may take this part of the room. */
const maxShare = 4;
/** What an entry costs beside its text. */
const overheadChars = 64;

type Part = { readonly resource: string; readonly span: string };

type Kept = {
  readonly parts: Part[];
  readonly spanIds: Set<string>;
  chars: number;
  summary: TraceSummary | undefined;
};

/** The traces that are kept, and whoever wants to know of changes. */
export class RecentTraces {
  readonly #maxChars: number;
  /** In the order of the last change, oldest first. */
  readonly #traces = new Map<string, Kept>();
  readonly #watchers = new Set<() => void>();
  #chars = 0;
  #version = 1;
  #forgotten = 0;

  /** `maxChars`: bound of the text that is kept. */
  constructor(maxChars = defaultMaxChars) {
    this.#maxChars = maxChars;
  }

  /** Notes the spans of one line of OTLP JSON; one that does not parse, or has no valid span, changes nothing. */
  add(line: string): void {
    let changed = false;
    for (const { traceId, spanId, resource, span } of partsOf(line)) {
      const kept = this.#traces.get(traceId) ?? newKept();
      if (kept.spanIds.has(spanId)) continue;
      const chars = span.length + overheadChars;
      if (kept.chars + chars > this.#maxChars / maxShare) continue;
      kept.parts.push({ resource, span });
      kept.spanIds.add(spanId);
      kept.chars += chars;
      kept.summary = undefined;
      this.#chars += chars;
      this.#traces.delete(traceId);
      this.#traces.set(traceId, kept);
      changed = true;
    }
    if (!changed) return;
    this.#makeRoom();
    this.#version += 1;
    for (const onChange of this.#watchers) onChange();
  }

  /** Every trace in one row. */
  list(): TraceList {
    const traces = [...this.#traces].flatMap(([traceId, kept]) => {
      kept.summary ??= this.#summary(traceId);
      return kept.summary === undefined ? [] : [kept.summary];
    });
    return { version: this.#version, traces, forgotten: this.#forgotten };
  }

  /** One trace as OTLP JSON; undefined when it is not here. */
  trace(traceId: string): string | undefined {
    const kept = this.#traces.get(traceId);
    if (kept === undefined) return undefined;
    const byResource = Map.groupBy(kept.parts, ({ resource }) => resource);
    const resourceSpans = [...byResource].map(
      ([resource, parts]) =>
        `{"resource":${resource},"scopeSpans":[{"spans":[${parts.map(({ span }) => span).join(",")}]}]}`,
    );
    return `{"resourceSpans":[${resourceSpans.join(",")}]}`;
  }

  /** Calls back at every change, until the function that it gives is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  #summary(traceId: string): TraceSummary | undefined {
    const { spans } = parseOtlpLine(this.trace(traceId) ?? "");
    const [trace] = buildTraces(spans);
    return trace && summaryOf(trace, spans);
  }

  #makeRoom(): void {
    for (const [traceId, kept] of this.#traces) {
      if (this.#chars <= this.#maxChars) return;
      this.#traces.delete(traceId);
      this.#chars -= kept.chars;
      this.#forgotten += 1;
    }
  }
}

function newKept(): Kept {
  return { parts: [], spanIds: new Set(), chars: 0, summary: undefined };
}

type SpanPart = Part & { readonly traceId: string; readonly spanId: string };

/** The spans of a line, each with its resource; ids in lower case as the page asks for them. */
function* partsOf(line: string): Iterable<SpanPart> {
  const request = asObject(parsed(line));
  for (const group of asList(request["resourceSpans"]).map(asObject)) {
    const resource = JSON.stringify(asObject(group["resource"]));
    for (const scope of asList(group["scopeSpans"]).map(asObject)) {
      for (const span of asList(scope["spans"]).map(asObject)) {
        const [traceId, spanId] = [idOf(span["traceId"]), idOf(span["spanId"])];
        if (traceId !== "" && spanId !== "") yield { traceId, spanId, resource, span: JSON.stringify(span) };
      }
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function idOf(value: unknown): string {
  return typeof value === "string" ? value.toLowerCase() : "";
}
