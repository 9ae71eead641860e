import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { signalName, signalNumber } from "../signal-number.ts";

type Given = { readonly exec?: string };

/** `agentctl signal ID SIGNAL`: to the init process, or with `--exec` to another one. */
export function addSignal(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "signal <container> <signal>",
      summary: "send a signal, by name or number; KILL without --exec kills the whole container",
      examples: [
        "--addr unix:///run/agent.sock signal web TERM",
        "--addr unix:///run/agent.sock signal web 9 --exec shell",
      ],
    },
    async (session, [containerId = "", name = ""], given) => {
      const signal = signalNumber(name);
      const request = { container_id: containerId, exec_id: given.exec ?? "", signal };
      await (await session.agent()).call(Method.SignalProcess, request);
      await session.answer({ ...request, signal_name: signalName(signal) }, "");
    },
  ).option("--exec <id>", "the process of an exec instead of the container");
}
