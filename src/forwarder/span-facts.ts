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
  #isWorthKeeping = false;

  constructor(body: Uint8Array, config: SamplingConfig) {
    super(body);
    this.#config = config;
  }

  facts(): SpanFacts {
    while (this.at < this.end) {
      this.tag();
      this.#within(this.#scopeSpans);
    }
    return { traces: this.#traces, isWorthKeeping: this.#isWorthKeeping };
  }

  readonly #scopeSpans = (): void => this.#within(this.#span);

  readonly #span = (): void => {
    let [name, startMs, endMs] = ["", 0, 0];
    this.#fields((tag) => {
      if (tag === traceTag) this.#trace();
      else if (tag === nameTag && this.#config.slowMsByName.size > 0) name = this.string();
      else if (tag === startTag) startMs = this.#ms();
      else if (tag === endTag) endMs = this.#ms();
      else if (tag === statusTag) this.#status();
      else this.skip(tag & 7);
    });
    const slowMs = this.#config.slowMsByName.get(name) ?? this.#config.slowMs;
    if (slowMs !== undefined && endMs - startMs > slowMs) this.#isWorthKeeping = true;
  };

  #trace(): void {
    const id = this.byteArray(true);
    this.#traces.add(Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex"));
  }

  #status(): void {
    this.#fields((tag) => {
      if (tag !== statusCodeTag) this.skip(tag & 7);
      else if (this.uint32() === statusError) this.#isWorthKeeping = true;
    });
  }

  #ms(): number {
    const low = this.fixed32();
    return this.fixed32() * highMs + low / nanosPerMilli;
  }

  /** Calls `read` for each of the wanted fields of the message that begins here. */
  #within(read: () => void): void {
    this.#fields((tag) => {
      if (tag === wantedTag) read();
      else this.skip(tag & 7);
    });
  }

  #fields(read: (tag: number) => void): void {
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    while (this.at < this.end) read(this.tag());
    this.end = outerEnd;
  }
}
