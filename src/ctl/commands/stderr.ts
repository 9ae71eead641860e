import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { copyOutput } from "../copy-output.ts";
import { outputSink } from "../output-sink.ts";

type Given = { readonly exec?: string };

/** `agentctl stderr ID`: what a process writes, to our own standard output, until it ends. */
export function addStderr(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "stderr <container>",
      summary: "read the standard error of a process to its end",
      examples: [
        "--addr unix:///run/agent.sock stderr web",
        "--addr unix:///run/agent.sock stderr web --exec shell",
      ],
    },
    async (session, [containerId = ""], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? containerId };
      await copyOutput(
        await session.agent(),
        Method.ReadStderr,
        target,
        outputSink(session, session.host.stdout, "stderr"),
      );
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
