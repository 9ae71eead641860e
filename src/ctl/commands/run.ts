import { randomBytes } from "node:crypto";
import type { CreateContainerRequest } from "../../gen/agent.ts";
import type { Input } from "../../gen/message-type.ts";
import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import {
  addContainerOptions,
  addSandboxOptions,
  type ContainerOptions,
  createRequest,
} from "../container-options.ts";
import { copyInto, guestRootfs } from "../copy-into.ts";
import { type Interaction, interact } from "../interact.ts";
import type { Session } from "../session.ts";
import { stopContainer } from "../stop-container.ts";

type Given = ContainerOptions & Interaction & { readonly id?: string; readonly copy?: boolean };

/** Creates a container, runs it connected with us, and removes it in any case. The result is its exit status. */
export async function runContainer(
  session: Session,
  request: Input<CreateContainerRequest> & { readonly container_id: string },
  wish: Interaction,
): Promise<number> {
  const agent = await session.agent();
  const target = { container_id: request.container_id, exec_id: request.container_id };
  await agent.call(Method.CreateContainer, request);
  try {
    await agent.call(Method.StartContainer, { container_id: target.container_id });
    return await interact(session, target, wish);
  } finally {
    await stopContainer(agent, target.container_id);
  }
}

/** `agentctl run ROOTFS PROGRAM…`: the whole life of one container. */
export function addRun(registry: Registry): void {
  const command = addCommand<Given>(
    registry,
    {
      usage: "run <rootfs> <program...>",
      summary: "create, start, connect and remove one container; ends with its exit status",
      examples: [
        "--addr unix:///run/agent.sock run /srv/busybox echo hello",
        "--addr unix:///run/agent.sock run -it /srv/busybox sh",
        "--addr hvsock:///run/vm.sock:1024 run --copy ./rootfs /bin/app",
      ],
      takesProgram: true,
    },
    async (session, [rootfs = "", ...args], given) => {
      const containerId = given.id ?? `run-${randomBytes(6).toString("hex")}`;
      const rootPath = given.copy ? guestRootfs(containerId) : rootfs;
      const request = await createRequest(containerId, rootPath, args, given);
      if (given.copy) await copyInto(await session.agent(), rootfs, rootPath);
      const status = await runContainer(session, { ...request, container_id: containerId }, given);
      await session.answer({ container_id: containerId, status }, "");
      return status;
    },
  );
  addSandboxOptions(addContainerOptions(command))
    .option("-i, --interactive", "send our standard input to it")
    .option("--id <id>", "id of the container (default: a random one)")
    .option("--copy", "the root file system is a directory here: copy it into the guest first");
}
