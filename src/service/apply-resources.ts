import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import type { Container } from "../container/container.ts";
import { onlineList } from "../sandbox/online-resources.ts";

/**
 * Gives containers the processors that their cpusets name (agent-api 3.24 step 3, 5.4): first the groups above them
 * get all that are online, from the top down, since a group cannot have what its parent lacks. Whatever fails is
 * logged: a processor that is not there yet must not end a container that can run on the others.
 */
export async function applyCpusets(containers: readonly Container[], log: Log): Promise<void> {
  const withCpuset = containers.filter(({ spec }) => spec.linux?.resources?.cpu?.cpus !== undefined);
  if (withCpuset.length === 0) return;
  const failed = (container: Container) => (error: unknown) =>
    log.warn({ container: container.id, error: AgentError.from(error).message }, "cpuset was not applied");
  const online = await onlineList().catch(() => undefined);
  for (const container of withCpuset) {
    const { cgroup, spec } = container;
    if (online !== undefined) {
      for (const above of cgroup.ancestors()) await above.set("cpuset.cpus", online).catch(failed(container));
    }
    await cgroup.set("cpuset.cpus", spec.linux?.resources?.cpu?.cpus ?? "").catch(failed(container));
  }
}

/** Applies those resources of a container that crun is not given because they may fail (agent-api 5.4). */
export async function applyTolerated(container: Container, log: Log): Promise<void> {
  await applyCpusets([container], log);
  for (const error of await container.limitBlockIo()) {
    log.warn({ container: container.id, error }, "limit of a block device was not applied");
  }
}
