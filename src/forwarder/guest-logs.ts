import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../base/log.ts";
import type { Address } from "../vsock/address.ts";
import type { GuestLogConfig } from "./guest-log-config.ts";
import { guestLogLine, type LineOrigin } from "./guest-log-line.ts";
import { GuestLog, type IsGone } from "./in/guest-log.ts";
import type { Metrics } from "./metrics.ts";
import { GuestLogFile } from "./out/guest-log-file.ts";
import { scrubLines } from "./scrub-lines.ts";

const suffix = ".log.jsonl";
/** What each ms of looking for secrets costs a guest: ten ms' worth, so that one takes a tenth of the time at most. */
const bytesPerMs = 2_621;

/** A guest whose log is read or waited for. */
export type Followed = {
  /** Resolves when its log is read no more: closed, or the guest is gone. */
  readonly ended: Promise<void>;
  /** Takes what the guest has sent, and lets go of it. Safe to repeat. */
  close(): Promise<void>;
};

/** Keeps the logs of guests: a file for each, `<folder>/<sandbox>.log.jsonl`, and an end to their number. */
export class GuestLogs {
  readonly config: GuestLogConfig;
  readonly #scrub: () => readonly RegExp[];
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #followed = new Map<string, number>();

  /** `scrub` gives the patterns that are taken out of lines now. */
  constructor(config: GuestLogConfig, scrub: () => readonly RegExp[], metrics: Metrics, log: Log) {
    this.config = config;
    this.#scrub = scrub;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Guests whose log is read or waited for. */
  get count(): number {
    return this.#followed.size;
  }

  /**
   * Reads the log of the guest at this address until it is closed, or `isGone` says that the guest is. Its name in
   * `origin` has to be a plain file name.
   */
  follow(address: Address, origin: LineOrigin, isGone?: IsGone): Followed {
    const { sandbox } = origin;
    this.#note(sandbox, 1);
    const file = new GuestLogFile(join(this.config.folder, sandbox + suffix), this.config, this.#metrics);
    const sink = {
      write: (lines: readonly string[]) => this.#keep(lines, origin, file),
      hasRoom: () => file.hasRoom(),
    };
    const prepared = this.#prepare().catch((error: Error) =>
      this.#log.warn({ err: error.message }, "cannot tidy the logs of guests"),
    );
    const guestLog = prepared.then(() => new GuestLog(address, sink, isGone));
    const ended = guestLog
      .then((reading) => reading.ended)
      .then(() => file.close())
      .then(() => this.#note(sandbox, -1));
    const close = async (): Promise<void> => {
      await (await guestLog).close();
      await ended;
    };
    return { ended, close };
  }

  #keep(lines: readonly string[], origin: LineOrigin, file: GuestLogFile): number {
    let spentMs = 0;
    const clean = scrubLines(lines, this.#scrub(), (ms) => {
      spentMs += ms;
    });
    for (const line of clean) file.write(guestLogLine(line, origin));
    return spentMs * bytesPerMs;
  }

  #note(sandboxId: string, change: number): void {
    const count = (this.#followed.get(sandboxId) ?? 0) + change;
    if (count > 0) this.#followed.set(sandboxId, count);
    else this.#followed.delete(sandboxId);
  }

  /** Makes the folder, and room in it: the logs that were written to longest ago go, but none of a guest that is there. */
  async #prepare(): Promise<void> {
    const { folder, keepGuests } = this.config;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = await readdir(folder);
    const old = names.filter(
      (name) => name.endsWith(suffix) && !this.#followed.has(name.slice(0, -suffix.length)),
    );
    const surplus = old.length + this.#followed.size - keepGuests;
    if (surplus <= 0) return;
    const aged = await Promise.all(
      old.map(async (name) => ({
        name,
        atMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
    );
    aged.sort((a, b) => a.atMs - b.atMs);
    for (const { name } of aged.slice(0, surplus))
      for (const part of names.filter((each) => each === name || each.startsWith(`${name}.`)))
        await rm(join(folder, part), { force: true });
  }
}
