import { nanosHigh, nanosLow } from "../../wire/unix-nanos.ts";

/**
 * OTLP spans one behind the other, as they stand in a ScopeSpans message, written from the bytes that they came as.
 *
 * Primer. One writer serves all connections: spans are written while a chunk is read, and {@link SpanWriter.take}
 * hands them out at its end. A span is written between `begin` and `end`, or `rewind` forgets it. It begins with its ids, so
 * that whoever joins traces finds them: tag, length and 16 bytes of the trace, the same of the span with 8, and of the
 * parent where it has one. `begin` makes room for the longest span there may be, {@link maxSpanBytes}; what could go
 * beyond it is asked for by `hasRoom` before it is written. A longer span comes ready made, by `whole`.
 */

const firstBytes = 64 * 1024;
/** Two bytes of length hold as much. */
const maxSpanBytes = 16_383;
const tagAndLengthBytes = 3;
const spanTag = 0x12;
const attributeTag = 0x4a;
/** What is written behind the attributes: label, counts, flags. */
const reservedBytes = 2048;
const endBytes = 16;

/** Spans one behind the other, and where the content of each begins: with its ids. */
export type WrittenSpans = { readonly bytes: Uint8Array; readonly places: readonly number[] };

/** Where spans are written to. */
export class SpanWriter {
  bytes: Uint8Array = new Uint8Array(firstBytes);
  at = 0;
  /** Where the contents of the spans begin. */
  #places: number[] = [];
  #start = 0;
  #limit = 0;

  /** Begins a span. */
  begin(): void {
    this.#makeRoom(tagAndLengthBytes + maxSpanBytes);
    this.#start = this.at;
    this.#limit = this.at + maxSpanBytes - reservedBytes;
    this.at += tagAndLengthBytes;
  }

  /** The fields of the span's label. There is always room for it, and for a container's id behind it. */
  label(fields: Uint8Array): void {
    this.#limit += reservedBytes - endBytes;
    this.copy(fields, 0, fields.length);
  }

  /** Ends the span with OTLP's number of dropped attributes and its flags. */
  end(droppedAttributes: number, flags: number): void {
    const { bytes } = this;
    if (droppedAttributes > 0) {
      this.byte(0x50);
      this.varint(droppedAttributes);
    }
    // Field 16, fixed32.
    this.byte(0x85);
    this.byte(0x01);
    this.word(flags);
    const length = this.at - this.#start - tagAndLengthBytes;
    bytes[this.#start] = spanTag;
    // Always two bytes: protobuf allows it, and nothing has to be moved.
    bytes[this.#start + 1] = (length & 127) | 128;
    bytes[this.#start + 2] = length >> 7;
    this.#places.push(this.#start + tagAndLengthBytes);
  }

  /** Forgets the span that was begun. */
  rewind(): void {
    this.at = this.#start;
  }

  /** A span that is written already, with its tag and length. */
  whole(span: Uint8Array): void {
    this.#makeRoom(span.length);
    this.bytes.set(span, this.at);
    let headBytes = 2;
    while (((span[headBytes - 1] as number) & 128) !== 0) headBytes++;
    this.#places.push(this.at + headBytes);
    this.at += span.length;
  }

  /** All spans so far, good until the next one is begun; the writer is empty again. */
  take(): WrittenSpans {
    const taken = { bytes: this.bytes.subarray(0, this.at), places: this.#places };
    this.at = 0;
    this.#places = [];
    // What one huge span forced on us goes with it.
    if (this.bytes.length > firstBytes * 4) this.bytes = new Uint8Array(firstBytes);
    return taken;
  }

  /** Whether a part of the span of at most `count` bytes may be written. */
  hasRoom(count: number): boolean {
    return this.at + count <= this.#limit;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Bytes as they are. */
  copy(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = start; i < end; i++) bytes[at++] = from[i] as number;
    this.at = at;
  }

  /** The same from the last to the first. */
  copyReversed(from: Uint8Array, start: number, end: number): void {
    for (let i = end - 1; i >= start; i--) this.bytes[this.at++] = from[i] as number;
  }

  /** An integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.byte((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A time as fixed64 of nanoseconds. */
  time(tag: number, seconds: number, nanos: number): void {
    this.byte(tag);
    this.word(nanosLow(seconds, nanos));
    this.word(nanosHigh(seconds, nanos));
  }

  /** Four bytes, lowest first. */
  word(value: number): void {
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = value;
    bytes[at++] = value >>> 8;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 24;
    this.at = at;
  }

  /** An attribute with a text; false when there is no room for it. */
  textAttribute(key: Uint8Array, from: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const valueBytes = 1 + varintBytes(length) + length;
    if (!this.#beginAttribute(key, 0, key.length, valueBytes)) return false;
    this.byte(0x0a);
    this.varint(length);
    this.copy(from, start, end);
    return true;
  }

  /** An attribute with an integer from 0 to 2^53 - 1; false when there is no room for it. */
  integerAttribute(key: Uint8Array, keyStart: number, keyEnd: number, value: number): boolean {
    if (!this.#beginAttribute(key, keyStart, keyEnd, 1 + varintBytes(value))) return false;
    this.byte(0x18);
    this.varint(value);
    return true;
  }

  #beginAttribute(key: Uint8Array, keyStart: number, keyEnd: number, valueBytes: number): boolean {
    const keyLength = keyEnd - keyStart;
    const length = 2 + varintBytes(keyLength) + keyLength + varintBytes(valueBytes) + valueBytes;
    if (!this.hasRoom(length + 4)) return false;
    this.byte(attributeTag);
    this.varint(length);
    this.byte(0x0a);
    this.varint(keyLength);
    this.copy(key, keyStart, keyEnd);
    this.byte(0x12);
    this.varint(valueBytes);
    return true;
  }

  #makeRoom(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
