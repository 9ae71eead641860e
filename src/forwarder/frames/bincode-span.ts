import { type KnownKey, knownKeys } from "./attribute-keys.ts";
import type { KnownTail } from "./known-tail.ts";
import { flagsOf } from "./mend-span.ts";
import { PrintedContainer } from "./printed-request.ts";
import { writtenLabel } from "./span-labels.ts";
import type { SpanWriter } from "./span-writer.ts";

/**
 * Writes a span of agents 2.2 to 3.28 as OTLP, mended, while its bincode is walked (wire-and-tracing 3.5 has the layout):
 * no objects are made of it.
 *
 * As `json-span.ts` does: this walk knows spans without a trace state, events, links, or a status, with texts and integers
 * as attributes. Any other is answered by false, and nothing is written: `spanDataFromBincode` and `mendSpan` then do the
 * same with any span, and say what is wrong with one that is none.
 */

const internalVariant = 4;
const integerType = 1;
const textType = 3;
/** From the trace id to the number of the kind. */
const headBytes = 39;
/** From "no events" to the empty status message. */
const absentBytes = 30;
const nanosPerSecond = 1_000_000_000;
/** Upper halves of integers that fit a double, and of times that make sense. */
const maxIntegerHigh = 0x20_0000;
const maxSecondsHigh = 16;

/** Walks the frames of one connection. */
export class BincodeSpanWalker {
  readonly #tail: KnownTail;
  readonly #out: SpanWriter;
  readonly #container = new PrintedContainer();
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #namespaceFrom = -1;
  #namespaceTo = -1;
  #hasRequest = false;
  #dropped = 0;

  /** `tail`: how the frames of this connection end, with the resource in it. */
  constructor(tail: KnownTail, out: SpanWriter) {
    this.#tail = tail;
    this.#out = out;
  }

  /** Writes the span that stands there; false, and nothing is written, when it is not of the usual form. */
  write(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = from;
    this.#end = to;
    this.#namespaceFrom = this.#namespaceTo = this.#container.from = -1;
    this.#hasRequest = false;
    this.#dropped = 0;
    this.#out.begin();
    if (this.#span()) return true;
    this.#out.rewind();
    return false;
  }

  #span(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (headBytes > this.#end - at) return false;
    if ((bytes[at + 25] as number) > 1 || bytes[at + 26] !== 0) return false;
    if (this.#view.getUint32(at + 35, true) !== internalVariant) return false;
    const hasParent = this.#view.getInt32(at + 27, true) !== 0 || this.#view.getInt32(at + 31, true) !== 0;
    this.#ids(at, hasParent);
    this.#at = at + headBytes;
    const nameLength = this.#length();
    if (nameLength < 0) return false;
    const nameFrom = this.#at;
    this.#at += nameLength;
    if (!this.#isAscii(nameFrom, this.#at)) return false;
    if (!this.#time(0x39) || !this.#time(0x41)) return false;
    if (!this.#attributes() || !this.#rest()) return false;
    const label = writtenLabel(
      bytes,
      nameFrom,
      nameFrom + nameLength,
      this.#namespaceFrom,
      this.#namespaceTo,
    );
    if (label === undefined) return false;
    this.#out.label(label.fields);
    this.#container.write(bytes, this.#out);
    this.#out.end(this.#dropped, flagsOf(bytes[at + 24] as number, hasParent, label.isCall));
    return true;
  }

  #ids(at: number, hasParent: boolean): void {
    const out = this.#out;
    out.byte(0x0a);
    out.byte(16);
    out.copyReversed(this.#bytes, at, at + 16);
    out.byte(0x12);
    out.byte(8);
    out.copyReversed(this.#bytes, at + 16, at + 24);
    if (!hasParent) return;
    out.byte(0x22);
    out.byte(8);
    out.copyReversed(this.#bytes, at + 27, at + 35);
  }

  #attributes(): boolean {
    for (let left = this.#count(); left !== 0; left--) if (left < 0 || !this.#attribute()) return false;
    return true;
  }

  #attribute(): boolean {
    const keyLength = this.#length();
    const from = this.#at;
    const to = from + keyLength;
    if (keyLength < 0 || to + 12 > this.#end) return false;
    const key = knownKeys.find(this.#bytes, from, to);
    const type = this.#view.getUint32(to, true);
    this.#at = to + 4;
    if (type === textType) return this.#text(key);
    return type === integerType && this.#integer(key, from, to);
  }

  #text(key: KnownKey | undefined): boolean {
    const length = this.#length();
    if (length < 0) return false;
    const from = this.#at;
    const to = from + length;
    this.#at = to;
    if (key === undefined) this.#dropped++;
    else if (key.duty === "request") return this.#request(from, to);
    else if (!this.#isAscii(from, to)) return false;
    else if (key.duty === "passes") return this.#out.textAttribute(key.today, this.#bytes, from, to);
    else if (this.#namespaceFrom >= 0) this.#dropped++;
    else {
      this.#namespaceFrom = from;
      this.#namespaceTo = to;
    }
    return true;
  }

  /** Only the first one counts. */
  #request(from: number, to: number): boolean {
    this.#dropped++;
    if (this.#hasRequest) return true;
    this.#hasRequest = true;
    return this.#container.find(this.#bytes, from, to, false);
  }

  #integer(key: KnownKey | undefined, from: number, to: number): boolean {
    if (key !== undefined && key.duty !== "passes") return false;
    const high = this.#view.getUint32(this.#at + 4, true);
    const value = high * 0x1_0000_0000 + this.#view.getUint32(this.#at, true);
    if (high >= maxIntegerHigh) return false;
    this.#at += 8;
    if (key !== undefined) return this.#out.integerAttribute(key.today, 0, key.today.length, value);
    return this.#isAscii(from, to) && this.#out.integerAttribute(this.#bytes, from, to, value);
  }

  /** The keys by age, counts, no events and links, status unset, and the resource that is known already. */
  #rest(): boolean {
    for (let left = this.#count(); left !== 0; left--) {
      const length = left < 0 ? -1 : this.#length();
      if (length < 0) return false;
      this.#at += length;
    }
    const at = this.#at + 8;
    if (at + absentBytes > this.#end) return false;
    this.#dropped += this.#view.getUint32(at - 4, true);
    const absent = at;
    // An Option without value, a limit that nobody needs, none dropped: for events, then for links.
    for (let queue = absent; queue < absent + 18; queue += 9)
      if (this.#bytes[queue] !== 0 || this.#view.getInt32(queue + 5, true) !== 0) return false;
    for (let word = absent + 18; word < absent + absentBytes; word += 4)
      if (this.#view.getInt32(word, true) !== 0) return false;
    return this.#tail.isAt(this.#bytes, absent + absentBytes, this.#end);
  }

  #time(tag: number): boolean {
    const at = this.#at;
    if (at + 12 > this.#end) return false;
    const high = this.#view.getUint32(at + 4, true);
    const nanos = this.#view.getUint32(at + 8, true);
    if (high >= maxSecondsHigh || nanos >= nanosPerSecond) return false;
    this.#out.time(tag, high * 0x1_0000_0000 + this.#view.getUint32(at, true), nanos);
    this.#at = at + 12;
    return true;
  }

  /** A number of things, each of which takes eight bytes at least; -1 when they cannot be there. */
  #count(): number {
    const at = this.#at;
    if (at + 8 > this.#end) return -1;
    const count = this.#view.getUint32(at, true);
    this.#at = at + 8;
    return this.#view.getInt32(at + 4, true) === 0 && count * 8 <= this.#end - this.#at ? count : -1;
  }

  /** The length of a text that ends within the frame; -1 otherwise. */
  #length(): number {
    const at = this.#at;
    if (at + 8 > this.#end) return -1;
    const length = this.#view.getUint32(at, true);
    this.#at = at + 8;
    return this.#view.getInt32(at + 4, true) === 0 && length <= this.#end - this.#at ? length : -1;
  }

  #isAscii(from: number, to: number): boolean {
    const bytes = this.#bytes;
    let all = 0;
    for (let i = from; i < to; i++) all |= bytes[i] as number;
    return all < 0x80;
  }
}
