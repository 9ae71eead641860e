/** Looks at bytes within larger arrays, without making views of them. Short ones: long ones are for `Buffer.compare`. */

const offset = 0x811c9dc5;
const prime = 0x01000193;

/** Whether `known` is what stands in `bytes` from `from` to `to`. */
export function isSameBytes(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const { length } = known;
  if (length !== to - from) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** A copy of what stands there. `slice` would be none where the bytes are a `Buffer`: it gives a view then. */
export function copyOfBytes(bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to));
}

/** A hash of the length and of some of the bytes, for tables that compare all of them anyway. */
export function hashOfBytes(bytes: Uint8Array, from: number, to: number, seed = offset): number {
  const step = to - from < 8 ? 1 : (to - from) >> 3;
  let value = seed ^ (to - from);
  for (let i = to - 1; i >= from; i -= step) value = Math.imul(value ^ (bytes[i] as number), prime);
  return value ^ (value >>> 15);
}
