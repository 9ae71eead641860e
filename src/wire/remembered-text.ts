import { decodeUtf8 } from "./utf8.ts";
import { WireError } from "./wire-error.ts";

/**
 * Texts that come again and again, such as keys and names, made once: a table of fixed size with one place per hash, in
 * which a newcomer takes the place of whoever stood there. So its memory has an end, and bytes made to collide only miss.
 */

const places = 4096;
/** Longer ones are rarely seen twice. */
const maxBytes = 64;

type Remembered = { readonly bytes: Uint8Array; readonly text: string };
const memo: (Remembered | undefined)[] = new Array(places).fill(undefined);

/** The UTF-8 text from `from` to `to`. @throws WireError when it is not well-formed. */
export function rememberedText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > maxBytes) return textOf(bytes, from, to);
  const place = hash(bytes, from, to) & (places - 1);
  const known = memo[place];
  if (known !== undefined && isSame(known.bytes, bytes, from, to)) return known.text;
  const text = textOf(bytes, from, to);
  memo[place] = { bytes: bytes.slice(from, to), text };
  return text;
}

/** Of the length and of some bytes: all are compared anyway, and texts that differ only elsewhere push each other out. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  const step = to - from < 8 ? 1 : (to - from) >> 3;
  let value = 0x811c9dc5 ^ (to - from);
  for (let i = to - 1; i >= from; i -= step) value = Math.imul(value ^ (bytes[i] as number), 0x01000193);
  return value ^ (value >>> 15);
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  try {
    return decodeUtf8(bytes, from, to);
  } catch {
    throw new WireError("invalid UTF-8");
  }
}
