import { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { SamplingConfig } from "./sampling.ts";

/**
 * What sampling has to know of an export request, read from its bytes without making objects of the spans.
 *
 * Field numbers (wire-and-tracing 7.1): ResourceSpans 2 scope_spans, ScopeSpans 2 spans; Span 1 trace_id, 5 name,
 * 7 start, 8 end, 15 status; Status 3 code.
 */
export type SpanFacts = {
  /** Trace ids in hex, each once. */
  readonly traces: ReadonlySet<string>;
  /** A span failed, or was slow. */
  readonly isWorthKeeping: boolean;
};

const wantedTag = 0x12;
const traceTag = 0x0a;
const nameTag = 0x2a;
const startTag = 0x39;
const endTag = 0x41;
const statusTag = 0x7a;
const statusCodeTag = 0x18;
const statusError = 2;
const nanosPerMilli = 1e6;
/** 2^32 ns, in ms. */
const highMs = 4294.967296;

/** @throws WireError; not for what `scanExport` has passed. */
export function factsOf(body: Uint8Array, config: SamplingConfig): SpanFacts {
  return new FactReader(body, config).facts();
}

class FactReader extends ProtobufReader {
  readonly #config: SamplingConfig;
  readonly #traces = new Set<string>();
  /** The trace id read last: most requests have one trace. */
  #lastAt = 0;
  #lastLength = -1;
  #isWorthKeeping = false;

  constructor(body: Uint8Array, config: SamplingConfig) {
    super(body);
    this.#config = config;
  }

  facts(): SpanFacts {
    while (this.at < this.end) {
      this.tag();
      this.#resourceSpans();
    }
    return { traces: this.#traces, isWorthKeeping: this.#isWorthKeeping };
  }

  #resourceSpans(): void {
    const outerEnd = this.#enter();
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === wantedTag) this.#scopeSpans();
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
  }

  #scopeSpans(): void {
    const outerEnd = this.#enter();
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === wantedTag) this.#span();
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
  }

  #span(): void {
    const { slowMsByName, slowMs: usualMs } = this.#config;
    const outerEnd = this.#enter();
    let name = "";
    let startMs = 0;
    let endMs = 0;
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === traceTag) this.#trace();
      else if (tag === nameTag && slowMsByName.size > 0) name = this.string();
      else if (tag === startTag) startMs = this.#ms();
      else if (tag === endTag) endMs = this.#ms();
      else if (tag === statusTag) this.#status();
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
    const slowMs = slowMsByName.get(name) ?? usualMs;
    if (slowMs !== undefined && endMs - startMs > slowMs) this.#isWorthKeeping = true;
  }

  #trace(): void {
    const length = this.length();
    const from = this.at;
    this.at += length;
    if (this.#isLast(from, length)) return;
    this.#lastAt = from;
    this.#lastLength = length;
    const { buffer, byteOffset } = this.bytes;
    this.#traces.add(Buffer.from(buffer, byteOffset + from, length).toString("hex"));
  }

  #isLast(from: number, length: number): boolean {
    if (length !== this.#lastLength) return false;
    for (let i = 0; i < length; i++) if (this.bytes[from + i] !== this.bytes[this.#lastAt + i]) return false;
    return true;
  }

  #status(): void {
    const outerEnd = this.#enter();
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag !== statusCodeTag) this.skip(tag & 7);
      else if (this.uint32() === statusError) this.#isWorthKeeping = true;
    }
    this.end = outerEnd;
  }

  #ms(): number {
    const low = this.fixed32();
    return this.fixed32() * highMs + low / nanosPerMilli;
  }

  /** Goes into the message that begins here; gives the end of the one around it. */
  #enter(): number {
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    return outerEnd;
  }
}
