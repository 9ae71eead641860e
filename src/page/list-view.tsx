import { formatDuration } from "../view/duration.ts";
import { listed, type SandboxRow, sandboxesOf, type TraceOrder } from "../view/trace-list.ts";
import type { TraceSummary } from "../view/trace-summary.ts";
import { formatRoute } from "./route.ts";
import { goTo, list, marked, order, source } from "./state.ts";

const maxRows = 500;
const orderNames: Record<TraceOrder, string> = { trouble: "failed and slow first", newest: "newest first" };

/** The sandboxes, and the traces that match the search. */
export function ListView({ query }: { query: string }) {
  const traces = listed(list.value.traces, query, order.value);
  if (list.value.traces.length === 0) return <p class="empty">{emptyText()}</p>;
  return (
    <>
      <Sandboxes rows={sandboxesOf(list.value.traces)} query={query} />
      <div class="bar">
        <h2>{`${traces.length} of ${list.value.traces.length} traces`}</h2>
        <Order />
        <Marked />
      </div>
      <TraceTable traces={traces.slice(0, maxRows)} />
      {traces.length > maxRows && <p class="quiet">{`${traces.length - maxRows} more: search to narrow`}</p>}
      {list.value.forgotten > 0 && (
        <p class="quiet">{`${list.value.forgotten} older traces have been forgotten`}</p>
      )}
    </>
  );
}

function emptyText(): string {
  return source.live
    ? "No trace has come yet. Start a pod with agent.trace."
    : "There are no spans in this file.";
}

function Sandboxes({ rows, query }: { rows: readonly SandboxRow[]; query: string }) {
  return (
    <section aria-label="Sandboxes">
      <h2>{`${rows.length} sandbox${rows.length === 1 ? "" : "es"}`}</h2>
      <ul class="chips">
        {rows.slice(0, 50).map(({ id, traces, failed }) => {
          const own = `sandbox:${id}`;
          return (
            <li key={id}>
              <a
                class={failed > 0 ? "chip failed" : "chip"}
                href={formatRoute({ view: "list", query: query === own ? "" : own })}
                aria-current={query === own ? "true" : undefined}
              >
                {`${id.slice(0, 13)} · ${traces}${failed > 0 ? ` · ${failed} failed` : ""}`}
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Order() {
  return (
    <label>
      {"Order "}
      <select
        value={order.value}
        onChange={(event) => (order.value = event.currentTarget.value as TraceOrder)}
      >
        {Object.entries(orderNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Marked() {
  if (marked.value === undefined) return null;
  return (
    <span>
      {`compare ${marked.value.slice(0, 8)} with … `}
      <button type="button" onClick={() => (marked.value = undefined)}>
        never mind
      </button>
    </span>
  );
}

function TraceTable({ traces }: { traces: readonly TraceSummary[] }) {
  return (
    <table>
      <caption class="unseen">Traces</caption>
      <thead>
        <tr>
          <th scope="col">Trace</th>
          <th scope="col">Sandbox and containers</th>
          <th scope="col">Started</th>
          <th scope="col" class="number">
            Duration
          </th>
          <th scope="col" class="number">
            Spans
          </th>
          <th scope="col">State</th>
          <th scope="col">Compare</th>
        </tr>
      </thead>
      <tbody>
        {traces.map((trace) => (
          <TraceRow key={trace.traceId} trace={trace} />
        ))}
      </tbody>
    </table>
  );
}

function TraceRow({ trace }: { trace: TraceSummary }) {
  return (
    <tr>
      <td>
        <a href={formatRoute({ view: "trace", traceId: trace.traceId, spanId: undefined })}>
          {trace.name || "(no name)"}
        </a>
        <div class="quiet mono">{`${trace.traceId.slice(0, 16)} · ${trace.services.join(", ")}`}</div>
      </td>
      <td>
        {(trace.pods[0] ?? trace.sandboxes[0] ?? "").slice(0, 40)}
        <div class="quiet">{shortList(trace.containers)}</div>
      </td>
      <td>
        <time dateTime={new Date(trace.startMs).toISOString()}>
          {new Date(trace.startMs).toLocaleString()}
        </time>
      </td>
      <td class="number">{formatDuration(BigInt(Math.round(trace.durationNs)))}</td>
      <td class="number">{trace.spanCount}</td>
      <td>{stateText(trace)}</td>
      <td>
        <button
          type="button"
          aria-label={`Compare ${trace.traceId.slice(0, 8)}`}
          onClick={() => compare(trace.traceId)}
        >
          {marked.value === undefined ? "compare" : marked.value === trace.traceId ? "marked" : "with this"}
        </button>
      </td>
    </tr>
  );
}

function stateText({ errorCount, incompleteCount }: TraceSummary) {
  if (errorCount > 0) return <strong class="failed">{`✗ ${errorCount} failed`}</strong>;
  if (incompleteCount > 0) return <strong class="warning">{`… ${incompleteCount} incomplete`}</strong>;
  return "ok";
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => name.slice(0, 13));
  return names.length > 3 ? `${shown.join(", ")} + ${names.length - 3}` : shown.join(", ");
}

/** The first click marks a trace, the second shows both. */
function compare(traceId: string): void {
  const first = marked.value;
  if (first === undefined) marked.value = traceId;
  else {
    marked.value = undefined;
    if (first !== traceId) goTo({ view: "compare", left: first, right: traceId });
  }
}
