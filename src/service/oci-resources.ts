import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LinuxBlockIO, LinuxResources, LinuxThrottleDevice } from "../gen/oci.ts";
import type { OciBlockIo, OciResources } from "../runtime/oci.ts";
import { amount, list, present, text } from "./present.ts";

/**
 * The resource section as the OCI document has it (agent-api 3.3.3).
 *
 * Device rules are not among them: they are made for the container as a whole (`devices/device-rules.ts`). What only
 * version 1 knows is left away, since crun refuses the whole container for it: network classes, kernel memory,
 * swappiness, the OOM switch, real-time shares, leaf weights.
 */
export function ociResources(resources: LinuxResources): OciResources {
  const { Memory: memory, CPU: cpu, Pids: pids, BlockIO: blockIo } = resources;
  return present<OciResources>({
    memory: memory && {
      ...present<NonNullable<OciResources["memory"]>>({
        limit: amount(memory.Limit),
        reservation: amount(memory.Reservation),
        swap: amount(memory.Swap),
      }),
    },
    cpu: cpu && {
      ...present<NonNullable<OciResources["cpu"]>>({
        shares: amount(cpu.Shares),
        quota: amount(cpu.Quota),
        period: amount(cpu.Period),
        cpus: text(cpu.Cpus),
        mems: text(cpu.Mems),
      }),
    },
    pids: pids && { limit: pids.Limit > 0n ? pids.Limit : -1n },
    blockIO: blockIo && ociBlockIo(blockIo),
    hugepageLimits: list(
      resources.HugepageLimits.map(({ Pagesize, Limit }) => ({ pageSize: pageSize(Pagesize), limit: Limit })),
    ),
  });
}

/** The size becomes part of a file's name. @throws INTERNAL. */
function pageSize(size: string): string {
  if (!/^\d{1,6}[KMG]B$/.test(size)) throw new AgentError(Code.internal, "huge page size is not one");
  return size;
}

function ociBlockIo(io: LinuxBlockIO): OciBlockIo {
  return present<OciBlockIo>({
    weight: io.Weight === 0 ? undefined : io.Weight,
    weightDevice: list(
      io.WeightDevice.map(({ Major, Minor, Weight }) => ({
        major: Major,
        minor: Minor,
        weight: Weight,
      })),
    ),
    throttleReadBpsDevice: throttles(io.ThrottleReadBpsDevice),
    throttleWriteBpsDevice: throttles(io.ThrottleWriteBpsDevice),
    throttleReadIOPSDevice: throttles(io.ThrottleReadIOPSDevice),
    throttleWriteIOPSDevice: throttles(io.ThrottleWriteIOPSDevice),
  });
}

function throttles(devices: LinuxThrottleDevice[]): OciBlockIo["throttleReadBpsDevice"] {
  return list(devices.map(({ Major, Minor, Rate }) => ({ major: Major, minor: Minor, rate: Rate })));
}
