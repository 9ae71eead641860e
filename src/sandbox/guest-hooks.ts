import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";

const stages = ["prestart", "poststart", "poststop"] as const;
/** What an image can sensibly bring; each is run for every container. */
const maxHooks = 64;
const executableBits = 0o111;

/** Programs of the guest image that are run for every container, by stage. `args` begin with the program's own name. */
export type GuestHooks = Readonly<
  Record<(typeof stages)[number], readonly { path: string; args: string[] }[]>
>;

/** An image without hooks. */
export const noGuestHooks: GuestHooks = { prestart: [], poststart: [], poststop: [] };

/**
 * Finds the hooks of the guest image below `dir` (agent-api 3.1 step 6): executable files, no links, of the folders
 * named after their stage, in the order of their names. What cannot be read is logged; a missing folder holds none.
 */
export async function findGuestHooks(dir: string, log: Log): Promise<GuestHooks> {
  if (dir === "") return noGuestHooks;
  try {
    absolutePath(dir, "guest hook path");
  } catch (error) {
    log.warn({ error: AgentError.from(error).message }, "guest hooks were not read");
    return noGuestHooks;
  }
  const [prestart = [], poststart = [], poststop = []] = await Promise.all(
    stages.map((stage) => hooksOf(join(dir, stage), stage, log)),
  );
  return { prestart, poststart, poststop };
}

async function hooksOf(dir: string, stage: string, log: Log): Promise<{ path: string; args: string[] }[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const hooks = [];
    for (const name of names.sort()) {
      const path = join(dir, name);
      if (((await stat(path)).mode & executableBits) !== 0) hooks.push({ path, args: [name, stage] });
    }
    if (hooks.length > maxHooks)
      log.warn({ stage, count: hooks.length }, "too many guest hooks, some are left out");
    return hooks.slice(0, maxHooks);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      log.warn({ stage, error: AgentError.from(error).message }, "guest hooks were not read");
    }
    return [];
  }
}
