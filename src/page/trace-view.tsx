import { useMemo } from "preact/hooks";
import { formatDuration } from "../view/duration.ts";
import type { Trace, TraceNode } from "../view/trace-tree.ts";
import { waterfallRows } from "../view/waterfall.ts";
import { formatRoute } from "./route.ts";
import { saveFile } from "./save-file.ts";
import type { LoadedTrace } from "./source.ts";
import { SpanDetails } from "./span-details.tsx";
import { goTo } from "./state.ts";
import { useTrace } from "./use-trace.ts";
import { Waterfall } from "./waterfall.tsx";

/** One trace: its headline, the waterfall, and the details of the chosen span. */
export function TraceView({ traceId, spanId }: { traceId: string; spanId: string | undefined }) {
  const known = useTrace(traceId);
  if (known.state === "loading") return <p class="empty">Loading …</p>;
  if (known.state === "absent") return <p class="empty">{`Trace ${traceId} is not here.`}</p>;
  return <LoadedTraceView loaded={known} spanId={spanId} />;
}

function LoadedTraceView({ loaded, spanId }: { loaded: LoadedTrace; spanId: string | undefined }) {
  const { trace } = loaded;
  const chosen = useMemo(() => nodeOf(trace, spanId), [trace, spanId]);
  const choose = (node: TraceNode) =>
    goTo({ view: "trace", traceId: trace.traceId, spanId: node.span.spanId }, "replace");
  return (
    <>
      <Headline loaded={loaded} />
      <div class="columns">
        <Waterfall trace={trace} chosen={chosen} onChoose={choose} />
        {chosen !== undefined && <SpanDetails node={chosen} trace={trace} />}
      </div>
    </>
  );
}

function Headline({ loaded }: { loaded: LoadedTrace }) {
  const { trace, lines } = loaded;
  const facts = [
    `${trace.spanCount} spans`,
    formatDuration(trace.endNs - trace.startNs),
    trace.services.join(", "),
    ...(trace.errorCount > 0 ? [`${trace.errorCount} failed`] : []),
    ...(trace.missingParentCount > 0 ? [`${trace.missingParentCount} without known parent`] : []),
  ];
  return (
    <div class="bar">
      <h2>{trace.roots[0]?.span.name}</h2>
      <span class="quiet mono">{trace.traceId}</span>
      <span>{facts.join(" · ")}</span>
      <a href={formatRoute({ view: "map", traceId: trace.traceId })}>map</a>
      <button type="button" onClick={() => saveFile(`trace-${trace.traceId}.jsonl`, `${lines.join("\n")}\n`)}>
        Export OTLP JSON
      </button>
    </div>
  );
}

function nodeOf(trace: Trace, spanId: string | undefined): TraceNode | undefined {
  if (spanId === undefined) return undefined;
  return waterfallRows(trace, new Set()).find(({ node }) => node.span.spanId === spanId)?.node;
}
