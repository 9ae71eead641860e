import { blockBytes, giveBack, takeBlock } from "../base/blocks.ts";
import type { Mark, ProtobufWriter } from "./protobuf-writer.ts";

/**
 * Cuts a byte stream into ttRPC frames, and writes frames.
 *
 * Primer. A frame is a header of ten bytes and its data:
 *
 *     0        4            8      9      10
 *     | length | stream id  | type | flags | data … |     length and stream id: big-endian, 32 bits
 *
 * A chunk of the stream may hold many frames, or any part of one, even of a header. A frame that lies whole within a
 * chunk is handed on where it is. One that does not is gathered: in a block that serves again afterwards
 * (base/blocks.ts), or, when that is too short, in an array of its own, which grows with the bytes that really came, not
 * with what the header promised. A frame beyond 4 MiB is passed over without being stored, so that it costs its sender
 * one call and not the connection.
 */

/** What stands in the type byte; all other numbers are reserved and ignored. */
export const FrameType = { request: 1, response: 2, data: 3 } as const;

/** Longest data of a legal frame. */
export const maxFrameBytes = 4 * 1024 * 1024;

/** Gets the frames of one stream, in order. */
export type FrameSink = {
  /**
   * The data is `bytes` from `from` to `to`. Unless `stable`, the bytes are valid only until the call returns;
   * if `stable`, nobody else will write to them.
   */
  frame(streamId: number, type: number, bytes: Uint8Array, from: number, to: number, stable: boolean): void;
  /** The header of a frame that is too long; its data will not come. Told once, before the data has passed. */
  oversize(streamId: number, type: number): void;
};

const headerBytes = 10;
const none = new Uint8Array(0);

/** Incremental parser: give it the chunks of a stream in order. */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(headerBytes);
  /** Bytes of the header that have come; ten while the data is awaited. */
  #headerFilled = 0;
  /** Data of the frame that is being gathered; its length when complete is `#length`. */
  #gathered: Uint8Array = none;
  #filled = 0;
  #length = 0;
  /** Bytes of an oversize frame that are still to be passed over. */
  #passOver = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** True when the stream could end here without cutting a frame. */
  get atBoundary(): boolean {
    return this.#headerFilled === 0 && this.#passOver === 0;
  }

  /** Takes the next chunk; every frame that it completes is given to the sink before this returns. */
  push(chunk: Uint8Array): void {
    let at = this.#resume(chunk);
    while (at < chunk.length) {
      const from = at + headerBytes;
      if (from > chunk.length) {
        this.#header.set(chunk.subarray(at));
        this.#headerFilled = chunk.length - at;
        return;
      }
      const length = read32(chunk, at);
      if (length > maxFrameBytes) {
        at = this.#startPassingOver(chunk, at, length);
      } else if (from + length <= chunk.length) {
        at = from + length;
        this.#sink.frame(read32(chunk, from - 6), chunk[from - 2] as number, chunk, from, at, false);
      } else {
        this.#header.set(chunk.subarray(at, from));
        this.#headerFilled = headerBytes;
        this.#startGathering(length);
        at = this.#gather(chunk, from);
      }
    }
  }

  /** Goes on with what the last chunk left unfinished; returns where the next whole header begins. */
  #resume(chunk: Uint8Array): number {
    let at = 0;
    if (this.#passOver > 0) {
      at = Math.min(this.#passOver, chunk.length);
      this.#passOver -= at;
    } else if (this.#headerFilled === headerBytes) {
      at = this.#gather(chunk, 0);
    } else if (this.#headerFilled > 0) {
      at = this.#resumeHeader(chunk);
    }
    return at;
  }

  #resumeHeader(chunk: Uint8Array): number {
    const at = Math.min(headerBytes - this.#headerFilled, chunk.length);
    this.#header.set(chunk.subarray(0, at), this.#headerFilled);
    this.#headerFilled += at;
    if (this.#headerFilled < headerBytes) return at;
    const length = read32(this.#header, 0);
    if (length > maxFrameBytes) {
      this.#headerFilled = 0;
      return this.#startPassingOver(chunk, at - headerBytes, length, this.#header, 0);
    }
    this.#startGathering(length);
    return this.#gather(chunk, at);
  }

  /** `at`: where the header begins in the chunk, possibly before it. Returns where the frame ends in the chunk. */
  #startPassingOver(chunk: Uint8Array, at: number, length: number, header = chunk, headerAt = at): number {
    const from = at + headerBytes;
    const here = Math.min(length, chunk.length - from);
    this.#passOver = length - here;
    this.#sink.oversize(read32(header, headerAt + 4), header[headerAt + 8] as number);
    return from + here;
  }

  #startGathering(length: number): void {
    this.#length = length;
    this.#filled = 0;
    this.#gathered = length === 0 ? none : length <= blockBytes ? takeBlock() : new Uint8Array(blockBytes);
  }

  /** Takes data from the chunk at `from`, hands the frame on when it is complete, and returns where it ended. */
  #gather(chunk: Uint8Array, from: number): number {
    const count = Math.min(this.#length - this.#filled, chunk.length - from);
    this.#grow(this.#filled + count);
    this.#gathered.set(chunk.subarray(from, from + count), this.#filled);
    this.#filled += count;
    if (this.#filled === this.#length) {
      const data = this.#gathered;
      this.#gathered = none;
      this.#headerFilled = 0;
      const isOwn = this.#length > blockBytes;
      this.#sink.frame(read32(this.#header, 4), this.#header[8] as number, data, 0, this.#length, isOwn);
      giveBack(data);
    }
    return from + count;
  }

  #grow(needed: number): void {
    if (needed <= this.#gathered.length) return;
    const larger = new Uint8Array(Math.min(this.#length, Math.max(needed, this.#gathered.length * 2)));
    larger.set(this.#gathered.subarray(0, this.#filled));
    this.#gathered = larger;
  }
}

/** Writes the header of a frame; its length is filled in by {@link endFrame}. Flags are 0, as for all unary calls. */
export function beginFrame(writer: ProtobufWriter, streamId: number, type: number): Mark {
  const mark = writer.skip(headerBytes);
  writer.patch32(mark + 4, streamId);
  writer.patch8(mark + 8, type);
  writer.patch8(mark + 9, 0);
  return mark;
}

/** Closes the frame and returns the length of its data, which the caller compares with {@link maxFrameBytes}. */
export function endFrame(writer: ProtobufWriter, mark: Mark): number {
  const length = writer.since(mark) - headerBytes;
  writer.patch32(mark, length);
  return length;
}

function read32(bytes: Uint8Array, at: number): number {
  const high = bytes[at] as number;
  const rest =
    ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return high * 0x100_0000 + rest;
}
