import { copyOfBytes } from "../../wire/byte-range.ts";

/**
 * Remembers the JSON text of byte sequences that come again and again, such as the attributes of spans.
 *
 * A table of fixed size with one place per hash: a newcomer takes the place of whoever stood there, so the memory has
 * an end, and bytes made to collide only miss. A text is given out only after all bytes were compared.
 */

const places = 4096;
/** Longer ones are rarely seen twice. */
const maxBytes = 128;

type Entry = { readonly bytes: Uint8Array; readonly text: string };

/** The table. */
export class TextMemo {
  readonly #entries: (Entry | undefined)[] = new Array(places).fill(undefined);

  /** The text of `bytes` from `from` to `to`: as remembered, or made by `make` and remembered. */
  textOf(bytes: Uint8Array, from: number, to: number, make: () => string): string {
    if (to - from > maxBytes) return make();
    const place = hash(bytes, from, to) & (places - 1);
    const entry = this.#entries[place];
    if (entry !== undefined && isSame(entry.bytes, bytes, from, to)) return entry.text;
    const text = make();
    this.#entries[place] = { bytes: copyOfBytes(bytes, from, to), text };
    return text;
  }
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = 0x811c9dc5;
  for (let i = from; i < to; i++) value = Math.imul(value ^ (bytes[i] as number), 0x01000193);
  return value ^ (value >>> 15);
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}
