import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { MountFlag, mount, UmountFlag, umount } from "../sys/mount.ts";

/**
 * Gives the guest the pod's name servers (agent-api 3.1 step 7): writes `lines` to `file` and binds it on `target`.
 * Nothing happens when there are no lines or no target.
 * @returns what takes the mount back, if there is one.
 * @throws INTERNAL when the target is a directory.
 */
export async function setUpDns(
  lines: readonly string[],
  file: string,
  target = "/etc/resolv.conf",
): Promise<(() => Promise<void>) | undefined> {
  if (lines.length === 0) return undefined;
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isDirectory()) throw new AgentError(Code.internal, `${target} is a directory`);
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeFile(file, `${lines.map((line) => line.trim()).join("\n")}\n`, { mode: 0o644 });
  try {
    await mount({ source: file, target, flags: MountFlag.bind });
  } catch (error) {
    throw AgentError.from(error, `bind-mount ${target}`);
  }
  return () => umount(target, UmountFlag.detach);
}
