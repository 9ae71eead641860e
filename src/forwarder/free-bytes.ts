/** What a library may have left before the bytes in memory that is theirs: gRPC's flag and length. */
const maxBefore = 5;

/**
 * Gives the memory of a byte array back now, not when garbage is collected next: megabytes of it lie outside of V8's heap
 * until then, and make it collect again and again. Nothing is done where the array is a part of something larger.
 * Precondition: nobody looks at it any more.
 */
export function freeBytes({ buffer, length }: Uint8Array): void {
  if (
    buffer instanceof ArrayBuffer &&
    buffer.byteLength > maxBefore &&
    buffer.byteLength - length <= maxBefore
  )
    buffer.transfer(0);
}
