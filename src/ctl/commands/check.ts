import { ServingStatus } from "../../gen/health.ts";
import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { ExitStatus } from "../exit-status.ts";

/** `agentctl check`: is the agent there and well? */
export function addCheck(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "check",
      summary: "ask the agent whether it serves",
      examples: [
        "--addr unix:///run/agent.sock check",
        "--addr hvsock:///run/vm.sock:1024 --timeout 5s check",
      ],
    },
    async (session) => {
      const agent = await session.agent();
      const startMs = performance.now();
      const { status } = await agent.call(Method.Check, {});
      const durationMs = Number((performance.now() - startMs).toFixed(3));
      const name =
        Object.entries(ServingStatus).find(([, number]) => number === status)?.[0] ?? `status ${status}`;
      await session.answer({ status: name, duration_ms: durationMs }, `${name} (${durationMs} ms)`);
      return status === ServingStatus.SERVING ? ExitStatus.done : ExitStatus.failed;
    },
  );
}
