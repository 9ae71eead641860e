import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";

type Given = { readonly exec?: string };

/** `agentctl close-stdin ID`: the process reads end of file. */
export function addCloseStdin(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "close-stdin <container>",
      summary: "close the standard input of a process",
      examples: ["--addr unix:///run/agent.sock close-stdin web"],
    },
    async (session, [containerId = ""], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? containerId };
      await (await session.agent()).call(Method.CloseStdin, target);
      await session.answer(target, "");
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
