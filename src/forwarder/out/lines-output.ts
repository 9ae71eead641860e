import type { Export } from "../export.ts";
import type { Metrics } from "../metrics.ts";
import type { Output, Waiting } from "./output.ts";

/** Appends text somewhere; resolves when it is there. */
export type AppendText = (text: string) => Promise<void>;

/** Beyond this much text that is not written yet the disk is slower than the guests. */
const maxWaitingChars = 32 * 1024 * 1024;

/**
 * Spans as text, such as OTLP JSON lines. Texts that come while a write is under way leave together with the next one,
 * and each is answered for when its own write is done.
 */
export class LinesOutput implements Output {
  readonly name: string;
  readonly #textOf: (body: Uint8Array) => string;
  readonly #append: AppendText;
  readonly #metrics: Metrics;
  readonly #release: () => Promise<void>;
  #texts: string[] = [];
  #waitingChars = 0;
  #waitingSpans = 0;
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** `textOf` throws WireError for what does not decode; `release` closes what is appended to. */
  constructor(
    name: string,
    textOf: (body: Uint8Array) => string,
    append: AppendText,
    metrics: Metrics,
    release: () => Promise<void> = async () => {},
  ) {
    this.name = name;
    this.#textOf = textOf;
    this.#append = append;
    this.#metrics = metrics;
    this.#release = release;
  }

  hasRoom(): boolean {
    return this.#waitingChars < maxWaitingChars;
  }

  async take({ body, spans }: Export): Promise<void> {
    const text = `${this.#textOf(body)}\n`;
    this.#texts.push(text);
    this.#waitingChars += text.length;
    this.#waitingSpans += spans;
    this.#next ??= this.#write();
    try {
      await this.#next;
      this.#metrics.sent(this.name, spans);
    } finally {
      this.#waitingSpans -= spans;
    }
  }

  waiting(): Waiting {
    return { spans: this.#waitingSpans, bytes: this.#waitingChars, oldestSeconds: 0 };
  }

  close(limitMs: number): Promise<void> {
    this.#closing ??= this.#close(limitMs);
    return this.#closing;
  }

  async #close(limitMs: number): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([this.#next ?? this.#writing, limit.promise]).catch(() => {});
    clearTimeout(timer);
    await this.#release();
  }

  async #write(): Promise<void> {
    await this.#writing.catch(() => {});
    const text = this.#texts.join("");
    this.#texts = [];
    this.#next = undefined;
    this.#writing = this.#append(text);
    try {
      await this.#writing;
    } finally {
      this.#waitingChars -= text.length;
    }
  }
}
