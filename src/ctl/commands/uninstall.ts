import { addCommand, type Registry } from "../command.ts";
import { bringBack } from "../install/backup.ts";
import { dropInName, removeDropIn } from "../install/drop-in.ts";
import { configPath } from "../install/kata-config.ts";
import { UsageError } from "../usage-error.ts";

type Given = { readonly kataConfig: string; readonly force?: boolean };

/** `agentctl uninstall`: the configuration of a Kata runtime as it was before `agentctl install`, to the byte. */
export function addUninstall(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "uninstall",
      summary: "bring back the configuration of a Kata runtime as it was before install",
      examples: ["uninstall --kata-config /etc/kata-containers/configuration.toml"],
    },
    async (session, _none, { kataConfig, force = false }) => {
      // What is there now may be no TOML any more: it is brought back all the same.
      const path = await configPath(kataConfig);
      const done = [
        ...((await removeDropIn(path)) ? [`config.d/${dropInName} is gone`] : []),
        ...((await bringBack(path, force)) ? [`${path} is as it was before`] : []),
      ];
      if (done.length === 0) throw new UsageError(`agentctl has changed nothing at ${path}`);
      await session.answer({ config: path, done }, done.join("\n"));
    },
  )
    .requiredOption("--kata-config <file>", "the configuration that install was given")
    .option("--force", "also when somebody has changed it since");
}
