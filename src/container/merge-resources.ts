import type { OciResources } from "../runtime/oci.ts";

/**
 * The resources of a container after an update: what the update names replaces what was there, figure by figure; the
 * rest stays, such as a cpuset that an update of the memory limit does not repeat (agent-api 3.14).
 */
export function mergeResources(current: OciResources, update: OciResources): OciResources {
  const merged: OciResources = { ...current, ...update };
  if (update.memory !== undefined) merged.memory = { ...current.memory, ...update.memory };
  if (update.cpu !== undefined) merged.cpu = { ...current.cpu, ...update.cpu };
  if (update.blockIO !== undefined) merged.blockIO = { ...current.blockIO, ...update.blockIO };
  return merged;
}
