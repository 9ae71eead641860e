/** Load, processor time and memory of the whole guest (agent-api 3.32, proc(5)). */
import { readFile } from "node:fs/promises";
import { itemGauge, type Metric, type Sample } from "../base/metric.ts";
import { keyedNumbers } from "./keyed-numbers.ts";

const msPerTick = 10;
const bytesPerKilobyte = 1024;

const cpuItems = [
  ...["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"],
];

/** The reference's names; the kernel's are the same but for case, underscores and brackets. */
const memoryItems = [
  ...["mem_total", "mem_free", "mem_available", "buffers", "cached", "swap_cached", "active", "inactive"],
  ...["active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable", "mlocked", "high_total"],
  ...["high_free", "low_total", "low_free", "mmap_copy", "swap_total", "swap_free", "dirty", "writeback"],
  ...["anon_pages", "mapped", "shmem", "slab", "s_reclaimable", "s_unreclaim", "kernel_stack", "page_tables"],
  ...["quicklists", "nfs_unstable", "bounce", "writeback_tmp", "commit_limit", "committed_as"],
  ...["vmalloc_total", "vmalloc_used", "vmalloc_chunk", "hardware_corrupted", "anon_hugepages"],
  ...["shmem_hugepages", "shmem_pmd_mapped", "cma_total", "cma_free", "hugepages_total", "hugepages_free"],
  ...["hugepages_rsvd", "hugepages_surp", "hugepagesize", "direct_map_4k", "direct_map_4M", "direct_map_2M"],
  ...["direct_map_1G", "hugetlb", "per_cpu", "k_reclaimable"],
];
/** The only ones that are no kilobytes. */
const memoryCounts = new Set(["hugepages_total", "hugepages_free", "hugepages_rsvd", "hugepages_surp"]);

/** Load averages and tasks, from `/proc/loadavg`. */
export async function loadMetrics(dir = "/proc"): Promise<Metric[]> {
  const [load1, load5, load15, tasks = ""] = (await readFile(`${dir}/loadavg`, "utf8")).split(" ");
  const [current, most] = tasks.split("/");
  return [
    itemGauge("kata_guest_load", "Load averages of the guest.", [
      ["load1", Number(load1)],
      ["load5", Number(load5)],
      ["load15", Number(load15)],
    ]),
    itemGauge("kata_guest_tasks", "Tasks of the guest: those that run, and all.", [
      ["cur", Number(current)],
      ["max", Number(most)],
    ]),
  ];
}

/** Processor time, from `/proc/stat`. */
export async function cpuMetrics(dir = "/proc"): Promise<Metric[]> {
  const samples: Sample[] = [];
  for (const line of (await readFile(`${dir}/stat`, "utf8")).split("\n")) {
    const [name = "", ...ticks] = line.split(/\s+/);
    const [, number] = /^cpu(\d*)$/.exec(name) ?? [];
    if (number === undefined) continue;
    const cpu = number === "" ? "total" : number;
    cpuItems.forEach((item, place) => {
      samples.push([{ cpu, item }, Number(ticks[place] ?? 0) * msPerTick]);
    });
  }
  return [
    { name: "kata_guest_cpu_time", help: "Processor time of the guest in ms.", kind: "gauge", samples },
  ];
}

/** Virtual memory statistics, every line of `/proc/vmstat`. */
export async function vmMetrics(dir = "/proc"): Promise<Metric[]> {
  const items = keyedNumbers(await readFile(`${dir}/vmstat`, "utf8"));
  return [itemGauge("kata_guest_vm_stat", "Virtual memory statistics of the guest.", items)];
}

/** Memory in bytes, from `/proc/meminfo`; what this kernel does not have is 0. */
export async function memoryMetrics(dir = "/proc"): Promise<Metric[]> {
  const found = keyedNumbers(await readFile(`${dir}/meminfo`, "utf8"));
  const values = new Map([...found].map(([key, value]) => [plain(key), value]));
  const items = memoryItems.map((item) => {
    const value = values.get(plain(item)) ?? 0;
    return [item, memoryCounts.has(item) ? value : value * bytesPerKilobyte] as const;
  });
  return [itemGauge("kata_guest_meminfo", "Memory of the guest in bytes, huge pages in pages.", items)];
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
