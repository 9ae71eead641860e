import { ExportTraceServiceRequest } from "../gen/otlp.ts";
import type { MessageTable } from "../wire/message-table.ts";
import { decodeMessage } from "../wire/protobuf-decode.ts";
import { WireError } from "../wire/wire-error.ts";

/**
 * OTLP protobuf to OTLP JSON (wire-and-tracing 7.2): proto3 JSON, but ids are hex, enums are integers, and keys are
 * always lowerCamelCase. 64-bit integers are decimal text, other bytes base64, zero values are left out.
 */

/** Two bytes of input can ask for an object of 200: this many keep a hostile request within what a host can bear. */
const maxItems = 1_000_000;
const idFields = new Set(["trace_id", "span_id", "parent_span_id"]);

/**
 * The request as one line of JSON, without line feed.
 * @throws WireError when the bytes are not an ExportTraceServiceRequest, or ask for too much.
 */
export function jsonFromProtobuf(body: Uint8Array): string {
  const message = decodeMessage(ExportTraceServiceRequest, body, { stable: true, maxItems });
  return JSON.stringify(jsonOf(ExportTraceServiceRequest, message));
}

/**
 * A JSON request as one line.
 * @throws WireError when it is not JSON, or no export request.
 */
export function jsonFromJson(body: Uint8Array): string {
  const parsed = parse(bufferOf(body).toString("utf8"));
  const { resourceSpans } = (parsed ?? {}) as { resourceSpans?: unknown };
  if (!Array.isArray(resourceSpans)) throw new WireError("no resourceSpans");
  return JSON.stringify(parsed);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WireError("not JSON");
  }
}

type Fields = Record<string, unknown>;
type Field = MessageTable["fields"][number];

function jsonOf(table: MessageTable, message: object): Fields {
  const json: Fields = {};
  for (const field of table.fields) {
    const value = (message as Fields)[field[1]];
    if (!isAbsent(field, value)) json[camelCase(field[1])] = fieldJson(field, value);
  }
  return json;
}

/** Members of a oneof are `optional` in the tables: there a zero value is a value. */
function isAbsent([, , kind, rule]: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (rule === "repeated") return (value as unknown[]).length === 0;
  if (rule === "optional" || kind === "message") return false;
  if (kind === "bytes") return (value as Uint8Array).length === 0;
  return value === 0 || value === 0n || value === "" || value === false;
}

function fieldJson(field: Field, value: unknown): unknown {
  if (field[3] !== "repeated") return valueJson(field, value);
  return (value as unknown[]).map((element) => valueJson(field, element));
}

function valueJson([, name, kind, , type]: Field, value: unknown): unknown {
  switch (kind) {
    case "message":
      return jsonOf((type as () => MessageTable)(), value as object);
    case "bytes":
      return bufferOf(value as Uint8Array).toString(idFields.has(name) ? "hex" : "base64");
    case "int64":
    case "uint64":
    case "fixed64":
      return (value as bigint).toString();
    case "double":
      return Number.isFinite(value) ? value : String(value);
    default:
      return value;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const camelCased = new Map<string, string>();

/** Names come from the schema, so the map has an end. */
function camelCase(name: string): string {
  let camel = camelCased.get(name);
  if (camel === undefined) {
    camel = name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    camelCased.set(name, camel);
  }
  return camel;
}
