/**
 * Takes memory from control groups that do not use it (agent-api 3.35).
 *
 * The kernel keeps the pages of a group on an active and an inactive list; what is on the inactive one was not used
 * for a while. A round asks it, through `memory.reclaim`, to take back that much and no more. A group is left alone
 * until it has been there for some rounds, and whenever it waited for memory itself since the last one: it needs what it has.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keyedNumbers } from "./keyed-numbers.ts";
import type { ReclaimSettings } from "./mem-agent-settings.ts";
import { PressureMeter } from "./pressure-meter.ts";

/** What a round came to. `skipped`: groups that were left alone. */
export type ReclaimRound = { readonly bytes: number; readonly groups: number; readonly skipped: number };

type Known = { rounds: bigint; readonly meter: PressureMeter };

/** Less is not worth the trouble. */
const minBytes = 1024 * 1024;
const maxSwappiness = 200;

/** Rounds of reclaim, and what is known of each group. */
export class MemoryReclaim {
  readonly #known = new Map<string, Known>();

  /** One round over these groups, given by their directories. A group that goes meanwhile is nothing to tell of. */
  async round(
    groups: readonly string[],
    settings: ReclaimSettings,
    signal: AbortSignal,
  ): Promise<ReclaimRound> {
    this.#follow(groups);
    let [bytes, reclaimed] = [0, 0];
    for (const [dir, known] of this.#known) {
      if (signal.aborted) break;
      known.rounds += 1n;
      const percent = await known.meter.percent();
      if (known.rounds < settings.agingCountMin || percent > settings.evictionPsiPercentLimit) continue;
      const taken = await reclaim(dir, settings);
      if (taken === undefined) continue;
      bytes += taken;
      reclaimed += 1;
    }
    return { bytes, groups: reclaimed, skipped: this.#known.size - reclaimed };
  }

  #follow(groups: readonly string[]): void {
    const now = new Set(groups);
    for (const dir of this.#known.keys()) if (!now.has(dir)) this.#known.delete(dir);
    for (const dir of groups) {
      if (!this.#known.has(dir))
        this.#known.set(dir, { rounds: 0n, meter: new PressureMeter([join(dir, "memory.pressure")]) });
    }
  }
}

/** Bytes that a group uses less; undefined when there was nothing to do, or the kernel cannot. */
async function reclaim(dir: string, settings: ReclaimSettings): Promise<number | undefined> {
  try {
    const before = await usage(dir);
    const idle = keyedNumbers(await readFile(join(dir, "memory.stat"), "utf8"));
    const files = idle.get("inactive_file") ?? 0;
    const bytes = files + (settings.swap ? (idle.get("inactive_anon") ?? 0) : 0);
    if (bytes < minBytes) return undefined;
    await ask(dir, bytes, settings);
    return Math.max(0, before - (await usage(dir)));
  } catch {
    // ENOENT: the group has gone, or the kernel has no such file.
    return undefined;
  }
}

async function ask(dir: string, bytes: number, { swap, swappinessMax }: ReclaimSettings): Promise<void> {
  const swappiness = swap ? Math.min(swappinessMax, maxSwappiness) : 0;
  try {
    await writeFile(join(dir, "memory.reclaim"), `${bytes} swappiness=${swappiness}`, { flag: "r+" });
  } catch (error) {
    // EAGAIN: less was taken than asked for, which is as good.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
}

async function usage(dir: string): Promise<number> {
  return Number(await readFile(join(dir, "memory.current"), "utf8"));
}
