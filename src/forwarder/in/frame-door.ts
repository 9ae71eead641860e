import type { ByteStream } from "../../base/byte-stream.ts";
import { delay } from "../../base/deadline.ts";
import { UpstreamFrames } from "../../wire/upstream-frame.ts";
import { encodingOf, type FrameEncoding, FrameSpans } from "../frames/frame-spans.ts";
import { SpanBatch } from "../frames/span-batch.ts";
import { Refusal } from "../refusal.ts";
import type { Guest } from "./guest.ts";
import type { Intake } from "./intake.ts";

/**
 * Connections of upstream's agents 2.2 to 4.1: frames of one span each, one way, without an answer.
 *
 * Primer. The agent sends the spans of some seconds in a row, a frame each, so spans are gathered until the row ends or
 * is long. While they are handed on nothing is read, so an agent that is too fast, or one that comes when no output has
 * room, is held back by its socket. Nothing can be said to it: a span that does not decode is counted and passed over,
 * and only a length that makes no sense ends the connection, behind the frames before it.
 */

const gatherMs = 20;
const maxSpansTogether = 512;
const maxBytesTogether = 1024 * 1024;
const retryMs = 250;
/** What a frame that is no span costs its guest, however short it is: to find that out takes as long as some spans do. */
const noFrameBytes = 16 * 1024;
/** A frame that has begun must end. */
const frameTimeoutMs = 60_000;

/** One connection of such an agent. */
export class FrameDoor {
  readonly #stream: ByteStream;
  readonly #guest: Guest;
  readonly #intake: Intake;
  readonly #stopping: AbortSignal;
  readonly #frames: UpstreamFrames;
  readonly #spans = new FrameSpans();
  readonly #batch: SpanBatch;
  readonly #done = Promise.withResolvers<void>();
  #encoding: FrameEncoding = "upstream-json";
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #slow: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #ended = false;
  #refusal: Refusal | undefined;

  constructor(stream: ByteStream, guest: Guest, intake: Intake, stopping: AbortSignal) {
    this.#stream = stream;
    this.#guest = guest;
    this.#intake = intake;
    this.#stopping = stopping;
    this.#frames = new UpstreamFrames(guest.limits.maxFrameBytes);
    this.#batch = new SpanBatch(guest.origin.sandboxId);
  }

  /**
   * Serves the connection to its end, which may be the peer's, ours, or a frame that makes no sense: then it gives what is
   * wrong.
   */
  async serve(): Promise<Refusal | undefined> {
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
    return this.#refusal;
  }

  #onChunk(chunk: Uint8Array): void {
    try {
      this.#guest.spend(chunk.length);
      const frames = this.#frames.push(chunk);
      for (const frame of frames) this.#onFrame(frame);
      if (frames.length > 0) this.#batch.add(this.#spans.take(), this.#spans.resource);
      if (this.#frames.broken !== undefined) throw this.#frames.broken;
      this.#account();
      this.#watch();
    } catch (error) {
      // The frame that is not taken, and whatever would have come behind it.
      this.#refusal = this.#intake.refusalOf(error, this.#encoding, 1);
      this.#end();
      return;
    }
    const { spans, bytes } = this.#batch;
    if (spans >= maxSpansTogether || bytes >= maxBytesTogether) this.#send();
    // Also one that sends nothing but frames that are none has to wait.
    else if (spans === 0 && this.#guest.debtMs > 0) this.#send();
    else if (spans > 0) this.#timer ??= setTimeout(() => this.#send(), gatherMs);
  }

  #onFrame(frame: Uint8Array): void {
    this.#encoding = encodingOf(frame);
    try {
      this.#spans.write(frame);
    } catch (error) {
      this.#intake.refusalOf(error, this.#encoding, 1);
      this.#guest.spend(noFrameBytes);
    }
  }

  /** Counts what is in memory against the guest's share. @throws Refusal 503. */
  #account(): void {
    const bytes = this.#frames.heldBytes + this.#batch.bytes;
    if (bytes > this.#heldBytes) this.#guest.take(bytes - this.#heldBytes);
    else this.#guest.give(this.#heldBytes - bytes);
    this.#heldBytes = bytes;
  }

  /** What is in memory may be more than was counted: of a connection that ends since there was no room for it. */
  #giveBack(): void {
    const bytes = Math.min(this.#heldBytes, this.#frames.heldBytes + this.#batch.bytes);
    this.#guest.give(this.#heldBytes - bytes);
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
    if (this.#batch.spans > 0) {
      const body = this.#batch.finish();
      while (!(await this.#handOn(body))) await delay(retryMs, this.#stopping).catch(() => {});
      this.#batch.release();
    }
    this.#giveBack();
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
    if (this.#batch.spans > 0) this.#send();
    else this.#finish();
  }

  #finish(): void {
    if (this.#batch.spans > 0) this.#send();
    else this.#done.resolve();
  }
}
