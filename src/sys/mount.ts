import { forgetMounts } from "./file-system-of.ts";
import { kernel } from "./kernel.ts";

/** Flags of mount(2). */
export const MountFlag = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  synchronous: 16,
  remount: 32,
  mandatoryLock: 64,
  dirSync: 128,
  noSymfollow: 256,
  noAtime: 1024,
  noDirAtime: 2048,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  silent: 32768,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relAtime: 1 << 21,
  iVersion: 1 << 23,
  strictAtime: 1 << 24,
  lazyTime: 1 << 25,
} as const;

/** Flags of umount2(2). */
export const UmountFlag = { force: 1, detach: 2, expire: 4, noFollow: 8 } as const;

/** What to mount where. An absent `source`, `type` or `data` is NULL to the kernel; `flags` is a sum of `MountFlag`. */
export type MountRequest = { source?: string; target: string; type?: string; flags?: number; data?: string };

/** Mounts, off the event loop: a file server may take long to answer. @throws the system error of mount(2). */
export async function mount({ source, target, type, flags, data }: MountRequest): Promise<void> {
  await kernel.mount(source ?? null, target, type ?? null, flags ?? 0, data ?? null);
  forgetMounts();
}

/** Unmounts what is on top at `target`. @throws the system error, such as EBUSY, EINVAL for what is no mount. */
export async function umount(target: string, flags = 0): Promise<void> {
  await kernel.umount(target, flags);
  forgetMounts();
}

/** Moves a mount with all below it. @throws EINVAL when its parent mount is shared. */
export async function moveMount(from: string, to: string): Promise<void> {
  await kernel.mount(from, to, null, MountFlag.move, null);
}

/**
 * Swaps the root of the mount namespace; the old one appears at `putOld`. Change the working directory afterwards.
 * @throws EINVAL when the root is the initial ramfs, or `newRoot` is no mount.
 */
export async function pivotRoot(newRoot: string, putOld: string): Promise<void> {
  await kernel.pivotRoot(newRoot, putOld);
}

/** Changes the root of this process. Change the working directory afterwards. @throws ENOENT, EPERM. */
export async function changeRoot(path: string): Promise<void> {
  await kernel.chroot(path);
}
