import { copyOfBytes, hashOfBytes, isSameBytes } from "./byte-range.ts";
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
  const place = hashOfBytes(bytes, from, to) & (places - 1);
  const known = memo[place];
  if (known !== undefined && isSameBytes(known.bytes, bytes, from, to)) return known.text;
  const text = textOf(bytes, from, to);
  memo[place] = { bytes: copyOfBytes(bytes, from, to), text };
  return text;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  try {
    return decodeUtf8(bytes, from, to);
  } catch {
    throw new WireError("invalid UTF-8");
  }
}
