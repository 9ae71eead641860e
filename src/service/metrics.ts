/** GetMetrics: the kernel's figures and the agent's own (agent-api 3.32). */
import type { Metric } from "../base/metric.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import { systemMetrics } from "../sandbox/system-metrics.ts";
import { exposition } from "./exposition.ts";
import { callMetrics, heapMetrics, relayMetrics, spanMetrics } from "./own-metrics.ts";
import type { Rooms } from "./rooms.ts";

type Calls = Pick<AgentService<Call>, "GetMetrics">;

/** The call on metrics. */
export function metricsCalls({ log, callCounts, spanReport, workloadRelay }: Rooms): Calls {
  let scrapes = 0;
  return {
    async GetMetrics() {
      scrapes += 1;
      const system = await systemMetrics(log);
      const own = [
        ...callMetrics(callCounts),
        ...spanMetrics(spanReport()),
        ...relayMetrics(workloadRelay.counts()),
        ...heapMetrics(),
      ];
      return { metrics: await exposition([scrapeCount(scrapes), ...system, ...own]) };
    },
  };
}

function scrapeCount(scrapes: number): Metric {
  const help = "How often these metrics were asked for.";
  return { name: "kata_agent_scrape_count", help, kind: "counter", samples: [[{}, scrapes]] };
}
