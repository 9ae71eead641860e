import { readFileSync } from "node:fs";

const lowest = -1000;
/** Bit of CAP_SYS_RESOURCE, without which a process may not lower a score below its own (proc(5), oom_score_adj). */
const sysResourceBit = 1n << 24n;

/**
 * The lowest `oom_score_adj` that a container can be given here: any with the right to lower it, else the agent's own.
 * A root that has been deprived of that right, as in many sandboxes, would otherwise fail over every pause container.
 */
export function oomScoreFloor(dir = "/proc/self"): number {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`${dir}/status`, "utf8"))?.[1] ?? "0";
    if ((BigInt(`0x${effective}`) & sysResourceBit) !== 0n) return lowest;
    return Number(readFileSync(`${dir}/oom_score_adj`, "utf8"));
  } catch {
    return lowest;
  }
}
