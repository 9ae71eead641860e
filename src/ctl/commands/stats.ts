import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { textLines } from "../text-lines.ts";

/** `agentctl stats ID`: what a container uses. */
export function addStats(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "stats <container>",
      summary: "CPU, memory, pids and block I/O of a container",
      examples: ["--addr unix:///run/agent.sock stats web", "--addr unix:///run/agent.sock --json stats web"],
    },
    async (session, [containerId = ""]) => {
      const stats = await (await session.agent()).call(Method.StatsContainer, { container_id: containerId });
      await session.answer(stats, textLines(stats).join("\n"));
    },
  );
}
