/**
 * Short texts are the rule on this wire (ids, method names), and for them a call into the runtime's own coder costs
 * more than the work. So ASCII is done here byte by byte, and everything else by `TextDecoder` and `TextEncoder`.
 */

/** Writes `text` to `into` as long as it is ASCII; returns how many characters were written. */
export function asciiPrefix(text: string, into: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char > 127) return i;
    into[at + i] = char;
  }
  return text.length;
}

/**
 * The text that stands in `bytes` from `from` to `to`.
 * @throws TypeError when it is not well-formed UTF-8. A byte order mark is kept as a character.
 */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > shortBytes) return decoder.decode(bytes.subarray(from, to));
  let text = "";
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte > 127) return decoder.decode(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Up to here building the text by hand is faster; the crossing was measured. */
const shortBytes = 12;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
