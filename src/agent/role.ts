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
  try {
    return readlinkSync(namespaceLink) === initialPidNamespace ? "machine-init" : "namespace-init";
  } catch {
    return "machine-init";
  }
}
