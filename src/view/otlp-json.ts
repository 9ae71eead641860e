/*
 * OTLP JSON, read: one ExportTraceServiceRequest per line, as kata-trace-forwarder writes them (wire-and-tracing 7.2).
 *
 * It is proto3 JSON with exceptions: ids are hex (not base64), 64-bit integers are decimal strings (numbers are
 * accepted), enums are integers, unknown fields are ignored. The file may have been cut while it was written, and may
 * come from a stranger: nothing in here trusts a shape, and a bad line or span costs only itself.
 */
import { type Fields, fields, list, spanParts, text } from "./otlp-parts.ts";
import type { AttributeValue, SpanEvent, SpanRecord } from "./span-record.ts";

/** What one line held: its spans, and what could not be understood, in words for the user. */
export type ParsedLine = { readonly spans: readonly SpanRecord[]; readonly problems: readonly string[] };

const enumNumber = (value: unknown): number => (typeof value === "number" ? value : 0);

function nanoseconds(value: unknown): bigint | undefined {
  if (typeof value === "string" && /^\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return BigInt(value);
  return undefined;
}

function id(value: unknown, digits: number): string | undefined {
  const hex = text(value).toLowerCase();
  return hex.length === digits && /^[0-9a-f]+$/.test(hex) && !/^0+$/.test(hex) ? hex : undefined;
}

function attributeValue(value: unknown): AttributeValue {
  const any = fields(value);
  if (typeof any["stringValue"] === "string") return any["stringValue"];
  if (typeof any["boolValue"] === "boolean") return any["boolValue"];
  if (typeof any["doubleValue"] === "number") return any["doubleValue"];
  const integer = any["intValue"];
  if (typeof integer === "string" && /^-?\d{1,20}$/.test(integer)) return BigInt(integer);
  if (typeof integer === "number") return integer;
  return JSON.stringify(value) ?? "";
}

function attributes(value: unknown): Map<string, AttributeValue> {
  const map = new Map<string, AttributeValue>();
  for (const entry of list(value))
    map.set(text(fields(entry)["key"]), attributeValue(fields(entry)["value"]));
  return map;
}

function links(value: unknown): { traceId: string; spanId: string }[] {
  const found: { traceId: string; spanId: string }[] = [];
  for (const entry of list(value).map(fields)) {
    const [traceId, spanId] = [id(entry["traceId"], 32), id(entry["spanId"], 16)];
    if (traceId !== undefined && spanId !== undefined) found.push({ traceId, spanId });
  }
  return found;
}

function events(value: unknown): SpanEvent[] {
  return list(value)
    .map(fields)
    .map((event) => ({
      name: text(event["name"]),
      timeNs: nanoseconds(event["timeUnixNano"]) ?? 0n,
      attributes: attributes(event["attributes"]),
    }));
}

function spanRecord(span: Fields, service: string): SpanRecord | string {
  const name = text(span["name"]);
  const [traceId, spanId] = [id(span["traceId"], 32), id(span["spanId"], 16)];
  if (traceId === undefined || spanId === undefined) return `span "${name}" without valid ids`;
  const startNs = nanoseconds(span["startTimeUnixNano"]);
  const endNs = nanoseconds(span["endTimeUnixNano"]);
  if (startNs === undefined || endNs === undefined) return `span "${name}" without valid times`;
  const status = fields(span["status"]);
  return {
    traceId,
    spanId,
    parentSpanId: id(span["parentSpanId"], 16) ?? "",
    name,
    kind: enumNumber(span["kind"]),
    startNs,
    endNs,
    attributes: attributes(span["attributes"]),
    status: { error: enumNumber(status["code"]) === 2, message: text(status["message"]) },
    events: events(span["events"]),
    links: links(span["links"]),
    service,
  };
}

/** Reads one line of an OTLP JSON file. Blank lines hold nothing; a bad line is a problem, never an exception. */
export function parseOtlpLine(line: string): ParsedLine {
  if (line.trim() === "") return { spans: [], problems: [] };
  const parts = spanParts(line);
  if (parts === undefined) return { spans: [], problems: ["not an OTLP trace export"] };
  const spans: SpanRecord[] = [];
  const problems: string[] = [];
  const services = new Map<Fields, string>();
  for (const { resource, span } of parts) {
    const service = services.get(resource) ?? serviceOf(resource);
    services.set(resource, service);
    const record = spanRecord(span, service);
    if (typeof record === "string") problems.push(record);
    else spans.push(record);
  }
  return { spans, problems };
}

function serviceOf(resourceSpans: Fields): string {
  const name = attributes(fields(resourceSpans["resource"])["attributes"]).get("service.name");
  return name === undefined ? "unknown" : String(name);
}
