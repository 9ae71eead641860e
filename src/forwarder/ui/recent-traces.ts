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
import { requestOf, type SpanPart, type SpanText, spanParts, text } from "../../view/otlp-parts.ts";
import type { TraceList } from "../../view/trace-list.ts";
import { summaryOf, type TraceSummary } from "../../view/trace-summary.ts";
import { buildTraces } from "../../view/trace-tree.ts";

const defaultMaxChars = 32 * 1024 * 1024;
/** A single trace may take this part of the room. */
const maxShare = 4;
/** What an entry costs beside its text. */
const overheadChars = 64;

type Kept = {
  readonly parts: SpanText[];
  /** What stands around spans, each text once. */
  readonly around: Map<string, string>;
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
    for (const part of spanParts(line) ?? []) {
      const [traceId, spanId] = [idOf(part.span["traceId"]), idOf(part.span["spanId"])];
      if (traceId === "" || spanId === "") continue;
      const kept = this.#traces.get(traceId) ?? newKept();
      if (kept.spanIds.has(spanId) || !this.#keep(kept, part)) continue;
      kept.spanIds.add(spanId);
      kept.summary = undefined;
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
    return kept === undefined ? undefined : requestOf(kept.parts);
  }

  /** Calls back at every change, until the function that it gives is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /** False when there is no room for it in its trace. */
  #keep(kept: Kept, { resource, scope, span }: SpanPart): boolean {
    const part = {
      resource: JSON.stringify(resource),
      scope: JSON.stringify(scope),
      span: JSON.stringify(span),
    };
    const around = [part.resource, part.scope].filter((each) => !kept.around.has(each));
    const chars = [part.span, ...around].reduce((sum, each) => sum + each.length + overheadChars, 0);
    if (kept.chars + chars > this.#maxChars / maxShare) return false;
    for (const each of around) kept.around.set(each, each);
    kept.parts.push({
      resource: kept.around.get(part.resource) ?? "",
      scope: kept.around.get(part.scope) ?? "",
      span: part.span,
    });
    kept.chars += chars;
    this.#chars += chars;
    return true;
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
  return { parts: [], around: new Map(), spanIds: new Set(), chars: 0, summary: undefined };
}

/** In lower case, as the page asks for it. */
function idOf(value: unknown): string {
  return text(value).toLowerCase();
}
