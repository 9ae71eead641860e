import type { Export, Output } from "./output.ts";

/** Appends text somewhere; resolves when it is there. */
export type AppendText = (text: string) => Promise<void>;

/** Beyond this much text that is not written yet the disk is slower than the guests. */
const maxWaitingChars = 64 * 1024 * 1024;

/**
 * OTLP JSON lines: one export request per line. Lines that come while a write is under way leave together with the
 * next one, and each is answered for when its own write is done.
 */
export class LinesOutput implements Output {
  readonly name: string;
  readonly #append: AppendText;
  #lines: string[] = [];
  #waitingChars = 0;
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(name: string, append: AppendText) {
    this.name = name;
    this.#append = append;
  }

  hasRoom(): boolean {
    return this.#waitingChars < maxWaitingChars;
  }

  /** @throws WireError when the export does not decode; the system error when it cannot be written. */
  async take(exported: Export): Promise<void> {
    const line = `${exported.line()}\n`;
    this.#lines.push(line);
    this.#waitingChars += line.length;
    this.#next ??= this.#write();
    await this.#next;
  }

  async close(limitMs: number): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([this.#next ?? this.#writing, limit.promise]).catch(() => {});
    clearTimeout(timer);
  }

  async #write(): Promise<void> {
    await this.#writing.catch(() => {});
    const text = this.#lines.join("");
    this.#lines = [];
    this.#next = undefined;
    this.#writing = this.#append(text);
    try {
      await this.#writing;
    } finally {
      this.#waitingChars -= text.length;
    }
  }
}
