import type { Kind, MessageTable } from "./message-table.ts";
import { type Plan, type PlanField, planOf } from "./protobuf-plan.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/**
 * Encodes messages by their tables.
 *
 * Primer. Fields go out by rising number; a field that is left out, or holds the zero value of its kind and has no
 * presence of its own, is not written. Repeated scalars are packed. The order of map entries is that of the map.
 */

/** The message as one array of bytes. Fields may be left out of it, at every depth. */
export function encodeMessage(table: MessageTable, message: object): Uint8Array {
  const writer = new ProtobufWriter(256);
  writeFields(writer, planOf(table), message as Values);
  return writer.finish();
}

/**
 * Writes the fields of a message, without tag or length, to a writer that may already hold other things.
 * Byte arrays of 4 KiB and more go in by reference: they must not change until they have been sent.
 */
export function writeMessage(writer: ProtobufWriter, table: MessageTable, message: object): void {
  writeFields(writer, planOf(table), message as Values);
}

type Values = Readonly<Record<string, unknown>>;
/** Below this, copying is cheaper than one more chunk for `writev`. */
const byReferenceBytes = 4096;

function writeFields(writer: ProtobufWriter, plan: Plan, message: Values): void {
  for (const field of plan.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.rule === "repeated") writeList(writer, field, value as readonly unknown[]);
    else if (field.rule === "map") writeMap(writer, field, value as ReadonlyMap<string, unknown>);
    else if (field.rule === "optional" || !isZero(value)) writeValue(writer, field, field.number, value);
  }
}

function isZero(value: unknown): boolean {
  if (typeof value !== "object") return !value && !Object.is(value, -0);
  return value instanceof Uint8Array && value.length === 0;
}

function writeList(writer: ProtobufWriter, field: PlanField, list: readonly unknown[]): void {
  if (list.length === 0) return;
  if (field.wireType === 2) {
    for (const value of list) writeValue(writer, field, field.number, value);
    return;
  }
  const mark = writer.begin(field.number);
  const write = packedWriters[field.kind] ?? writeInteger;
  for (const value of list) write(writer, value);
  writer.end(mark);
}

function writeMap(writer: ProtobufWriter, field: PlanField, map: ReadonlyMap<string, unknown>): void {
  for (const [key, value] of map) {
    const mark = writer.begin(field.number);
    writer.string(1, key);
    writeValue(writer, field, 2, value);
    writer.end(mark);
  }
}

function writeValue(writer: ProtobufWriter, field: PlanField, number: number, value: unknown): void {
  if (field.kind !== "message") {
    singleWriters[field.kind](writer, number, value);
    return;
  }
  const mark = writer.begin(number);
  writeFields(writer, field.plan(), value as Values);
  writer.end(mark);
}

function writeBytes(writer: ProtobufWriter, number: number, data: Uint8Array): void {
  if (data.length < byReferenceBytes) writer.bytes(number, data);
  else writer.bytesByReference(number, data);
}

/** The values are what the types of the message say, so each writer may take its own for granted. */
const singleWriters: Record<
  Exclude<Kind, "message">,
  (to: ProtobufWriter, number: number, value: unknown) => void
> = {
  string: (to, number, value) => to.string(number, value as string),
  bytes: (to, number, value) => writeBytes(to, number, value as Uint8Array),
  uint32: (to, number, value) => to.uint(number, (value as number) >>> 0),
  int32: (to, number, value) => to.int32(number, (value as number) | 0),
  enum: (to, number, value) => to.int32(number, (value as number) | 0),
  int64: (to, number, value) => to.int64(number, value as bigint),
  uint64: (to, number, value) => to.int64(number, value as bigint),
  bool: (to, number, value) => to.bool(number, value as boolean),
  fixed32: (to, number, value) => to.fixed32(number, value as number),
  fixed64: (to, number, value) => to.fixed64(number, value as bigint),
  double: (to, number, value) => to.double(number, value as number),
};

const packedWriters: Partial<Record<Kind, (to: ProtobufWriter, value: unknown) => void>> = {
  uint32: (to, value) => to.varint((value as number) >>> 0),
  bool: (to, value) => to.varint(value ? 1 : 0),
  fixed32: (to, value) => to.rawFixed32(value as number),
  fixed64: (to, value) => to.rawFixed64(value as bigint),
  double: (to, value) => to.rawDouble(value as number),
};

/** int32, int64, uint64 and enum in a packed list. */
function writeInteger(to: ProtobufWriter, value: unknown): void {
  to.varint64(BigInt(value as number | bigint));
}
