import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { MountFlag, mount } from "../sys/mount.ts";
import { readMounts } from "../sys/read-mounts.ts";
import { guestPath } from "./guest-path.ts";
import { mountOptions } from "./mount-options.ts";
import type { Storage } from "./storage.ts";

/**
 * The mount that most drivers end in (agent-api 4.1): makes the target, skips what is mounted already, mounts.
 * @returns the mount point. @throws INTERNAL with the errno of what failed.
 */
export async function commonMount(storage: Storage): Promise<string> {
  const target = guestPath(storage.mountPoint, "mount point");
  const { flags, data } = mountOptions(storage.options);
  try {
    await makeTarget(storage, target);
    if ((flags & MountFlag.remount) === 0 && (await isMounted(target, storage.fstype))) return target;
    await mount({ source: storage.source, target, type: storage.fstype, flags, data });
  } catch (error) {
    throw AgentError.from(error, `mount ${storage.fstype} on ${target}`);
  }
  return target;
}

/** A directory, or an empty file when a file is to be bound (agent-api 4.1). */
async function makeTarget(storage: Storage, target: string): Promise<void> {
  if (storage.fstype === "bind" && !(await stat(storage.source)).isDirectory()) {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, "", { flag: "a", mode: 0o644 });
    return;
  }
  await mkdir(target, { recursive: true, mode: 0o755 });
}

async function isMounted(target: string, fstype: string): Promise<boolean> {
  const path = target.replace(/(.)\/+$/, "$1");
  return (await readMounts()).some((entry) => entry.mountPoint === path && entry.fsType === fstype);
}
