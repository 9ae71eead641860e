import type { ByteStream } from "../../base/byte-stream.ts";
import { delay } from "../../base/deadline.ts";
import type { SpanData, SpanDataAttribute } from "../../wire/span-data.ts";
import { spanDataFromBincode } from "../../wire/span-data-bincode.ts";
import { spanDataFromJson } from "../../wire/span-data-json.ts";
import { UpstreamFrames } from "../../wire/upstream-frame.ts";
import type { Encoding } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import type { Guest } from "./guest.ts";
import type { Intake } from "./intake.ts";
import { TraceJoiner } from "./join-traces.ts";
import { mendSpan, wantedTexts } from "./mend-span.ts";
import { writeSpanData } from "./span-data-writer.ts";

/**
 * Connections of upstream's agents 2.2 to 4.1: frames of one span each, one way, without an answer.
 *
 * Primer. The agent sends the spans of some seconds in a row, a frame each, so spans are gathered until the row ends or
 * is long. While they are handed on nothing is read, so an agent that is too fast, or one that comes when no output has
 * room, is held back by its socket. Nothing can be said to it: a span that does not decode is counted and passed over,
 * and only a length that makes no sense ends the connection.
 */

/** The largest single span that is sane: whole requests are in there (wire-and-tracing 3.3). */
const maxFrameBytes = 64 * 1024 * 1024;
const gatherMs = 20;
const maxSpansTogether = 512;
const maxBytesTogether = 1024 * 1024;
const retryMs = 250;
/** A frame that has begun must end. */
const frameTimeoutMs = 60_000;
const openingBrace = 0x7b;
const quote = 0x22;
const scopeService = "kata-agent";

/** One connection of such an agent. */
export class FrameDoor {
  readonly #stream: ByteStream;
  readonly #guest: Guest;
  readonly #intake: Intake;
  readonly #stopping: AbortSignal;
  readonly #frames = new UpstreamFrames(maxFrameBytes);
  readonly #joiner = new TraceJoiner();
  readonly #done = Promise.withResolvers<void>();
  #encoding: Encoding = "upstream-json";
  #spans: SpanData[] = [];
  #bytes = 0;
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #slow: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #ended = false;

  constructor(stream: ByteStream, guest: Guest, intake: Intake, stopping: AbortSignal) {
    this.#stream = stream;
    this.#guest = guest;
    this.#intake = intake;
    this.#stopping = stopping;
  }

  /** Serves the connection to its end, which may be the peer's, ours, or a frame that makes no sense. */
  async serve(): Promise<void> {
    this.#stream.start(
      (chunk) => this.#onChunk(chunk),
      () => this.#end(),
    );
    const stop = () => this.#end();
    this.#stopping.addEventListener("abort", stop, { once: true });
    await this.#done.promise;
    this.#stopping.removeEventListener("abort", stop);
    clearTimeout(this.#timer);
    clearTimeout(this.#slow);
    this.#guest.give(this.#heldBytes);
    await this.#stream.close();
  }

  #onChunk(chunk: Uint8Array): void {
    try {
      this.#guest.spend(chunk.length);
      for (const frame of this.#frames.push(chunk)) this.#onFrame(frame);
      this.#account();
      this.#watch();
    } catch (error) {
      this.#intake.refusalOf(error, this.#encoding, 0);
      this.#end();
      return;
    }
    if (this.#spans.length >= maxSpansTogether || this.#bytes >= maxBytesTogether) this.#send();
    else if (this.#spans.length > 0) this.#timer ??= setTimeout(() => this.#send(), gatherMs);
  }

  #onFrame(frame: Uint8Array): void {
    this.#encoding = frame[0] === openingBrace ? "upstream-json" : "upstream-bincode";
    try {
      this.#spans.push(spanOf(frame, this.#encoding));
      this.#bytes += frame.length;
    } catch (error) {
      this.#intake.refusalOf(error, this.#encoding, 1);
    }
  }

  /** Counts what is in memory against the guest's share. @throws Refusal 503. */
  #account(): void {
    const bytes = this.#frames.heldBytes + this.#bytes;
    if (bytes > this.#heldBytes) this.#guest.take(bytes - this.#heldBytes);
    else this.#guest.give(this.#heldBytes - bytes);
    this.#heldBytes = bytes;
  }

  #watch(): void {
    clearTimeout(this.#slow);
    this.#slow = this.#frames.isWhole ? undefined : setTimeout(() => this.#end(), frameTimeoutMs);
  }

  #send(): void {
    if (this.#sending !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.pause();
    clearTimeout(this.#slow);
    this.#sending = this.#deliver().then(() => {
      this.#sending = undefined;
      if (this.#ended) return this.#finish();
      this.#watch();
      this.#stream.resume();
    });
  }

  /** Never rejects. */
  async #deliver(): Promise<void> {
    const spans = this.#spans;
    this.#spans = [];
    this.#joiner.join(spans);
    const resource = resourceOf(spans[0]?.resource ?? [], this.#guest.origin.sandboxId);
    for (const span of spans) mendSpan(span);
    const body = writeSpanData(resource, spans);
    while (!(await this.#handOn(body))) await delay(retryMs, this.#stopping).catch(() => {});
    this.#bytes = 0;
    this.#account();
    // Nothing can be said to it, so it waits for as long as it takes to pay for what it sent.
    await delay(this.#guest.debtMs, this.#stopping).catch(() => {});
  }

  /** False when nobody has room yet. */
  async #handOn(body: Uint8Array): Promise<boolean> {
    try {
      await this.#intake.take(this.#guest, this.#encoding, body);
      return true;
    } catch (error) {
      return !(error instanceof Refusal && error.status === 503) || this.#stopping.aborted;
    }
  }

  /** No more comes. What has come whole is handed on. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.pause();
    if (this.#sending !== undefined) return;
    if (this.#spans.length > 0) this.#send();
    else this.#finish();
  }

  #finish(): void {
    if (this.#spans.length > 0) this.#send();
    else this.#done.resolve();
  }
}

function spanOf(frame: Uint8Array, encoding: Encoding): SpanData {
  if (encoding === "upstream-bincode") return spanDataFromBincode(frame, wantedTexts);
  try {
    return spanDataFromJson(frame, wantedTexts);
  } catch (error) {
    // A brace may be the first byte of an id in bincode, too.
    if (frame[1] === quote) throw error;
    return spanDataFromBincode(frame, wantedTexts);
  }
}

/** The agent has no name of its own for its service, and no sandbox id (wire-and-tracing 3.3). */
function resourceOf(
  attributes: readonly SpanDataAttribute[],
  sandboxId: string | undefined,
): SpanDataAttribute[] {
  const resource = attributes.filter(
    ({ key, value }) =>
      key !== "service.name" || (value.type === "string" && !value.value.startsWith("unknown_service")),
  );
  const add = (key: string, value: string) => {
    if (!resource.some((attribute) => attribute.key === key))
      resource.unshift({ key, value: { type: "string", value } });
  };
  if (sandboxId !== undefined) add("kata.sandbox.id", sandboxId);
  add("service.name", scopeService);
  return resource;
}
