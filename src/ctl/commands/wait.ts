import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";

type Given = { readonly exec?: string };

/** `agentctl wait ID`: until a process ends; prints its status. */
export function addWait(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "wait <container>",
      summary: "wait for a process and print its exit status (128 + number when a signal ended it)",
      examples: [
        "--addr unix:///run/agent.sock wait web",
        "--addr unix:///run/agent.sock wait web --exec shell",
      ],
    },
    async (session, [containerId = ""], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? "" };
      const { status } = await (await session.agent()).call(Method.WaitProcess, target);
      await session.answer({ ...target, status }, String(status));
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
