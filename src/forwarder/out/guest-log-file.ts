import type { Metrics } from "../metrics.ts";
import { RotatingFile } from "./rotating-file.ts";

/** How a guest's log is kept. */
export type GuestLogLimits = {
  /** Of one file; then it is set aside. */
  readonly maxBytes: number;
  /** Files that were set aside and are kept. */
  readonly keep: number;
};

/** What may wait for the disk before the guest is not read any more. */
const enoughChars = 256 * 1024;

/** One guest's log as JSON lines in a file, which is made with the first of them. */
export class GuestLogFile {
  readonly #path: string;
  readonly #limits: GuestLogLimits;
  readonly #metrics: Metrics;
  #file: Promise<RotatingFile> | undefined;
  #lines: string[] = [];
  #waitingChars = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string, limits: GuestLogLimits, metrics: Metrics) {
    this.#path = path;
    this.#limits = limits;
    this.#metrics = metrics;
  }

  /** Takes one line, without its line feed. What the disk does not take is counted and lost. */
  write(line: string): void {
    this.#lines.push(line);
    this.#waitingChars += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when there is room for more. */
  async hasRoom(): Promise<void> {
    if (this.#waitingChars > enoughChars) await this.#writing;
  }

  /** Writes what waits. Safe to repeat. */
  async close(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = undefined;
    await file?.then((opened) => opened.close()).catch(() => undefined);
  }

  async #writeAll(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      const text = `${lines.join("\n")}\n`;
      this.#lines = [];
      try {
        await (await this.#opened()).append(text);
        this.#metrics.guestLogLines("kept", lines.length);
      } catch {
        this.#metrics.guestLogLines("lost", lines.length);
      }
      this.#waitingChars -= text.length - lines.length;
    }
    this.#writing = undefined;
  }

  /** What could not be opened is tried again with the next lines: a full disk may have room then. */
  #opened(): Promise<RotatingFile> {
    this.#file ??= RotatingFile.open(this.#path, this.#limits.maxBytes, this.#limits.keep).catch((error) => {
      this.#file = undefined;
      throw error;
    });
    return this.#file;
  }
}
