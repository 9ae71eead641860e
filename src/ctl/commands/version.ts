import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";

/** `agentctl version`: which agent, which API. */
export function addVersion(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "version",
      summary: "the versions of the agent and of its API",
      examples: ["--addr unix:///run/agent.sock version"],
    },
    async (session) => {
      const version = await (await session.agent()).call(Method.Version, {});
      await session.answer(version, `agent ${version.agent_version}\nAPI   ${version.grpc_version}`);
    },
  );
}
