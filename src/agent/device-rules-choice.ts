import { readFileSync } from "node:fs";
import type { CgroupManager } from "./cgroup-choice.ts";

/** Bits of CAP_SYS_ADMIN, to attach a program to a control group, and of CAP_SYS_RESOURCE, to lock memory for it. */
const needed = (1n << 21n) | (1n << 24n);

/**
 * Whether it is worth trying to restrict the devices of containers: control groups are ours, and so are the rights that
 * crun needs. What the kernel says to it is another matter.
 */
export function mayRestrictDevices(manager: CgroupManager, status = "/proc/self/status"): boolean {
  if (manager === "disabled") return false;
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(status, "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${effective}`) & needed) === needed;
  } catch {
    return false;
  }
}
