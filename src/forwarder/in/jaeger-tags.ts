import type { Input } from "../../gen/message-type.ts";
import type { AnyValue, KeyValue, Span } from "../../gen/otlp.ts";
import { ByteKeys } from "../../wire/byte-keys.ts";
import type { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { type ThriftReader, thriftType } from "../../wire/thrift-reader.ts";

/**
 * Tags of Jaeger's spans. Most become attributes as they stand; those that are OpenTelemetry's own words in Jaeger's
 * clothes are for whoever knows the whole span.
 *
 * Field numbers of jaeger.thrift: Tag 1 key, 2 type, 3 string, 4 double, 5 bool, 6 long, 7 binary.
 */

/** An attribute as an object. */
export type Attribute = Input<KeyValue> & { key: string; value: Input<AnyValue> };

const ownWords = [
  "span.kind",
  "error",
  "otel.status_code",
  "otel.status_description",
  "w3c.tracestate",
  "otel.scope.name",
  "otel.library.name",
  "internal.span.format",
] as const;
const own = new ByteKeys(ownWords.map((word) => [word, word] as const));
const { string, double, bool, i64 } = thriftType;
const noValue = 0;

/** Walks the tags of spans, and writes the attributes that they are. */
export class TagWalker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #from: ThriftReader;
  readonly #out: ProtobufWriter;
  /** Number of the field with the value, and where that stands. */
  #type = noValue;
  #valueFrom = 0;
  #valueTo = 0;
  #keyFrom = 0;
  #keyTo = 0;

  /** `from` reads `bytes`. */
  constructor(bytes: Uint8Array, from: ThriftReader, out: ProtobufWriter) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#from = from;
    this.#out = out;
  }

  /** Walks one tag: writes it as `field`, or gives it back when it is one of OpenTelemetry's own words. */
  walk(field: number): Attribute | undefined {
    this.#type = noValue;
    this.#keyFrom = this.#keyTo = 0;
    this.#from.struct(this.#onField);
    const word = own.find(this.#bytes, this.#keyFrom, this.#keyTo);
    if (word !== undefined) return { key: word, value: this.#value() };
    this.#write(field);
    return undefined;
  }

  readonly #onField = (id: number, type: number): boolean => {
    const from = this.#from;
    if (id === 1 && type === string) {
      from.passString();
      this.#keyFrom = from.from;
      this.#keyTo = from.to;
      return true;
    }
    if (id === 3 && type === string) from.passString();
    else if (id === 7 && type === string) from.passBinary();
    else if ((id === 4 && type === double) || (id === 6 && type === i64)) from.from = from.pass(8);
    else if (id === 5 && type === bool) from.from = from.pass(1);
    else return false;
    this.#type = id;
    this.#valueFrom = from.from;
    this.#valueTo = from.to;
    return true;
  };

  #write(field: number): void {
    const out = this.#out;
    const pair = out.begin(field);
    out.bytesOf(1, this.#bytes, this.#keyFrom, this.#keyTo);
    const value = out.begin(2);
    const at = this.#valueFrom;
    if (this.#type === 3) out.bytesOf(1, this.#bytes, at, this.#valueTo);
    else if (this.#type === 4) out.double(4, this.#view.getFloat64(at));
    else if (this.#type === 5) out.bool(2, this.#bytes[at] !== 0);
    else if (this.#type === 6) this.#writeLong(at);
    else if (this.#type === 7) out.bytesOf(7, this.#bytes, at, this.#valueTo);
    out.end(value);
    out.end(pair);
  }

  #writeLong(at: number): void {
    const high = this.#view.getInt32(at);
    const isSmall = high >= 0 && high < 0x20_0000;
    if (isSmall) this.#out.uint(3, high * 0x1_0000_0000 + this.#view.getUint32(at + 4));
    else this.#out.int64(3, this.#view.getBigInt64(at));
  }

  #value(): Input<AnyValue> {
    const at = this.#valueFrom;
    const bytes = () => this.#bytes.subarray(at, this.#valueTo);
    if (this.#type === 3) return { string_value: Buffer.from(bytes()).toString() };
    if (this.#type === 4) return { double_value: this.#view.getFloat64(at) };
    if (this.#type === 5) return { bool_value: this.#bytes[at] !== 0 };
    if (this.#type === 6) return { int_value: this.#view.getBigInt64(at) };
    return this.#type === 7 ? { bytes_value: bytes() } : {};
  }
}

/** Tags as objects, of whatever has few of them. */
export function tagsOf(from: ThriftReader): Attribute[] {
  const tags: Attribute[] = [];
  from.structs(() => tags.push(tagOf(from)));
  return tags;
}

function tagOf(from: ThriftReader): Attribute {
  let key = "";
  let value: Input<AnyValue> = {};
  from.struct((id, type) => {
    if (id === 1 && type === string) key = from.string();
    else if (id === 3 && type === string) value = { string_value: from.string() };
    else if (id === 4 && type === double) value = { double_value: from.double() };
    else if (id === 5 && type === bool) value = { bool_value: from.bool() };
    else if (id === 6 && type === i64) value = { int_value: from.i64() };
    else if (id === 7 && type === string) value = { bytes_value: from.binary() };
    else return false;
    return true;
  });
  return { key, value };
}

const kinds: ReadonlyMap<string, number> = new Map([
  ["internal", 1],
  ["server", 2],
  ["client", 3],
  ["producer", 4],
  ["consumer", 5],
]);
const statusCodes: ReadonlyMap<string, number> = new Map([
  ["OK", 1],
  ["ERROR", 2],
]);
const statusError = 2;

/** Fields of a span, its scope, and tags that say nothing of the kind after all. */
export type OwnWords = {
  readonly span: Pick<Input<Span>, "kind" | "status" | "trace_state">;
  readonly scope: string;
  readonly rest: readonly Attribute[];
};

/** What OpenTelemetry's own words among a span's tags say. */
export function ownWordsIn(words: readonly Attribute[]): OwnWords {
  const rest = [...words];
  const text = (key: (typeof ownWords)[number]) => {
    const index = rest.findIndex((word) => word.key === key);
    return index < 0 ? undefined : (rest.splice(index, 1)[0]?.value.string_value ?? "");
  };
  const isError = rest.some((word) => word.key === "error" && word.value.bool_value === true);
  const kind = kinds.get(text("span.kind") ?? "") ?? 1;
  const code = statusCodes.get(text("otel.status_code") ?? "") ?? (isError ? statusError : 0);
  const message = text("otel.status_description") ?? "";
  if (isError) text("error");
  const trace_state = text("w3c.tracestate") ?? "";
  const scope = text("otel.scope.name") ?? text("otel.library.name") ?? "";
  text("internal.span.format");
  return { span: { kind, trace_state, status: code === 0 ? undefined : { code, message } }, scope, rest };
}
