import { dirname } from "node:path";
import { mayHang } from "../sys/may-hang.ts";
import { UmountFlag, umount } from "../sys/mount.ts";
import { commonMount } from "./common-mount.ts";
import { applyFsGroup } from "./fs-group.ts";
import { removeMountPoint } from "./remove-mount-point.ts";
import type { Storage } from "./storage.ts";

/**
 * Mounts a storage and gives its files to the group that the request wants (agent-api 4.1).
 * @returns the mount point to clean up; undefined when the mount was there before, and so is somebody else's.
 * @throws INTERNAL, with nothing left mounted; the reason of `signal`.
 */
export async function mountStorage(storage: Storage, signal?: AbortSignal): Promise<string | undefined> {
  const { target, made } = await commonMount(storage);
  if (storage.fsGroup === undefined) return made ? target : undefined;
  try {
    await applyFsGroup(target, { ...storage.fsGroup, readOnly: storage.options.includes("ro") }, signal);
  } catch (error) {
    if (made) {
      await mayHang(dirname(target), async () => {
        await umount(target, UmountFlag.detach | UmountFlag.noFollow);
        await removeMountPoint(target);
      }).catch(() => undefined);
    }
    throw error;
  }
  return made ? target : undefined;
}
