import { WireError } from "./wire-error.ts";

/**
 * Cuts a connection of upstream's agent into frames: a length of 64 bits, big-endian, and that many bytes
 * (wire-and-tracing 3.1).
 *
 * Primer. The length comes from a guest and reserves nothing: the buffer of a frame that has not ended doubles as bytes
 * arrive, so what is held is at most twice what was sent.
 */

const headerBytes = 8;
const firstBufferBytes = 4096;

/** The frames of one connection. */
export class UpstreamFrames {
  readonly #maxBytes: number;
  #buffer = new Uint8Array(0);
  #held = 0;
  /** Bytes of the payload under way, or undefined while its header is not complete. */
  #length: number | undefined;
  #broken: WireError | undefined;

  /** `maxBytes`: of one payload. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the bytes so far end with a whole frame. */
  get isWhole(): boolean {
    return this.#held === 0 && this.#length === undefined;
  }

  /** What is wrong with the length that came last: there is no way back into step, so the connection is over. */
  get broken(): WireError | undefined {
    return this.#broken;
  }

  /** Bytes of memory that an unfinished frame takes. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  /**
   * Takes the next bytes and gives the payloads that are complete, in order. What is given may be a view on `chunk`,
   * valid as long as that is. Empty payloads are passed over. Behind a length beyond the limit nothing more is taken, and
   * `broken` says so.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length && this.#broken === undefined) {
      if (this.#held === 0 && this.#length === undefined && chunk.length - at >= headerBytes) {
        // Most frames stand in the chunk from their first byte to the last.
        const length = this.#lengthIn(chunk, at);
        at += headerBytes;
        if (length === 0 || this.#broken !== undefined) continue;
        if (chunk.length - at >= length) {
          frames.push(chunk.subarray(at, at + length));
          at += length;
          continue;
        }
        this.#length = length;
        if (at === chunk.length) break;
      }
      const to = Math.min(at + (this.#length ?? headerBytes) - this.#held, chunk.length);
      const whole = this.#add(chunk.subarray(at, to), this.#length ?? headerBytes);
      at = to;
      if (whole === undefined) break;
      if (this.#length !== undefined) {
        frames.push(whole);
        this.#length = undefined;
      } else this.#length = this.#lengthIn(whole, 0) || undefined;
    }
    return frames;
  }

  /** The `wanted` bytes that end with `bytes`, or undefined when some are missing; then they are kept. */
  #add(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
    if (this.#held === 0 && bytes.length === wanted) return bytes;
    const held = this.#held + bytes.length;
    if (held > this.#buffer.length) {
      const larger = new Uint8Array(
        Math.min(wanted, Math.max(held, this.#buffer.length * 2, firstBufferBytes)),
      );
      larger.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#held);
    this.#held = held;
    if (held < wanted) return undefined;
    const whole = this.#buffer.subarray(0, held);
    this.#buffer = new Uint8Array(0);
    this.#held = 0;
    return whole;
  }

  #lengthIn(bytes: Uint8Array, at: number): number {
    let length = 0;
    for (let i = at; i < at + headerBytes; i++) length = length * 256 + (bytes[i] as number);
    if (length <= this.#maxBytes) return length;
    this.#broken = new WireError("frame too long");
    return 0;
  }
}
