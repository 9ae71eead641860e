/**
 * Sends the guest's journal along with the agent's log (`agent.journal`): what the kernel, the first process and, where a
 * journal forwards to it, all services have to say.
 *
 * The source is the kernel's log. It is there in every guest, with systemd or without, with journald or without (it is
 * mostly kept off); it needs no process and no socket, has an end, and whoever writes to it never waits. systemd writes
 * there by itself when there is no journald, and journald does when it is told to (rootfs/units/journald.conf).
 *
 * Nothing here waits either. Lines over the quota are left out and counted, so that a chatty guest neither pushes the
 * agent's own lines out of the log port's ring nor takes the event loop.
 */
import type { Log } from "../base/log.ts";
import type { Descriptor } from "../sys/descriptor.ts";
import { type KernelLogRecord, openKernelLog, parseKernelLog } from "../sys/kernel-log.ts";
import { ByteQuota } from "./byte-quota.ts";
import { journalLine, severityOf } from "./journal-line.ts";
import type { LogTarget } from "./log-target.ts";
import type { LogLevel } from "./options/option-readers.ts";

/** More than any record; the kernel refuses to give a part of one. */
const recordBytes = 16 * 1024;
/** So many records, then it is the turn of others. */
const recordsPerTurn = 64;
/** A boot's lines at once, and then what no healthy guest comes near. */
const quota = { bytesPerSecond: 16 * 1024, burstBytes: 192 * 1024 };

/** What the journal needs. */
export type JournalSources = {
  readonly target: LogTarget;
  /** Less important lines are left out. */
  readonly level: LogLevel;
  readonly log: Log;
};

/** Copies the kernel's log to a target until it is closed. */
export class Journal implements Disposable {
  readonly #source: Descriptor;
  readonly #sources: JournalSources;
  readonly #leastSeverity: number;
  readonly #quota = new ByteQuota(quota);
  readonly #buffer = Buffer.alloc(recordBytes);
  #nextSequence: number | undefined;
  #lost = 0;

  /** @throws the system error when the kernel's log cannot be opened. */
  constructor(sources: JournalSources, path?: string) {
    this.#sources = sources;
    this.#leastSeverity = severityOf(sources.level);
    this.#source = openKernelLog(path);
    this.#source.onReadable(() => this.#read());
  }

  /** Safe to repeat. */
  close(): void {
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(): void {
    for (let count = 0; count < recordsPerTurn; count += 1) {
      const bytes = this.#readOne();
      if (bytes < 0) return;
      if (bytes === 0) continue;
      for (const record of parseKernelLog(this.#buffer.toString("latin1", 0, bytes))) this.#take(record);
    }
  }

  /** The bytes of a record; 0 when records were overwritten before they were read; -1 when there is no more. */
  #readOne(): number {
    try {
      const bytes = this.#source.read(this.#buffer);
      if (bytes === 0) this.close();
      return bytes === 0 ? -1 : bytes;
    } catch (error) {
      // The gap in the sequence tells how many.
      if ((error as NodeJS.ErrnoException).code === "EPIPE") return 0;
      this.#sources.log.warn({ err: error }, "the journal cannot be read any more");
      this.close();
      return -1;
    }
  }

  #take(record: KernelLogRecord): void {
    this.#lost += Math.max(0, record.sequence - (this.#nextSequence ?? record.sequence));
    this.#nextSequence = record.sequence + 1;
    if (record.severity > this.#leastSeverity) return;
    const line = journalLine(record);
    if (!this.#quota.take(line.length)) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      this.#sources.log.warn({ lines: this.#lost }, "lines of the journal were left out");
      this.#lost = 0;
    }
    this.#sources.target.write(line);
  }
}
