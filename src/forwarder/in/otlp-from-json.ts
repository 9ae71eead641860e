import { ExportTraceServiceRequest } from "../../gen/otlp.ts";
import type { MessageTable } from "../../wire/message-table.ts";
import { encodeMessage } from "../../wire/protobuf-encode.ts";
import { type PlanField, planOf } from "../../wire/protobuf-plan.ts";
import { WireError } from "../../wire/wire-error.ts";

/**
 * OTLP JSON to OTLP protobuf (wire-and-tracing 7.2): keys in lowerCamelCase, ids in hex, enums as integers, 64-bit
 * integers as text or number, other bytes in base64. Keys that are not known are passed over, as the protocol asks.
 *
 * JSON.parse takes any depth; here nesting and the number of values have limits, since a sender may be hostile.
 */

const maxDepth = 64;
const maxValues = 2_097_152;
const idBytes: ReadonlyMap<string, number> = new Map([
  ["trace_id", 16],
  ["span_id", 8],
  ["parent_span_id", 8],
]);

/**
 * @throws WireError when it is not JSON, not an export request, nested too deeply, or a value has the wrong type.
 */
export function otlpFromJson(text: string): Uint8Array {
  const reader = new JsonMessages();
  const request = reader.message(ExportTraceServiceRequest, parse(text), 0);
  if (request["resource_spans"] === undefined) throw new WireError("no resourceSpans");
  return encodeMessage(ExportTraceServiceRequest, request);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WireError("not JSON");
  }
}

type Values = Record<string, unknown>;

class JsonMessages {
  #values = 0;

  message(table: MessageTable, json: unknown, depth: number): Values {
    if (depth > maxDepth) throw new WireError("nested too deeply");
    if (typeof json !== "object" || json === null || Array.isArray(json))
      throw new WireError("not an object");
    const values: Values = {};
    for (const key in json) {
      const field = fieldsOf(table).get(key);
      const value = (json as Values)[key];
      if (field === undefined || value === null) continue;
      values[field.name] =
        field.rule === "repeated" ? this.#list(field, value, depth) : this.#value(field, value, depth);
    }
    return values;
  }

  #list(field: PlanField, json: unknown, depth: number): unknown[] {
    if (!Array.isArray(json)) throw new WireError("not a list");
    return json.map((item) => this.#value(field, item, depth));
  }

  #value(field: PlanField, json: unknown, depth: number): unknown {
    if (++this.#values > maxValues) throw new WireError("too many values");
    switch (field.kind) {
      case "message":
        return this.message(field.plan().table, json, depth + 1);
      case "string":
        return textOf(json);
      case "bytes":
        return bytesOf(field, textOf(json));
      case "bool":
        if (typeof json === "boolean") return json;
        throw new WireError("not a truth value");
      case "double":
        return doubleOf(json);
      case "int64":
      case "uint64":
      case "fixed64":
        return integerOf(json);
      default:
        return Number(integerOf(json));
    }
  }
}

const byTable = new Map<MessageTable, ReadonlyMap<string, PlanField>>();

/** Fields by their JSON keys. */
function fieldsOf(table: MessageTable): ReadonlyMap<string, PlanField> {
  const known = byTable.get(table);
  if (known !== undefined) return known;
  const fields = new Map(planOf(table).fields.map((field) => [camelCase(field.name), field]));
  byTable.set(table, fields);
  return fields;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function textOf(json: unknown): string {
  if (typeof json === "string") return json;
  throw new WireError("not a text");
}

function bytesOf({ name }: PlanField, text: string): Uint8Array {
  const length = idBytes.get(name);
  if (length === undefined) return Buffer.from(text, "base64");
  if (text !== "" && (text.length !== length * 2 || !/^[0-9a-f]*$/i.test(text)))
    throw new WireError("not an id");
  return Buffer.from(text, "hex");
}

function doubleOf(json: unknown): number {
  if (typeof json === "number") return json;
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") return Number(json);
  throw new WireError("not a number");
}

function integerOf(json: unknown): bigint {
  if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
  if (typeof json === "string" && /^-?\d{1,20}$/.test(json)) return BigInt(json);
  throw new WireError("not an integer");
}
