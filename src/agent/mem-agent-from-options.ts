import type { Log } from "../base/log.ts";
import type { Registry } from "../container/registry.ts";
import { MemAgent } from "../sandbox/mem-agent.ts";
import type { AgentOptions } from "./options/options.ts";
import { ownsMachine } from "./role.ts";

/** Starts the mem-agent when the options ask for it (agent-api 1.4 step 12). The caller closes it. */
export function memAgentFromOptions(
  options: AgentOptions,
  registry: Registry,
  log: Log,
): MemAgent | undefined {
  if (!options.memAgent) return undefined;
  const memAgent = new MemAgent({
    reclaim: {
      disabled: options.memAgentReclaimDisabled,
      swap: options.memAgentSwap,
      swappinessMax: options.memAgentSwappinessMax,
      periodSecs: options.memAgentReclaimPeriod,
      periodPsiPercentLimit: options.memAgentReclaimPeriodPsi,
      evictionPsiPercentLimit: options.memAgentEvictionPsi,
      agingCountMin: options.memAgentAgingCountMin,
    },
    compact: {
      disabled: options.memAgentCompactDisabled,
      periodSecs: options.memAgentCompactPeriod,
      periodPsiPercentLimit: options.memAgentCompactPeriodPsi,
      compactPsiPercentLimit: options.memAgentCompactPsi,
      secMax: options.memAgentCompactSecMax,
      order: options.memAgentCompactOrder,
      threshold: options.memAgentCompactThreshold,
      forceTimes: options.memAgentCompactForceTimes,
    },
    groups: () => [...registry.all()].map(({ cgroup }) => cgroup.file("")),
    mayCompact: ownsMachine(),
    log,
  });
  memAgent.start();
  return memAgent;
}
