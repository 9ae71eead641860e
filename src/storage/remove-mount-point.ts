import { rmdir, stat, unlink } from "node:fs/promises";

/**
 * Removes what a mount was on: a folder or a file, and only when it is empty (agent-api 4.3). The kernel refuses while
 * something is still mounted there. @throws ENOTEMPTY, EBUSY and others of the system.
 */
export async function removeMountPoint(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    const found = await stat(path);
    if (!found.isFile() || found.size > 0) throw error;
    await unlink(path);
  }
}
