/** Traffic of the guest's network devices and disks (agent-api 3.32, proc(5)). */
import { readFile } from "node:fs/promises";
import type { Metric, Sample } from "../base/metric.ts";

/** In the kernel's order; so are the disks'. */
const netItems = [
  ...["bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"].map(
    (item) => `recv_${item}`,
  ),
  ...["bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"].map(
    (item) => `sent_${item}`,
  ),
];
const diskItems = [
  ...["reads", "merged", "sectors_read", "time_reading", "writes", "writes_merged", "sectors_written"],
  ...["time_writing", "in_progress", "time_in_progress", "weighted_time_in_progress", "discards"],
  ...["discards_merged", "sectors_discarded", "time_discarding", "flushes", "time_flushing"],
];

/** Network devices, from `/proc/net/dev`. */
export async function netMetrics(dir = "/proc"): Promise<Metric[]> {
  const samples: Sample[] = [];
  for (const line of (await readFile(`${dir}/net/dev`, "utf8")).split("\n").slice(2)) {
    // The first number may follow the colon without a blank.
    const [, name, numbers] = /^\s*(\S+):\s*(\d.*)$/.exec(line) ?? [];
    if (name !== undefined && numbers !== undefined)
      samples.push(...samplesOf({ interface: name }, netItems, numbers));
  }
  const help = "Traffic of the guest's network devices.";
  return [{ name: "kata_guest_netdev_stat", help, kind: "gauge", samples }];
}

/** Disks and their parts, from `/proc/diskstats`. */
export async function diskMetrics(dir = "/proc"): Promise<Metric[]> {
  const samples: Sample[] = [];
  for (const line of (await readFile(`${dir}/diskstats`, "utf8")).split("\n")) {
    const [, disk, numbers] = /^\s*\d+\s+\d+\s+(\S+)\s+(\d.*)$/.exec(line) ?? [];
    if (disk !== undefined && numbers !== undefined) samples.push(...samplesOf({ disk }, diskItems, numbers));
  }
  const help = "Traffic of the guest's disks; times in ms.";
  return [{ name: "kata_guest_diskstat", help, kind: "gauge", samples }];
}

/** Older kernels tell fewer numbers; the rest is left out. */
function samplesOf(
  labels: Readonly<Record<string, string>>,
  items: readonly string[],
  numbers: string,
): Sample[] {
  const values = numbers.trim().split(/\s+/).slice(0, items.length).map(Number);
  return values.map((value, place) => [{ ...labels, item: items[place] ?? "" }, value]);
}
