import { WireError } from "./wire-error.ts";

/** Six digits: a million times 2^32 is below 2^53, so words are multiplied in doubles, exactly. */
const digitsPerStep = 6;
const powers = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/** 2^-32. */
const perWord = 1 / 0x1_0000_0000;
const words = new Float64Array(4);

/**
 * A number in decimal digits (ASCII, from `from` to `to`) as `length` bytes, 4 to 16, highest first. Done by words: a
 * bigint and its hexadecimal text would cost three times as much, and every span has three ids.
 * @throws WireError when it is not a decimal number, or too large.
 */
export function decimalBytes(digits: Uint8Array, from: number, to: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (!putDecimal(digits, from, to, bytes, 0, length)) throw new WireError("not an id, or too large");
  return bytes;
}

/** The same, written to `into` at `at`; false when it is not a decimal number, or too large. */
export function putDecimal(
  digits: Uint8Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
  length: number,
): boolean {
  const count = length >> 2;
  for (let i = 0; i < count; i++) words[i] = 0;
  // The highest word that is not zero.
  let top = count - 1;
  for (let step = from; step < to; step += digitsPerStep) {
    const end = Math.min(step + digitsPerStep, to);
    let carry = valueOfDigits(digits, step, end);
    if (carry < 0) return false;
    const factor = powers[end - step] as number;
    for (let i = count - 1; i >= top; i--) {
      const sum = (words[i] as number) * factor + carry;
      carry = Math.floor(sum * perWord);
      words[i] = sum - carry * 0x1_0000_0000;
    }
    if (carry > 0) {
      if (top === 0) return false;
      words[--top] = carry;
    }
  }
  for (let i = 0; i < length; i++) into[at + i] = (words[i >> 2] as number) >>> (24 - (i & 3) * 8);
  return to > from;
}

/** -1 when there is something else. */
function valueOfDigits(digits: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (digits[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
