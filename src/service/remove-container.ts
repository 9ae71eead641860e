import { AgentError } from "../base/agent-error.ts";
import { Waiters } from "../base/waiters.ts";
import type { Container } from "../container/container.ts";
import type { Rooms } from "./rooms.ts";

/** How a removal ended: with `error` when it failed. */
type Ended = { readonly error?: unknown };

const removals = new WeakMap<Container, Waiters<Ended>>();
const never = new AbortController().signal;

/**
 * Ends a container and all that was made for it: processes, control group, bundle, storages, its place among the
 * pod's namespaces; its id is free afterwards. A second removal joins the first as a whole: running on behind it, it
 * could meet the next container of that id. When `signal` aborts the removal goes on unwatched.
 * @throws INTERNAL when the processes could not be ended; the container is kept. What then cannot be taken away of its
 *   files and mounts is logged (agent-api 4.3): no later call could do better. The reason of `signal`.
 */
export async function removeContainer(rooms: Rooms, container: Container, signal = never): Promise<void> {
  const ended = await (removals.get(container) ?? begin(rooms, container)).wait(signal);
  if ("error" in ended) throw ended.error;
}

function begin(rooms: Rooms, container: Container): Waiters<Ended> {
  const waiters = new Waiters<Ended>();
  const end = (ended: Ended) => {
    removals.delete(container);
    waiters.wake(ended);
  };
  removals.set(container, waiters);
  removed(rooms, container).then(
    () => end({}),
    (error: unknown) => end({ error }),
  );
  return waiters;
}

async function removed(
  { registry, sandbox, containerDevices, log, tracing, workloadRelay }: Rooms,
  container: Container,
): Promise<void> {
  await container.remove();
  await workloadRelay.close(container.id);
  const told = (error: unknown) =>
    log.warn({ error: AgentError.from(error).message }, "something of a container was left behind");
  await sandbox.namespaces.forgetPid(container.id).catch(told);
  await sandbox.releaseStorages(container.id);
  await container.removeDirectory().catch(told);
  containerDevices.forget(container.id);
  registry.forget(container.id);
  // A runtime that has removed the last one may kill the guest without another word (wire-and-tracing 4.5).
  if (registry.size === 0) tracing.flushSoon();
}
