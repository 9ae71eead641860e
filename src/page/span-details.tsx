import type { ComponentChildren } from "preact";
import { formatDuration } from "../view/duration.ts";
import type { AttributeValue, SpanRecord } from "../view/span-record.ts";
import type { Trace, TraceNode } from "../view/trace-tree.ts";
import { selfTimeNs } from "../view/waterfall.ts";
import { formatRoute } from "./route.ts";

const kinds = ["", "internal", "server", "client", "producer", "consumer"];

/** All that is known of one span. */
export function SpanDetails({ node, trace }: { node: TraceNode; trace: Trace }) {
  const { span } = node;
  return (
    <aside aria-label="Span details">
      <h3>{span.name}</h3>
      {span.status.error && <p class="failed">{`✗ ${span.status.message || "failed"}`}</p>}
      {span.attributes.get("kata.incomplete") === true && (
        <p class="warning">Its guest was lost before it ended; it is closed at that moment.</p>
      )}
      {node.missingParent && <p class="warning">{`Its parent ${span.parentSpanId} is not here.`}</p>}
      <Facts
        rows={[
          ["service", span.service],
          ["kind", kinds[span.kind] ?? ""],
          ["start", `+ ${formatDuration(span.startNs - trace.startNs)}`],
          ["duration", formatDuration(span.endNs - span.startNs)],
          ["own time", formatDuration(selfTimeNs(node))],
          ["span id", span.spanId],
        ]}
      />
      <Part title="Attributes" count={span.attributes.size}>
        <Facts rows={[...span.attributes].map(([key, value]) => [key, text(value)])} />
      </Part>
      <Part title="Events" count={span.events.length}>
        <Events span={span} />
      </Part>
      <Part title="Links" count={span.links.length}>
        <ul>
          {span.links.map((link) => (
            <li key={`${link.traceId}${link.spanId}`}>
              <a
                href={formatRoute({ view: "trace", ...link })}
              >{`${link.traceId.slice(0, 8)}… / ${link.spanId}`}</a>
            </li>
          ))}
        </ul>
      </Part>
    </aside>
  );
}

function Part({ title, count, children }: { title: string; count: number; children: ComponentChildren }) {
  if (count === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      {children}
    </>
  );
}

function Facts({ rows }: { rows: readonly (readonly [key: string, value: string])[] }) {
  return (
    <dl>
      {rows
        .filter(([, value]) => value !== "")
        .map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd class="mono">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Events({ span }: { span: SpanRecord }) {
  return (
    <ul>
      {span.events.map((event, index) => (
        <li key={index}>
          {`${event.name} (+ ${formatDuration(event.timeNs - span.startNs)})`}
          <Facts rows={[...event.attributes].map(([key, value]) => [key, text(value)])} />
        </li>
      ))}
    </ul>
  );
}

function text(value: AttributeValue): string {
  return String(value);
}
