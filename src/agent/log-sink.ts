/**
 * Where log lines leave the program: a descriptor that may stop taking them.
 *
 * A guest's console may have nobody who reads it, and a disk may be full. The agent must go on serving then: a line
 * that cannot leave at once waits in a queue with an end; what has no room is dropped and counted, and the count is
 * told when there is room again. No error ever reaches whoever logs.
 *
 * To be non-blocking without changing what others see through the same terminal or pipe, it is opened once more. A
 * plain file never blocks, and is written as it is, so that the position stays shared with stderr.
 */
import { constants, fstatSync, openSync } from "node:fs";
import { Descriptor } from "../sys/descriptor.ts";
import { droppedLine } from "./log-line.ts";
import type { LogTarget } from "./log-target.ts";

const maxQueuedBytes = 256 * 1024;

/** A log target on a descriptor. */
export class LogSink implements LogTarget {
  readonly #descriptor: Descriptor;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #waiting = false;

  /** Writes to what `fd` means; `fd` itself stays open. */
  constructor(fd: number) {
    this.#descriptor = new Descriptor(reopened(fd));
  }

  /** Takes one or more whole lines. Never throws, never waits. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    if (this.#queue.length > 0 || this.#waiting) this.#enqueue(bytes);
    else this.#send(bytes);
  }

  /** Writes what waits, as far as it is taken now. For the end of the program. */
  flush(): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const bytes of waiting) this.#send(bytes);
  }

  /** The descriptor is the program's; it stays open. */
  async close(): Promise<void> {
    this.flush();
  }

  #send(bytes: Buffer): void {
    let written: number;
    try {
      written = this.#descriptor.write([bytes]);
    } catch {
      // EIO, ENOSPC, EPIPE: nobody can be told; the next line may get through.
      this.#dropped += 1;
      return;
    }
    if (written < bytes.length) this.#enqueue(bytes.subarray(written));
  }

  #enqueue(bytes: Buffer): void {
    if (this.#queuedBytes + bytes.length > maxQueuedBytes) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#wait();
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const go = () => {
      this.#waiting = false;
      this.flush();
      if (this.#queue.length === 0) this.#tellDropped();
    };
    this.#descriptor.writable().then(go, () => {
      this.#waiting = false;
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const line = droppedLine(this.#dropped);
    this.#dropped = 0;
    this.#send(Buffer.from(line));
  }
}

function reopened(fd: number): number {
  try {
    const kind = fstatSync(fd);
    if (!kind.isCharacterDevice() && !kind.isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}
