/** Calls about whole containers: one message in, one room below asked, one message out. */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { deadline } from "../base/deadline.ts";
import { guestPaths } from "../base/guest-paths.ts";
import { type ContainerId, containerId } from "../base/ids.ts";
import type { Container } from "../container/container.ts";
import { createContainer, discardBundle } from "../container/create.ts";
import type { PassedStreams } from "../container/passed-streams.ts";
import { withGuestModes } from "../devices/guest-modes.ts";
import type { CreateContainerRequest, StatsContainerResponse } from "../gen/agent.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import { applyTolerated } from "./apply-resources.ts";
import { withDevices } from "./devices.ts";
import { effectiveSpec } from "./effective-spec.ts";
import { withGuestHooks } from "./guest-hooks.ts";
import { ociResources } from "./oci-resources.ts";
import { ociSpec } from "./oci-spec.ts";
import { removeContainer } from "./remove-container.ts";
import type { Rooms } from "./rooms.ts";
import { sharedMounts, showSharedMounts } from "./shared-mounts.ts";
import { statsMessage } from "./stats-message.ts";
import { storageFrom } from "./storage.ts";
import { withPassedStreams } from "./with-passed-streams.ts";
import { withWorkloadTrace, workloadWishes } from "./workload.ts";

type Calls = Pick<
  AgentService<Call>,
  | "CreateContainer"
  | "StartContainer"
  | "RemoveContainer"
  | "StatsContainer"
  | "UpdateContainer"
  | "PauseContainer"
  | "ResumeContainer"
  | "GetOOMEvent"
>;

/** The calls on containers (agent-api 3.3 to 3.5, 3.13 to 3.15, 3.29). */
export function containerCalls(rooms: Rooms): Calls {
  const { registry, oomQueue } = rooms;
  return {
    async CreateContainer(request, call) {
      const id = containerId(request.container_id);
      await withPassedStreams(rooms.passedStreams, request, (passed) =>
        registry.create(id, () => create(rooms, id, request, registry.size === 0, call, passed)),
      );
      return {};
    },
    async StartContainer({ container_id }) {
      const container = registry.container(container_id, Code.internal);
      // The pause container of a pod uses no memory worth watching (agent-api 3.4).
      if (container_id !== rooms.sandbox.id) container.watchOom(() => oomQueue.push(container.id));
      await container.start();
      return {};
    },
    async RemoveContainer(request) {
      const container = registry.container(request.container_id, Code.internal);
      await remove(rooms, container, request.timeout);
      return {};
    },
    async StatsContainer({ container_id }): Promise<StatsContainerResponse> {
      const stats = await registry.container(container_id, Code.invalidArgument).stats();
      return { cgroup_stats: statsMessage(stats), network_stats: [] };
    },
    async UpdateContainer({ container_id, resources }) {
      const container = registry.container(container_id, Code.invalidArgument);
      if (resources === undefined) return {};
      await container.update(ociResources(resources));
      await applyTolerated(container, rooms.log);
      return {};
    },
    async PauseContainer({ container_id }) {
      await registry.container(container_id, Code.invalidArgument).pause();
      return {};
    },
    async ResumeContainer({ container_id }) {
      await registry.container(container_id, Code.invalidArgument).resume();
      return {};
    },
    async GetOOMEvent(_request, call) {
      return { container_id: await oomQueue.next(call.signal) };
    },
  };
}

async function create(
  rooms: Rooms,
  id: ContainerId,
  request: CreateContainerRequest,
  firstContainer: boolean,
  call: Call,
  passed: PassedStreams | undefined,
): Promise<Container> {
  const { sandbox, crun } = rooms;
  if (request.OCI === undefined) throw new AgentError(Code.internal, "EINVAL: no OCI spec in the request");
  const shared = sharedMounts(request);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rooms.containerDevices.forget(id));
  const asked = await withGuestModes(ociSpec(request.OCI, rooms.oomScoreFloor));
  const sent = await withDevices(rooms, id, request, asked, call.signal);
  undo.defer(() => discardBundle(guestPaths.base, id));
  await sandbox.addStorages(id, request.storages.map(storageFrom), call.signal);
  undo.defer(() => sandbox.releaseStorages(id));
  const podPid = request.sandbox_pidns;
  if (podPid) mustHaveFirstProcess(rooms);
  const joined = effectiveSpec(sent, sandbox.namespaces, { podPid, firstContainer });
  const wishes = workloadWishes(rooms.workload, joined.annotations);
  undo.defer(() => rooms.workloadRelay.close(id));
  const spec = await withWorkloadTrace(withGuestHooks(joined, sandbox.guestHooks), wishes, () =>
    rooms.workloadRelay.open(id),
  );
  const container = await createContainer(crun, guestPaths.base, id, spec, passed);
  // A failure to undo must not hide the error that made it necessary.
  undo.defer(() =>
    container.remove().catch((error) => rooms.log.warn({ err: error }, "create was not undone")),
  );
  await applyTolerated(container, rooms.log);
  if (firstContainer) {
    undo.defer(() => sandbox.namespaces.forgetPid(id));
    await sandbox.namespaces.adoptPid(id, container.init.pid);
  }
  await showSharedMounts(rooms, container, shared, call.signal);
  // Nobody will ask for a container whose creation was given up, so it must not stay.
  call.signal.throwIfAborted();
  if (rooms.registry.closed) throw new AgentError(Code.internal, "the sandbox has ended");
  undo.move();
  return container;
}

/** The kernel makes no process in a pid namespace whose first one has gone, and would call that a want of memory. */
function mustHaveFirstProcess({ registry, sandbox }: Rooms): void {
  for (const { id, init } of registry.all()) {
    if (id !== sandbox.namespaces.pidOwner || init.exit === undefined) continue;
    throw new AgentError(Code.internal, "the first process of the pod's pid namespace has ended");
  }
}

/** With a time limit the removal goes on after it, but the caller is told (agent-api 3.5). */
async function remove(rooms: Rooms, container: Container, timeoutSeconds: number): Promise<void> {
  if (timeoutSeconds === 0) return removeContainer(rooms, container);
  const limit = deadline(timeoutSeconds * 1000);
  try {
    await removeContainer(rooms, container, limit.signal);
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new AgentError(Code.internal, "ETIME: container was not removed in time");
  } finally {
    limit.done();
  }
}
