import { isSameBytes } from "./byte-range.ts";

const places = 64;

/** Things by ASCII keys that are looked up as bytes, where they stand. For some dozens of keys, known from the start. */
export class ByteKeys<T> {
  readonly #lists: (readonly [bytes: Uint8Array, value: T])[][] = Array.from({ length: places }, () => []);

  constructor(entries: Iterable<readonly [key: string, value: T]>) {
    for (const [key, value] of entries) {
      const bytes = Uint8Array.from(Buffer.from(key, "latin1"));
      this.#listOf(bytes, 0, bytes.length).push([bytes, value]);
    }
  }

  /** What belongs to the key from `from` to `to`. */
  find(bytes: Uint8Array, from: number, to: number): T | undefined {
    const list = this.#listOf(bytes, from, to);
    for (let i = 0; i < list.length; i++) {
      const entry = list[i] as readonly [Uint8Array, T];
      if (isSameBytes(entry[0], bytes, from, to)) return entry[1];
    }
    return undefined;
  }

  #listOf(bytes: Uint8Array, from: number, to: number): (readonly [Uint8Array, T])[] {
    const ends = to === from ? 0 : (bytes[from] as number) * 3 + (bytes[to - 1] as number);
    return this.#lists[((to - from) * 5 + ends) & (places - 1)] as (readonly [Uint8Array, T])[];
  }
}
