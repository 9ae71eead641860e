import type { Input } from "../../gen/message-type.ts";
import { Event, KeyValue, Link, Span } from "../../gen/otlp.ts";
import { writeMessage } from "../../wire/protobuf-encode.ts";
import type { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { type ThriftReader, thriftType } from "../../wire/thrift-reader.ts";
import { nanosHigh, nanosLow } from "../../wire/unix-nanos.ts";
import { WireError } from "../../wire/wire-error.ts";
import { type Attribute, ownWordsIn, TagWalker, tagsOf } from "./jaeger-tags.ts";

/**
 * Writes spans of Jaeger's thrift as OTLP while they are walked: ids and texts are copied from where they stand.
 *
 * Field numbers of jaeger.thrift: Span 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName,
 * 6 references, 7 flags, 8 startTime µs, 9 duration µs, 10 tags, 11 logs; SpanRef 1 type, 2 traceIdLow, 3 traceIdHigh,
 * 4 spanId; Log 1 timestamp µs, 2 fields.
 */

const { string, i32, i64, list } = thriftType;
const childOf = 0;
const sampledBit = 1;
const nanosPerMicro = 1000;
const microsPerSecond = 1_000_000;
const perSecond = 1 / microsPerSecond;
const spanField = 2;
const attributeField = 9;
const absent = -1;

type Reference = { type: number; traceId: Uint8Array; spanId: Uint8Array };

/** Walks the spans of one batch. */
export class JaegerSpanWalker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #from: ThriftReader;
  readonly #out: ProtobufWriter;
  readonly #tags: TagWalker;
  /** Where the numbers of the span under way stand, by their fields. */
  readonly #places = new Int32Array(10);
  readonly #traceId = new Uint8Array(16);
  readonly #spanId = new Uint8Array(8);
  readonly #parentId = new Uint8Array(8);
  #nameFrom = 0;
  #nameTo = 0;
  #flags = sampledBit;
  #words: Attribute[] = [];
  #references: Reference[] = [];

  /** `from` reads `bytes`. */
  constructor(bytes: Uint8Array, from: ThriftReader, out: ProtobufWriter) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#from = from;
    this.#out = out;
    this.#tags = new TagWalker(bytes, from, out);
  }

  /** Writes the next span, with its tag and length; gives the name of its scope. */
  walk(): string {
    this.#places.fill(absent);
    this.#nameFrom = this.#nameTo = 0;
    this.#flags = sampledBit;
    this.#words = [];
    this.#references = [];
    const out = this.#out;
    const mark = out.begin(spanField, 2);
    this.#from.struct(this.#onField);
    this.#writeIds();
    out.bytesOf(5, this.#bytes, this.#nameFrom, this.#nameTo);
    this.#writeTimes();
    const scope = this.#writeWords();
    out.fixed32(16, this.#flags & sampledBit);
    out.end(mark, 2);
    return scope;
  }

  readonly #onField = (id: number, type: number): boolean => {
    const from = this.#from;
    if (type === i64 && id < this.#places.length) this.#places[id] = from.pass(8);
    else if (id === 5 && type === string) {
      from.passString();
      this.#nameFrom = from.from;
      this.#nameTo = from.to;
    } else if (id === 6 && type === list) this.#references = referencesOf(from);
    else if (id === 7 && type === i32) this.#flags = from.i32();
    else if (id === 10 && type === list) from.structs(this.#onTag);
    else if (id === 11 && type === list) from.structs(this.#onLog);
    else return false;
    return true;
  };

  readonly #onTag = (): void => {
    const word = this.#tags.walk(attributeField);
    if (word !== undefined) this.#words.push(word);
  };

  readonly #onLog = (): void => {
    const mark = this.#out.begin(11);
    writeMessage(this.#out, Event, eventOf(this.#from));
    this.#out.end(mark);
  };

  #writeIds(): void {
    const [traceId, spanId, parentId] = [this.#traceId, this.#spanId, this.#parentId];
    this.#copyNumber(2, traceId, 0);
    this.#copyNumber(1, traceId, 8);
    this.#copyNumber(3, spanId, 0);
    this.#copyNumber(4, parentId, 0);
    if (isZero(traceId) || isZero(spanId)) throw new WireError("an id is zero");
    const out = this.#out;
    out.bytes(1, traceId);
    out.bytes(2, spanId);
    const parent = this.#references.find(
      (reference) => reference.type === childOf && isSame(reference.traceId, traceId),
    );
    if (!isZero(parentId)) out.bytes(4, parentId);
    else if (parent !== undefined) out.bytes(4, parent.spanId);
    for (const reference of this.#references) {
      const isParent = isSame(reference.spanId, parentId) && isSame(reference.traceId, traceId);
      if (reference !== parent && !isParent) this.#writeLink(reference);
    }
  }

  #writeLink({ traceId, spanId }: Reference): void {
    const mark = this.#out.begin(13);
    writeMessage(this.#out, Link, { trace_id: traceId, span_id: spanId });
    this.#out.end(mark);
  }

  /** A number as it stands, highest byte first, which is how OTLP has ids; zero when it is absent. */
  #copyNumber(field: number, into: Uint8Array, at: number): void {
    const place = this.#places[field] as number;
    for (let i = 0; i < 8; i++) into[at + i] = place === absent ? 0 : (this.#bytes[place + i] as number);
  }

  #writeTimes(): void {
    const start = this.#numberAt(8);
    const end = start + this.#numberAt(9);
    if (start >= 0 && end >= 0 && start <= Number.MAX_SAFE_INTEGER && end <= Number.MAX_SAFE_INTEGER) {
      this.#writeTime(7, start);
      this.#writeTime(8, end);
    } else {
      const [startMicros, durationMicros] = [this.#bigintAt(8), this.#bigintAt(9)];
      this.#out.fixed64(7, startMicros * BigInt(nanosPerMicro));
      this.#out.fixed64(8, (startMicros + durationMicros) * BigInt(nanosPerMicro));
    }
  }

  #writeTime(field: number, micros: number): void {
    let seconds = Math.floor(micros * perSecond);
    // The reciprocal may be one too many or too few.
    if (seconds * microsPerSecond > micros) seconds--;
    else if ((seconds + 1) * microsPerSecond <= micros) seconds++;
    const nanos = (micros - seconds * microsPerSecond) * nanosPerMicro;
    this.#out.fixed64Parts(field, nanosLow(seconds, nanos), nanosHigh(seconds, nanos));
  }

  #numberAt(field: number): number {
    const at = this.#places[field] as number;
    return at === absent ? 0 : this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
  }

  #bigintAt(field: number): bigint {
    const at = this.#places[field] as number;
    return at === absent ? 0n : this.#view.getBigInt64(at);
  }

  /** Gives the scope's name. */
  #writeWords(): string {
    const out = this.#out;
    if (this.#words.length === 0) {
      out.uint(6, 1);
      return "";
    }
    const { span, scope, rest } = ownWordsIn(this.#words);
    writeMessage(out, Span, span);
    for (const attribute of rest) {
      const mark = out.begin(attributeField);
      writeMessage(out, KeyValue, attribute);
      out.end(mark);
    }
    return scope;
  }
}

function referencesOf(from: ThriftReader): Reference[] {
  const references: Reference[] = [];
  from.structs(() => {
    let [refType, low, high, span] = [0, 0n, 0n, 0n];
    from.struct((id, type) => {
      if (id === 1 && type === i32) refType = from.i32();
      else if (id === 2 && type === i64) low = from.i64();
      else if (id === 3 && type === i64) high = from.i64();
      else if (id === 4 && type === i64) span = from.i64();
      else return false;
      return true;
    });
    const [traceId, spanId] = [bytesOf(high, low), bytesOf(span)];
    if (isZero(traceId) || isZero(spanId)) throw new WireError("an id is zero");
    references.push({ type: refType, traceId, spanId });
  });
  return references;
}

function eventOf(from: ThriftReader): Input<Event> {
  let micros = 0n;
  let attributes: Attribute[] = [];
  from.struct((id, type) => {
    if (id === 1 && type === i64) micros = from.i64();
    else if (id === 2 && type === list) attributes = tagsOf(from);
    else return false;
    return true;
  });
  const index = attributes.findIndex(({ key }) => key === "event" || key === "message");
  const name = index < 0 ? "log" : (attributes.splice(index, 1)[0]?.value.string_value ?? "log");
  return { time_unix_nano: micros * BigInt(nanosPerMicro), name, attributes };
}

/** 64-bit numbers, highest first. */
function bytesOf(...numbers: bigint[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setBigInt64(i * 8, number);
  return bytes;
}

function isZero(id: Uint8Array): boolean {
  for (let i = 0; i < id.length; i++) if (id[i] !== 0) return false;
  return true;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
