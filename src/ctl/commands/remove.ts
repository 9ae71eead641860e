import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { wholeNumber } from "../option-values.ts";

type Given = { readonly within?: string };

/** `agentctl remove ID`: kill what is left of a container and take it away. */
export function addRemove(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "remove <container>",
      summary: "remove a container with all its processes and storages",
      examples: ["--addr unix:///run/agent.sock remove web"],
    },
    async (session, [containerId = ""], given) => {
      const timeout = wholeNumber(given.within ?? "0", "--within", 0, 86_400);
      await (await session.agent()).call(Method.RemoveContainer, { container_id: containerId, timeout });
      await session.answer({ container_id: containerId }, "");
    },
  ).option("--within <seconds>", "the agent gives up after so long (default: never)");
}
