/**
 * Nanoseconds since 1970 as two halves of 32 bits, without a bigint: seconds × 10⁹ in pieces that doubles hold. `seconds`
 * is an integer from 0 to 2^36, `nanos` one from 0 to 10^9 - 1.
 */

const nanosPerSecond = 1e9;
const perHalf = 1 / 0x1_0000;
const perWord = 1 / 0x1_0000_0000;

/** The lower half. */
export function nanosLow(seconds: number, nanos: number): number {
  return lowSum(seconds, nanos) >>> 0;
}

/** The upper half. */
export function nanosHigh(seconds: number, nanos: number): number {
  const high = Math.floor(seconds * perHalf) * nanosPerSecond;
  return Math.floor(high * perHalf) + Math.floor(lowSum(seconds, nanos) * perWord);
}

/** The lower half and what it carries over. */
function lowSum(seconds: number, nanos: number): number {
  const upper = Math.floor(seconds * perHalf);
  // It counts units of 2^16: its lower 16 bits belong to the lower half.
  const high = upper * nanosPerSecond;
  const highRest = high - Math.floor(high * perHalf) * 0x1_0000;
  return (seconds - upper * 0x1_0000) * nanosPerSecond + nanos + highRest * 0x1_0000;
}
