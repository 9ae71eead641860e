import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";

/** `agentctl destroy-sandbox`: the last request; the guest ends after its answer. */
export function addDestroySandbox(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "destroy-sandbox",
      summary: "end all containers, then the agent (and as PID 1 the guest)",
      examples: ["--addr unix:///run/agent.sock destroy-sandbox"],
    },
    async (session) => {
      await (await session.agent()).call(Method.DestroySandbox, {});
      await session.answer({}, "");
    },
  );
}
