import { AgentError } from "../base/agent-error.ts";
import type { Container } from "../container/container.ts";
import type { Rooms } from "./rooms.ts";

const removals = new WeakMap<Container, Promise<void>>();

/**
 * Ends a container and all that was made for it: processes, control group, bundle, storages, its place among the
 * pod's namespaces; its id is free afterwards. A second removal joins the first as a whole: running on behind it, it
 * could meet the next container of that id.
 * @throws INTERNAL when the processes could not be ended; the container is kept. What then cannot be taken away of its
 *   files and mounts is logged (agent-api 4.3): no later call could do better.
 */
export function removeContainer(rooms: Rooms, container: Container): Promise<void> {
  const known = removals.get(container);
  if (known !== undefined) return known;
  const removal = removed(rooms, container).finally(() => removals.delete(container));
  removals.set(container, removal);
  return removal;
}

async function removed(
  { registry, sandbox, containerDevices, log }: Rooms,
  container: Container,
): Promise<void> {
  await container.remove();
  const told = (error: unknown) =>
    log.warn({ error: AgentError.from(error).message }, "something of a container was left behind");
  await sandbox.namespaces.forgetPid(container.id).catch(told);
  await sandbox.releaseStorages(container.id);
  await container.removeDirectory().catch(told);
  containerDevices.forget(container.id);
  registry.forget(container.id);
}
