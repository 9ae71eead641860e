import type { OciResources } from "./oci.ts";

type Memory = NonNullable<OciResources["memory"]>;
type Cpu = NonNullable<OciResources["cpu"]>;

/** The range of cpu.shares; crun's way to a weight wraps around outside of it. */
const minShares = 2n;
const maxShares = 262_144n;
/** The kernel's own (`cpu.max`). Without a period crun does not write that there is no quota. */
const defaultPeriodUs = 100_000n;
const unlimited = -1n;

/**
 * The resources that crun is to set: all that must hold. What may fail (processors, block devices) is written by us
 * afterwards, see `tolerated-resources.ts`, since crun would refuse the whole container for it (agent-api 5.4).
 */
export function crunResources(resources: OciResources): OciResources {
  const { memory, cpu, blockIO: _ours, ...rest } = resources;
  return {
    ...rest,
    ...(memory && { memory: crunMemory(memory) }),
    ...(cpu && { cpu: crunCpu(cpu) }),
  };
}

/**
 * `swap` is the total of memory and swap, which says something only beside a limit of memory: without one, or with no
 * limit at all, swap stays as it is. A total below the limit means no swap.
 */
function crunMemory({ swap, ...memory }: Memory): Memory {
  const { limit } = memory;
  if (swap === unlimited) return { ...memory, swap };
  if (swap === undefined || limit === undefined || limit === unlimited) return memory;
  return { ...memory, swap: swap < limit ? limit : swap };
}

function crunCpu({ cpus: _ours, shares, ...cpu }: Cpu): Cpu {
  const done: Cpu = { ...cpu };
  if (shares !== undefined) done.shares = clamped(shares);
  if (cpu.quota !== undefined) done.period = cpu.period ?? defaultPeriodUs;
  return done;
}

function clamped(shares: bigint): bigint {
  if (shares < minShares) return minShares;
  return shares > maxShares ? maxShares : shares;
}
