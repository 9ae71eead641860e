import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import {
  addContainerOptions,
  addSandboxOptions,
  type ContainerOptions,
  createRequest,
} from "../container-options.ts";
import { UsageError } from "../usage-error.ts";

type Given = ContainerOptions & { readonly rootfs?: string };

/** `agentctl create ID PROGRAM…`: a container up to the point where its program would start. */
export function addCreate(registry: Registry): void {
  const command = addCommand<Given>(
    registry,
    {
      usage: "create <container> [program...]",
      summary: "create a container; `start` lets it run",
      examples: [
        "--addr unix:///run/agent.sock create --rootfs /srv/busybox web sleep 60",
        "--addr unix:///run/agent.sock create --spec config.json web",
      ],
      takesProgram: true,
    },
    async (session, [containerId = "", ...args], given) => {
      if (given.rootfs === undefined && given.spec === undefined)
        throw new UsageError("--rootfs or --spec is needed");
      const request = await createRequest(containerId, given.rootfs ?? "", args, given);
      await (await session.agent()).call(Method.CreateContainer, request);
      await session.answer({ container_id: containerId }, "");
    },
  );
  addSandboxOptions(addContainerOptions(command)).option(
    "--rootfs <path>",
    "its root file system, a path in the guest",
  );
}
