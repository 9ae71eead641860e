import type { ByteStream } from "../base/byte-stream.ts";
import { type HttpResponse, HttpResponseParser, requestHead } from "../wire/http1.ts";
import { sentFromAnswer } from "./otlp-answer.ts";
import type { Post, Sent } from "./sent.ts";
import type { Target } from "./target.ts";

/** How the receiver is reached, and how long each part may take. */
export type ConnectionOptions = Target & {
  connectTimeoutMs: number;
  /** From the first byte of the request to the last of the answer. */
  answerTimeoutMs: number;
  /** Told of every answer, with the `performance.now()` at which its request was written. */
  onAnswer?: (answer: HttpResponse, sentAtMs: number) => void;
  /** Told when the receiver ends a connection that waited for nothing. */
  onLost?: () => void;
};

/** A receiver's answer is a few bytes; one that wants more is not one. */
const limits = { maxHeadBytes: 16 * 1024, maxBodyBytes: 64 * 1024 };

/** A stream with the parser of its answers and whoever waits for the next one. */
type Live = {
  stream: ByteStream;
  parser: HttpResponseParser;
  onAnswer: ((answer: HttpResponse) => void) | undefined;
  onLost: ((error: Error) => void) | undefined;
  lost: boolean;
};

/**
 * Delivers batches over one kept-alive HTTP/1.1 connection, one request at a time.
 *
 * The stream is opened when a batch needs it and thrown away at the first doubt: a connection in an unknown state
 * could give the answer of one batch to the next.
 */
export class OtlpConnection {
  readonly #options: ConnectionOptions;
  #target: Target;
  #live: Live | undefined;
  #opened = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#target = options;
  }

  /** Sends to another receiver from now on; a `send` under way resolves as `retry`. */
  retarget(target: Target): void {
    this.#target = target;
    this.#drop();
  }

  /**
   * Connects unless there is a connection already. Gives its number, which rises with every new one, or the reason
   * why nobody could be reached.
   */
  async reach(): Promise<number | Error> {
    try {
      await this.#open();
      return this.#opened;
    } catch (thrown) {
      this.#drop();
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  /** Sends one request and waits for the answer. Never rejects. Precondition: the previous `send` has resolved. */
  async send(post: Post): Promise<Sent> {
    let reached = false;
    try {
      const live = await this.#open();
      reached = true;
      const sentAtMs = performance.now();
      const answer = await this.#exchange(live, post);
      this.#options.onAnswer?.(answer, sentAtMs);
      if (!answer.reusable) this.#drop();
      return sentFromAnswer(answer);
    } catch (thrown) {
      this.#drop();
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return { status: "retry", reached, error };
    }
  }

  /** Ends the connection at once; a `send` under way resolves as `retry`. Safe to repeat. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #open(): Promise<Live> {
    if (this.#live !== undefined && !this.#live.lost) return this.#live;
    // One that the receiver closed since the last batch still holds its descriptor.
    this.#drop();
    const stream = await this.#target.connect(this.#options.connectTimeoutMs);
    const live: Live = {
      stream,
      parser: new HttpResponseParser(limits),
      onAnswer: undefined,
      onLost: undefined,
      lost: false,
    };
    this.#live = live;
    this.#opened++;
    if (this.#closed) throw new Error("closed");
    stream.start(
      (chunk) => receive(live, chunk),
      (error) => {
        const idle = !live.lost && live.onAnswer === undefined;
        receiveEnd(live, error);
        if (idle && live === this.#live) this.#options.onLost?.();
      },
    );
    return live;
  }

  #exchange(live: Live, { path, headers: more, body }: Post): Promise<HttpResponse> {
    const { answerTimeoutMs } = this.#options;
    const { authority } = this.#target;
    const bytes = body.reduce((sum, chunk) => sum + chunk.length, 0);
    const headers = { host: authority, "content-type": "application/x-protobuf", ...more?.() };
    return new Promise<HttpResponse>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no answer in time")), answerTimeoutMs);
      live.onAnswer = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      live.onLost = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      if (live.lost) live.onLost(new Error("connection lost"));
      else live.stream.write(requestHead("POST", path, headers, bytes), ...body);
    });
  }

  #drop(): void {
    const live = this.#live;
    if (live === undefined) return;
    this.#live = undefined;
    lose(live, new Error("connection closed"));
    live.stream.close().catch(() => {});
  }
}

function receive(live: Live, chunk: Uint8Array): void {
  if (live.lost) return;
  try {
    // Bytes that nobody asked for are an answer to nothing: the parser's state would be wrong for the next request.
    if (live.onAnswer === undefined) throw new Error("answer without a request");
    const answer = live.parser.push(chunk);
    if (answer === undefined) return;
    const { onAnswer } = live;
    live.onAnswer = live.onLost = undefined;
    onAnswer(answer);
  } catch (error) {
    lose(live, error as Error);
  }
}

function receiveEnd(live: Live, error: Error | undefined): void {
  if (live.lost) return;
  try {
    const answer = error === undefined ? live.parser.end() : undefined;
    if (answer !== undefined) live.onAnswer?.(answer);
    lose(live, error ?? new Error("connection closed by the receiver"));
  } catch (thrown) {
    lose(live, thrown as Error);
  }
}

function lose(live: Live, error: Error): void {
  live.lost = true;
  const { onLost } = live;
  live.onAnswer = live.onLost = undefined;
  onLost?.(error);
}
