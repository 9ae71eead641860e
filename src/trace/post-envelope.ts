import type { Attributes } from "@opentelemetry/api";
import type { Batch } from "./batch.ts";
import type { SpanClock } from "./clock.ts";
import { encodeResource, traceRequest } from "./otlp.ts";
import type { Relayed } from "./relayed.ts";
import type { Post } from "./sent.ts";
import type { SpanCounts } from "./span-counts.ts";

/** What the envelopes are made from. */
export type EnvelopeOptions = {
  /** Unique per life of the tracing; names the sender of a request. */
  instanceId: string;
  /** Of all spans; what is known later is added by {@link Envelope.describe}. */
  resource: Attributes;
  clock: SpanClock;
  counts: SpanCounts;
};

/**
 * Makes requests of encoded spans: numbers them, and puts a resource around the spans that tells what is known at that
 * moment: the distance of the host's clock, and how many spans were lost so far (docs/protocol.md).
 */
export class Envelope {
  readonly #options: EnvelopeOptions;
  #resource: Attributes;
  #sequence = 0;

  constructor(options: EnvelopeOptions) {
    this.#options = options;
    this.#resource = options.resource;
  }

  /** The clock offset under which spans are made now. */
  get offsetMs(): number {
    return this.#options.clock.offsetMs;
  }

  /** Adds to what all later requests tell of the sender. */
  describe(attributes: Attributes): void {
    this.#resource = { ...this.#resource, ...attributes };
  }

  /** A request of ended spans. */
  batches(batches: readonly Batch[]): Post {
    const offsetMs = batches[0]?.offsetMs ?? this.offsetMs;
    const body = this.#body(
      batches.map(({ bytes }) => bytes),
      offsetMs,
    );
    const ended = batches.flatMap((batch) => batch.ended).join(",");
    return this.#post("/v1/traces", body, ended === "" ? {} : { "kata-ended": ended });
  }

  /** A request of spans that are open. */
  openSpans(scopeSpans: Uint8Array): Post {
    return this.#post("/v1/kata/open-spans", this.#body([scopeSpans], this.offsetMs), {});
  }

  /** A request of somebody else's. */
  relayed({ bytes, contentType, contentEncoding }: Relayed): Post {
    const encoding = contentEncoding === undefined ? {} : { "content-encoding": contentEncoding };
    return this.#post("/v1/traces", [bytes], { "content-type": contentType, ...encoding });
  }

  /** Takes leave of the receiver. */
  goodbye(): Post {
    return this.#post("/v1/kata/goodbye", [], {});
  }

  #post(path: string, body: readonly Uint8Array[], more: Readonly<Record<string, string>>): Post {
    const batch = `${this.#options.instanceId}-${++this.#sequence}`;
    return { path, body, headers: () => ({ "kata-batch": batch, "kata-clock": this.#nowNs(), ...more }) };
  }

  #body(scopeSpans: readonly Uint8Array[], offsetMs: number): Uint8Array[] {
    const { counts, clock } = this.#options;
    const attributes: Attributes = { ...this.#resource };
    const offsetNs = clock.host.offsetNs(offsetMs);
    if (offsetNs !== undefined) attributes["kata.clock.offset_ns"] = offsetNs;
    for (const [reason, count] of Object.entries(counts.droppedBy))
      if (count > 0) attributes[`kata.dropped.${reason.replaceAll("-", "_")}`] = count;
    return traceRequest(encodeResource(attributes), scopeSpans);
  }

  /** Unix time in ns, decimal, by the clock that the spans have. */
  #nowNs(): string {
    const { clock } = this.#options;
    const nowMs = performance.now();
    clock.follow(nowMs);
    return `${Math.round((nowMs + clock.offsetMs) * 1000)}000`;
  }
}
