import type { Log } from "../base/log.ts";
import type { Metric } from "../base/metric.ts";
import { ioMetrics, statMetrics, statusMetrics } from "./agent-metrics.ts";
import { diskMetrics, netMetrics } from "./device-metrics.ts";
import { filesystemMetrics } from "./filesystem-metrics.ts";
import { cpuMetrics, loadMetrics, memoryMetrics, vmMetrics } from "./guest-metrics.ts";

const sources: Readonly<Record<string, () => Promise<Metric[]>>> = {
  status: () => statusMetrics(),
  stat: () => statMetrics(),
  io: () => ioMetrics(),
  load: () => loadMetrics(),
  processors: () => cpuMetrics(),
  "virtual memory": () => vmMetrics(),
  memory: () => memoryMetrics(),
  network: () => netMetrics(),
  disks: () => diskMetrics(),
  "file systems": () => filesystemMetrics(),
};

/** What the kernel tells of the agent and its guest now; a source that fails is left out (agent-api 3.32). */
export async function systemMetrics(log: Log, from = sources): Promise<Metric[]> {
  const asked = Object.entries(from).map(([source, read]) =>
    read().catch((error) => {
      log.debug({ source, err: error }, "metrics were not read");
      return [];
    }),
  );
  return (await Promise.all(asked)).flat();
}
