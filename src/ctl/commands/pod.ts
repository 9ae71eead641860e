import { randomBytes } from "node:crypto";
import { type Agent, Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { addContainerOptions, type ContainerOptions, createRequest } from "../container-options.ts";
import { copyInto, guestRootfs } from "../copy-into.ts";
import type { Interaction } from "../interact.ts";
import { startPause } from "../pause-container.ts";
import { sandboxRequest } from "../sandbox-request.ts";
import { stopContainer } from "../stop-container.ts";
import { runContainer } from "./run.ts";

type Given = Omit<ContainerOptions, "pause" | "sandbox"> &
  Interaction & { readonly id?: string; readonly hostname?: string; readonly copy?: boolean };

/** DestroySandbox comes also after Ctrl-C; the agent flushes its trace and answers first. */
const destroyMs = 15_000;

/** The first three requests of the Go shim to a guest without network (image-and-runtime 4.2). */
async function openSandbox(agent: Agent, sandboxId: string, given: Given): Promise<void> {
  await agent.call(Method.Check, {});
  const sharePid = given.sharePid ?? false;
  await agent.call(
    Method.CreateSandbox,
    sandboxRequest({ sandboxId, sharePid, hostname: given.hostname ?? sandboxId }),
  );
  await agent.call(Method.GetGuestDetails, { mem_block_size: true, mem_hotplug_probe: true });
}

async function closeSandbox(agent: Agent): Promise<void> {
  await agent.call(
    Method.DestroySandbox,
    {},
    { signal: AbortSignal.timeout(destroyMs), timeoutMs: destroyMs },
  );
}

/** The root file systems of the two containers, as paths in the guest. */
async function rootPaths(
  agent: Agent,
  ids: readonly string[],
  rootfs: string,
  copy: boolean,
): Promise<string[]> {
  if (copy) for (const id of ids) await copyInto(agent, rootfs, guestRootfs(id));
  return ids.map((id) => (copy ? guestRootfs(id) : rootfs));
}

/** `agentctl pod ROOTFS PROGRAM…`: what the Go shim sends for a pod with one container, from Check to DestroySandbox. */
export function addPod(registry: Registry): void {
  const command = addCommand<Given>(
    registry,
    {
      usage: "pod <rootfs> <program...>",
      summary: "a whole pod as the Go shim plays it: sandbox, pause, one container; the agent ends with it",
      examples: [
        "--addr unix:///run/agent.sock pod /srv/busybox echo hello",
        "--addr hvsock:///run/vm.sock:1024 pod --copy -it ./rootfs sh",
      ],
      takesProgram: true,
    },
    async (session, [rootfs = "", ...args], given) => {
      const agent = await session.agent();
      const sandboxId = given.id ?? `pod-${randomBytes(6).toString("hex")}`;
      const containerId = `${sandboxId}-app`;
      await openSandbox(agent, sandboxId, given);
      try {
        const [pauseRoot = rootfs, appRoot = rootfs] = await rootPaths(
          agent,
          [sandboxId, containerId],
          rootfs,
          given.copy ?? false,
        );
        await startPause(agent, { sandboxId, rootPath: pauseRoot, rootless: given.rootless ?? false });
        const request = await createRequest(containerId, appRoot, args, { ...given, sandbox: sandboxId });
        const status = await runContainer(session, { ...request, container_id: containerId }, given);
        await stopContainer(agent, sandboxId);
        await session.answer({ sandbox_id: sandboxId, container_id: containerId, status }, "");
        return status;
      } finally {
        await closeSandbox(agent);
      }
    },
  );
  addContainerOptions(command)
    .option("-i, --interactive", "send our standard input to the container")
    .option("--id <id>", "id of the sandbox (default: a random one)")
    .option("--hostname <name>", "host name of the pod (default: the id)")
    .option("--copy", "the root file system is a directory here: copy it into the guest first");
}
