import type { Container } from "../container/container.ts";
import type { Rooms } from "./rooms.ts";

const removals = new WeakMap<Container, Promise<void>>();

/**
 * Ends a container and all that was made for it: processes, control group, bundle, storages, its place among the
 * pod's namespaces; its id is free afterwards. A second removal joins the first as a whole: running on behind it, it
 * could meet the next container of that id. @throws INTERNAL; the container is kept.
 */
export function removeContainer(rooms: Rooms, container: Container): Promise<void> {
  const known = removals.get(container);
  if (known !== undefined) return known;
  const removal = removed(rooms, container).finally(() => removals.delete(container));
  removals.set(container, removal);
  return removal;
}

async function removed({ registry, sandbox }: Rooms, container: Container): Promise<void> {
  await container.remove();
  await sandbox.namespaces.forgetPid(container.id);
  await sandbox.releaseStorages(container.id);
  await container.removeDirectory();
  registry.forget(container.id);
}
