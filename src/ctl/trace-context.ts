import { randomBytes } from "node:crypto";
import { parseTraceparent } from "../trace/traceparent.ts";
import { UsageError } from "./usage-error.ts";

/** Where a call of ours stands in a trace. Ids are lower-case hex, 32 and 16 digits. */
export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly sampled: boolean };

function randomId(bytes: number): string {
  const id = randomBytes(bytes).toString("hex");
  return /^0+$/.test(id) ? randomId(bytes) : id; // all zero means "no id"
}

/** A fresh, sampled context; with `parent`, a new span of the same trace. */
export function newTraceContext(parent?: TraceContext): TraceContext {
  return { traceId: parent?.traceId ?? randomId(16), spanId: randomId(8), sampled: parent?.sampled ?? true };
}

/** The W3C header form, `00-<trace id>-<span id>-01`, as it is sent in the metadata of every call. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? "01" : "00"}`;
}

/**
 * Reads what the user gave as `--traceparent`.
 * @throws UsageError when an agent would not take it (wire-and-tracing 4.1).
 */
export function parseTraceContext(value: string): TraceContext {
  const parent = parseTraceparent(value);
  if (parent === undefined) throw new UsageError(`not a W3C traceparent: ${value}`);
  return { traceId: parent.traceId, spanId: parent.spanId, sampled: (parent.traceFlags & 1) === 1 };
}
