import type { BlkioStatsEntry, CgroupStats as StatsMessage } from "../gen/agent.ts";
import type { CgroupStats, MemoryFigures } from "../runtime/cgroup-stats.ts";

const unlimited = 2n ** 64n - 1n;
const nanosecondsPerMicrosecond = 1000n;

/**
 * The figures of a version 2 control group in the message of StatsContainer (agent-api 3.13). A controller that is not
 * there leaves its sub-message unset.
 */
export function statsMessage(stats: CgroupStats): StatsMessage {
  return {
    cpu_stats: stats.cpu === undefined ? undefined : cpuStats(stats.cpu),
    memory_stats: stats.memory === undefined ? undefined : memoryStats(stats.memory, stats.memoryStat),
    pids_stats:
      stats.pids === undefined ? undefined : { current: stats.pids.current, limit: stats.pids.limit ?? 0n },
    blkio_stats: blkioStats(stats.io),
    hugetlb_stats: new Map(
      [...stats.hugetlb].map(([size, figures]) => [
        size,
        { usage: figures.current, max_usage: 0n, failcnt: figures.failures },
      ]),
    ),
  };
}

function cpuStats(cpu: ReadonlyMap<string, bigint>): StatsMessage["cpu_stats"] {
  const nanoseconds = (key: string) => (cpu.get(key) ?? 0n) * nanosecondsPerMicrosecond;
  return {
    cpu_usage: {
      total_usage: nanoseconds("usage_usec"),
      usage_in_usermode: nanoseconds("user_usec"),
      usage_in_kernelmode: nanoseconds("system_usec"),
      percpu_usage: [],
    },
    throttling_data: {
      periods: cpu.get("nr_periods") ?? 0n,
      throttled_periods: cpu.get("nr_throttled") ?? 0n,
      throttled_time: nanoseconds("throttled_usec"),
    },
  };
}

function memoryStats(
  memory: MemoryFigures,
  stat: ReadonlyMap<string, bigint> | undefined,
): StatsMessage["memory_stats"] {
  return {
    cache: 0n,
    usage: {
      usage: memory.current,
      max_usage: memory.peak,
      failcnt: 0n,
      limit: memory.limit ?? unlimited,
    },
    swap_usage: {
      usage: memory.swapCurrent,
      max_usage: memory.swapPeak,
      failcnt: memory.swapFailures,
      limit: memory.swapLimit ?? 0n,
    },
    kernel_usage: { usage: 0n, max_usage: 0n, failcnt: 0n, limit: unlimited },
    use_hierarchy: false,
    stats: new Map(stat),
  };
}

function blkioStats(io: CgroupStats["io"]): StatsMessage["blkio_stats"] {
  return {
    io_service_bytes_recursive: io.map(
      ({ major, minor, key, value }): BlkioStatsEntry => ({ major, minor, op: operation(key), value }),
    ),
    io_serviced_recursive: [],
    io_queued_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  };
}

/** The reference's words for `rbytes` and `wbytes`; the others keep the kernel's. */
function operation(key: string): string {
  if (key === "rbytes") return "read";
  return key === "wbytes" ? "write" : key;
}
