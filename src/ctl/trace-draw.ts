/*
 * The tree in the terminal. One row per span, four columns:
 *
 *   ├─ grpc.AgentService/CreateContainer @kata-agent   41.2 ms  ··████····  container.id=web
 *   name, drawn as a tree                              duration bar         what is worth knowing
 *
 * The bar shows where in the whole trace the span lies. Everything that came from the file is stripped of control
 * characters first, because a span's name must not be able to steer the reader's terminal.
 */

import { formatDuration } from "../view/duration.ts";
import type { AttributeValue, SpanRecord } from "../view/span-record.ts";
import { laterNs, type Trace, type TraceNode } from "../view/trace-tree.ts";
import { type Row, rowsOf } from "./trace-rows.ts";

/**
 * Width in columns; whether escape sequences for colours may be used; whether many siblings of one name become one row.
 */
export type DrawOptions = { readonly width: number; readonly colour: boolean; readonly fold: boolean };

const durationWidth = 8;
const minBarWidth = 10;

/** What every span carries or what its name says already. */
const dullAttributes: ReadonlySet<string> = new Set([
  "rpc.system.name",
  "rpc.method",
  "rpc.response.status_code",
  "server.address",
  "server.port",
  "network.transport",
  "network.peer.address",
  "network.peer.port",
  "kata.sandbox.id",
]);

const clean = (value: string): string => value.replace(/\p{C}/gu, "�");
const cut = (value: string, width: number): string =>
  value.length <= width ? value : `${value.slice(0, Math.max(0, width - 1))}…`;

function label(row: Row): string {
  if (row.kind === "fold") return `${row.lead}… ${row.fold.nodes.length} more ${clean(row.fold.name)}`;
  const { span } = row.node;
  const mark = span.status.error ? "✗ " : "";
  const service = row.parent?.span.service === span.service ? "" : ` @${clean(span.service)}`;
  return `${row.lead}${mark}${clean(span.name)}${service}`;
}

function bar(span: Pick<SpanRecord, "startNs" | "endNs">, trace: Trace, width: number): string {
  const total = Number(trace.endNs - trace.startNs);
  const at = (ns: bigint) =>
    total <= 0 ? 0 : Math.min(width, Math.max(0, (Number(ns - trace.startNs) / total) * width));
  const first = Math.min(width - 1, Math.floor(at(span.startNs)));
  const length = Math.min(width - first, Math.max(1, Math.round(at(span.endNs)) - first));
  return "·".repeat(first) + "█".repeat(length) + "·".repeat(width - first - length);
}

const valueText = (value: AttributeValue): string =>
  typeof value === "string" ? cut(clean(value), 32) : String(value);

function linkNote(link: SpanRecord["links"][number], trace: Trace): string {
  const where = link.traceId === trace.traceId ? "" : `${link.traceId.slice(0, 8)}…/`;
  return `↗ ${where}${link.spanId}`;
}

function notes(node: TraceNode, trace: Trace): string {
  const { span } = node;
  const parts: string[] = [];
  if (node.missingParent) parts.push(`[parent ${span.parentSpanId} unknown]`);
  if (span.status.error) parts.push(span.status.message === "" ? "error" : `"${clean(span.status.message)}"`);
  for (const [key, value] of span.attributes) {
    if (!dullAttributes.has(key)) parts.push(`${clean(key)}=${valueText(value)}`);
  }
  for (const event of span.events) parts.push(`• ${clean(event.name)}`);
  for (const link of span.links) parts.push(linkNote(link, trace));
  return parts.join(" ");
}

/** A trace in one line: id, spans, duration, start, services, what failed. */
export function drawHeadline(trace: Trace): string {
  const parts = [
    `trace ${trace.traceId}`,
    `${trace.spanCount} span${trace.spanCount === 1 ? "" : "s"}`,
    formatDuration(trace.endNs - trace.startNs),
    new Date(Number(trace.startNs / 1_000_000n)).toISOString(),
    trace.services.map(clean).join(", "),
  ];
  if (trace.errorCount > 0) parts.push(`${trace.errorCount} failed`);
  if (trace.missingParentCount > 0) parts.push(`${trace.missingParentCount} without known parent`);
  return parts.join(" · ");
}

type Paint = {
  bold(s: string): string;
  dim(s: string): string;
  red(s: string): string;
  cyan(s: string): string;
};

function paint(colour: boolean): Paint {
  const wrap = (code: number) => (s: string) => (colour && s !== "" ? `\u001b[${code}m${s}\u001b[0m` : s);
  return { bold: wrap(1), dim: wrap(2), red: wrap(31), cyan: wrap(36) };
}

/** What a row shows of one span, or of several alike: from the first start to the last end, durations added up. */
type Shown = { startNs: bigint; endNs: bigint; durationNs: bigint; failed: boolean; notes: string };

function shownOf(row: Row, trace: Trace): Shown {
  if (row.kind === "span") {
    const { span } = row.node;
    const { startNs, endNs } = span;
    const failed = span.status.error || row.node.missingParent;
    return { startNs, endNs, durationNs: endNs - startNs, failed, notes: notes(row.node, trace) };
  }
  const spans = row.fold.nodes.map((node) => node.span);
  return {
    startNs: spans[0]?.startNs ?? 0n,
    endNs: spans.map((span) => span.endNs).reduce(laterNs, 0n),
    durationNs: spans.reduce((sum, span) => sum + span.endNs - span.startNs, 0n),
    failed: false,
    notes: "in all",
  };
}

/** Draws one trace: a headline and a row per span, no row wider than `width` (never less than 60 columns). */
export function drawTrace(trace: Trace, options: DrawOptions): string[] {
  const width = Math.max(60, options.width);
  const ink = paint(options.colour);
  const rows = rowsOf(trace, options.fold);
  const labelWidth = Math.min(
    Math.floor(width * 0.5),
    rows.reduce((most, row) => Math.max(most, label(row).length), 0),
  );
  const barWidth = Math.max(minBarWidth, Math.floor(width * 0.2));
  const notesWidth = width - labelWidth - durationWidth - barWidth - 6;
  const lines = rows.map((row) => {
    const shown = shownOf(row, trace);
    const name = cut(label(row), labelWidth).padEnd(labelWidth);
    const duration = formatDuration(shown.durationNs).padStart(durationWidth);
    const drawn = bar(shown, trace, barWidth);
    const rest = ink.dim(cut(shown.notes, notesWidth));
    const [nameInk, barInk] = shown.failed ? [ink.red, ink.red] : [(text: string) => text, ink.cyan];
    return `${nameInk(name)}  ${duration}  ${barInk(drawn)}  ${rest}`.trimEnd();
  });
  return [ink.bold(cut(drawHeadline(trace), width)), ...lines];
}
