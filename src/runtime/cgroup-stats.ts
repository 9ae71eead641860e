import type { Cgroup } from "./cgroup.ts";
import { hugepageSizes } from "./hugepage-sizes.ts";

/** What a control group of version 2 tells, with the kernel's own units. A missing file or key is `undefined`. */
export type CgroupStats = {
  /** `cpu.stat`: microseconds and counts. */
  cpu: ReadonlyMap<string, bigint> | undefined;
  memory: MemoryFigures | undefined;
  /** `memory.stat`: bytes and counts. */
  memoryStat: ReadonlyMap<string, bigint> | undefined;
  pids: { current: bigint; limit: bigint | undefined } | undefined;
  /** `io.stat`: one entry per device and key. */
  io: readonly { major: bigint; minor: bigint; key: string; value: bigint }[];
  hugetlb: ReadonlyMap<string, { current: bigint; failures: bigint }>;
};

/** Bytes. `limit` undefined = `max`. */
export type MemoryFigures = {
  current: bigint;
  peak: bigint;
  limit: bigint | undefined;
  swapCurrent: bigint;
  swapPeak: bigint;
  swapFailures: bigint;
  swapLimit: bigint | undefined;
};

/**
 * Reads the figures of a container's control group (agent-api 3.13, cgroup v2 column). Never fails: a group that is
 * going away answers with what is left of it. Source: Documentation/admin-guide/cgroup-v2.rst.
 */
export async function readCgroupStats(cgroup: Cgroup): Promise<CgroupStats> {
  const [cpu, memory, memoryStat, pids, io, hugetlb] = await Promise.all([
    cgroup.read("cpu.stat").then(keyed),
    memoryFigures(cgroup),
    cgroup.read("memory.stat").then(keyed),
    pidFigures(cgroup),
    cgroup.read("io.stat").then(ioEntries),
    hugetlbFigures(cgroup, await hugepageSizes()),
  ]);
  return { cpu, memory, memoryStat, pids, io, hugetlb };
}

async function memoryFigures(cgroup: Cgroup): Promise<MemoryFigures | undefined> {
  const current = number(await cgroup.read("memory.current"));
  if (current === undefined) return undefined;
  const [peak, limit, swapCurrent, swapPeak, swapEvents, swapLimit] = await Promise.all(
    [
      "memory.peak",
      "memory.max",
      "memory.swap.current",
      "memory.swap.peak",
      "memory.swap.events",
      "memory.swap.max",
    ].map((name) => cgroup.read(name)),
  );
  return {
    current,
    peak: number(peak) ?? 0n,
    limit: number(limit),
    swapCurrent: number(swapCurrent) ?? 0n,
    swapPeak: number(swapPeak) ?? 0n,
    swapFailures: keyed(swapEvents)?.get("fail") ?? 0n,
    swapLimit: number(swapLimit),
  };
}

async function pidFigures(cgroup: Cgroup): Promise<CgroupStats["pids"]> {
  const current = number(await cgroup.read("pids.current"));
  return current === undefined ? undefined : { current, limit: number(await cgroup.read("pids.max")) };
}

async function hugetlbFigures(cgroup: Cgroup, sizes: readonly string[]): Promise<CgroupStats["hugetlb"]> {
  const figures = new Map<string, { current: bigint; failures: bigint }>();
  for (const size of sizes) {
    const current = number(await cgroup.read(`hugetlb.${size}.current`));
    if (current === undefined) continue;
    const events = keyed(await cgroup.read(`hugetlb.${size}.events`));
    figures.set(size, { current, failures: events?.get("max") ?? 0n });
  }
  return figures;
}

/** A file with one number; undefined for `max`, for no file, and for anything else. */
function number(text: string | undefined): bigint | undefined {
  const word = text?.trim();
  return word !== undefined && /^\d+$/.test(word) ? BigInt(word) : undefined;
}

/** A file of `key value` lines; undefined when there is no file. */
function keyed(text: string | undefined): ReadonlyMap<string, bigint> | undefined {
  if (text === undefined) return undefined;
  const pairs = text.matchAll(/^(\S+) (\d+)$/gm);
  return new Map(pairs.map(([, key, value]) => [key ?? "", BigInt(value ?? 0)]));
}

/** `io.stat`: lines of `major:minor key=value key=value …`. */
function ioEntries(text: string | undefined): CgroupStats["io"] {
  return (text ?? "").split("\n").flatMap((line) => {
    const device = /^(\d+):(\d+) /.exec(line);
    if (device === null) return [];
    const [major, minor] = [BigInt(device[1] ?? 0), BigInt(device[2] ?? 0)];
    const pairs = line.matchAll(/ ([a-z]+)=(\d+)/g);
    return [...pairs.map(([, key, value]) => ({ major, minor, key: key ?? "", value: BigInt(value ?? 0) }))];
  });
}
