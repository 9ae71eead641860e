import { Argument } from "commander";
import { addCommand, type Registry } from "../command.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { outlineOf } from "../completion/outline.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { UsageError } from "../usage-error.ts";

const writers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `agentctl completion SHELL`: the script that completes our command lines there. */
export function addCompletion(registry: Registry): void {
  const shells = Object.keys(writers);
  addCommand(
    registry,
    {
      usage: "completion",
      summary: "the script that completes agentctl's command lines in a shell",
      examples: [
        "completion bash > /etc/bash_completion.d/agentctl",
        "completion fish > ~/.config/fish/completions/agentctl.fish",
      ],
    },
    async (session, [shell = ""]) => {
      const write = writers[shell as keyof typeof writers];
      if (write === undefined) throw new UsageError(`no completions for ${shell}`);
      const script = write(outlineOf(registry.program));
      await session.answer({ script }, script.trimEnd());
    },
  ).addArgument(new Argument("<shell>", shells.join(", ")).choices(shells));
}
