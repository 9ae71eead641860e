import { hardDescriptorLimit } from "../sys/descriptor-limit.ts";
import type { OciProcess } from "./oci.ts";

/**
 * Descriptors of a process that asks for no limit: what systemd, and with it a container of containerd, gives. The soft
 * one is the kernel's own, since programs that loop over all descriptors, or use select(2), go by it.
 */
const softDescriptors = 1024;
const hardDescriptors = 524_288;

/**
 * The process with a limit of descriptors of its own, where it was sent without: the agent's, which is meant for
 * thousands of containers, is not for the programs in them. All other limits are the guest's.
 */
export function withDefaultLimits(process: OciProcess): OciProcess {
  const sent = process.rlimits ?? [];
  if (sent.some(({ type }) => type === "RLIMIT_NOFILE")) return process;
  const hard = Math.min(hardDescriptors, hardDescriptorLimit());
  const own = {
    type: "RLIMIT_NOFILE",
    hard: BigInt(hard),
    soft: BigInt(Math.min(softDescriptors, hard)),
  };
  return { ...process, rlimits: [...sent, own] };
}
