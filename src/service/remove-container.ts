import type { Container } from "../container/container.ts";
import type { Rooms } from "./rooms.ts";

/**
 * Ends a container and all that was made for it: processes, control group, bundle, storages, its place among the
 * pod's namespaces; its id is free afterwards. Two removals at a time join. @throws INTERNAL; the container is kept.
 */
export async function removeContainer({ registry, sandbox }: Rooms, container: Container): Promise<void> {
  await container.remove();
  await sandbox.namespaces.forgetPid(container.id);
  await sandbox.releaseStorages(container.id);
  await container.removeDirectory();
  registry.forget(container.id);
}
