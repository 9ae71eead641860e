import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";

/** `agentctl start ID`: let the init process of a created container go. */
export function addStart(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "start <container>",
      summary: "start a created container",
      examples: ["--addr unix:///run/agent.sock start web"],
    },
    async (session, [containerId = ""]) => {
      await (await session.agent()).call(Method.StartContainer, { container_id: containerId });
      await session.answer({ container_id: containerId }, "");
    },
  );
}
