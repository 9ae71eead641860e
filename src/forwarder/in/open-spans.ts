import { ExportTraceServiceRequest, type Span } from "../../gen/otlp.ts";
import { decodeMessage } from "../../wire/protobuf-decode.ts";
import { encodeMessage } from "../../wire/protobuf-encode.ts";
import { Refusal } from "../refusal.ts";
import type { ByteBudget } from "./byte-budget.ts";

/**
 * Announced spans of one instance of our agent, by span id, each as a request of its own: encoded, with its resource
 * and scope, since bytes take a tenth of the memory of objects and their number tells what they cost. A later
 * announcement replaces an earlier one. There is an end to them, since a guest may announce what it likes.
 */

const maxSpans = 4096;
const maxBytes = 4 * 1024 * 1024;
const maxBodyBytes = 1024 * 1024;
const statusError = 2;

/** The announced spans of one instance. */
export class OpenSpans {
  readonly #budget: ByteBudget;
  readonly #byId = new Map<string, Uint8Array>();
  #bytes = 0;

  /** `budget`: what the announced spans of all instances may take together. */
  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** @throws WireError when the body does not decode; Refusal 413 or 503 when it would be too much. */
  announce(body: Uint8Array): void {
    if (body.length > maxBodyBytes) throw new Refusal(413, "announcement too long");
    const { resource_spans } = decodeMessage(ExportTraceServiceRequest, body);
    for (const { resource, schema_url, scope_spans } of resource_spans)
      for (const { scope, spans } of scope_spans)
        for (const span of spans) {
          const alone = {
            resource_spans: [{ resource, schema_url, scope_spans: [{ scope, spans: [span] }] }],
          };
          this.#keep(idOf(span), encodeMessage(ExportTraceServiceRequest, alone));
        }
  }

  /** The final form has come, or never will. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      const known = this.#byId.get(id);
      if (known === undefined) continue;
      this.#bytes -= known.length;
      this.#budget.give(known.length);
      this.#byId.delete(id);
    }
  }

  /**
   * All of them as one export request, each closed at `endNanos` or at its last event, with status ERROR and
   * `kata.incomplete`; none is left here.
   */
  close(endNanos: bigint): { body: Uint8Array; spans: number } {
    const spans = this.#byId.size;
    // Requests end to end are one request.
    const body = Buffer.concat([...this.#byId.values()].map((bytes) => closed(bytes, endNanos)));
    this.forget([...this.#byId.keys()]);
    return { body, spans };
  }

  #keep(id: string, bytes: Uint8Array): void {
    this.forget([id]);
    if (this.#byId.size >= maxSpans || this.#bytes + bytes.length > maxBytes)
      throw new Refusal(413, "too many open spans");
    this.#budget.take(bytes.length);
    this.#byId.set(id, bytes);
    this.#bytes += bytes.length;
  }
}

function idOf(span: Span): string {
  return Buffer.from(span.span_id).toString("hex");
}

function closed(bytes: Uint8Array, endNanos: bigint): Uint8Array {
  const request = decodeMessage(ExportTraceServiceRequest, bytes);
  const span = request.resource_spans[0]?.scope_spans[0]?.spans[0] as Span;
  const times = [endNanos, span.start_time_unix_nano, ...span.events.map((event) => event.time_unix_nano)];
  span.end_time_unix_nano = times.reduce(later);
  span.attributes.push({ key: "kata.incomplete", value: { ...noValue, bool_value: true } });
  span.status = { code: statusError, message: span.status?.message ?? "" };
  return encodeMessage(ExportTraceServiceRequest, request);
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

const noValue = {
  string_value: undefined,
  bool_value: undefined,
  int_value: undefined,
  double_value: undefined,
  array_value: undefined,
  kvlist_value: undefined,
  bytes_value: undefined,
};
