import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { textLines } from "../text-lines.ts";

/** `agentctl details`: what the guest can do. */
export function addDetails(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "details",
      summary: "what the guest and its agent can do (GetGuestDetails)",
      examples: ["--addr unix:///run/agent.sock details", "--addr unix:///run/agent.sock --json details"],
    },
    async (session) => {
      const agent = await session.agent();
      const details = await agent.call(Method.GetGuestDetails, {
        mem_block_size: true,
        mem_hotplug_probe: true,
      });
      await session.answer(details, textLines(details).join("\n"));
    },
  );
}
