import type { HttpResponse } from "../wire/http1.ts";
import type { Sent } from "./sent.ts";

/** Statuses after which the same batch may be sent again; all others are final (OTLP specification, HTTP). */
const retryable = new Set([429, 502, 503, 504]);
const maxAfterMs = 60_000;

/** What a receiver's answer means for the batch (wire-and-tracing 7.3). */
export function sentFromAnswer(answer: HttpResponse): Sent {
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return { status: "sent", rejected: rejectedSpans(body) };
  const error = new Error(`HTTP status ${status}`);
  if (!retryable.has(status)) return { status: "failed", error };
  const afterMs = retryAfterMs(headers.get("retry-after"), Date.now());
  return { status: "retry", reached: true, error, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Reads `Retry-After`: seconds, or an HTTP date. At most a minute; undefined when there is none or it is not valid. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxAfterMs);
}

/**
 * `partial_success.rejected_spans` of an ExportTraceServiceResponse: field 1 of field 1, a varint. Whatever does not
 * read as that is no rejection: the batch has been answered with success.
 */
function rejectedSpans(body: Uint8Array): number {
  if (body[0] !== 0x0a || body[2] !== 0x08) return 0;
  let value = 0;
  for (let at = 3, factor = 1; at < Math.min(body.length, 10); at++, factor *= 128) {
    const byte = body[at] as number;
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
  return 0;
}
