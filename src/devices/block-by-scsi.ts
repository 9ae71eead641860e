import { readdir, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type BlockDevice, blockDeviceIn } from "./block-device.ts";
import type { ScsiAddress } from "./scsi-address.ts";
import { writeAttribute } from "./write-attribute.ts";

/** Asks every SCSI host to look at one address (agent-api 4.6); one that refuses is passed over. */
export async function scanScsi(sysfs: string, { target, lun }: ScsiAddress): Promise<void> {
  const hosts = join(sysfs, "class/scsi_host");
  for (const host of await readdir(hosts).catch(() => [])) {
    await writeAttribute(join(hosts, host, "scan"), `0 ${target} ${lun}`).catch(() => undefined);
  }
}

/**
 * The disk at a SCSI address; undefined while it is not there. The first host is the runtime's, as is any virtio host:
 * a machine may have hosts of its own, such as SATA ports, with disks at the same address.
 */
export async function blockByScsi(
  sysfs: string,
  dev: string,
  { target, lun }: ScsiAddress,
): Promise<BlockDevice | undefined> {
  const links = join(sysfs, "class/block");
  const place = new RegExp(`/(\\d+):0:${target}:${lun}/block/[^/]+$`);
  for (const name of await readdir(links).catch(() => [])) {
    const folder = resolve(links, await readlink(join(links, name)).catch(() => ""));
    const host = place.exec(folder)?.[1];
    if (host === "0" || (host !== undefined && /\/virtio\d+\//.test(folder))) {
      return blockDeviceIn(folder, dev);
    }
  }
  return undefined;
}
