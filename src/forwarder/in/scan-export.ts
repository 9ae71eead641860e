import { WireError } from "../../wire/wire-error.ts";

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

/** More than any sane span has; the conventions' default limit is 128 each of attributes, events and links. */
const maxFieldsPerSpan = 4096;
const maxSpans = 262_144;
/** Fields outside of spans, and scalars that come again and again: a walk over 64 MiB of them would take a second. */
const maxOtherFields = 262_144;

/** Where the value read last ended. */
let next = 0;
let spans = 0;
let others = 0;

/**
 * Counts the spans of a request.
 * @throws WireError when it is not a row of whole messages, or has more than the limits allow.
 */
export function scanExport(body: Uint8Array): number {
  spans = 0;
  others = 0;
  const end = body.length;
  for (let at = 0; at < end; ) {
    if (tag(body, at, end) !== resourceSpansTag) throw new WireError("not an ExportTraceServiceRequest");
    countOther();
    const to = messageEnd(body, next, end);
    scanResourceSpans(body, next, to);
    at = to;
  }
  return spans;
}

function scanResourceSpans(body: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const field = tag(body, at, end);
    if (field === scopeSpansTag) {
      const to = messageEnd(body, next, end);
      scanScopeSpans(body, next, to);
      at = to;
    } else at = behindOther(body, field, end);
  }
}

function scanScopeSpans(body: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const field = tag(body, at, end);
    if (field === spansTag) {
      if (++spans > maxSpans) throw new WireError("too many spans");
      const to = messageEnd(body, next, end);
      scanSpan(body, next, to);
      at = to;
    } else at = behindOther(body, field, end);
  }
}

function scanSpan(body: Uint8Array, from: number, end: number): void {
  let fields = 0;
  for (let at = from; at < end; ) {
    if (++fields > maxFieldsPerSpan) throw new WireError("too many fields in a span");
    const first = body[at] as number;
    // Most fields are a tag of one byte, a length of one byte, and that many bytes.
    const length = (first & 0x87) === 2 && first > 7 && at + 1 < end ? (body[at + 1] as number) : 128;
    if (length < 128) {
      at += length + 2;
      if (at > end) throw beyond();
    } else {
      const field = tag(body, at, end);
      at = behind(body, field & 7, next, end);
    }
  }
}

function behindOther(body: Uint8Array, field: number, end: number): number {
  countOther();
  return behind(body, field & 7, next, end);
}

function countOther(): void {
  if (++others > maxOtherFields) throw new WireError("too many fields");
}

/** The tag at `at`; its value is at `next`. */
function tag(body: Uint8Array, at: number, end: number): number {
  const value = varint(body, at, end);
  if (value < 8 || value > 0xffff_ffff) throw new WireError("invalid field number");
  return value;
}

/** Where the message ends whose length stands at `at`; it begins at `next`. */
function messageEnd(body: Uint8Array, at: number, end: number): number {
  const length = varint(body, at, end);
  if (length > end - next) throw beyond();
  return next + length;
}

/** Where the value at `at` ends. */
function behind(body: Uint8Array, wireType: number, at: number, end: number): number {
  let to = at;
  if (wireType === 0) {
    varint(body, at, end);
    to = next;
  } else if (wireType === 1) to += 8;
  else if (wireType === 2) to = messageEnd(body, at, end);
  else if (wireType === 5) to += 4;
  else throw new WireError(`unsupported wire type ${wireType}`);
  if (to > end) throw new WireError("unexpected end");
  return to;
}

/** A varint of up to ten bytes, as the nearest number: exact up to 2^53, which is all that tags and lengths may be. */
function varint(body: Uint8Array, from: number, end: number): number {
  let value = 0;
  let factor = 1;
  for (let at = from; at < end && at < from + 10; at++) {
    const byte = body[at] as number;
    if (byte < 128) {
      next = at + 1;
      return value + byte * factor;
    }
    value += (byte & 127) * factor;
    factor *= 128;
  }
  throw new WireError(end - from < 10 ? "unexpected end" : "varint longer than ten bytes");
}

function beyond(): WireError {
  return new WireError("length beyond the end");
}
