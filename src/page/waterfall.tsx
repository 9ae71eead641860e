/**
 * The waterfall: a row per span, a bar where it lies in time.
 *
 * Only the rows that can be seen are in the document, between two spacers, so a trace of thousands of spans scrolls
 * like one of ten. To a screen reader it is a tree grid with its true number of rows.
 */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatDuration } from "../view/duration.ts";
import type { Trace, TraceNode } from "../view/trace-tree.ts";
import { type WaterfallRow, waterfallRows } from "../view/waterfall.ts";

const rowPx = 24;
/** Rows drawn beyond each edge, so that a fast scroll shows no gap. */
const beyond = 12;
const indentPx = 14;
const maxIndent = 24;

type Props = {
  readonly trace: Trace;
  readonly chosen: TraceNode | undefined;
  readonly onChoose: (node: TraceNode) => void;
};

/** Shows one trace; `chosen` is the span whose details are open. */
export function Waterfall({ trace, chosen, onChoose }: Props) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [scroll, setScroll] = useState({ top: 0, height: 600 });
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => waterfallRows(trace, collapsed), [trace, collapsed]);
  const active =
    chosen === undefined ? -1 : rows.findIndex(({ node }) => node.span.spanId === chosen.span.spanId);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setScroll({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || active < 0) return;
    const top = active * rowPx;
    const seen = element.clientHeight - rowPx;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top > element.scrollTop + seen - rowPx) element.scrollTop = top - seen + rowPx;
  }, [active]);

  const toggle = (node: TraceNode, collapse: boolean) => {
    const next = new Set(collapsed);
    if (collapse) next.add(node.span.spanId);
    else next.delete(node.span.spanId);
    setCollapsed(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active];
    const target = targetOf(event.key, rows, active, Math.floor(scroll.height / rowPx));
    if (target !== undefined) onChoose(target.node);
    else if (event.key === "ArrowRight" && row !== undefined) toggle(row.node, false);
    else if (event.key === "ArrowLeft" && row !== undefined) {
      if (row.node.children.length > 0 && !collapsed.has(row.node.span.spanId)) toggle(row.node, true);
      else if (row.parent !== undefined) onChoose(row.parent);
    } else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(scroll.top / rowPx) - beyond);
  const last = Math.min(rows.length, Math.ceil((scroll.top + scroll.height) / rowPx) + beyond);
  return (
    <div
      class="waterfall"
      role="treegrid"
      aria-label="Spans"
      aria-rowcount={rows.length}
      aria-activedescendant={active < 0 ? undefined : rowId(rows[active])}
      tabIndex={0}
      ref={box}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: `${first * rowPx}px` }} />
      {rows.slice(first, last).map((row, index) => (
        <Row
          key={row.node.span.spanId}
          row={row}
          index={first + index}
          trace={trace}
          chosen={first + index === active}
          collapsed={collapsed.has(row.node.span.spanId)}
          onChoose={onChoose}
          onToggle={toggle}
        />
      ))}
      <div role="presentation" style={{ height: `${(rows.length - last) * rowPx}px` }} />
    </div>
  );
}

function rowId(row: WaterfallRow | undefined): string | undefined {
  return row && `span-${row.node.span.spanId}`;
}

function targetOf(
  key: string,
  rows: readonly WaterfallRow[],
  active: number,
  page: number,
): WaterfallRow | undefined {
  const steps: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: rows.length - 1,
  };
  const wanted = steps[key];
  return wanted === undefined ? undefined : rows[Math.min(rows.length - 1, Math.max(0, wanted))];
}

type RowProps = {
  readonly row: WaterfallRow;
  readonly index: number;
  readonly trace: Trace;
  readonly chosen: boolean;
  readonly collapsed: boolean;
  readonly onChoose: (node: TraceNode) => void;
  readonly onToggle: (node: TraceNode, collapse: boolean) => void;
};

function Row({ row, index, trace, chosen, collapsed, onChoose, onToggle }: RowProps) {
  const { node, depth } = row;
  const { span } = node;
  const hasChildren = node.children.length > 0;
  const indent = Math.min(depth, maxIndent) * indentPx;
  return (
    <div
      id={rowId(row)}
      role="row"
      class={rowClass(node, chosen)}
      aria-rowindex={index + 1}
      aria-level={depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={chosen}
      aria-expanded={hasChildren ? !collapsed : undefined}
      onClick={() => onChoose(node)}
    >
      <div role="gridcell" class="name" style={{ paddingLeft: `${indent}px` }}>
        <span
          class="twist"
          aria-hidden="true"
          onClick={(event) => {
            event.stopPropagation();
            if (hasChildren) onToggle(node, !collapsed);
          }}
        >
          {hasChildren ? (collapsed ? "▸" : "▾") : ""}
        </span>
        {label(row)}
      </div>
      <div role="gridcell" class="number">
        {formatDuration(span.endNs - span.startNs)}
      </div>
      <div role="gridcell" class="track" aria-label={offsetText(node, trace)}>
        <div class="stripe" style={barStyle(node, trace)} />
      </div>
    </div>
  );
}

function rowClass({ span, missingParent }: TraceNode, chosen: boolean): string {
  const failed = span.status.error || missingParent ? " failed" : "";
  return `row${failed}${chosen ? " chosen" : ""}`;
}

function label({ node, parent }: WaterfallRow): string {
  const isIncomplete = node.span.attributes.get("kata.incomplete") === true;
  const mark = isIncomplete ? "… " : node.span.status.error ? "✗ " : "";
  const service = parent?.span.service === node.span.service ? "" : ` @${node.span.service}`;
  return `${mark}${node.span.name}${service}`;
}

function offsetText({ span }: TraceNode, trace: Trace): string {
  return `starts after ${formatDuration(span.startNs - trace.startNs)}`;
}

function barStyle({ span }: TraceNode, trace: Trace): { left: string; width: string } {
  const total = Math.max(1, Number(trace.endNs - trace.startNs));
  const left = (Number(span.startNs - trace.startNs) / total) * 100;
  const width = (Number(span.endNs - span.startNs) / total) * 100;
  return { left: `${clamp(left)}%`, width: `${clamp(width)}%` };
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}
