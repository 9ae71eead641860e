import { WireError } from "./wire-error.ts";

/** Six digits: a million times 2^32 is below 2^53, so words are multiplied in doubles, exactly. */
const digitsPerStep = 6;
const powers = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
const words = new Float64Array(4);

/**
 * A number in decimal digits (ASCII, from `from` to `to`) as `length` bytes, 4 to 16, highest first. Done by words: a
 * bigint and its hexadecimal text would cost three times as much, and every span has three ids.
 * @throws WireError when it is not a decimal number, or too large.
 */
export function decimalBytes(digits: Uint8Array, from: number, to: number, length: number): Uint8Array {
  if (from === to) throw new WireError("not an id");
  const count = length / 4;
  words.fill(0);
  for (let at = from; at < to; at += digitsPerStep) {
    const end = Math.min(at + digitsPerStep, to);
    let carry = valueOfDigits(digits, at, end);
    const factor = powers[end - at] as number;
    for (let i = count - 1; i >= 0; i--) {
      const sum = (words[i] as number) * factor + carry;
      carry = Math.floor(sum / 0x1_0000_0000);
      words[i] = sum - carry * 0x1_0000_0000;
    }
    if (carry > 0) throw new WireError("id too large");
  }
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (words[i >> 2] as number) >>> (24 - (i & 3) * 8);
  return bytes;
}

function valueOfDigits(digits: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (digits[i] as number) - 0x30;
    if (digit < 0 || digit > 9) throw new WireError("not an id");
    value = value * 10 + digit;
  }
  return value;
}
