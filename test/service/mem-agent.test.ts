import { test } from "tap";
import type { MemAgent } from "../../src/sandbox/mem-agent.ts";
import { memAgentCalls } from "../../src/service/mem-agent.ts";
import type { Rooms } from "../../src/service/rooms.ts";

test("fields that are there change the settings, cut to their width; the others stay (agent-api 3.35)", async (t) => {
  const changes: object[] = [];
  const note = (change: object) => void changes.push(change);
  const memAgent = { setReclaim: note, setCompact: note } as Partial<MemAgent> as MemAgent;
  const { MemAgentMemcgSet, MemAgentCompactSet } = memAgentCalls({ memAgent } as Partial<Rooms> as Rooms);
  const none = {
    ...{ disabled: undefined, swap: undefined, swappiness_max: undefined, period_secs: undefined },
    ...{ period_psi_percent_limit: undefined, eviction_psi_percent_limit: undefined },
    ...{ eviction_run_aging_count_min: undefined, compact_psi_percent_limit: undefined },
    ...{ compact_sec_max: undefined, compact_order: undefined, compact_threshold: undefined },
    compact_force_times: undefined,
  };
  const call = {} as never;
  await MemAgentMemcgSet({ ...none, swap: false, swappiness_max: 256 + 7, period_secs: 0n }, call);
  await MemAgentCompactSet({ ...none, disabled: true, compact_order: 9, compact_sec_max: -5n }, call);
  await MemAgentCompactSet(none, call);
  t.same(changes, [
    { swap: false, swappinessMax: 7, periodSecs: 0n },
    { disabled: true, order: 9, secMax: 0n },
    {},
  ]);
});
