import { useState } from "preact/hooks";
import { type ComparedRow, compareTraces } from "../view/compare.ts";
import { formatDuration } from "../view/duration.ts";
import type { Trace, TraceNode } from "../view/trace-tree.ts";
import { formatRoute } from "./route.ts";
import { useTrace } from "./use-trace.ts";

const maxRows = 2000;

/** Two traces step by step: why was this start slower? */
export function CompareView({ left, right }: { left: string; right: string }) {
  const [a, b] = [useTrace(left), useTrace(right)];
  if (a.state === "loading" || b.state === "loading") return <p class="empty">Loading …</p>;
  if (a.state === "absent" || b.state === "absent")
    return <p class="empty">One of the traces is not here.</p>;
  return <Comparison left={a.trace} right={b.trace} />;
}

function Comparison({ left, right }: { left: Trace; right: Trace }) {
  const [bySize, setBySize] = useState(false);
  const rows = compareTraces(left, right);
  const largest = rows.reduce((most, { deltaNs }) => Math.max(most, Math.abs(Number(deltaNs))), 1);
  const shown = bySize ? rows.toSorted((x, y) => sizeOf(y) - sizeOf(x)) : rows;
  return (
    <>
      <div class="bar">
        <h2>Comparison</h2>
        <label>
          <input
            type="checkbox"
            checked={bySize}
            onChange={(event) => setBySize(event.currentTarget.checked)}
          />
          {" largest difference first"}
        </label>
      </div>
      <table>
        <caption class="unseen">Steps of two traces</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="number">
              <a href={traceRoute(left)}>{left.traceId.slice(0, 8)}</a>
            </th>
            <th scope="col" class="number">
              <a href={traceRoute(right)}>{right.traceId.slice(0, 8)}</a>
            </th>
            <th scope="col" class="number">
              Difference
            </th>
            <th scope="col">
              <span class="unseen">Difference as a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, maxRows).map((row) => (
            <StepRow key={keyOf(row)} row={row} indent={!bySize} largest={largest} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function StepRow({ row, indent, largest }: { row: ComparedRow; indent: boolean; largest: number }) {
  const slower = row.deltaNs > 0n;
  const width = `${(sizeOf(row) / largest) * 100}%`;
  return (
    <tr>
      <td style={{ paddingLeft: `${8 + (indent ? Math.min(row.depth, 24) * 14 : 0)}px` }}>{row.name}</td>
      <td class="number">{durationText(row.left)}</td>
      <td class="number">{durationText(row.right)}</td>
      <td class={slower ? "number slower" : "number"}>{deltaText(row.deltaNs)}</td>
      <td class="delta">
        <div class={slower ? "stripe slower" : "stripe"} style={{ width }} />
      </td>
    </tr>
  );
}

function sizeOf({ deltaNs }: ComparedRow): number {
  return Math.abs(Number(deltaNs));
}

function keyOf({ left, right }: ComparedRow): string {
  return `${left?.span.spanId ?? ""}/${right?.span.spanId ?? ""}`;
}

function traceRoute({ traceId }: Trace): string {
  return formatRoute({ view: "trace", traceId, spanId: undefined });
}

function durationText(node: TraceNode | undefined): string {
  return node === undefined ? "—" : formatDuration(node.span.endNs - node.span.startNs);
}

function deltaText(deltaNs: bigint): string {
  return deltaNs < 0n ? `− ${formatDuration(-deltaNs)}` : `+ ${formatDuration(deltaNs)}`;
}
