import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { BlockDevice } from "./block-device.ts";
import type { BlockDevices } from "./block-devices.ts";
import type { DeviceDriver, FoundDevice } from "./device.ts";
import { pciPath } from "./pci-path.ts";
import { scsiAddress } from "./scsi-address.ts";
import { type Vfio, vfioForGuestKernel, vfioGroup } from "./vfio.ts";

/** The drivers by the type that requests use (agent-api 4.4). Those of s390x say that they are. */
export function deviceDrivers(blocks: BlockDevices, vfio: Vfio): ReadonlyMap<string, DeviceDriver> {
  return new Map<string, DeviceDriver>([
    ["blk", async ({ id }, signal) => disk(await blocks.byPciPath(pciPath(id), signal))],
    ["scsi", async ({ id }, signal) => disk(await blocks.byScsi(scsiAddress(id), signal))],
    ["mmioblk", async ({ vmPath }, signal) => disk(await blocks.byNode(vmPath, signal))],
    ["nvdimm", async ({ vmPath }, signal) => disk(await blocks.byNode(vmPath, signal))],
    ["vfio-pci-gk", (device, signal) => vfioForGuestKernel(vfio, device, signal)],
    ["vfio-pci", (device, signal) => vfioGroup(vfio, device, signal)],
    ["vfio-ap", onS390x],
    ["vfio-ap-cold", onS390x],
    ["blk-ccw", onS390x],
  ]);
}

function disk({ major, minor }: BlockDevice): FoundDevice {
  return { node: { type: "b", major, minor } };
}

async function onS390x(): Promise<never> {
  throw new AgentError(Code.unimplemented, "devices of this type are on s390x only");
}
