import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { BlockDevice } from "../devices/block-device.ts";
import type { BlockDevices } from "../devices/block-devices.ts";
import { pciPath } from "../devices/pci-path.ts";
import { scsiAddress } from "../devices/scsi-address.ts";
import { ensureExt4 } from "./make-file-system.ts";
import { mountStorage } from "./mount-storage.ts";
import type { Storage, StorageDriver } from "./storage.ts";

type Find = (source: string, signal: AbortSignal | undefined) => Promise<BlockDevice>;

/**
 * The drivers of volumes on block devices by name (agent-api 4.2). They differ in how the request names the device:
 * `blk` by PCI path or node, `scsi` by address, `mmioblk` and `nvdimm` by node. `pmem` is another word for `nvdimm`.
 */
export function blockStorages(devices: BlockDevices): ReadonlyMap<string, StorageDriver> {
  const byNode: Find = (source, signal) => devices.byNode(source, signal);
  const byPath: Find = (source, signal) =>
    source.startsWith("/dev/") ? byNode(source, signal) : devices.byPciPath(pciPath(source), signal);
  const byAddress: Find = (source, signal) => devices.byScsi(scsiAddress(source), signal);
  return new Map([
    ["blk", driver(byPath)],
    ["scsi", driver(byAddress)],
    ["mmioblk", driver(byNode)],
    ["nvdimm", driver(byNode)],
    ["pmem", driver(byNode)],
  ]);
}

function driver(find: Find): StorageDriver {
  return async (storage, _owner, signal) => {
    const wantsFileSystem = checkedOptions(storage);
    const { path } = await find(storage.source, signal);
    if (wantsFileSystem) await ensureExt4(path, signal);
    return mountStorage({ ...storage, source: path }, signal);
  };
}

/**
 * Whether the request wants a file system made. Encryption is the work of the confidential data hub, which is not
 * there; a volume that shall be encrypted is never mounted without. @throws INTERNAL, UNIMPLEMENTED.
 */
function checkedOptions({ driverOptions, fstype }: Storage): boolean {
  const create = driverOptions.includes("create_filesystem");
  if (driverOptions.some((option) => option.startsWith("encryption_key="))) {
    if (!create) throw new AgentError(Code.internal, "encryption_key needs create_filesystem");
    throw new AgentError(Code.unimplemented, "encrypted volumes need a confidential data hub");
  }
  if (create && fstype !== "ext4") {
    throw new AgentError(Code.internal, "only ext4 file systems can be created");
  }
  return create;
}
