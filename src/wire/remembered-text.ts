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
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  const place = (hash ^ (hash >>> 15)) & (places - 1);
  const known = memo[place];
  if (known !== undefined && isSame(known.bytes, bytes, from, to)) return known.text;
  const text = textOf(bytes, from, to);
  memo[place] = { bytes: bytes.slice(from, to), text };
  return text;
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
