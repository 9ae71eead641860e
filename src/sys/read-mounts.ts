import { readFile } from "node:fs/promises";
import { type MountInfo, parseMountInfo } from "./mount-info.ts";

/** The mounts of our mount namespace, in the kernel's order. @throws ENOENT without /proc. */
export async function readMounts(): Promise<MountInfo[]> {
  return parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
}
