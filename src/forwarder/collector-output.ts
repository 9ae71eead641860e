import { delay } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import type { Export, Output } from "./output.ts";
import type { Post, Posted } from "./post.ts";

/**
 * One OTLP backend with its own queue, so that a slow one holds up no other.
 *
 * Protobuf requests that wait are joined into one (requests end to end are one valid request), which is what makes
 * many small guests cheap. When the backend refuses a joined request, its parts are sent one by one, so that the
 * bad bytes of one guest cost nobody else.
 */

const maxQueuedBytes = 64 * 1024 * 1024;
const maxJoinedBytes = 1024 * 1024;
/** A request this large is worth sending at once; a smaller one waits a moment for company. */
const enoughBytes = 256 * 1024;
const gatherMs = 10;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

type Waiting = Pick<Export, "kind" | "body">;

export class CollectorOutput implements Output {
  readonly name: string;
  readonly #post: Post;
  readonly #log: Log;
  readonly #stopped = new AbortController();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #outage = false;
  #dropped = 0;

  constructor(name: string, post: Post, log: Log) {
    this.name = name;
    this.#post = post;
    this.#log = log;
  }

  hasRoom(bytes: number): boolean {
    return this.#queuedBytes === 0 || this.#queuedBytes + bytes <= maxQueuedBytes;
  }

  async take({ kind, body }: Export): Promise<void> {
    this.#queue.push({ kind, body });
    this.#queuedBytes += body.length;
    this.#running ??= this.#run();
  }

  async close(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopped.abort(), limitMs);
    await this.#running;
    clearTimeout(timer);
    if (this.#queuedBytes > 0 || this.#dropped > 0)
      this.#log.warn(
        { output: this.name, lostBytes: this.#queuedBytes, refused: this.#dropped },
        "exports lost",
      );
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped.signal.aborted) {
      if (this.#queuedBytes < enoughBytes) await delay(gatherMs, this.#stopped.signal).catch(() => {});
      const parts = takeJoinable(this.#queue);
      if (await this.#deliver(parts)) this.#queuedBytes -= bytesOf(parts);
    }
    this.#running = undefined;
  }

  /** True when the parts are done with, one way or the other; false when stopped before. */
  async #deliver(parts: readonly Waiting[]): Promise<boolean> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const posted = await this.#post(parts, this.#stopped.signal);
      if (posted.status === "sent") return this.#noteAnswer();
      if (posted.status === "failed") return this.#refused(parts, posted);
      this.#noteOutage(posted.reason);
      const jittered = pauseMs * (0.5 + Math.random() / 2);
      await delay(posted.afterMs ?? jittered, this.#stopped.signal).catch(() => {});
      if (this.#stopped.signal.aborted) return false;
    }
  }

  async #refused(parts: readonly Waiting[], posted: Posted & { status: "failed" }): Promise<boolean> {
    if (parts.length > 1) {
      for (const part of parts) if (!(await this.#deliver([part]))) return false;
      return true;
    }
    this.#dropped++;
    this.#log.warn({ output: this.name, reason: posted.reason }, "export refused by the backend");
    return true;
  }

  #noteOutage(reason: string): void {
    if (!this.#outage) this.#log.warn({ output: this.name, reason }, "backend does not answer, retrying");
    this.#outage = true;
  }

  #noteAnswer(): true {
    if (this.#outage) this.#log.info({ output: this.name }, "backend answers again");
    this.#outage = false;
    return true;
  }
}

/** Takes the first request, and as many protobuf ones behind a protobuf one as fit. */
function takeJoinable(queue: Waiting[]): Waiting[] {
  let count = 1;
  let bytes = queue[0]?.body.length ?? 0;
  while (queue[count - 1]?.kind === "protobuf" && queue[count]?.kind === "protobuf") {
    bytes += queue[count]?.body.length ?? 0;
    if (bytes > maxJoinedBytes) break;
    count++;
  }
  return queue.splice(0, count);
}

function bytesOf(parts: readonly Waiting[]): number {
  return parts.reduce((sum, part) => sum + part.body.length, 0);
}
