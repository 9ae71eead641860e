import { WireError } from "./wire-error.ts";

/**
 * Steps over protobuf fields without making anything of them. The place is the caller's, in a variable of its own, and
 * a step gives the place behind it: where every byte of every span passes, an object with the place in it costs as much
 * again as the reading. What was read besides the place is asked for afterwards, of the step that was last.
 */

let end = 0;

/** Where the varint, tag or length that was read last ended. */
export function behindLast(): number {
  return end;
}

/** The tag at `at`: number × 8 + wire type. @throws WireError for field number 0 and beyond 32 bits. */
export function tagAt(bytes: Uint8Array, at: number, limit: number): number {
  const value = varintAt(bytes, at, limit);
  if (value < 8 || value > 0xffff_ffff) throw new WireError("invalid field number");
  return value;
}

/** Where the bytes end whose length stands at `at`; they begin at {@link behindLast}. @throws WireError beyond `limit`. */
export function bytesEnd(bytes: Uint8Array, at: number, limit: number): number {
  const length = varintAt(bytes, at, limit);
  if (length > limit - end) throw beyondEnd();
  return end + length;
}

/** Where the value at `at` ends, whatever it is. @throws WireError for groups and beyond `limit`. */
export function valueEnd(bytes: Uint8Array, wireType: number, at: number, limit: number): number {
  let to = at;
  if (wireType === 0) {
    varintAt(bytes, at, limit);
    to = end;
  } else if (wireType === 1) to += 8;
  else if (wireType === 2) to = bytesEnd(bytes, at, limit);
  else if (wireType === 5) to += 4;
  else throw new WireError(`unsupported wire type ${wireType}`);
  if (to > limit) throw new WireError("unexpected end");
  return to;
}

/** A varint of up to ten bytes, as the nearest number: exact up to 2^53, which is all that tags and lengths may be. */
export function varintAt(bytes: Uint8Array, from: number, limit: number): number {
  let value = 0;
  let factor = 1;
  for (let at = from; at < limit && at < from + 10; at++) {
    const byte = bytes[at] as number;
    if (byte < 128) {
      end = at + 1;
      return value + byte * factor;
    }
    value += (byte & 127) * factor;
    factor *= 128;
  }
  throw new WireError(limit - from < 10 ? "unexpected end" : "varint longer than ten bytes");
}

/** What is told of a length that is longer than what is left. */
export function beyondEnd(): WireError {
  return new WireError("length beyond the end");
}
