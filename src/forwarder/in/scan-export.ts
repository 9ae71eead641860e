import { behindLast, beyondEnd, bytesEnd, tagAt, valueEnd } from "../../wire/protobuf-walk.ts";
import { WireError } from "../../wire/wire-error.ts";
import { defaultLimits, type Limits } from "./limits.ts";

/**
 * Walks an ExportTraceServiceRequest down to the fields of its spans, without making objects of them: so much is
 * needed to know that requests can be joined, that nothing hides behind the limits, and how many spans there are.
 * What stands inside attributes, events and links is not looked at.
 *
 * Every byte of OTLP passes here, so this is one walk with the place in a local variable: functions of their own only for
 * what is rare.
 */

/** Tags: field number × 8 + 2, since all of them are length-delimited. */
const resourceSpansTag = 0x0a;
const scopeSpansTag = 0x12;
const spansTag = 0x12;

/** Fields outside of spans, and scalars that come again and again: a walk over 64 MiB of them would take a second. */
const maxOtherFields = 262_144;

let spans = 0;
let others = 0;
let maxSpans = 0;
let maxFields = 0;

type ScanLimits = Pick<Limits, "maxSpansPerRequest" | "maxFieldsPerSpan">;

/**
 * Counts the spans of a request.
 * @throws WireError when it is not a row of whole messages, or has more than the limits allow.
 */
export function scanExport(body: Uint8Array, limits: ScanLimits = defaultLimits): number {
  maxSpans = limits.maxSpansPerRequest;
  maxFields = limits.maxFieldsPerSpan;
  spans = 0;
  others = 0;
  const end = body.length;
  for (let at = 0; at < end; ) {
    if (tagAt(body, at, end) !== resourceSpansTag) throw new WireError("not an ExportTraceServiceRequest");
    countOther();
    const to = bytesEnd(body, behindLast(), end);
    scanResourceSpans(body, behindLast(), to);
    at = to;
  }
  return spans;
}

function scanResourceSpans(body: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const field = tagAt(body, at, end);
    if (field === scopeSpansTag) {
      const to = bytesEnd(body, behindLast(), end);
      scanScopeSpans(body, behindLast(), to);
      at = to;
    } else at = behindOther(body, field, end);
  }
}

function scanScopeSpans(body: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const field = tagAt(body, at, end);
    if (field === spansTag) {
      if (++spans > maxSpans) throw new WireError("too many spans");
      const to = bytesEnd(body, behindLast(), end);
      scanSpan(body, behindLast(), to);
      at = to;
    } else at = behindOther(body, field, end);
  }
}

function scanSpan(body: Uint8Array, from: number, end: number): void {
  let fields = 0;
  for (let at = from; at < end; ) {
    if (++fields > maxFields) throw new WireError("too many fields in a span");
    const first = body[at] as number;
    // Most fields are a tag of one byte, a length of one byte, and that many bytes; the others are times.
    const length = (first & 0x87) === 2 && first > 7 && at + 1 < end ? (body[at + 1] as number) : 128;
    if (length < 128) {
      at += length + 2;
      if (at > end) throw beyondEnd();
    } else if ((first & 0x87) === 1 && first > 7 && at + 9 <= end) at += 9;
    else {
      const field = tagAt(body, at, end);
      at = valueEnd(body, field & 7, behindLast(), end);
    }
  }
}

function behindOther(body: Uint8Array, field: number, end: number): number {
  countOther();
  return valueEnd(body, field & 7, behindLast(), end);
}

function countOther(): void {
  if (++others > maxOtherFields) throw new WireError("too many fields");
}
