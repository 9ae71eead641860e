import { mkdir, rmdir, stat, writeFile } from "node:fs/promises";
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
    const made = await makeTarget(storage, target);
    if ((flags & MountFlag.remount) === 0 && (await isMounted(target, storage.fstype))) return target;
    try {
      await mount({ source: storage.source, target, type: storage.fstype, flags, data });
    } catch (error) {
      if (made !== undefined) await unmake(made, target);
      throw error;
    }
  } catch (error) {
    throw AgentError.from(error, `mount ${storage.fstype} on ${target}`);
  }
  return target;
}

/**
 * A directory, or an empty file when a file is to be bound (agent-api 4.1).
 * @returns the topmost path that had to be made, if any.
 */
async function makeTarget(storage: Storage, target: string): Promise<string | undefined> {
  if (storage.fstype === "bind" && !(await stat(storage.source)).isDirectory()) {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, "", { flag: "a", mode: 0o644 });
    return undefined;
  }
  return mkdir(target, { recursive: true, mode: 0o755 });
}

/** Removes what was made for nothing, from the target upwards; what somebody uses by now is not empty and stays. */
async function unmake(topmost: string, target: string): Promise<void> {
  const last = topmost.replace(trailingSlashes, "$1");
  for (let path = target.replace(trailingSlashes, "$1"); path.startsWith(last); path = dirname(path)) {
    if (!(await rmdir(path).then(isDone, isNotDone))) return;
  }
}

const trailingSlashes = /(.)\/+$/;
const isDone = () => true;
const isNotDone = () => false;

async function isMounted(target: string, fstype: string): Promise<boolean> {
  const path = target.replace(trailingSlashes, "$1");
  return (await readMounts()).some((entry) => entry.mountPoint === path && entry.fsType === fstype);
}
