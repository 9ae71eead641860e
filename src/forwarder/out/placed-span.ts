import { type AnyValue, ExportTraceServiceRequest, type KeyValue, type Span } from "../../gen/otlp.ts";
import { decodeMessage } from "../../wire/protobuf-decode.ts";
import type { Export } from "../export.ts";

/** A decoded span with what stands around it, for backends that do not take OTLP. */
export type PlacedSpan = {
  readonly service: string;
  readonly resource: readonly KeyValue[];
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly span: Span;
};

/** A service that says no name (the conventions' own word for it). */
const unknownService = "unknown_service";

/** All spans of an export request. @throws WireError when it does not decode. */
export function placedSpans(body: Uint8Array): PlacedSpan[] {
  const placed: PlacedSpan[] = [];
  for (const { resource, scope_spans } of decodeMessage(ExportTraceServiceRequest, body, { stable: true })
    .resource_spans) {
    const attributes = resource?.attributes ?? [];
    const service =
      attributes.find(({ key }) => key === "service.name")?.value?.string_value || unknownService;
    for (const { scope, spans } of scope_spans)
      for (const span of spans)
        placed.push({
          service,
          resource: attributes,
          scopeName: scope?.name ?? "",
          scopeVersion: scope?.version ?? "",
          span,
        });
  }
  return placed;
}

/**
 * The spans of some exports that have proper ids, and how many have not: backends other than OTLP's refuse all that
 * comes with one of those, or show it as a root of every trace.
 * @throws WireError when one does not decode.
 */
export function spansWithIds(parts: readonly Export[]): {
  readonly spans: PlacedSpan[];
  readonly rejected: number;
} {
  const all = parts.flatMap((part) => placedSpans(part.body));
  const spans = all.filter(({ span }) => isId(span.trace_id, 16) && isId(span.span_id, 8));
  return { spans, rejected: all.length - spans.length };
}

/** Whether an id has its length and is not all zero, which means none. */
export function isId(id: Uint8Array, length: number): boolean {
  return id.length === length && id.some((byte) => byte !== 0);
}

/** An attribute's value as text: a string as it is, a list and the like as JSON. */
export function textOfValue(value: AnyValue | undefined): string {
  const plain = plainValue(value);
  if (typeof plain === "string") return plain;
  return typeof plain === "bigint" ? plain.toString() : JSON.stringify(plain, bigintsAsText);
}

/** An attribute's value as a value of JavaScript; null when there is none. */
export function plainValue(value: AnyValue | undefined): unknown {
  if (value === undefined) return null;
  if (value.array_value !== undefined) return value.array_value.values.map(plainValue);
  if (value.kvlist_value !== undefined)
    return Object.fromEntries(value.kvlist_value.values.map((pair) => [pair.key, plainValue(pair.value)]));
  if (value.bytes_value !== undefined) return Buffer.from(value.bytes_value).toString("base64");
  return value.string_value ?? value.bool_value ?? value.int_value ?? value.double_value ?? null;
}

/** For `JSON.stringify`. */
export function bigintsAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** An id as hex digits. */
export function hexOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
}
