import { addCommand, type Registry } from "../command.ts";
import { copyInput } from "../copy-input.ts";

type Given = { readonly exec?: string };

/** `agentctl stdin ID`: our own standard input to that of a process. */
export function addStdin(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "stdin <container>",
      summary: "send our standard input to a process, then close its standard input",
      examples: ["--addr unix:///run/agent.sock stdin web <input.txt"],
    },
    async (session, [containerId = ""], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? containerId };
      await copyInput(await session.agent(), target, session.host.stdin);
      await session.answer(target, "");
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
