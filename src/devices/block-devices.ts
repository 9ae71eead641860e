import { blockByNode } from "./block-by-node.ts";
import { blockByPci } from "./block-by-pci.ts";
import { blockByScsi, scanScsi } from "./block-by-scsi.ts";
import type { BlockDevice } from "./block-device.ts";
import type { PciPath } from "./pci-path.ts";
import type { ScsiAddress } from "./scsi-address.ts";
import type { Uevents } from "./uevents.ts";

/** `ownsMachine`: SCSI hosts are ours to scan. `sysfs`, `dev`: where these are mounted (default /sys, /dev). */
export type BlockDevicesOptions = { uevents: Uevents; ownsMachine: boolean; sysfs?: string; dev?: string };

const what = "block device";

/**
 * Finds the block devices that requests name, and waits for those that the host is still plugging in, as long as
 * `agent.hotplug_timeout` (agent-api 4.4 to 4.6, 5.2). All throw INTERNAL when the device does not come, and the reason
 * of the signal.
 */
export class BlockDevices {
  readonly #uevents: Uevents;
  readonly #ownsMachine: boolean;
  readonly #sysfs: string;
  readonly #dev: string;

  constructor({ uevents, ownsMachine, sysfs = "/sys", dev = "/dev" }: BlockDevicesOptions) {
    this.#uevents = uevents;
    this.#ownsMachine = ownsMachine;
    this.#sysfs = sysfs;
    this.#dev = dev;
  }

  /** The disk of the virtio-blk device at a PCI path (4.5). */
  byPciPath(path: PciPath, signal?: AbortSignal): Promise<BlockDevice> {
    return this.#uevents.waitFor(() => blockByPci(this.#sysfs, this.#dev, path), { what, signal });
  }

  /** The disk at a SCSI address; the hosts are asked to look for it (4.6). */
  byScsi(address: ScsiAddress, signal?: AbortSignal): Promise<BlockDevice> {
    const find = () => blockByScsi(this.#sysfs, this.#dev, address);
    const look = async () => {
      const there = await find();
      if (there !== undefined || !this.#ownsMachine) return there;
      await scanScsi(this.#sysfs, address);
      return find();
    };
    return this.#uevents.waitFor(look, { what, signal });
  }

  /** The device with a node below /dev, such as `/dev/vda` or `/dev/pmem0` (4.2). @throws INTERNAL for other paths. */
  byNode(path: string, signal?: AbortSignal): Promise<BlockDevice> {
    return this.#uevents.waitFor(() => blockByNode(this.#sysfs, this.#dev, path), { what, signal });
  }
}
