import { WireError } from "./wire-error.ts";

/** Six digits: a million times 2^32 is below 2^53, so words are multiplied in doubles, exactly. */
const digitsPerStep = 6;

/**
 * A decimal number as `length` (a multiple of 4) bytes, highest first. Done by words: a bigint and its hexadecimal text
 * would cost three times as much, and every span has three ids.
 * @throws WireError when it is not a decimal number, or too large.
 */
export function decimalBytes(digits: string, length: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < digits.length; at += digitsPerStep) {
    const part = digits.slice(at, at + digitsPerStep);
    let carry = numberOf(part);
    const factor = 10 ** part.length;
    for (let i = words.length - 1; i >= 0; i--) {
      const sum = (words[i] as number) * factor + carry;
      words[i] = sum;
      carry = Math.floor(sum / 0x1_0000_0000);
    }
    if (carry > 0) throw new WireError("id too large");
  }
  if (digits.length === 0) throw new WireError("not an id");
  const bytes = new Uint8Array(length);
  for (const [i, word] of words.entries()) {
    bytes[i * 4] = word >>> 24;
    bytes[i * 4 + 1] = word >>> 16;
    bytes[i * 4 + 2] = word >>> 8;
    bytes[i * 4 + 3] = word;
  }
  return bytes;
}

function numberOf(part: string): number {
  let value = 0;
  for (let i = 0; i < part.length; i++) {
    const digit = part.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) throw new WireError("not an id");
    value = value * 10 + digit;
  }
  return value;
}
