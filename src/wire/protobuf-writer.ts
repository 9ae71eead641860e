import { asciiPrefix } from "./utf8.ts";

/**
 * Writes protobuf fields one after the other, in one pass.
 *
 * Primer. A field is a tag (number × 8 + wire type) and a value. The length of a nested message stands before the
 * message, and is not known until the message is written: {@link ProtobufWriter.begin} leaves a gap of one byte and
 * {@link ProtobufWriter.end} fills it in, moving the message when the length needs more room than was left.
 * The writer fills a slab from front to back and hands out views on it, so what was taken is never written to again,
 * until the caller says by {@link ProtobufWriter.reuse} that nobody looks at it any more.
 * A large byte array can be put in by reference: it is then not copied, and the output is a list of chunks.
 *
 * All methods write the field they are told to, also when the value is the default of its type.
 */
export class ProtobufWriter {
  #slab: Uint8Array;
  /** First byte of the current output, in the slab. */
  #start = 0;
  /** Where the next byte goes, in the slab. */
  #at = 0;
  #nextSlabBytes: number;
  /**
   * Byte arrays by reference, by rising position; `at` counts from the start of the output, in slab bytes. One that
   * belongs behind a mark has a greater `at`, since at least its tag stands between; an equal one stands before it.
   */
  #outside: Outside[] = [];
  #outsideBytes = 0;

  /** `slabBytes`: room of the first slab, made on the first write; later ones double up to 64 KiB. */
  constructor(slabBytes = 1024) {
    this.#slab = none;
    this.#nextSlabBytes = slabBytes;
  }

  /** Bytes written since the last {@link finish} or {@link chunks}. */
  get length(): number {
    return this.#at - this.#start + this.#outsideBytes;
  }

  /** An int32 or enum field. */
  int32(field: number, value: number): void {
    this.#tag(field, 0);
    if (value >= 0) this.varint(value);
    else this.#varint64(BigInt.asUintN(64, BigInt(value)));
  }

  /** A uint32 field, or any other varint field whose value is an integer from 0 to 2^53 - 1. */
  uint(field: number, value: number): void {
    this.#tag(field, 0);
    this.varint(value);
  }

  /** An int64 or uint64 field. Values outside 64 bits wrap. */
  int64(field: number, value: bigint): void {
    this.#tag(field, 0);
    if (value >= 0n && value <= maxSafe) this.varint(Number(value));
    else this.#varint64(BigInt.asUintN(64, value));
  }

  /** A bool field. */
  bool(field: number, value: boolean): void {
    this.#tag(field, 0);
    this.#room(1);
    this.#slab[this.#at++] = value ? 1 : 0;
  }

  /** A fixed32 field; `value` is taken modulo 2^32. */
  fixed32(field: number, value: number): void {
    this.#tag(field, 5);
    this.rawFixed32(value);
  }

  /** A fixed64 field, such as a time in nanoseconds. Values outside 64 bits wrap. */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1);
    this.rawFixed64(value);
  }

  /** A fixed64 field from its two halves (0 to 2^32 - 1 each), for callers that want no bigint. */
  fixed64Parts(field: number, low: number, high: number): void {
    this.#tag(field, 1);
    this.rawFixed32(low);
    this.rawFixed32(high);
  }

  /** A double field. */
  double(field: number, value: number): void {
    this.#tag(field, 1);
    this.rawDouble(value);
  }

  /** A string field, as UTF-8; a lone surrogate becomes U+FFFD. */
  string(field: number, value: string): void {
    this.#tag(field, 2);
    const short = value.length < 128;
    // One byte of length holds every ASCII text of this size; others go the long way.
    this.#room(short ? value.length + 1 : value.length * 3 + 10);
    if (short && asciiPrefix(value, this.#slab, this.#at + 1) === value.length) {
      this.#slab[this.#at] = value.length;
      this.#at += value.length + 1;
    } else this.#encode(value);
  }

  /** A bytes field, or a nested message that is encoded already. `data` is copied. */
  bytes(field: number, data: Uint8Array): void {
    this.#tag(field, 2);
    this.varint(data.length);
    this.raw(data);
  }

  /** A bytes field, or a string field in UTF-8, with what stands in `from` from `start` to `end`. */
  bytesOf(field: number, from: Uint8Array, start: number, end: number): void {
    this.#tag(field, 2);
    const length = end - start;
    this.varint(length);
    this.#room(length);
    if (length > shortBytes) this.#slab.set(from.subarray(start, end), this.#at);
    else this.#copy(from, start, end);
    this.#at += length;
  }

  /** A bytes field whose data is not copied: it becomes a chunk of its own and must not change any more. */
  bytesByReference(field: number, data: Uint8Array): void {
    this.#tag(field, 2);
    this.varint(data.length);
    if (data.length === 0) return;
    this.#outside.push({ at: this.#at - this.#start, data });
    this.#outsideBytes += data.length;
  }

  /**
   * Opens a nested message. Give the result to {@link end}, innermost first.
   * `lengthBytes`: how many bytes its length will likely need (1 to 127 bytes of message: 1, to 16 KiB: 2); a good
   * guess saves a move of the message.
   */
  begin(field: number, lengthBytes = 1): Mark {
    this.#tag(field, 2);
    return this.skip(lengthBytes);
  }

  /** Closes the nested message that `begin(…, lengthBytes)` opened. */
  end(mark: Mark, lengthBytes = 1): void {
    const length = this.since(mark) - lengthBytes;
    const needed = varintBytes(length);
    if (needed !== lengthBytes) this.#move(mark, lengthBytes, needed);
    putVarint(this.#slab, this.#start + mark, length);
  }

  /** Leaves `count` bytes open, to be filled by {@link patch32}; for headers that stand before a message. */
  skip(count: number): Mark {
    this.#room(count);
    const mark = this.#at - this.#start;
    this.#at += count;
    return mark;
  }

  /** Bytes of output behind `mark`, those by reference included. */
  since(mark: Mark): number {
    let length = this.#at - this.#start - mark;
    for (let i = this.#outside.length - 1; i >= 0; i--) {
      const outside = this.#outside[i] as Outside;
      if (outside.at <= mark) break;
      length += outside.data.length;
    }
    return length;
  }

  /** Fills one byte left open. */
  patch8(mark: Mark, value: number): void {
    this.#slab[this.#start + mark] = value;
  }

  /** Fills four bytes left open with a big-endian number. */
  patch32(mark: Mark, value: number): void {
    const at = this.#start + mark;
    this.#slab[at] = value >>> 24;
    this.#slab[at + 1] = value >>> 16;
    this.#slab[at + 2] = value >>> 8;
    this.#slab[at + 3] = value;
  }

  /** Forgets everything from `mark` on, as if it had never been written. */
  rewind(mark: Mark): void {
    this.#at = this.#start + mark;
    for (let last = this.#outside.at(-1); last !== undefined && last.at > mark; last = this.#outside.at(-1)) {
      this.#outsideBytes -= last.data.length;
      this.#outside.pop();
    }
  }

  /** Where the next byte goes: for {@link rewind}. */
  mark(): Mark {
    return this.#at - this.#start;
  }

  /** Bytes as they are, without tag or length. */
  raw(data: Uint8Array): void {
    const { length } = data;
    this.#room(length);
    if (length > shortBytes) this.#slab.set(data, this.#at);
    else this.#copy(data, 0, length);
    this.#at += length;
  }

  /** A copy of what was written since `mark`. Precondition: nothing of it is by reference. */
  copySince(mark: Mark): Uint8Array {
    return this.#slab.slice(this.#start + mark, this.#at);
  }

  /** A bare varint: an integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#room(10);
    this.#at = putVarint(this.#slab, this.#at, value);
  }

  /** A bare varint of a signed 64-bit number, for packed fields. */
  varint64(value: bigint): void {
    this.#varint64(BigInt.asUintN(64, value));
  }

  /** A bare fixed32, for packed fields. */
  rawFixed32(value: number): void {
    this.#room(4);
    this.#slab[this.#at++] = value;
    this.#slab[this.#at++] = value >>> 8;
    this.#slab[this.#at++] = value >>> 16;
    this.#slab[this.#at++] = value >>> 24;
  }

  /** A bare fixed64, for packed fields. */
  rawFixed64(value: bigint): void {
    this.rawFixed32(Number(BigInt.asUintN(32, value)));
    this.rawFixed32(Number(BigInt.asUintN(32, value >> 32n)));
  }

  /** A bare double, for packed fields. */
  rawDouble(value: number): void {
    doubleView[0] = value;
    this.raw(doubleBytes);
  }

  /** All that was written, as one array that nobody else touches; the writer is empty again. */
  finish(): Uint8Array {
    const chunks = this.chunks();
    if (chunks.length === 1) return chunks[0] as Uint8Array;
    const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }

  /** All that was written, with large byte arrays by reference as chunks of their own; the writer is empty again. */
  chunks(): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    let from = this.#start;
    for (const { at, data } of this.#outside) {
      if (this.#start + at > from) chunks.push(this.#slab.subarray(from, this.#start + at));
      chunks.push(data);
      from = this.#start + at;
    }
    if (this.#at > from) chunks.push(this.#slab.subarray(from, this.#at));
    this.#start = this.#at;
    if (this.#outsideBytes > 0) {
      this.#outside = [];
      this.#outsideBytes = 0;
    }
    // A slab that one huge message forced on us must not stay.
    if (this.#slab.length > maxSlabBytes) {
      this.#slab = none;
      this.#start = this.#at = 0;
    }
    return chunks;
  }

  /**
   * Writes over what was handed out, from the front of the slab. Precondition: nobody uses that any more. Nothing happens
   * while there is output that was not taken.
   */
  reuse(): void {
    if (this.length === 0) this.#start = this.#at = 0;
  }

  #tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const slab = this.#slab;
    const at = this.#at - start;
    for (let i = start; i < end; i++) slab[at + i] = from[i] as number;
  }

  #varint64(value: bigint): void {
    this.#room(10);
    let rest = value;
    while (rest > 127n) {
      this.#slab[this.#at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#slab[this.#at++] = Number(rest);
  }

  /** Precondition: room for three bytes per character and ten more. */
  #encode(value: string): void {
    this.#room(value.length * 3 + 10);
    const lengthBytes = varintBytes(value.length);
    const mark = this.#at - this.#start;
    const { written } = encoder.encodeInto(value, this.#slab.subarray(this.#at + lengthBytes));
    this.#at += lengthBytes + written;
    const needed = varintBytes(written);
    if (needed !== lengthBytes) this.#move(mark, lengthBytes, needed);
    putVarint(this.#slab, this.#start + mark, written);
  }

  /** Changes the gap at `mark` from `had` to `needed` bytes and moves what stands behind it. */
  #move(mark: Mark, had: number, needed: number): void {
    if (needed > had) this.#room(needed - had);
    const at = this.#start + mark;
    this.#slab.copyWithin(at + needed, at + had, this.#at);
    this.#at += needed - had;
    for (const outside of this.#outside) if (outside.at > mark) outside.at += needed - had;
  }

  /** Makes sure that `count` more bytes fit. */
  #room(count: number): void {
    if (this.#at + count <= this.#slab.length) return;
    const used = this.#at - this.#start;
    const needed = used + count;
    // Doubling keeps a long message linear; between messages the slab has its usual size.
    const slab = new Uint8Array(Math.max(this.#nextSlabBytes, needed + used));
    slab.set(this.#slab.subarray(this.#start, this.#at));
    this.#nextSlabBytes = Math.min(this.#nextSlabBytes * 2, maxSlabBytes);
    this.#slab = slab;
    this.#start = 0;
    this.#at = used;
  }
}

/** A byte array that is part of the output but not of the slab. */
type Outside = { at: number; data: Uint8Array };

/** A place in the output of a {@link ProtobufWriter}, good until the next `finish` or `chunks`. */
export type Mark = number;

/** Slabs stop growing here: what is taken keeps its slab alive, so a large one would be kept by a small answer. */
const maxSlabBytes = 64 * 1024;
/** Up to here copying by hand is faster than a view and a call. */
const shortBytes = 64;
const none = new Uint8Array(0);
const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);
const encoder = new TextEncoder();
const doubleView = new Float64Array(1);
/** Every platform of ours is little-endian, as the wire is. */
const doubleBytes = new Uint8Array(doubleView.buffer);

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a varint and returns the place behind it. */
function putVarint(into: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  while (rest > 0x7fffffff) {
    into[next++] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    into[next++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  into[next++] = rest;
  return next;
}
