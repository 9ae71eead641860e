import { useEffect, useState } from "preact/hooks";
import { formatDuration } from "../view/duration.ts";
import { type MapEdge, type MapNode, serviceMap } from "../view/service-map.ts";
import type { Trace } from "../view/trace-tree.ts";
import { formatRoute } from "./route.ts";
import { list, listVersion, loadTrace } from "./state.ts";

/** Of so many of the newest traces the map is drawn; each has to be loaded. */
const maxTraces = 20;
const columnPx = 260;
const rowPx = 110;
const boxPx = { width: 170, height: 62 };
const marginPx = 24;

/** Who works for whom, in one trace or in the newest ones. */
export function MapView({ traceId }: { traceId: string | undefined }) {
  const traces = useTraces(traceId);
  if (traces === undefined) return <p class="empty">Loading …</p>;
  if (traces.length === 0) return <p class="empty">There is no trace to draw.</p>;
  const { nodes, edges } = serviceMap(traces);
  return (
    <>
      <div class="bar">
        <h2>{traceId === undefined ? `Service map of ${traces.length} traces` : "Service map of a trace"}</h2>
        {traceId !== undefined && (
          <a href={formatRoute({ view: "trace", traceId, spanId: undefined })}>the trace</a>
        )}
      </div>
      <Drawing nodes={nodes} edges={edges} />
      <EdgeTable edges={edges} />
    </>
  );
}

function useTraces(traceId: string | undefined): Trace[] | undefined {
  const [traces, setTraces] = useState<Trace[] | undefined>(undefined);
  const version = listVersion.value;
  useEffect(() => {
    let wanted = true;
    const newest = list.value.traces.toSorted((a, b) => b.startMs - a.startMs).slice(0, maxTraces);
    const ids = traceId === undefined ? newest.map((trace) => trace.traceId) : [traceId];
    void Promise.all(ids.map(loadTrace)).then((found) => {
      if (wanted) setTraces(found.flatMap((loaded) => (loaded === undefined ? [] : [loaded.trace])));
    });
    return () => {
      wanted = false;
    };
  }, [traceId, version]);
  return traces;
}

type Placed = MapNode & { readonly x: number; readonly y: number };

/** One column per step from the beginning, the parts of a column below each other. */
function place(nodes: readonly MapNode[]): ReadonlyMap<string, Placed> {
  const inColumn = new Map<number, number>();
  const placed = new Map<string, Placed>();
  for (const node of nodes) {
    const row = inColumn.get(node.column) ?? 0;
    inColumn.set(node.column, row + 1);
    placed.set(node.name, { ...node, x: marginPx + node.column * columnPx, y: marginPx + row * rowPx });
  }
  return placed;
}

function Drawing({ nodes, edges }: { nodes: readonly MapNode[]; edges: readonly MapEdge[] }) {
  const placed = place(nodes);
  const width = Math.max(...[...placed.values()].map(({ x }) => x)) + boxPx.width + marginPx;
  const height = Math.max(...[...placed.values()].map(({ y }) => y)) + boxPx.height + marginPx;
  return (
    <svg
      class="map"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label="Service map"
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">
          <path d="M0 0 L8 4 L0 8 z" class="arrow" />
        </marker>
      </defs>
      {edges.map((edge) => (
        <Edge key={`${edge.from}>${edge.to}`} edge={edge} placed={placed} />
      ))}
      {[...placed.values()].map((node) => (
        <g key={node.name} transform={`translate(${node.x} ${node.y})`}>
          <rect {...boxPx} rx="8" class={node.errors > 0 ? "box failed" : "box"} />
          <text x={boxPx.width / 2} y="26" text-anchor="middle" class="title">
            {node.name.slice(0, 22)}
          </text>
          <text x={boxPx.width / 2} y="46" text-anchor="middle">
            {`${node.spans} spans${node.errors > 0 ? `, ${node.errors} failed` : ""}`}
          </text>
        </g>
      ))}
    </svg>
  );
}

function Edge({ edge, placed }: { edge: MapEdge; placed: ReadonlyMap<string, Placed> }) {
  const [from, to] = [placed.get(edge.from), placed.get(edge.to)];
  if (from === undefined || to === undefined) return null;
  const forward = to.x > from.x;
  const x1 = forward ? from.x + boxPx.width : from.x;
  const x2 = forward ? to.x : to.x + boxPx.width;
  const [y1, y2] = [from.y + boxPx.height / 2, to.y + boxPx.height / 2];
  const bend = (x1 + x2) / 2;
  return (
    <g>
      <path
        d={`M${x1} ${y1} C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`}
        class="edge"
        marker-end="url(#arrow)"
      />
      <text x={bend} y={(y1 + y2) / 2 - 8} text-anchor="middle" class="calls">
        {`${edge.calls} ×`}
      </text>
    </g>
  );
}

function EdgeTable({ edges }: { edges: readonly MapEdge[] }) {
  return (
    <table>
      <caption class="unseen">Calls between services</caption>
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col">To</th>
          <th scope="col" class="number">
            Calls
          </th>
          <th scope="col" class="number">
            Failed
          </th>
          <th scope="col" class="number">
            Mean
          </th>
        </tr>
      </thead>
      <tbody>
        {edges.map((edge) => (
          <tr key={`${edge.from}>${edge.to}`}>
            <td>{edge.from}</td>
            <td>{edge.to}</td>
            <td class="number">{edge.calls}</td>
            <td class="number">{edge.errors}</td>
            <td class="number">{formatDuration(edge.durationNs / BigInt(edge.calls))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
