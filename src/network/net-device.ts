import { readdir, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type PciPath, pciDeviceFolder } from "../devices/pci-path.ts";
import type { Uevents } from "../devices/uevents.ts";

/** Where devices are looked for: `sysfs` is where that is mounted. */
export type NetDeviceSearch = { uevents: Uevents; sysfs: string; signal?: AbortSignal | undefined };

/**
 * Waits until a network device is there below a PCI device (agent-api 3.18 step 1, 5.2).
 * @throws INTERNAL with `Link not found` when the time is over.
 */
export async function netDeviceArrived(
  path: PciPath,
  { uevents, sysfs, signal }: NetDeviceSearch,
): Promise<void> {
  const missing = "interface not available: Link not found in time";
  await uevents.waitFor(() => netDeviceBelow(sysfs, path), { what: "net device", missing, signal });
}

/** The network device directly below the PCI device: a physical NIC. A virtio NIC is one level further down. */
export async function physicalNetDevice(sysfs: string, path: PciPath): Promise<string | undefined> {
  const folder = await pciDeviceFolder(sysfs, path);
  if (folder === undefined) return undefined;
  return (await readdir(join(folder, "net")).catch(() => []))[0];
}

async function netDeviceBelow(sysfs: string, path: PciPath): Promise<string | undefined> {
  const folder = await pciDeviceFolder(sysfs, path);
  if (folder === undefined) return undefined;
  const links = join(sysfs, "class/net");
  for (const name of await readdir(links).catch(() => [])) {
    const target = await readlink(join(links, name)).catch(() => "");
    if (resolve(links, target).startsWith(`${folder}/`)) return name;
  }
  return undefined;
}
