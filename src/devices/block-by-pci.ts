import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type BlockDevice, blockDeviceIn } from "./block-device.ts";
import { type PciPath, pciDeviceFolder } from "./pci-path.ts";

/** The whole disk of the virtio-blk device at a PCI path (agent-api 4.5); undefined while it is not there. */
export async function blockByPci(
  sysfs: string,
  dev: string,
  path: PciPath,
): Promise<BlockDevice | undefined> {
  const device = await pciDeviceFolder(sysfs, path);
  if (device === undefined) return undefined;
  for (const virtio of await entries(device)) {
    if (!/^virtio\d+$/.test(virtio)) continue;
    const folder = join(device, virtio, "block");
    // Partitions lie one level further down.
    const [disk] = await entries(folder);
    if (disk !== undefined) return blockDeviceIn(join(folder, disk), dev);
  }
  return undefined;
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
