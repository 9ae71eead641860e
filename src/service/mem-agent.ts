/** Calls on the mem-agent (agent-api 3.35): fields that are there change its settings, the others stay. */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import type { MemAgent } from "../sandbox/mem-agent.ts";
import type { CompactSettings, ReclaimSettings } from "../sandbox/mem-agent-settings.ts";
import { present } from "./present.ts";
import type { Rooms } from "./rooms.ts";

type Calls = Pick<AgentService<Call>, "MemAgentMemcgSet" | "MemAgentCompactSet">;

const byteMask = 0xff;

/** MemAgentMemcgSet and MemAgentCompactSet; INTERNAL while it is off. */
export function memAgentCalls({ memAgent }: Rooms): Calls {
  return {
    async MemAgentMemcgSet(request) {
      enabled(memAgent).setReclaim(
        present<Partial<ReclaimSettings>>({
          disabled: request.disabled,
          swap: request.swap,
          swappinessMax: byte(request.swappiness_max),
          periodSecs: request.period_secs,
          periodPsiPercentLimit: byte(request.period_psi_percent_limit),
          evictionPsiPercentLimit: byte(request.eviction_psi_percent_limit),
          agingCountMin: request.eviction_run_aging_count_min,
        }),
      );
      return {};
    },
    async MemAgentCompactSet(request) {
      enabled(memAgent).setCompact(
        present<Partial<CompactSettings>>({
          disabled: request.disabled,
          periodSecs: request.period_secs,
          periodPsiPercentLimit: byte(request.period_psi_percent_limit),
          compactPsiPercentLimit: byte(request.compact_psi_percent_limit),
          secMax: seconds(request.compact_sec_max),
          order: byte(request.compact_order),
          threshold: request.compact_threshold,
          forceTimes: request.compact_force_times,
        }),
      );
      return {};
    },
  };
}

function enabled(memAgent: MemAgent | undefined): MemAgent {
  if (memAgent === undefined) throw new AgentError(Code.internal, "mem-agent is disabled");
  return memAgent;
}

/** Wider numbers lose what does not fit, as with the reference. */
function byte(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value & byteMask;
}

/** A time before the beginning is none. */
function seconds(value: bigint | undefined): bigint | undefined {
  return value !== undefined && value < 0n ? 0n : value;
}
