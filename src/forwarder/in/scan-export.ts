import { ProtobufReader } from "../../wire/protobuf-reader.ts";
import { WireError } from "../../wire/wire-error.ts";

/**
 * Walks an ExportTraceServiceRequest down to the fields of its spans, without making objects of them: so much is
 * needed to know that requests can be joined, that nothing hides behind the limits, and how many spans there are.
 * What stands inside attributes, events and links is not looked at.
 */

/** Tags: field number × 8 + 2, since all of them are length-delimited. */
const resourceSpansTag = 0x0a;
const scopeSpansTag = 0x12;
const spansTag = 0x12;

/** More than any sane span has; the conventions' default limit is 128 each of attributes, events and links. */
const maxFieldsPerSpan = 4096;
const maxSpans = 262_144;
/** Fields outside of spans, and scalars that come again and again: a walk over 64 MiB of them would take a second. */
const maxOtherFields = 262_144;

/**
 * Counts the spans of a request.
 * @throws WireError when it is not a row of whole messages, or has more than the limits allow.
 */
export function scanExport(body: Uint8Array): number {
  return new Scanner(body).request();
}

class Scanner extends ProtobufReader {
  #spans = 0;
  #others = 0;

  request(): number {
    while (this.at < this.end) {
      if (this.tag() !== resourceSpansTag) throw new WireError("not an ExportTraceServiceRequest");
      this.#other();
      this.#within(scopeSpansTag, this.#scopeSpans);
    }
    return this.#spans;
  }

  readonly #scopeSpans = (): void => this.#within(spansTag, this.#span);

  readonly #span = (): void => {
    if (++this.#spans > maxSpans) throw new WireError("too many spans");
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    let fields = 0;
    while (this.at < this.end) {
      if (++fields > maxFieldsPerSpan) throw new WireError("too many fields in a span");
      this.skip(this.tag() & 7);
    }
    this.end = outerEnd;
  };

  /** Reads a message; `read` is called for its fields with the tag, all others are passed over. */
  #within(wanted: number, read: () => void): void {
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === wanted) read();
      else {
        this.#other();
        this.skip(tag & 7);
      }
    }
    this.end = outerEnd;
  }

  #other(): void {
    if (++this.#others > maxOtherFields) throw new WireError("too many fields");
  }
}
