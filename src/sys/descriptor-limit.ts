import { kernel } from "./kernel.ts";

/**
 * Raises the number of descriptors we may have to `wanted`, or as far as we are allowed; never lowers it.
 * @returns the limit that holds now.
 */
export function raiseDescriptorLimit(wanted: number): number {
  const [soft, hard] = kernel.getDescriptorLimit();
  if (soft >= wanted) return soft;
  try {
    kernel.setDescriptorLimit(wanted, Math.max(wanted, hard));
    return wanted;
  } catch {
    // EPERM: the hard limit is not ours to raise.
    const reachable = Math.min(wanted, hard);
    kernel.setDescriptorLimit(reachable, hard);
    return reachable;
  }
}

/** How many descriptors a child of ours could be allowed at most. */
export function hardDescriptorLimit(): number {
  return kernel.getDescriptorLimit()[1];
}
