import { ExportTraceServiceRequest } from "../../gen/otlp.ts";
import { ByteKeys } from "../../wire/byte-keys.ts";
import { copyOfBytes } from "../../wire/byte-range.ts";
import { putDecimal } from "../../wire/decimal-bytes.ts";
import { closeBrace, closeBracket, JsonCursor } from "../../wire/json-cursor.ts";
import type { MessageTable } from "../../wire/message-table.ts";
import { type PlanField, planOf } from "../../wire/protobuf-plan.ts";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { WireError } from "../../wire/wire-error.ts";
import { JsonRepeats } from "./json-repeats.ts";

/**
 * OTLP JSON to OTLP protobuf (wire-and-tracing 7.2): keys in lowerCamelCase, ids in hex, enums as integers, 64-bit
 * integers as text or number, other bytes in base64. Keys that are not known are passed over, as the protocol asks.
 *
 * The text is walked once, and each value is written as it is met: no objects are made, and fields go out in the order of
 * the text. Nesting and the number of values have limits, since a sender may be hostile.
 */

const maxDepth = 64;
const maxValues = 2_097_152;
const quote = 0x22;
const letterN = 0x6e;
const zero = 0x30;
/** As many digits always fit a double. */
const safeDigits = 15;
const idBytes: ReadonlyMap<string, number> = new Map([
  ["trace_id", 16],
  ["span_id", 8],
  ["parent_span_id", 8],
]);
/** A hexadecimal digit's value by its byte; 16 for what is none. */
const nibbles = new Uint8Array(256).map((_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 16 : value;
});

/**
 * The bytes are good until the next call.
 * @throws WireError when it is not JSON, not an export request, nested too deeply, or a value has the wrong type.
 */
export function otlpFromJson(body: Uint8Array): Uint8Array {
  out.rewind(0);
  out.reuse();
  new JsonMessages(body).request();
  return out.finish();
}

const out = new ProtobufWriter(64 * 1024);
/** An id, or a number of 64 bits. */
const scratch = new Uint8Array(16);

/** A field, and what its values took before. */
type Field = {
  readonly plan: PlanField;
  readonly idBytes: number | undefined;
  /** Absent and zero are not the same. */
  readonly hasPresence: boolean;
  /** Fields of its messages, by their keys. */
  readonly keys: () => Fields;
  /** Attributes: most are the same in one span as in the next. */
  readonly repeats: JsonRepeats | undefined;
  /** How many bytes the length of the last message took: the next one likely takes as many. */
  lengthBytes: number;
};
type Fields = ByteKeys<Field>;

class JsonMessages {
  readonly #bytes: Uint8Array;
  readonly #from: JsonCursor;
  #values = 0;
  /** A request is a list of ResourceSpans, and nothing else: an empty one is one, too. */
  #hasList = false;

  constructor(body: Uint8Array) {
    this.#bytes = body;
    this.#from = new JsonCursor(body);
  }

  request(): void {
    this.#message(fieldsOf(ExportTraceServiceRequest), 0);
    this.#from.end();
    if (!this.#hasList) throw new WireError("no resourceSpans");
  }

  #message(keys: Fields, depth: number): void {
    if (depth > maxDepth) throw new WireError("nested too deeply");
    const from = this.#from;
    if (!from.beginObject()) return;
    do {
      from.passKey();
      const field = this.#fieldOf(keys);
      if (field === undefined) from.skip();
      else if (from.peek() === letterN && from.isNull()) continue;
      else if (field.plan.rule === "repeated") this.#list(field, depth);
      else this.#value(field, depth);
    } while (from.goesOn(closeBrace));
  }

  #fieldOf(keys: Fields): Field | undefined {
    const { isPlain, from, to } = this.#from;
    if (isPlain) return keys.find(this.#bytes, from, to);
    const text = Buffer.from(this.#from.passed());
    return keys.find(text, 0, text.length);
  }

  #list(field: Field, depth: number): void {
    this.#hasList = true;
    if (!this.#from.beginList()) return;
    let index = 0;
    do {
      if (field.repeats === undefined) this.#value(field, depth);
      else this.#repeated(field, field.repeats, index++, depth);
    } while (this.#from.goesOn(closeBracket));
  }

  #repeated(field: Field, repeats: JsonRepeats, index: number, depth: number): void {
    const from = this.#from;
    const known = repeats.take(from, index);
    if (known === undefined) {
      const { at } = from;
      const mark = out.mark();
      this.#value(field, depth);
      if (repeats.wants(index, from.at - at))
        repeats.remember(index, copyOfBytes(this.#bytes, at, from.at), out.copySince(mark));
    } else if (++this.#values > maxValues) throw new WireError("too many values");
    else out.raw(known);
  }

  #value(field: Field, depth: number): void {
    if (++this.#values > maxValues) throw new WireError("too many values");
    const { kind, number } = field.plan;
    if (kind === "message") this.#nested(field, depth);
    else if (kind === "string") this.#text(field);
    else if (kind === "bytes") this.#binary(field);
    else if (kind === "fixed64") this.#fixed64(field);
    else if (kind === "bool") {
      const value = this.#from.bool();
      if (value || field.hasPresence) out.bool(number, value);
    } else if (kind === "double") {
      const value = this.#double();
      if (value !== 0 || Object.is(value, -0) || field.hasPresence) out.double(number, value);
    } else this.#integer(field);
  }

  #nested(field: Field, depth: number): void {
    const { lengthBytes } = field;
    const mark = out.begin(field.plan.number, lengthBytes);
    this.#message(field.keys(), depth + 1);
    const length = out.since(mark) - lengthBytes;
    out.end(mark, lengthBytes);
    field.lengthBytes = length < 0x80 ? 1 : length < 0x4000 ? 2 : 3;
  }

  #text({ plan: { number }, hasPresence }: Field): void {
    const from = this.#from;
    from.passText();
    if (from.to === from.from && !hasPresence) return;
    if (from.isPlain && from.isAscii) out.bytesOf(number, this.#bytes, from.from, from.to);
    else out.string(number, this.#passedText());
  }

  /** Bytes that are no UTF-8 become U+FFFD, as with any reader of JSON that takes a text. */
  #passedText(): string {
    const { from, to, isPlain } = this.#from;
    const text = this.#textIn(from - 1, to + 1, "utf8");
    if (isPlain) return text.slice(1, -1);
    try {
      return JSON.parse(text);
    } catch {
      throw new WireError("not a text");
    }
  }

  #binary({ plan: { number }, idBytes, hasPresence }: Field): void {
    const from = this.#from;
    from.passText();
    const length = from.to - from.from;
    if (length === 0 && !hasPresence) return;
    if (idBytes === undefined) out.bytes(number, Buffer.from(this.#passedText(), "base64"));
    else {
      if (length !== idBytes * 2 || !putHex(this.#bytes, from.from, idBytes))
        throw new WireError("not an id");
      out.bytesOf(number, scratch, 0, idBytes);
    }
  }

  /** Times have more digits than a double holds, and bigints would cost more than all the rest. */
  #fixed64({ plan: { number }, hasPresence }: Field): void {
    const isText = this.#passDigits();
    const { from, to } = this.#from;
    const isUsual = to - from <= (isText ? 20 : safeDigits);
    if (isUsual && putDecimal(this.#bytes, from, to, scratch, 0, 8)) {
      const [high, low] = [wordIn(0), wordIn(4)];
      if (high !== 0 || low !== 0 || hasPresence) out.fixed64Parts(number, low, high);
      return;
    }
    const value = this.#large(isText);
    if (value !== 0n || hasPresence) out.fixed64(number, value);
  }

  #integer({ plan: { kind, number }, hasPresence }: Field): void {
    const isText = this.#passDigits();
    const { from, to } = this.#from;
    const small = to - from <= safeDigits ? digitsIn(this.#bytes, from, to) : -1;
    const value = small >= 0 ? small : this.#large(isText);
    if (Number(value) === 0 && !hasPresence) return;
    if (kind === "int64" || kind === "uint64") {
      if (small >= 0) out.uint(number, small);
      else out.int64(number, BigInt(value));
    } else if (kind === "uint32") out.uint(number, Number(value) >>> 0);
    else if (kind === "fixed32") out.fixed32(number, Number(value));
    else out.int32(number, Number(value) | 0);
  }

  /** Passes over an integer; whether it is written as a text. */
  #passDigits(): boolean {
    const isText = this.#from.peek() === quote;
    if (isText) this.#from.passText();
    else this.#from.passNumber();
    return isText;
  }

  /** An integer that is not just a few digits. */
  #large(isText: boolean): bigint {
    const text = isText ? this.#passedText() : this.#passedNumber();
    if (isText && /^-?\d{1,20}$/.test(text)) return BigInt(text);
    if (!isText && Number.isSafeInteger(Number(text))) return BigInt(Number(text));
    throw new WireError("not an integer");
  }

  #double(): number {
    if (this.#from.peek() === quote) {
      const word = this.#from.text();
      if (word === "NaN" || word === "Infinity" || word === "-Infinity") return Number(word);
      throw new WireError("not a number");
    }
    this.#from.passNumber();
    const value = Number(this.#passedNumber());
    if (Number.isNaN(value)) throw new WireError("not a number");
    return value;
  }

  #passedNumber(): string {
    return this.#textIn(this.#from.from, this.#from.to, "latin1");
  }

  #textIn(from: number, to: number, encoding: "utf8" | "latin1"): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + from, to - from).toString(encoding);
  }
}

const byTable = new Map<MessageTable, Fields>();

/** Fields by their JSON keys. */
function fieldsOf(table: MessageTable): Fields {
  const known = byTable.get(table);
  if (known !== undefined) return known;
  const fields: Fields = new ByteKeys(
    planOf(table).fields.map((plan) => {
      let keys: Fields | undefined;
      const field: Field = {
        plan,
        idBytes: idBytes.get(plan.name),
        hasPresence: plan.rule !== undefined,
        keys: () => {
          keys ??= fieldsOf(plan.plan().table);
          return keys;
        },
        repeats: plan.name === "attributes" ? new JsonRepeats() : undefined,
        lengthBytes: 1,
      };
      return [camelCase(plan.name), field] as const;
    }),
  );
  byTable.set(table, fields);
  return fields;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Hexadecimal digits at `from` as `count` bytes in {@link scratch}; false when there is something else. */
function putHex(bytes: Uint8Array, from: number, count: number): boolean {
  let all = 0;
  for (let i = 0; i < count; i++) {
    const high = nibbles[bytes[from + i * 2] as number] as number;
    const low = nibbles[bytes[from + i * 2 + 1] as number] as number;
    all |= high | low;
    scratch[i] = high * 16 + low;
  }
  return all < 16;
}

/** The value of some digits; -1 when there is something else, or nothing. */
function digitsIn(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - zero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return to > from ? value : -1;
}

/** Four bytes of {@link scratch}, highest first. */
function wordIn(at: number): number {
  const [a, b, c, d] = [scratch[at], scratch[at + 1], scratch[at + 2], scratch[at + 3]] as number[];
  return (((a as number) << 24) | ((b as number) << 16) | ((c as number) << 8) | (d as number)) >>> 0;
}
