import { copyToBlock } from "../base/blocks.ts";
import { decodeUtf8 } from "./utf8.ts";
import { WireError } from "./wire-error.ts";

/**
 * Reads protobuf values one after the other, from bytes that nobody has checked.
 *
 * Primer. `at` never passes `end`: each read checks what it takes, and a length is compared with what is left before
 * it is used. Numbers of 64 bits are read as two halves of 32, because most fit into one and a bigint costs an
 * allocation. Groups (wire types 3 and 4) are refused: no schema of ours has them.
 */
export class ProtobufReader {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Upper half of the varint read last; the lower half is what the read returned. */
  #high = 0;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /**
   * Tag of the next field: number × 8 + wire type.
   * @throws WireError for field number 0 and for tags that do not fit into 32 bits.
   */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8 || this.#high !== 0) throw new WireError("invalid field number");
    return tag;
  }

  /** A varint, cut to its lower 32 bits, from 0 to 2^32 - 1. */
  uint32(): number {
    const first = this.#byte();
    this.#high = 0;
    if (first < 128) return first;
    let low = first & 127;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 127) << shift;
      if (byte < 128) return low;
    }
    const fifth = this.#byte();
    low |= (fifth & 15) << 28;
    this.#high = (fifth & 127) >>> 4;
    if (fifth >= 128) this.#upper();
    return low >>> 0;
  }

  /** An int32 or enum. */
  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.uint32() !== 0 || this.#high !== 0;
  }

  uint64(): bigint {
    return unsigned(this.uint32(), this.#high);
  }

  int64(): bigint {
    return signed(this.uint32(), this.#high);
  }

  /** An int64 as the nearest number: exact up to 2^53, and cheap. */
  int64AsNumber(): number {
    const low = this.uint32();
    return (this.#high | 0) * 0x1_0000_0000 + low;
  }

  fixed32(): number {
    const at = this.#take(4);
    const { bytes } = this;
    return (
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      0
    );
  }

  fixed64(): bigint {
    const low = this.fixed32();
    return unsigned(low, this.fixed32());
  }

  double(): number {
    const at = this.#take(8);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  /** @throws WireError also when the bytes are not UTF-8. */
  string(): string {
    const length = this.length();
    const at = this.#take(length);
    try {
      return decodeUtf8(this.bytes, at, at + length);
    } catch {
      throw new WireError("invalid UTF-8");
    }
  }

  /**
   * A byte array: a view on the input when `stable` (the input will not change), else a copy; with `inBlocks` a large copy
   * lies in a block (base/blocks.ts).
   */
  byteArray(stable: boolean, inBlocks = false): Uint8Array {
    const length = this.length();
    const at = this.#take(length);
    const place = this.bytes.subarray(at, at + length);
    if (stable) return place;
    return inBlocks ? copyToBlock(place) : new Uint8Array(place);
  }

  /** A length that stands before a string, byte array, message or packed list; never more than is left. */
  length(): number {
    const length = this.uint32();
    if (this.#high !== 0 || length > this.end - this.at) throw new WireError("length beyond the end");
    return length;
  }

  /** Passes over the value of a field that nobody wants. */
  skip(wireType: number): void {
    if (wireType === 0) this.uint32();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.length());
    else if (wireType === 5) this.#take(4);
    else throw new WireError(`unsupported wire type ${wireType}`);
  }

  #byte(): number {
    if (this.at >= this.end) throw new WireError("unexpected end");
    return this.bytes[this.at++] as number;
  }

  #take(count: number): number {
    if (count > this.end - this.at) throw new WireError("unexpected end");
    const at = this.at;
    this.at += count;
    return at;
  }

  /** The sixth to tenth byte of a varint. */
  #upper(): void {
    for (let shift = 3; shift <= 31; shift += 7) {
      const byte = this.#byte();
      // The tenth byte holds one bit of a 64-bit number; what stands above is cut off, as other decoders do.
      this.#high |= (byte & 127) << shift;
      if (byte < 128) {
        this.#high >>>= 0;
        return;
      }
    }
    throw new WireError("varint longer than ten bytes");
  }
}

function unsigned(low: number, high: number): bigint {
  if (high < 0x20_0000) return BigInt(high * 0x1_0000_0000 + low);
  return (BigInt(high) << 32n) | BigInt(low);
}

function signed(low: number, high: number): bigint {
  return high < 0x8000_0000 ? unsigned(low, high) : BigInt.asIntN(64, unsigned(low, high));
}
