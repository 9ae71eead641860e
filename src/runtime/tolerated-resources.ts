import { AgentError } from "../base/agent-error.ts";
import type { Cgroup } from "./cgroup.ts";
import type { OciBlockIo } from "./oci.ts";

/** One line to write into one file of a group. */
export type GroupWrite = { readonly file: string; readonly line: string };

/**
 * The lines for a group of version 2 that limit block devices (agent-api 5.4): `io.max` and the weights of the BFQ
 * scheduler. Source: Documentation/admin-guide/cgroup-v2.rst, block/bfq-cgroup.c.
 */
export function blockIoWrites(io: OciBlockIo): GroupWrite[] {
  const writes: GroupWrite[] = [];
  if (io.weight !== undefined) writes.push({ file: "io.bfq.weight", line: `${io.weight}` });
  for (const { major, minor, weight } of io.weightDevice ?? []) {
    if (weight !== undefined) writes.push({ file: "io.bfq.weight", line: `${major}:${minor} ${weight}` });
  }
  const limits = [
    ["rbps", io.throttleReadBpsDevice],
    ["wbps", io.throttleWriteBpsDevice],
    ["riops", io.throttleReadIOPSDevice],
    ["wiops", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices = []] of limits) {
    for (const { major, minor, rate } of devices) {
      writes.push({ file: "io.max", line: `${major}:${minor} ${key}=${rate === 0n ? "max" : rate}` });
    }
  }
  return writes;
}

/** Writes what a group takes of these lines. @returns what it refused, for the log: `io.max: ENODEV …`. */
export async function writeTolerated(cgroup: Cgroup, writes: readonly GroupWrite[]): Promise<string[]> {
  const refused: string[] = [];
  for (const { file, line } of writes) {
    await cgroup.set(file, line).catch((error: unknown) => {
      refused.push(AgentError.from(error).message);
    });
  }
  return refused;
}
