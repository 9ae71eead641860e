import { putDecimal } from "../../wire/decimal-bytes.ts";
import { FixedText } from "../../wire/fixed-text.ts";
import { type KnownKey, knownKeys } from "./attribute-keys.ts";
import type { KnownTail } from "./known-tail.ts";
import { flagsOf } from "./mend-span.ts";
import { PrintedContainer } from "./printed-request.ts";
import { writtenLabel } from "./span-labels.ts";
import type { SpanWriter } from "./span-writer.ts";

/**
 * Writes a span of agents 3.29 to 4.1 as OTLP, mended, while its JSON is walked: no objects are made of it.
 *
 * Primer. The agent's serialiser writes fields in one order, without white space, and most of what a span could have is
 * absent in most spans. So this walk knows one road: fixed texts with values in between. Whatever is not on it (another
 * order, escapes in what is kept, events, links, failed spans, large numbers) is answered by false, and nothing is
 * written: `spanDataFromJson` and `mendSpan` then do the same with any span, and say what is wrong with one that is none.
 * On the road the result is the same, which test/forwarder/frames holds.
 */

const beforeTrace = new FixedText('{"span_context":{"trace_id":');
const beforeSpan = new FixedText(',"span_id":');
const beforeFlags = new FixedText(',"trace_flags":');
const beforeParent = new FixedText(',"is_remote":false,"trace_state":null},"parent_span_id":');
const beforeName = new FixedText(',"span_kind":"Internal","name":"');
const beforeStart = new FixedText('","start_time":{"secs_since_epoch":');
const beforeNanos = new FixedText(',"nanos_since_epoch":');
const beforeEnd = new FixedText('},"end_time":{"secs_since_epoch":');
const beforeAttributes = new FixedText('},"attributes":{"map":{');
const beforeText = new FixedText('":{"String":"');
const beforeInteger = new FixedText('":{"I64":');
const beforeOrder = new FixedText(',"evict_list":[');
const beforeMaximum = new FixedText('],"max_len":');
const beforeDropped = new FixedText(',"dropped_count":');
const beforeResource = new FixedText(
  '},"events":{"queue":null,"max_len":128,"dropped_count":0},"links":{"queue":null,"max_len":128,"dropped_count":0},"status_code":"Unset","status_message":"","resource":',
);

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closeBrace = 0x7d;
const zero = 0x30;
/** As many digits always fit a double; of counts and nanoseconds fewer are sane. */
const integerDigits = 15;
const secondsDigits = 11;
const countDigits = 9;
/** What ends the plain part of a text: the quote, escapes, control characters; for what is kept, also what is not ASCII. */
const endsText = new Uint8Array(256).map((_, byte) =>
  Number(byte < 0x20 || byte === quote || byte === backslash),
);
const endsAscii = endsText.map((ends, byte) => Number(ends === 1 || byte > 0x7e));

/** Walks the frames of one connection. */
export class JsonSpanWalker {
  readonly #tail: KnownTail;
  readonly #out: SpanWriter;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #namespaceFrom = -1;
  #namespaceTo = -1;
  readonly #container = new PrintedContainer();
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
    const out = this.#out;
    if (!this.#fixed(beforeTrace) || !this.#id(0x0a, 16)) return false;
    if (!this.#fixed(beforeSpan) || !this.#id(0x12, 8)) return false;
    const flags = this.#fixed(beforeFlags) ? this.#number(countDigits) : -1;
    if (flags < 0 || !this.#fixed(beforeParent)) return false;
    const hasParent = !this.#isZero();
    if (hasParent && !this.#id(0x22, 8)) return false;
    if (!this.#fixed(beforeName)) return false;
    const nameFrom = this.#at;
    const nameTo = this.#passAscii();
    if (!this.#fixed(beforeStart) || !this.#time(0x39)) return false;
    if (!this.#fixed(beforeEnd) || !this.#time(0x41)) return false;
    if (!this.#fixed(beforeAttributes) || !this.#attributes()) return false;
    if (!this.#rest()) return false;
    const label = writtenLabel(this.#bytes, nameFrom, nameTo, this.#namespaceFrom, this.#namespaceTo);
    if (label === undefined) return false;
    out.label(label.fields);
    this.#container.write(this.#bytes, out);
    out.end(this.#dropped, flagsOf(flags & 0xff, hasParent, label.isCall));
    return true;
  }

  #attributes(): boolean {
    if (this.#takeIf(closeBrace)) return true;
    do if (!this.#attribute()) return false;
    while (this.#takeIf(comma));
    return this.#takeIf(closeBrace);
  }

  #attribute(): boolean {
    if (!this.#takeIf(quote)) return false;
    const from = this.#at;
    const to = this.#passAscii();
    const key = knownKeys.find(this.#bytes, from, to);
    if (this.#fixed(beforeText)) {
      if (!this.#text(key)) return false;
    } else if (!this.#fixed(beforeInteger) || !this.#integer(key, from, to)) return false;
    return this.#takeIf(closeBrace);
  }

  #text(key: KnownKey | undefined): boolean {
    const from = this.#at;
    if (key === undefined) {
      this.#dropped++;
      return this.#passText();
    }
    if (key.duty === "request") return this.#request();
    const to = this.#passAscii();
    if (!this.#takeIf(quote)) return false;
    if (key.duty === "passes") return this.#out.textAttribute(key.today, this.#bytes, from, to);
    if (this.#namespaceFrom >= 0) this.#dropped++;
    else {
      this.#namespaceFrom = from;
      this.#namespaceTo = to;
    }
    return true;
  }

  /** Only the first one counts. */
  #request(): boolean {
    const from = this.#at;
    this.#dropped++;
    if (!this.#passText()) return false;
    if (this.#hasRequest) return true;
    this.#hasRequest = true;
    return this.#container.find(this.#bytes, from, this.#at - 1, true);
  }

  #integer(key: KnownKey | undefined, from: number, to: number): boolean {
    if (key !== undefined && key.duty !== "passes") return false;
    const value = this.#number(integerDigits);
    if (value < 0) return false;
    return key === undefined
      ? this.#out.integerAttribute(this.#bytes, from, to, value)
      : this.#out.integerAttribute(key.today, 0, key.today.length, value);
  }

  /** The keys by age, counts, no events and links, status unset, and the resource that is known already. */
  #rest(): boolean {
    if (!this.#fixed(beforeOrder)) return false;
    if (this.#takeIf(quote))
      do if (!this.#passText()) return false;
      while (this.#takeIf(comma) && this.#takeIf(quote));
    if (!this.#fixed(beforeMaximum) || this.#number(countDigits) < 0 || !this.#fixed(beforeDropped))
      return false;
    const dropped = this.#number(countDigits);
    if (dropped < 0 || !this.#fixed(beforeResource)) return false;
    this.#dropped += dropped;
    return this.#tail.isAt(this.#bytes, this.#at, this.#end);
  }

  #time(tag: number): boolean {
    const seconds = this.#number(secondsDigits);
    if (seconds < 0 || !this.#fixed(beforeNanos)) return false;
    const nanos = this.#number(countDigits);
    if (nanos < 0) return false;
    this.#out.time(tag, seconds, nanos);
    return true;
  }

  #id(tag: number, length: number): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    while (at < this.#end && isDigit(bytes[at] as number)) at++;
    this.#at = at;
    const out = this.#out;
    out.byte(tag);
    out.byte(length);
    const isId = putDecimal(bytes, from, at, out.bytes, out.at, length);
    out.at += length;
    return isId;
  }

  /** Whether the number 0 stands here; then it is taken. */
  #isZero(): boolean {
    if (this.#bytes[this.#at] !== zero || isDigit(this.#bytes[this.#at + 1] as number)) return false;
    this.#at++;
    return true;
  }

  /** A number of at most `maxDigits` digits; -1 when there is none, or another one. */
  #number(maxDigits: number): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (; at < this.#end; at++) {
      const digit = (bytes[at] as number) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = at;
    return at > from && at - from <= maxDigits ? value : -1;
  }

  /** Goes to the end of plain ASCII; what stands there has to be a quote, which the caller looks for. */
  #passAscii(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    while (at < end && endsAscii[bytes[at] as number] === 0) at++;
    this.#at = at;
    return at;
  }

  /** Goes behind the quote that ends a text, whatever is in it. */
  #passText(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    for (let at = this.#at; at < end; at++) {
      const byte = bytes[at] as number;
      if (endsText[byte] === 0) continue;
      if (byte === quote) {
        this.#at = at + 1;
        return true;
      }
      if (byte !== backslash) return false;
      at++;
    }
    return false;
  }

  #fixed(text: FixedText): boolean {
    if (!text.isAt(this.#view, this.#at, this.#end)) return false;
    this.#at += text.length;
    return true;
  }

  #takeIf(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
