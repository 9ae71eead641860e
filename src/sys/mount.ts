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
