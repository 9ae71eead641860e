/**
 * Options of the mem-agent, which gives idle memory back (agent-api 2.2). The reference lets them count only behind
 * `agent.mem_agent_enable` on the line; here their order does not matter.
 */
import type { CompactSettings, ReclaimSettings } from "../../sandbox/mem-agent-settings.ts";
import { bool, byte, integer, trueOrFalse } from "./option-readers.ts";
import type { OptionRow, OptionTable } from "./option-row.ts";

/** One option per setting, under names that tell whose it is. */
export type MemAgentOptions = Readonly<{
  memAgent: boolean;
  memAgentReclaimDisabled: ReclaimSettings["disabled"];
  memAgentSwap: ReclaimSettings["swap"];
  memAgentSwappinessMax: ReclaimSettings["swappinessMax"];
  memAgentReclaimPeriod: ReclaimSettings["periodSecs"];
  memAgentReclaimPeriodPsi: ReclaimSettings["periodPsiPercentLimit"];
  memAgentEvictionPsi: ReclaimSettings["evictionPsiPercentLimit"];
  memAgentAgingCountMin: ReclaimSettings["agingCountMin"];
  memAgentCompactDisabled: CompactSettings["disabled"];
  memAgentCompactPeriod: CompactSettings["periodSecs"];
  memAgentCompactPeriodPsi: CompactSettings["periodPsiPercentLimit"];
  memAgentCompactPsi: CompactSettings["compactPsiPercentLimit"];
  memAgentCompactSecMax: CompactSettings["secMax"];
  memAgentCompactOrder: CompactSettings["order"];
  memAgentCompactThreshold: CompactSettings["threshold"];
  memAgentCompactForceTimes: CompactSettings["forceTimes"];
}>;

/** The group's rows, with the reference's defaults. */
export const memAgentOptions: OptionTable<MemAgentOptions> = {
  memAgent: row("enable", bool, false),
  memAgentReclaimDisabled: row("memcg_disable", trueOrFalse, false),
  memAgentSwap: row("memcg_swap", trueOrFalse, false),
  memAgentSwappinessMax: row("memcg_swappiness_max", byte, 50),
  memAgentReclaimPeriod: row("memcg_period_secs", integer, 600n),
  memAgentReclaimPeriodPsi: row("memcg_period_psi_percent_limit", byte, 1),
  memAgentEvictionPsi: row("memcg_eviction_psi_percent_limit", byte, 1),
  memAgentAgingCountMin: row("memcg_eviction_run_aging_count_min", integer, 3n),
  memAgentCompactDisabled: row("compact_disable", trueOrFalse, false),
  memAgentCompactPeriod: row("compact_period_secs", integer, 600n),
  memAgentCompactPeriodPsi: row("compact_period_psi_percent_limit", byte, 1),
  memAgentCompactPsi: row("compact_psi_percent_limit", byte, 5),
  memAgentCompactSecMax: row("compact_sec_max", integer, 300n),
  memAgentCompactOrder: row("compact_order", byte, 9),
  memAgentCompactThreshold: row("compact_threshold", integer, 1024n),
  memAgentCompactForceTimes: row("compact_force_times", integer, 2n ** 63n - 1n),
};

function row<T>(key: string, read: OptionRow<T>["read"], fallback: T): OptionRow<T> {
  return { cmdline: `agent.mem_agent_${key}`, file: `mem_agent_${key}`, read, fallback };
}
