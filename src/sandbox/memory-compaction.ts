/**
 * Brings free memory together into large blocks, which huge pages and the host's balloon need (agent-api 3.35).
 *
 * Whether that is worth it is judged by `/proc/buddyinfo`: the more free pages lie in small blocks, compared with how
 * the last compaction left them, the more. The kernel does the work while somebody writes to a file of it, and stops
 * only when the writer is killed; so the writer is a process of its own, with a limit of time and of pressure.
 */
import { readFile } from "node:fs/promises";
import { delay } from "../base/deadline.ts";
import type { RunLimits } from "../sys/run.ts";
import { runTool } from "../sys/run-tool.ts";
import type { CompactSettings } from "./mem-agent-settings.ts";
import type { PressureMeter } from "./pressure-meter.ts";

/** `stopped`: killed half-way, by its limits or the end of the agent. */
export type CompactRound = "done" | "stopped" | "not needed";

const command = "echo 1 >/proc/sys/vm/compact_memory";
/** How often the pressure is looked at while the kernel works. */
const lookMs = 1_000;
const maxSeconds = 3_600n;

/** Makes the kernel compact all memory, within limits. */
export type Compact = (limits: RunLimits) => Promise<unknown>;

const compactAll: Compact = (limits) => runTool("sh", ["-c", command], limits);

/** Rounds of compaction, and what the last one left. */
export class MemoryCompaction {
  readonly #meter: PressureMeter;
  readonly #compact: Compact;
  readonly #buddyinfo: string;
  #smallAfterLast: number | undefined;
  #leftOut = 0n;

  /** `meter`: of the whole guest's pressure. */
  constructor(meter: PressureMeter, compact: Compact = compactAll, buddyinfo = "/proc/buddyinfo") {
    this.#meter = meter;
    this.#compact = compact;
    this.#buddyinfo = buddyinfo;
  }

  /** One round. @throws INTERNAL without a shell; what reading throws. */
  async round(settings: CompactSettings, signal: AbortSignal): Promise<CompactRound> {
    const small = await this.#smallFreePages(settings.order);
    const grown = BigInt(small - (this.#smallAfterLast ?? 0));
    if (grown < settings.threshold && this.#leftOut < settings.forceTimes) {
      this.#leftOut += 1n;
      return "not needed";
    }
    this.#leftOut = 0n;
    const round = await this.#limited(settings, signal);
    this.#smallAfterLast = await this.#smallFreePages(settings.order);
    return round;
  }

  async #limited(settings: CompactSettings, signal: AbortSignal): Promise<CompactRound> {
    const stop = new AbortController();
    const over = new AbortController();
    // What the pressure is compared with must have been read before the work begins.
    await this.#meter.percent();
    const watched = this.#watch(settings, stop, AbortSignal.any([signal, over.signal]));
    const seconds = settings.secMax < maxSeconds ? settings.secMax : maxSeconds;
    const limits = {
      timeoutMs: Number(seconds) * 1000,
      maxOutputBytes: 4096,
      signal: AbortSignal.any([signal, stop.signal]),
    };
    try {
      await this.#compact(limits);
      return "done";
    } catch (error) {
      if (limits.signal.aborted || isTimeout(error)) return "stopped";
      throw error;
    } finally {
      over.abort();
      await watched;
    }
  }

  /** Stops the work when it makes too much pressure, until `over`. */
  async #watch(settings: CompactSettings, stop: AbortController, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await delay(lookMs, over).catch(() => undefined);
      if (!over.aborted && (await this.#meter.percent()) > settings.compactPsiPercentLimit) stop.abort();
    }
  }

  /** Free pages in blocks of fewer than 2^order pages, over all zones. */
  async #smallFreePages(order: number): Promise<number> {
    let pages = 0;
    for (const line of (await readFile(this.#buddyinfo, "utf8")).split("\n")) {
      const [, counts = ""] = /zone\s+\S+\s+(.*)$/.exec(line) ?? [];
      const blocks = counts.trim().split(/\s+/).slice(0, order).map(Number);
      pages += blocks.reduce((sum, count, power) => sum + count * 2 ** power, 0);
    }
    return pages;
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown }).code === 4;
}
