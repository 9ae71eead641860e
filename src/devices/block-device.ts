import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A block device of the guest. */
export type BlockDevice = {
  /** Its node, such as `/dev/vda`. */
  path: string;
  major: number;
  minor: number;
  /** Its own folder below `/sys/devices`. */
  sysfsPath: string;
};

/**
 * Reads what the kernel says of a block device in its sysfs folder: number and name of the node below `dev`.
 * @returns undefined while the kernel has not written it, or when it is gone again.
 */
export async function blockDeviceIn(folder: string, dev: string): Promise<BlockDevice | undefined> {
  const text = await readFile(join(folder, "uevent"), "utf8").catch(() => "");
  const value = (key: string) => new RegExp(`^${key}=(.+)$`, "m").exec(text)?.[1];
  const [major, minor, name] = [value("MAJOR"), value("MINOR"), value("DEVNAME")];
  if (major === undefined || minor === undefined || name === undefined) return undefined;
  return { path: join(dev, name), major: Number(major), minor: Number(minor), sysfsPath: folder };
}
