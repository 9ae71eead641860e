import { mkdir, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { mayHang } from "../sys/may-hang.ts";
import { MountFlag, mount } from "../sys/mount.ts";
import { readMounts } from "../sys/read-mounts.ts";
import { mountOptions } from "./mount-options.ts";
import { mustNotLeadOut } from "./must-not-lead-out.ts";
import { removeMountPoint } from "./remove-mount-point.ts";
import type { Storage } from "./storage.ts";

/** Where something is mounted; `made`: by this request, and not by an earlier one or somebody else. */
export type Mounted = { target: string; made: boolean };

/** The tag of the share with the host; whoever mounted it first, it is the right one (agent-api 4.1). */
const shareTag = "kataShared";

/**
 * The mount that most drivers end in (agent-api 4.1): makes the target, skips what is mounted already, mounts.
 * @throws INTERNAL with the errno of what failed; nothing is left of it.
 */
export async function commonMount(storage: Storage): Promise<Mounted> {
  const target = absolutePath(storage.mountPoint, "mount point");
  const { flags, data } = mountOptions(storage.options);
  try {
    const isFile = storage.fstype === "bind" && (await isFileAt(storage.source));
    const unmake = await mayHang(target, async () => {
      await mustNotLeadOut(target);
      return makeTarget(target, isFile);
    });
    const remount = (flags & MountFlag.remount) !== 0;
    if (!remount && (await isMounted(target, storage))) return { target, made: false };
    try {
      const request = { source: storage.source, target, type: storage.fstype, flags, data };
      await mayHang(touchedBy(storage), () => mount(request));
    } catch (error) {
      await mayHang(target, unmake).catch(() => undefined);
      throw error;
    }
    return { target, made: !remount };
  } catch (error) {
    throw AgentError.from(error, `mount ${storage.fstype} on ${target}`);
  }
}

/**
 * A directory, or an empty file when a file is to be bound (agent-api 4.1).
 * @returns what takes away again what had to be made; that never rejects.
 */
async function makeTarget(target: string, isFile: boolean): Promise<() => Promise<void>> {
  const made = await mkdir(isFile ? dirname(target) : target, { recursive: true, mode: 0o755 });
  const madeFile = isFile && (await makeFile(target));
  return async () => {
    if (madeFile) await removeMountPoint(target).catch(() => undefined);
    if (made !== undefined) await unmakeFolders(made, isFile ? dirname(target) : target);
  };
}

/** Where a mount looks: a bind at its source, an overlay at its layers, another one at its own device or server. */
function touchedBy({ fstype, source, options }: Storage): string {
  if (fstype === "overlay") {
    const lowers = options.findLast((option) => option.startsWith("lowerdir="))?.split(":");
    return lowers?.at(-1)?.replace("lowerdir=", "") ?? source;
  }
  const bound = fstype === "bind" || options.some((option) => option === "bind" || option === "rbind");
  return bound ? source : `${fstype} of ${source}`;
}

function isFileAt(path: string): Promise<boolean> {
  return mayHang(path, async () => !(await stat(path)).isDirectory());
}

async function makeFile(path: string): Promise<boolean> {
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o644 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** Removes what was made for nothing, from the target upwards; what somebody uses by now is not empty and stays. */
async function unmakeFolders(topmost: string, target: string): Promise<void> {
  const last = topmost.replace(trailingSlashes, "$1");
  for (let path = target.replace(trailingSlashes, "$1"); path.startsWith(last); path = dirname(path)) {
    if (!(await rmdir(path).then(isDone, isNotDone))) return;
  }
}

const trailingSlashes = /(.)\/+$/;
const isDone = () => true;
const isNotDone = () => false;

async function isMounted(target: string, { source, fstype }: Storage): Promise<boolean> {
  const path = target.replace(trailingSlashes, "$1");
  const here = (await readMounts()).filter((entry) => entry.mountPoint === path);
  return here.some((entry) => source === shareTag || entry.fsType === fstype);
}
