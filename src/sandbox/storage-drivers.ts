import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";
import type { ContainerId } from "../base/ids.ts";
import type { BlockDevices } from "./block-devices.ts";
import { commonMount } from "./common-mount.ts";
import { guestPath } from "./guest-path.ts";
import type { Storage, StorageDriver } from "./storage.ts";

const setgid = 0o2000;

/** The drivers by the name that requests use (agent-api 4.2). Also what GetGuestDetails lists. */
export function storageDrivers(_devices: BlockDevices): ReadonlyMap<string, StorageDriver> {
  return new Map<string, StorageDriver>([
    ["virtio-fs", commonMount],
    ["ephemeral", ephemeral],
    ["local", local],
    ["overlayfs", overlay],
  ]);
}

/** A tmpfs of the pod: lives until the guest ends. `fsgid=` is for us, all other options are the kernel's. */
async function ephemeral(storage: Storage): Promise<undefined> {
  const gid = groupOption(storage.options);
  const options = storage.options.filter((option) => !option.startsWith("fsgid="));
  const target = await commonMount({ ...storage, options });
  if (gid !== undefined) await giveToGroup(target, gid);
}

/** A directory of the guest, shared between containers: lives until the guest ends. */
async function local(storage: Storage): Promise<undefined> {
  const target = guestPath(storage.mountPoint, "mount point");
  const gid = groupOption(storage.options);
  const mode = numberOption(storage.options, "mode", 8);
  await mkdir(target, { recursive: true, mode: 0o755 });
  if (mode !== undefined) await chmod(target, mode & 0o7777);
  if (gid !== undefined) await giveToGroup(target, gid);
}

/** Layers over each other; with the marker option the upper and work directories are the container's own. */
async function overlay(storage: Storage, owner: ContainerId | undefined): Promise<string> {
  for (const option of storage.driverOptions) {
    const [key, dir] = splitOnce(option);
    if (key !== "io.katacontainers.volume.overlayfs.create_directory") continue;
    await mkdir(guestPath(dir, "directory to create"), { recursive: true, mode: 0o755 });
  }
  if (!storage.options.includes("io.katacontainers.fs-opt.overlay-rw")) return commonMount(storage);
  if (owner === undefined) throw new AgentError(Code.internal, "a writable overlay needs a container");
  const upper = join(guestPaths.base, owner, "upper");
  const work = join(guestPaths.base, owner, "work");
  await mkdir(upper, { recursive: true, mode: 0o755 });
  await mkdir(work, { recursive: true, mode: 0o755 });
  const options = [...storage.options, `upperdir=${upper}`, `workdir=${work}`];
  return commonMount({ ...storage, fstype: "overlay", options });
}

async function giveToGroup(path: string, gid: number): Promise<void> {
  const { uid, mode } = await stat(path);
  await chown(path, uid, gid);
  await chmod(path, (mode & 0o7777) | setgid);
}

function groupOption(options: readonly string[]): number | undefined {
  return numberOption(options, "fsgid", 10);
}

function numberOption(options: readonly string[], key: string, base: 8 | 10): number | undefined {
  const word = options.findLast((option) => option.startsWith(`${key}=`));
  if (word === undefined) return undefined;
  const digits = word.slice(key.length + 1);
  if (!(base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,10}$/).test(digits)) {
    throw new AgentError(Code.internal, `storage option ${key} is not a number`);
  }
  return Number.parseInt(digits, base);
}

function splitOnce(option: string): [key: string, value: string] {
  const at = option.indexOf("=");
  return at < 0 ? [option, ""] : [option.slice(0, at), option.slice(at + 1)];
}
