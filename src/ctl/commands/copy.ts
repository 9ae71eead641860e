import { addCommand, type Registry } from "../command.ts";
import { copyInto } from "../copy-into.ts";
import { parseOwner } from "../option-values.ts";

type Given = { readonly owner?: string };

/** `agentctl copy SOURCE TARGET`: a file, a symbolic link, or a directory with all below it. */
export function addCopy(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "copy <source> <target>",
      summary: "copy a file, directory or symbolic link into the guest, 1 MiB per request",
      examples: [
        "--addr unix:///run/agent.sock copy ./rootfs /run/kata-containers/shared/containers/web/rootfs --owner 0:0",
      ],
    },
    async (session, [source = "", target = ""], given) => {
      const agent = await session.agent();
      const owner = given.owner === undefined ? {} : { owner: parseOwner(given.owner) };
      await session.answer(await copyInto(agent, source, target, owner), "");
    },
  ).option("--owner <uid:gid>", "owner of all copies (default: as they are)");
}
