import { behindLast, bytesEnd, tagAt, valueEnd, varintAt } from "../wire/protobuf-walk.ts";
import type { SamplingConfig } from "./sampling.ts";

/**
 * What sampling has to know of an export request, read from its bytes without making objects of the spans. With sampling
 * every byte passes here, so this is one walk with the place in a local variable, as in `in/scan-export.ts`.
 *
 * Field numbers (wire-and-tracing 7.1): ResourceSpans 2 scope_spans, ScopeSpans 2 spans; Span 1 trace_id, 5 name,
 * 7 start, 8 end, 15 status; Status 3 code.
 */
export type SpanFacts = {
  /** Trace ids in hex, each once. */
  readonly traces: ReadonlySet<string>;
  /** A span failed, or was slow. */
  readonly isWorthKeeping: boolean;
};

const wantedTag = 0x12;
const traceTag = 0x0a;
const nameTag = 0x2a;
const startTag = 0x39;
const endTag = 0x41;
const statusTag = 0x7a;
const statusCodeTag = 0x18;
const statusError = 2;
const traceBytes = 16;
const none = -1;
const nanosPerMilli = 1e6;
/** 2^32 ns, in ms. */
const highMs = 4294.967296;

/** What is being read, and what was found so far: the walk does not wait, so there is one. */
let body: Uint8Array;
let slowMsByName: SamplingConfig["slowMsByName"];
let usualMs: number;
let traces = new Set<string>();
let isWorthKeeping = false;
/** The trace id read last: most requests have one trace. */
let traceAt = none;

/**
 * @throws WireError; not for what `scanExport` has passed. With `onlyTraces` nothing is found worth keeping: what a
 *   kept sandbox sends has only to be known by its traces, which stand at the beginning of the spans.
 */
export function factsOf(exported: Uint8Array, config: SamplingConfig, onlyTraces = false): SpanFacts {
  body = exported;
  slowMsByName = config.slowMsByName;
  usualMs = config.slowMs ?? Number.POSITIVE_INFINITY;
  traces = new Set();
  isWorthKeeping = false;
  traceAt = none;
  const readSpan = onlyTraces ? readTrace : readAll;
  for (let at = 0, end = body.length; at < end; ) {
    tagAt(body, at, end);
    const to = bytesEnd(body, behindLast(), end);
    readResourceSpans(behindLast(), to, readSpan);
    at = to;
  }
  return { traces, isWorthKeeping };
}

function readResourceSpans(from: number, end: number, readSpan: typeof readAll): void {
  for (let at = from; at < end; ) {
    const tag = tagAt(body, at, end);
    if (tag === wantedTag) {
      const to = bytesEnd(body, behindLast(), end);
      readScopeSpans(behindLast(), to, readSpan);
      at = to;
    } else at = valueEnd(body, tag & 7, behindLast(), end);
  }
}

function readScopeSpans(from: number, end: number, readSpan: typeof readAll): void {
  for (let at = from; at < end; ) {
    const tag = tagAt(body, at, end);
    if (tag === wantedTag) {
      const to = bytesEnd(body, behindLast(), end);
      readSpan(behindLast(), to);
      at = to;
    } else at = valueEnd(body, tag & 7, behindLast(), end);
  }
}

/** The trace alone, if the span begins with it as all that is known writes it. */
function readTrace(at: number, end: number): void {
  const from = at + 2;
  if (body[at] === traceTag && body[at + 1] === traceBytes && from + traceBytes <= end)
    note(from, from + traceBytes);
  else readAll(at, end);
}

function readAll(from: number, end: number): void {
  let name = "";
  let startMs = 0;
  let endMs = 0;
  for (let at = from; at < end; ) {
    const tag = tagAt(body, at, end);
    const value = behindLast();
    at = valueEnd(body, tag & 7, value, end);
    if (tag === traceTag) note(behindLast(), at);
    else if (tag === startTag) startMs = msAt(value);
    else if (tag === endTag) endMs = msAt(value);
    else if (tag === nameTag && slowMsByName.size > 0) name = view(behindLast(), at).toString();
    else if (tag === statusTag && isFailed(behindLast(), at)) isWorthKeeping = true;
  }
  const slowMs = slowMsByName.size > 0 ? (slowMsByName.get(name) ?? usualMs) : usualMs;
  if (endMs - startMs > slowMs) isWorthKeeping = true;
}

/** An id that is none is nobody's trace: whoever keeps traces would keep it, however long it is. */
function note(from: number, to: number): void {
  if (to - from !== traceBytes || isLast(from)) return;
  traceAt = from;
  traces.add(view(from, to).toString("hex"));
}

function view(from: number, to: number): Buffer {
  return Buffer.from(body.buffer, body.byteOffset + from, to - from);
}

function isLast(from: number): boolean {
  if (traceAt === none) return false;
  for (let i = 0; i < traceBytes; i++) if (body[from + i] !== body[traceAt + i]) return false;
  return true;
}

function isFailed(from: number, end: number): boolean {
  let code = 0;
  for (let at = from; at < end; ) {
    const tag = tagAt(body, at, end);
    const value = behindLast();
    at = valueEnd(body, tag & 7, value, end);
    if (tag === statusCodeTag) code = varintAt(body, value, end);
  }
  return code === statusError;
}

function msAt(at: number): number {
  return word(at + 4) * highMs + word(at) / nanosPerMilli;
}

/** 32 bits, little-endian. */
function word(at: number): number {
  const bytes = body;
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
