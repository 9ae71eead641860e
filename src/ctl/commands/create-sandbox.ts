import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { collect, wholeNumber } from "../option-values.ts";
import { sandboxRequest } from "../sandbox-request.ts";

type Given = {
  readonly hostname?: string;
  readonly dns?: readonly string[];
  readonly shmSize?: string;
  readonly sharePid?: boolean;
};

/** `agentctl create-sandbox ID`: the first request of a pod. */
export function addCreateSandbox(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "create-sandbox <sandbox>",
      summary: "make the sandbox: name, DNS, shared memory, shared namespaces",
      examples: [
        "--addr unix:///run/agent.sock create-sandbox pod1 --hostname web --dns 'nameserver 10.0.0.10'",
      ],
    },
    async (session, [sandboxId = ""], given) => {
      const agent = await session.agent();
      await agent.call(
        Method.CreateSandbox,
        sandboxRequest({
          ...given,
          sandboxId,
          shmBytes: wholeNumber(given.shmSize ?? "0", "--shm-size", 0, 2 ** 40),
        }),
      );
      await session.answer({ sandbox_id: sandboxId }, "");
    },
  )
    .option("--hostname <name>", "host name of all containers (default: the id)")
    .option("--dns <line>", "a line of resolv.conf; may be repeated", collect)
    .option("--shm-size <bytes>", "size of the pod's /dev/shm (default: 64 MiB)")
    .option("--share-pid", "one pid namespace for all containers");
}
