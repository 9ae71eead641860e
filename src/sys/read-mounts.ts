import { readFileSync } from "node:fs";
import { type MountInfo, parseMountInfo } from "./mount-info.ts";

/**
 * The mounts of our mount namespace, in the kernel's order. @throws ENOENT without /proc.
 *
 * Read at once: the kernel makes the text from memory, which takes less time than the way to another thread.
 */
export async function readMounts(): Promise<MountInfo[]> {
  return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
}
