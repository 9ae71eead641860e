import { ExportTraceServiceRequest, KeyValue } from "../../gen/otlp.ts";
import { ProtobufReader } from "../../wire/protobuf-reader.ts";
import { WireError } from "../../wire/wire-error.ts";
import { TextMemo } from "./text-memo.ts";
import { type TextField, type TextPlan, textPlanOf } from "./text-plan.ts";

/**
 * OTLP protobuf to OTLP JSON (wire-and-tracing 7.2): proto3 JSON, but ids are hex, enums are integers, and keys are
 * always lowerCamelCase. 64-bit integers are decimal text, other bytes base64, zero values are left out.
 *
 * The text is made while the bytes are read, without objects in between: a forwarder that writes a file does little
 * else. The bytes come from guests, so nesting, the length of the text, and the number of items (messages, elements
 * of lists, single fields that come again) have limits: two bytes of input can ask for an item, and everybody waits until the text is made.
 */

/** Half of what V8 takes as one string. */
const maxTextLength = 256 * 1024 * 1024;
const maxDepth = 64;
/** The same as of a message that is decoded (`wire/protobuf-decode.ts`). */
const maxItems = 262_144;

/**
 * The request as one line of JSON, without line feed.
 * @throws WireError when the bytes are not an ExportTraceServiceRequest, or ask for too much.
 */
export function jsonFromProtobuf(body: Uint8Array): string {
  const transcoder = new Transcoder(body);
  return transcoder.message(requestPlan, body.length, 0);
}

/** For ids, which are short: a call into the runtime costs more. */
const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const requestPlan = textPlanOf(ExportTraceServiceRequest);
const attributePlan = textPlanOf(KeyValue);
const attributes = new TextMemo();
const strings = new TextMemo();

class Transcoder extends ProtobufReader {
  #written = 0;
  #items = 0;

  /** The message that ends at `end`. Fields may come in any order; of one that comes twice the last stands. */
  message(plan: TextPlan, end: number, depth: number): string {
    if (depth > maxDepth) throw new WireError("nested too deeply");
    const outerEnd = this.end;
    this.end = end;
    const texts: string[] = new Array(plan.fields.length).fill("");
    let seen = 0;
    while (this.at < end) {
      const tag = this.tag();
      const field = plan.byNumber[tag >>> 3];
      if (field === undefined || field.wireType !== (tag & 7)) this.skip(tag & 7);
      else {
        const bit = 1 << field.index;
        this.#count(field, (seen & bit) !== 0);
        seen |= bit;
        this.#field(texts, field, depth);
      }
    }
    this.end = outerEnd;
    return objectText(plan, texts);
  }

  /** What an attribute that is remembered holds is not counted again: it costs nothing. */
  #count(field: TextField, isAgain: boolean): void {
    if ((isAgain || field.kind === "message" || field.rule === "repeated") && ++this.#items > maxItems)
      throw new WireError("too many items");
  }

  #field(texts: string[], field: TextField, depth: number): void {
    const text = this.#value(field, depth);
    this.#written += text.length;
    if (this.#written > maxTextLength) throw new WireError("too long as text");
    if (field.rule !== "repeated" || texts[field.index] === "") texts[field.index] = text;
    else texts[field.index] += `,${text}`;
  }

  #value(field: TextField, depth: number): string {
    switch (field.kind) {
      case "message":
        return this.#nested(field.plan(), depth);
      case "string":
        return this.#string(field);
      case "bytes":
        return this.#bytes(field);
      case "fixed64":
        return this.#time(field);
      case "bool":
        return unlessZero(field, this.bool() ? "true" : "false", "false");
      case "double":
        return unlessZero(field, doubleText(this.double()), "0");
      case "int64":
        return unlessZero(field, `"${this.int64()}"`, '"0"');
      case "uint64":
        return unlessZero(field, `"${this.uint64()}"`, '"0"');
      case "fixed32":
        return unlessZero(field, `${this.fixed32()}`, "0");
      case "uint32":
        return unlessZero(field, `${this.uint32()}`, "0");
      default:
        return unlessZero(field, `${this.int32()}`, "0");
    }
  }

  #nested(plan: TextPlan, depth: number): string {
    const length = this.length();
    const to = this.at + length;
    if (plan !== attributePlan) return this.message(plan, to, depth + 1);
    // Most attributes have been seen before.
    const text = attributes.textOf(this.bytes, this.at, to, () => this.message(plan, to, depth + 1));
    this.at = to;
    return text;
  }

  #string(field: TextField): string {
    const start = this.at;
    const length = this.length();
    if (length === 0) return unlessZero(field, '""', '""');
    const from = this.at;
    const text = strings.textOf(this.bytes, from, from + length, () => {
      this.at = start;
      return JSON.stringify(this.string());
    });
    this.at = from + length;
    return text;
  }

  #bytes(field: TextField): string {
    const bytes = this.byteArray(true);
    if (bytes.length === 0) return unlessZero(field, '""', '""');
    if (!field.isId) return `"${bufferOf(bytes).toString("base64")}"`;
    let hex = "";
    for (const byte of bytes) hex += hexDigits[byte];
    return `"${hex}"`;
  }

  /** A fixed64 in decimal. All of them are nanoseconds, so it is done by seconds and the rest, without a bigint. */
  #time(field: TextField): string {
    const low = this.fixed32();
    const high = this.fixed32();
    if (low === 0 && high === 0) return unlessZero(field, '"0"', '"0"');
    let seconds = Math.floor(high * 4.294967296 + low / 1e9);
    // The rest modulo 2^32 is exact, and tells whether the division was off by one.
    let nanos = (low - Math.imul(seconds, 1e9)) >>> 0;
    if (nanos >= 0x8000_0000) {
      seconds--;
      nanos = (nanos + 1e9) >>> 0;
    } else if (nanos >= 1e9) {
      seconds++;
      nanos -= 1e9;
    }
    return seconds === 0 ? `"${nanos}"` : `"${seconds}${String(1e9 + nanos).slice(1)}"`;
  }
}

/** proto3 JSON leaves zero values out, except members of a oneof, which the tables call `optional`. */
function unlessZero(field: TextField, text: string, zero: string): string {
  return text === zero && field.rule === undefined ? "" : text;
}

function objectText({ fields }: TextPlan, texts: readonly string[]): string {
  let json = "";
  for (const { index, key, rule } of fields) {
    const text = texts[index] as string;
    if (text === "") continue;
    if (json !== "") json += ",";
    json += rule === "repeated" ? `${key}[${text}]` : key + text;
  }
  return `{${json}}`;
}

function doubleText(value: number): string {
  return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
