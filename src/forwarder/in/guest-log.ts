/**
 * Reads the log of one guest from the agent's log port, for as long as the guest is there.
 *
 * Primer. The agent keeps its lines since the boot and gives them to whoever connects, one client at a time; who comes
 * back gets what came meanwhile (docs/protocol.md). So a connection is tried again and again, the more rarely the longer
 * nobody has answered: most guests have no log port. A guest is read no faster than its share, and not at all while what
 * was read waits for the disk. It goes on until it is closed, or whoever started it says that the guest is gone.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { ByteStream } from "../../base/byte-stream.ts";
import type { Address } from "../../vsock/address.ts";
import { dial } from "../../vsock/dial.ts";
import { ByteRate } from "./byte-rate.ts";
import { LineCutter } from "./line-cutter.ts";

/** Where the lines of a guest go. */
export type GuestLogSink = {
  /** Takes lines that came together. Gives what they cost beside their bytes, as bytes. */
  write(lines: readonly string[]): number;
  /** Resolves when there is room for more. */
  hasRoom(): Promise<void>;
};

/** Whether a guest is gone for good, by why it was not reached and for how long it has not been. */
export type IsGone = (error: unknown, silentMs: number) => boolean;

const dialTimeoutMs = 5_000;
const firstPauseMs = 250;
const longestPauseMs = 10_000;
const maxLineBytes = 64 * 1024;
const bytesPerSecond = 256 * 1024;
/** What any line costs beside its bytes: an object is made of each, however short, so that at most a thousand come a second. */
const bytesPerLine = 256;
/** The last lines of a guest that has just gone may still be on their way. */
const lastLinesMs = 1_000;
/** More than an agent keeps of its log for who reads it, and what was under way: who sends more has no end. */
const lastBytes = 1024 * 1024;

const never: IsGone = () => false;

/** The log of one guest. */
export class GuestLog {
  /** Resolves when nothing more is read: it was closed, or the guest is gone. Never rejects. */
  readonly ended: Promise<void>;
  readonly #address: Address;
  readonly #sink: GuestLogSink;
  readonly #isGone: IsGone;
  readonly #ending = new AbortController();
  readonly #rate = new ByteRate(bytesPerSecond, performance.now());
  #stream: ByteStream | undefined;
  #lastBytes = lastBytes;

  constructor(address: Address, sink: GuestLogSink, isGone: IsGone = never) {
    this.#address = address;
    this.#sink = sink;
    this.#isGone = isGone;
    this.ended = this.#follow();
  }

  /** Takes what the guest has already sent, then lets go of it. Safe to repeat. */
  async close(): Promise<void> {
    this.#ending.abort();
    const limit = setTimeout(() => void this.#stream?.close(), lastLinesMs);
    await this.ended;
    clearTimeout(limit);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    let heardAtMs = performance.now();
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const stream = await dial(this.#address, { timeoutMs: dialTimeoutMs, signal });
        if (await this.#readAll(stream)) pauseMs = firstPauseMs;
        heardAtMs = performance.now();
      } catch (error) {
        // No VMM yet, or no log port in its guest.
        if (this.#isGone(error, performance.now() - heardAtMs)) return;
      }
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One connection, to its end. Whether anything came: a port that another client has is closed at once. */
  async #readAll(stream: ByteStream): Promise<boolean> {
    this.#stream = stream;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    let hasRead = false;
    const lines: string[] = [];
    const cutter = new LineCutter(maxLineBytes, (line) => lines.push(line));
    const take = (chunk: Uint8Array): void => {
      hasRead = true;
      if (!this.#maySendMore(chunk.length)) return void stream.close();
      this.#rate.spend(chunk.length, performance.now());
      cutter.take(chunk);
      this.#handOn(lines);
      stream.pause();
      void this.#mayReadOn().then(() => stream.resume());
    };
    stream.start(take, () => resolve());
    await ended;
    cutter.end();
    this.#handOn(lines);
    await stream.close();
    this.#stream = undefined;
    return hasRead;
  }

  #handOn(lines: string[]): void {
    const count = lines.length;
    if (count === 0) return;
    const bytes = count * bytesPerLine + this.#sink.write(lines.splice(0));
    this.#rate.spend(bytes, performance.now());
  }

  /** Nothing slows a guest down at the end, so that what it sends then is counted. */
  #maySendMore(bytes: number): boolean {
    if (this.#ending.signal.aborted) this.#lastBytes -= bytes;
    return this.#lastBytes >= 0;
  }

  async #mayReadOn(): Promise<void> {
    await this.#sink.hasRoom();
    const debtMs = this.#rate.debtMs(performance.now());
    if (debtMs > 0) await pause(debtMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }
}
