import { rememberedText } from "./remembered-text.ts";
import { WireError } from "./wire-error.ts";

/**
 * Reads values as bincode 1.3 writes them by default: little-endian, integers of fixed width, lengths of 64 bits,
 * variants of 32 (wire-and-tracing 3.5). Every read checks what it takes; a count is compared with what is left.
 */
export class BincodeReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** A bool, or whether an `Option` has a value. */
  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw new WireError("neither true nor false");
    return value === 1;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i64(): number | bigint {
    const value = this.#view.getBigInt64(this.#take(8), true);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A u64 that has to be a safe integer, such as seconds. */
  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at + 4, true) * 0x1_0000_0000 + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(value)) throw new WireError("number too large");
    return value;
  }

  /** A count of things that take at least `minBytes` each. */
  count(minBytes: number): number {
    const count = this.u64();
    if (count * minBytes > this.left) throw new WireError("count beyond the end");
    return count;
  }

  string(): string {
    const length = this.count(1);
    const at = this.#take(length);
    return rememberedText(this.#bytes, at, at + length);
  }

  /** Passes over a string. */
  skipString(): void {
    this.#take(this.count(1));
  }

  /** A little-endian number as bytes, highest first. */
  reversed(length: number): Uint8Array {
    const at = this.#take(length);
    const reversed = new Uint8Array(length);
    for (let i = 0; i < length; i++) reversed[i] = this.#bytes[at + length - 1 - i] as number;
    return reversed;
  }

  #take(count: number): number {
    if (count > this.left) throw new WireError("unexpected end");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
