import { accessSync, constants } from "node:fs";
import type { MountInfo } from "../sys/mount-info.ts";

/** `--cgroup-manager` of crun. */
export type CgroupManager = "cgroupfs" | "disabled";

/**
 * Whether crun can manage control groups here: version 2 at the top, or version 1 without a version 2 tree beside it.
 * crun refuses the mixture ("hybrid"); then containers run without groups of their own, as they do where the tree is
 * not ours to write, in the user namespace of an ordinary user.
 */
export function cgroupManager(mounts: readonly MountInfo[], root = "/sys/fs/cgroup"): CgroupManager {
  const top = mounts.findLast((entry) => entry.mountPoint === root);
  if (top?.fsType === "cgroup2") return isWritable(root) ? "cgroupfs" : "disabled";
  const below = mounts.filter((entry) => entry.mountPoint.startsWith(`${root}/`));
  const hybrid = below.some((entry) => entry.fsType === "cgroup2");
  return below.length > 0 && !hybrid ? "cgroupfs" : "disabled";
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
