import { STATUS_CODES } from "node:http";
import type { ByteStream } from "../../base/byte-stream.ts";
import { type PlainHead, plainHead } from "../../wire/http1-request.ts";
import { hostNanos } from "./announcements.ts";
import { borrowBuffer, returnBuffer } from "./body-buffers.ts";
import type { Guest } from "./guest.ts";
import { type HttpConnection, type HttpWork, type Wanted, wantedOf } from "./http-work.ts";
import { type Answer, refusalAnswer, successAnswer } from "./otlp-answer.ts";

/**
 * Plain requests (`http1-request.ts`), one after the other, straight from the connection: what exporters send all day,
 * read without the objects that a general server makes of a request.
 *
 * Primer. A connection is between requests, within a body, or at work on a request. Heads are looked at where they
 * stand; the first that is not whole or not plain, or asks for something that is not here, ends this: the connection goes
 * to the general server with the bytes from there on. A body has a buffer until its request is answered. What the buffer
 * takes counts against the guest's share; it grows as bytes arrive, so a large length reserves little. While a request is
 * at work nothing is read, but for the one piece that shows that more has come: most requests are answered before, and to
 * tell the kernel twice for each of them whether we want to read would cost more than reading it does.
 */

const firstBufferBytes = 64 * 1024;
/** A whole body: 64 MiB at 1 MiB a second. */
const bodyTimeoutMs = 64_000;
const nothing: Uint8Array = new Uint8Array(0);

type Request = { readonly head: PlainHead; readonly wanted: Wanted };

/** One connection, read without a server. */
export class PlainHttpDoor {
  readonly #stream: ByteStream;
  readonly #work: HttpWork;
  readonly #stopping: AbortSignal;
  readonly #connection: HttpConnection;
  readonly #done = Promise.withResolvers<Uint8Array | undefined>();
  #request: Request | undefined;
  #body = nothing;
  #held = 0;
  /** What came behind a request that is at work. */
  #rest = nothing;
  #isPaused = false;
  #working: Promise<void> | undefined;
  #slow: NodeJS.Timeout | undefined;
  #handedOver = false;
  #ended = false;

  constructor(stream: ByteStream, guest: Guest, work: HttpWork, stopping: AbortSignal) {
    this.#stream = stream;
    this.#work = work;
    this.#stopping = stopping;
    this.#connection = { guest, instances: new Set(), complained: false };
  }

  /**
   * Serves the connection. Resolves when it is over, or with the bytes that somebody else has to read; the stream is
   * paused then and was not closed.
   */
  async serve(): Promise<Uint8Array | undefined> {
    this.#stream.start(
      (chunk) => this.#onChunk(chunk),
      () => this.#end(),
    );
    const stop = () => this.#end();
    this.#stopping.addEventListener("abort", stop, { once: true });
    const unread = await this.#done.promise;
    this.#stopping.removeEventListener("abort", stop);
    this.#work.left(this.#connection);
    this.#dropBody();
    if (unread === undefined) await this.#stream.close(1_000);
    return unread;
  }

  #onChunk(chunk: Uint8Array): void {
    if (this.#working !== undefined) {
      this.#keepForLater(chunk);
      return;
    }
    const under = this.#request;
    const request = under ?? requestOf(chunk, this.#connection.guest.limits.maxBodyBytes);
    if (request === undefined || (under === undefined && !this.#begin(request))) {
      this.#handOver(chunk);
      return;
    }
    const { head } = request;
    const at = under === undefined ? head.headBytes : 0;
    const count = Math.min(head.bodyBytes - this.#held, chunk.length - at);
    if (!this.#keep(chunk.subarray(at, at + count), head.bodyBytes)) return;
    if (this.#held < head.bodyBytes) {
      this.#slow ??= setTimeout(() => this.#end(), bodyTimeoutMs);
      return;
    }
    if (at + count < chunk.length) this.#keepForLater(chunk.subarray(at + count));
    clearTimeout(this.#slow);
    this.#slow = undefined;
    this.#working = this.#answerTo(request);
  }

  /** What came behind a request that is not answered yet. Nothing comes after it until that is. */
  #keepForLater(bytes: Uint8Array): void {
    this.#rest = bytes.slice();
    this.#isPaused = true;
    this.#stream.pause();
  }

  /** False when the guest's share has no room for a beginning: the general server says so. */
  #begin(request: Request): boolean {
    try {
      this.#grow(Math.min(request.head.bodyBytes, firstBufferBytes));
    } catch {
      return false;
    }
    this.#request = request;
    return true;
  }

  /** Keeps bytes of the body; false when there is no room for them, which ends the connection. */
  #keep(bytes: Uint8Array, bodyBytes: number): boolean {
    try {
      const held = this.#held + bytes.length;
      if (held > this.#body.length) this.#grow(Math.min(bodyBytes, Math.max(held, this.#body.length * 2)));
      this.#body.set(bytes, this.#held);
      this.#held = held;
      return true;
    } catch (error) {
      this.#refuse(error);
      return false;
    }
  }

  /** @throws Refusal 503. */
  #grow(bytes: number): void {
    const { guest } = this.#connection;
    const larger = borrowBuffer(bytes);
    try {
      // Both are there while one is copied to the other.
      guest.take(larger.length);
    } catch (error) {
      returnBuffer(larger);
      throw error;
    }
    larger.set(this.#body.subarray(0, this.#held));
    this.#giveBack();
    this.#body = larger;
  }

  #giveBack(): void {
    this.#connection.guest.give(this.#body.length);
    returnBuffer(this.#body);
    this.#body = nothing;
  }

  #dropBody(): void {
    clearTimeout(this.#slow);
    this.#slow = undefined;
    this.#giveBack();
    this.#held = 0;
  }

  /** What is left of the body will not be read. */
  #refuse(error: unknown): void {
    const { encoding } = (this.#request as Request).wanted;
    const refusal = this.#work.refusalOf(this.#connection, encoding, error);
    this.#write(refusalAnswer(encoding, refusal), "connection: close\r\n");
    this.#end();
  }

  /** Never rejects. */
  async #answerTo({ head, wanted }: Request): Promise<void> {
    const { guest } = this.#connection;
    try {
      if (guest.debtMs > 0) await guest.pace(this.#stopping);
      guest.spend(head.bodyBytes);
      await this.#work.perform(this.#connection, wanted, head.headers, this.#body.subarray(0, this.#held));
      const clock = head.headers["kata-clock"] === undefined ? "" : `kata-clock: ${hostNanos()}\r\n`;
      this.#write(successAnswer(wanted.encoding), clock);
    } catch (error) {
      const refusal = this.#work.refusalOf(this.#connection, wanted.encoding, error);
      this.#write(refusalAnswer(wanted.encoding, refusal), "");
    }
    this.#dropBody();
    this.#request = undefined;
    this.#working = undefined;
    if (this.#ended) this.#done.resolve(undefined);
    else this.#next();
  }

  #next(): void {
    if (!this.#isPaused) return;
    const rest = this.#rest;
    this.#rest = nothing;
    if (rest.length > 0) this.#onChunk(rest);
    if (this.#working !== undefined || this.#ended || this.#handedOver) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  #handOver(chunk: Uint8Array): void {
    this.#handedOver = true;
    this.#stream.pause();
    this.#done.resolve(chunk.slice());
  }

  #write(answer: Answer, more: string): void {
    this.#stream.write(answerBytes(answer, more));
  }

  /** No more comes. A request that has come whole is answered. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.pause();
    if (this.#working === undefined) this.#done.resolve(undefined);
  }
}

/** The request that a chunk begins with; undefined when it is for the general server. */
function requestOf(chunk: Uint8Array, maxBodyBytes: number): Request | undefined {
  const head = plainHead(chunk);
  if (head === undefined || head.bodyBytes > maxBodyBytes) return undefined;
  try {
    return { head, wanted: wantedOf(head) };
  } catch {
    return undefined;
  }
}

/** The answer as it was made last, as long as its date holds: nearly all are the same one. */
let lastAnswer: Answer | undefined;
let lastBytes: Uint8Array = nothing;
let date = "";
let dateMs = 0;

function answerBytes(answer: Answer, more: string): Uint8Array {
  const nowMs = Date.now();
  const isDated = nowMs - dateMs < 1_000 && nowMs >= dateMs;
  if (isDated && more === "" && answer === lastAnswer) return lastBytes;
  if (!isDated) {
    date = new Date(nowMs).toUTCString();
    dateMs = nowMs;
    lastAnswer = undefined;
  }
  const { status, headers, body } = answer;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ndate: ${date}\r\n${more}`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  const bytes = Buffer.concat([Buffer.from(`${text}content-length: ${body.length}\r\n\r\n`), body]);
  if (more === "") [lastAnswer, lastBytes] = [answer, bytes];
  return bytes;
}
