/**
 * Buffers that bodies of requests are read into, used again and again. One made for each request would be garbage
 * outside of V8's heap a moment later: its making, clearing and collecting took more than a third of what a request cost.
 * Who has one gives it back when nobody looks at the body any more.
 */

/** Small enough that a thousand guests who are in the middle of a short request hold little. */
const sizes: readonly number[] = [4 * 1024, 64 * 1024, 256 * 1024, 512 * 1024];
/** Bytes of each size that are kept for later. */
const spareBytes = 1024 * 1024;

const spare = new Map<number, Uint8Array[]>(sizes.map((size) => [size, []]));

/** A buffer of this many bytes or some more, with anything in it. */
export function borrowBuffer(bytes: number): Uint8Array {
  const size = sizes.find((each) => each >= bytes) ?? bytes;
  return spare.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
}

/** Takes it back: it may be somebody else's from now on. */
export function returnBuffer(buffer: Uint8Array): void {
  const kept = spare.get(buffer.length);
  if (kept !== undefined && kept.length * buffer.length < spareBytes) kept.push(buffer);
}
