/**
 * Gives memory of the guest back that nobody uses: takes idle pages from the containers, and brings the free ones
 * together (agent-api 2.2, 3.35). Each of the two works in rounds with a period of its own; a round is left out while
 * the guest waits for memory or disks more than its limit allows.
 */
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { backgroundSpan } from "../trace/span.ts";
import type { CompactSettings, ReclaimSettings } from "./mem-agent-settings.ts";
import { MemoryCompaction } from "./memory-compaction.ts";
import { MemoryReclaim } from "./memory-reclaim.ts";
import { Periodic } from "./periodic.ts";
import { PressureMeter } from "./pressure-meter.ts";

/**
 * What it is made of. `groups`: the directories of the containers' control groups now. `mayCompact`: the memory is the
 * guest's alone; otherwise only the groups are worked on, whatever the settings say.
 */
export type MemAgentParts = {
  readonly reclaim: ReclaimSettings;
  readonly compact: CompactSettings;
  readonly groups: () => readonly string[];
  readonly mayCompact: boolean;
  readonly log: Log;
};

const pressureFiles = ["/proc/pressure/memory", "/proc/pressure/io"];
/** A period of 0 would never end. */
const minPeriodMs = 1_000;
const maxPeriodMs = 0x7fff_ffff;

/** The mem-agent of the guest, on or off. */
export class MemAgent {
  readonly #parts: MemAgentParts;
  readonly #reclaimer = new MemoryReclaim();
  readonly #compactor = new MemoryCompaction(new PressureMeter(pressureFiles));
  readonly #reclaimRounds: Periodic;
  readonly #compactRounds: Periodic;
  readonly #reclaimPressure = new PressureMeter(pressureFiles);
  readonly #compactPressure = new PressureMeter(pressureFiles);
  #reclaim: ReclaimSettings;
  #compact: CompactSettings;

  constructor(parts: MemAgentParts) {
    this.#parts = parts;
    this.#reclaim = parts.reclaim;
    this.#compact = parts.compact;
    this.#reclaimRounds = new Periodic(periodMs(parts.reclaim), (signal) => this.#reclaimRound(signal));
    this.#compactRounds = new Periodic(periodMs(parts.compact), (signal) => this.#compactRound(signal));
  }

  start(): void {
    this.#reclaimRounds.start();
    if (this.#parts.mayCompact) this.#compactRounds.start();
  }

  /** Changes some settings; they hold from the next round on, which is a whole period away. */
  setReclaim(changes: Partial<ReclaimSettings>): void {
    this.#reclaim = { ...this.#reclaim, ...changes };
    this.#reclaimRounds.setPeriod(periodMs(this.#reclaim));
  }

  /** The same for compaction. */
  setCompact(changes: Partial<CompactSettings>): void {
    this.#compact = { ...this.#compact, ...changes };
    this.#compactRounds.setPeriod(periodMs(this.#compact));
  }

  /** Ends both, with the round under way. Safe to repeat. */
  async close(): Promise<void> {
    await Promise.all([this.#reclaimRounds.close(), this.#compactRounds.close()]);
  }

  async #reclaimRound(signal: AbortSignal): Promise<void> {
    const percent = await this.#reclaimPressure.percent();
    if (this.#reclaim.disabled || percent > this.#reclaim.periodPsiPercentLimit) return;
    const groups = this.#parts.groups();
    const round = await backgroundSpan("memory reclaim", { "kata.count": groups.length }, () =>
      this.#reclaimer.round(groups, this.#reclaim, signal),
    );
    if (round.groups > 0) this.#parts.log.info(round, "idle memory was taken back");
  }

  async #compactRound(signal: AbortSignal): Promise<void> {
    const percent = await this.#compactPressure.percent();
    if (this.#compact.disabled || percent > this.#compact.periodPsiPercentLimit) return;
    try {
      const round = await backgroundSpan("memory compaction", {}, () =>
        this.#compactor.round(this.#compact, signal),
      );
      if (round !== "not needed") this.#parts.log.info({ round }, "free memory was compacted");
    } catch (error) {
      this.#parts.log.warn({ error: AgentError.from(error).message }, "free memory was not compacted");
    }
  }
}

function periodMs({ periodSecs }: { readonly periodSecs: bigint }): number {
  const ms = periodSecs * 1000n;
  return Math.max(minPeriodMs, ms > maxPeriodMs ? maxPeriodMs : Number(ms));
}
