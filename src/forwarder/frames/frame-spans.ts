import type { SpanData, SpanDataAttribute } from "../../wire/span-data.ts";
import { spanDataFromBincode } from "../../wire/span-data-bincode.ts";
import { spanDataFromJson } from "../../wire/span-data-json.ts";
import { BincodeSpanWalker } from "./bincode-span.ts";
import { JsonSpanWalker } from "./json-span.ts";
import { KnownTail } from "./known-tail.ts";
import { mendSpan, wantedTexts } from "./mend-span.ts";
import { writeSpanData } from "./span-data-writer.ts";
import { SpanWriter, type WrittenSpans } from "./span-writer.ts";

/** What a frame of upstream's agents holds. */
export type FrameEncoding = "upstream-json" | "upstream-bincode";

/** A buffer of a single frame that is longer is let go of. */
const maxKeptBytes = 256 * 1024;
const openingBrace = 0x7b;
const quote = 0x22;

const out = new SpanWriter();
/** Frames are views on one buffer, mostly: what looks into it is made once. */
let view: DataView = new DataView(new ArrayBuffer(0));
let whole: Uint8Array = new Uint8Array(0);

/** Which encoding a frame has, by its first byte. */
export function encodingOf(frame: Uint8Array): FrameEncoding {
  return frame[0] === openingBrace ? "upstream-json" : "upstream-bincode";
}

/**
 * Makes OTLP of the frames of one connection, mended. Spans of the usual form are written as their bytes are walked, all
 * others by way of objects. All connections write to one place: what was written is taken before another has its turn.
 */
export class FrameSpans {
  readonly #jsonTail = new KnownTail();
  readonly #bincodeTail = new KnownTail();
  readonly #json = new JsonSpanWalker(this.#jsonTail, out);
  readonly #bincode = new BincodeSpanWalker(this.#bincodeTail, out);
  /** Of the span that was written last. */
  resource: readonly SpanDataAttribute[] = [];

  /** @throws WireError when the frame is no span; nothing is written then. */
  write(frame: Uint8Array): void {
    const { buffer, byteOffset: from, length } = frame;
    if (buffer !== whole.buffer) {
      view = new DataView(buffer);
      whole = new Uint8Array(buffer);
    }
    const isJson = encodingOf(frame) === "upstream-json";
    const tail = isJson ? this.#jsonTail : this.#bincodeTail;
    tail.missedAt = -1;
    const isWritten = isJson
      ? this.#json.write(whole, view, from, from + length)
      : this.#bincode.write(whole, view, from, from + length);
    if (isWritten) this.resource = tail.resource;
    else this.#writeRead(frame, isJson, tail);
  }

  /** What was written since the last time; good until the next frame, of whichever connection. */
  take(): WrittenSpans {
    const taken = out.take();
    // The last frame of a chunk may have had a buffer of its own.
    if (whole.length > maxKeptBytes) {
      whole = new Uint8Array(0);
      view = new DataView(whole.buffer);
    }
    return taken;
  }

  #writeRead(frame: Uint8Array, isJson: boolean, tail: KnownTail): void {
    const span = spanOf(frame, isJson);
    const { resource } = span;
    tail.learn(whole, frame.byteOffset + frame.length, resource);
    mendSpan(span);
    out.whole(writeSpanData(span));
    this.resource = resource;
  }
}

function spanOf(frame: Uint8Array, isJson: boolean): SpanData {
  if (!isJson) return spanDataFromBincode(frame, wantedTexts);
  try {
    return spanDataFromJson(frame, wantedTexts);
  } catch (error) {
    // A brace may be the first byte of an id in bincode, too.
    if (frame[1] === quote) throw error;
    return spanDataFromBincode(frame, wantedTexts);
  }
}
