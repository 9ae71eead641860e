import { decodeUtf8 } from "./utf8.ts";
import { WireError } from "./wire-error.ts";

/** Types of thrift's binary protocol, by number. */
export const thriftType = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const;

const maxDepth = 16;
const maxItems = 1_048_576;
/** Bytes of a value of fixed size, by type. */
const sizes: Readonly<Record<number, number>> = { 2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8 };

/**
 * Reads structs of thrift's binary protocol, field by field, from bytes that nobody has checked: big-endian, every
 * field with its type and number, a struct ended by a zero byte. thrift's own library makes an object for each number
 * and knows no limit of items, so what hosts' and guests' programs send is read here.
 */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #items = 0;
  /** Where the byte array passed last stands. */
  from = 0;
  to = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /**
   * Reads a struct: `onField` gets number and type of each field, and answers true when it has read the value; what it
   * has not is passed over.
   */
  struct(onField: (id: number, type: number) => boolean): void {
    for (;;) {
      const type = this.#view.getUint8(this.#take(1));
      if (type === thriftType.stop) return;
      const id = this.#view.getInt16(this.#take(2));
      if (!onField(id, type)) this.#skip(type, 0);
    }
  }

  /** Reads a list of structs, by a function that reads one. */
  structs(read: () => void): void {
    const type = this.#view.getUint8(this.#take(1));
    if (type !== thriftType.struct) throw new WireError("not a list of structs");
    for (let left = this.#count(); left > 0; left--) read();
  }

  bool(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0;
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** Passes over a number of `size` bytes; gives where it stands. */
  pass(size: number): number {
    return this.#take(size);
  }

  /** Passes over a byte array, or a text that nobody has checked. */
  passBinary(): void {
    const length = this.#view.getUint32(this.#take(4));
    this.from = this.#take(length);
    this.to = this.from + length;
  }

  /** Passes over a text. @throws WireError when it is not UTF-8. */
  passString(): void {
    this.passBinary();
    let all = 0;
    for (let i = this.from; i < this.to; i++) all |= this.#bytes[i] as number;
    if (all >= 0x80) this.#textIn(this.from, this.to);
  }

  /** A byte array: a view on the input. */
  binary(): Uint8Array {
    this.passBinary();
    return this.#bytes.subarray(this.from, this.to);
  }

  string(): string {
    this.passBinary();
    return this.#textIn(this.from, this.to);
  }

  #textIn(from: number, to: number): string {
    try {
      return decodeUtf8(this.#bytes, from, to);
    } catch {
      throw new WireError("invalid UTF-8");
    }
  }

  #skip(type: number, depth: number): void {
    if (depth > maxDepth) throw new WireError("nested too deeply");
    const size = sizes[type];
    if (size !== undefined) this.#take(size);
    else if (type === thriftType.string) this.binary();
    else if (type === thriftType.struct) this.#skipStruct(depth);
    else if (type === thriftType.map) this.#skipItems(this.#types(2), depth);
    else if (type === thriftType.list || type === thriftType.set) this.#skipItems(this.#types(1), depth);
    else throw new WireError("unknown type");
  }

  #skipStruct(depth: number): void {
    this.struct((_id, type) => {
      if (++this.#items > maxItems) throw new WireError("too many items");
      this.#skip(type, depth + 1);
      return true;
    });
  }

  #types(count: number): number[] {
    return Array.from({ length: count }, () => this.#view.getUint8(this.#take(1)));
  }

  #skipItems(types: readonly number[], depth: number): void {
    for (let left = this.#count(); left > 0; left--) for (const type of types) this.#skip(type, depth + 1);
  }

  /** Items of a list or map; each takes a byte at least. */
  #count(): number {
    const count = this.#view.getUint32(this.#take(4));
    this.#items += count;
    if (count > this.#bytes.length - this.#at) throw new WireError("count beyond the end");
    if (this.#items > maxItems) throw new WireError("too many items");
    return count;
  }

  #take(count: number): number {
    if (count > this.#bytes.length - this.#at) throw new WireError("unexpected end");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
