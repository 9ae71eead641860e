/** What the kernel tells about the agent's own process (agent-api 3.32, proc(5)). */
import { readFile } from "node:fs/promises";
import { itemGauge, type Metric } from "../base/metric.ts";
import { keyedNumbers } from "./keyed-numbers.ts";

/** `USER_HZ`, which is 100 wherever Kata runs. */
const ticksPerSecond = 100;
const bytesPerKilobyte = 1024;
/** Places in `/proc/<pid>/stat` behind the name of the program, which may itself hold blanks. */
const statPlaces = { utime: 11, stime: 12, cutime: 13, cstime: 14 } as const;

const statusItems = [
  ...["vmpeak", "vmsize", "vmlck", "vmpin", "vmhwm", "vmrss", "rssanon", "rssfile", "rssshmem", "vmdata"],
  ...["vmstk", "vmexe", "vmlib", "vmpte", "vmswap", "hugetlbpages"],
  ...["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"],
];
const ioItems = [
  ...["rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"],
];

/** Threads and memory, from `/proc/self/status`. */
export async function statusMetrics(dir = "/proc/self"): Promise<Metric[]> {
  const values = keyedNumbers(await readFile(`${dir}/status`, "utf8"));
  const of = (item: string) => values.get(item) ?? 0;
  return [
    single("kata_agent_threads", "Threads of the agent.", of("threads")),
    single("kata_agent_total_vm", "Address space of the agent in bytes.", of("vmsize") * bytesPerKilobyte),
    single("kata_agent_total_rss", "Resident memory of the agent in bytes.", of("vmrss") * bytesPerKilobyte),
    itemGauge(
      "kata_agent_proc_status",
      "Status of the agent's process as the kernel tells it; memory in kB.",
      statusItems.map((item) => [item, of(item)]),
    ),
  ];
}

/** Processor time, from `/proc/self/stat`. */
export async function statMetrics(dir = "/proc/self"): Promise<Metric[]> {
  const text = await readFile(`${dir}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const items = Object.entries(statPlaces).map(([item, place]) => [item, Number(fields[place])] as const);
  const [user = 0, system = 0] = items.map(([, ticks]) => ticks);
  return [
    single(
      "kata_agent_total_time",
      "Processor time of the agent in seconds.",
      (user + system) / ticksPerSecond,
    ),
    itemGauge("kata_agent_proc_stat", "Processor time of the agent and its ended children in ticks.", items),
  ];
}

/** What the agent has read and written, from `/proc/self/io`. */
export async function ioMetrics(dir = "/proc/self"): Promise<Metric[]> {
  const values = keyedNumbers(await readFile(`${dir}/io`, "utf8"));
  const items = ioItems.map((item) => [item, values.get(item) ?? 0] as const);
  return [itemGauge("kata_agent_io_stat", "Input and output of the agent's process.", items)];
}

function single(name: string, help: string, value: number): Metric {
  return { name, help, kind: "gauge", samples: [[{}, value]] };
}
