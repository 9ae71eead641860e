import type { Field, MessageType } from "../gen/message-type.ts";
import { UsageError } from "./usage-error.ts";

function integer(value: unknown, where: string): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw new UsageError(`${where}: an integer is needed`);
}

function bigInteger(value: unknown, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new UsageError(`${where}: a 64-bit integer is needed, as a decimal string or a number`);
}

function bytes(value: unknown, where: string): Uint8Array {
  if (typeof value === "string" && /^[A-Za-z0-9+/_-]*=*$/.test(value))
    return new Uint8Array(Buffer.from(value, "base64"));
  throw new UsageError(`${where}: bytes are needed, as base64`);
}

function single(field: Field, value: unknown, where: string): unknown {
  const [, , kind, , type] = field;
  switch (kind) {
    case "message":
      return type === undefined ? undefined : fromJson(type(), value, where);
    case "bytes":
      return bytes(value, where);
    case "int64":
    case "uint64":
    case "fixed64":
      return bigInteger(value, where);
    case "string":
    case "bool": {
      const wanted = kind === "bool" ? "boolean" : "string";
      if (typeof value !== wanted) throw new UsageError(`${where}: a ${wanted} is needed`);
      return value;
    }
    case "double":
      if (typeof value !== "number") throw new UsageError(`${where}: a number is needed`);
      return value;
    default:
      return integer(value, where);
  }
}

function fieldValue(field: Field, value: unknown, where: string): unknown {
  const rule = field[3];
  if (rule === "repeated") {
    if (!Array.isArray(value)) throw new UsageError(`${where}: a list is needed`);
    return value.map((item: unknown, index) => single(field, item, `${where}[${index}]`));
  }
  if (rule !== "map") return single(field, value, where);
  const entries = Object.entries(record(value, where));
  return new Map(entries.map(([key, item]) => [key, single(field, item, `${where}.${key}`)]));
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(`${where}: an object is needed`);
}

/**
 * Makes a message of `type` from parsed JSON: the reverse of `toJson`, with the field names of the schema. What is left
 * out or `null` keeps its zero value.
 * @throws UsageError naming the field, for an unknown one and for a value of the wrong kind.
 */
export function fromJson<T extends object>(type: MessageType<T>, value: unknown, where = type.name): T {
  const message = type.create() as Record<string, unknown>;
  for (const [name, given] of Object.entries(record(value, where))) {
    const field = type.fields.find(([, known]) => known === name);
    if (field === undefined) {
      const known = type.fields.map(([, each]) => each).join(", ");
      throw new UsageError(`${where} has no field "${name}"; it has: ${known || "none"}`);
    }
    if (given !== null) message[name] = fieldValue(field, given, `${where}.${name}`);
  }
  return message as T;
}
