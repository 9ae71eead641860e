import { randomUUID } from "node:crypto";
import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { interact } from "../interact.ts";
import { addProcessOptions, type ProcessOptions, processChoice } from "../process-options.ts";
import { buildProcess } from "../spec.ts";

type Given = ProcessOptions & {
  readonly interactive?: boolean;
  readonly detach?: boolean;
  readonly exec?: string;
};

/** `agentctl exec ID PROGRAM…`: one more process in a running container. */
export function addExec(registry: Registry): void {
  const command = addCommand<Given>(
    registry,
    {
      usage: "exec <container> <program...>",
      summary: "run a program in a container; ends with its exit status",
      examples: [
        "--addr unix:///run/agent.sock exec web ls -l /",
        "--addr unix:///run/agent.sock exec -it web sh",
        "--addr unix:///run/agent.sock exec -d --exec worker web sleep 60",
      ],
      takesProgram: true,
    },
    async (session, [containerId = "", ...args], given) => {
      const target = { container_id: containerId, exec_id: given.exec ?? randomUUID() };
      const process = buildProcess(processChoice(given, args));
      await (await session.agent()).call(Method.ExecProcess, { ...target, process });
      if (given.detach) {
        await session.answer(target, target.exec_id);
        return undefined;
      }
      const status = await interact(session, target, given);
      await session.answer({ ...target, status }, "");
      return status;
    },
  );
  addProcessOptions(command)
    .option("-i, --interactive", "send our standard input to it")
    .option("-d, --detach", "do not wait: print the exec id")
    .option("--exec <id>", "id of the new process (default: a random one)");
}
