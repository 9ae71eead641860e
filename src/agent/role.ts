import { readlinkSync } from "node:fs";

/**
 * What the agent is here.
 *
 * - `machine-init`: first process of a guest: mounts, loads modules, and in the end powers off;
 * - `namespace-init`: first process of a pid namespace on a machine that is somebody else's: mounts what its private
 *   world lacks, but never touches the machine's devices or power;
 * - `service`: an ordinary process: changes nothing around it.
 */
export type Role = "machine-init" | "namespace-init" | "service";

/** Inode of the initial pid namespace: a constant of the kernel (`PROC_PID_INIT_INO`, include/linux/proc_ns.h). */
const initialPidNamespace = "pid:[4026531836]";

/**
 * Tells the role by pid and pid namespace. Without /proc only the kernel itself can have started us, so a first
 * process that cannot look is a guest's.
 */
export function roleOf(pid: number, namespaceLink = "/proc/self/ns/pid"): Role {
  if (pid !== 1) return "service";
  return ownsMachine(namespaceLink) ? "machine-init" : "namespace-init";
}

/**
 * Whether the machine is this agent's to change: its clock, memory and swap have no namespace. It is unless the agent
 * lives in a pid namespace that somebody has made for it; a guest's agent never does, whether first process or not.
 */
export function ownsMachine(namespaceLink = "/proc/self/ns/pid"): boolean {
  try {
    return readlinkSync(namespaceLink) === initialPidNamespace;
  } catch {
    return true;
  }
}
