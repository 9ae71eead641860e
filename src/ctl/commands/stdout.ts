import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { copyOutput } from "../copy-output.ts";
import { outputSink } from "../output-sink.ts";

type Given = { readonly exec?: string };

/** `agentctl stdout ID`: what a process writes, to our own standard output, until it ends. */
export function addStdout(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "stdout <container>",
      summary: "read the standard output (or the terminal) of a process to its end",
      examples: [
        "--addr unix:///run/agent.sock stdout web",
        "--addr unix:///run/agent.sock stdout web --exec shell",
      ],
    },
    async (session, [containerId = ""], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? containerId };
      await copyOutput(
        await session.agent(),
        Method.ReadStdout,
        target,
        outputSink(session, session.host.stdout, "stdout"),
      );
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
