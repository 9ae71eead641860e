import { copyOfBytes, isSameBytes } from "../../wire/byte-range.ts";
import type { SpanDataAttribute } from "../../wire/span-data.ts";

/** Longer ones are read each time. */
const maxBytes = 4096;

/**
 * How the frames of one connection end: the resource, which is the same in every span of a program, is read once and
 * compared from then on.
 */
export class KnownTail {
  #bytes = new Uint8Array(0);
  /** What the resource says. */
  resource: readonly SpanDataAttribute[] = [];
  /** Where a tail that was not known began; -1 when nobody has asked, or it was known. */
  missedAt = -1;

  /** Whether the known tail stands from `at` to `end`. */
  isAt(bytes: Uint8Array, at: number, end: number): boolean {
    const isKnown = at < end && isSameBytes(this.#bytes, bytes, at, end);
    this.missedAt = isKnown ? -1 : at;
    return isKnown;
  }

  /** The tail that was missed, and what it says. */
  learn(bytes: Uint8Array, end: number, resource: readonly SpanDataAttribute[]): void {
    if (this.missedAt >= 0 && end - this.missedAt <= maxBytes) {
      this.#bytes = copyOfBytes(bytes, this.missedAt, end);
      this.resource = resource;
    }
    this.missedAt = -1;
  }
}
