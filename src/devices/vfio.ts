/**
 * Primer. A PCI device that the host passes through to the guest is used in one of two ways: by the guest's kernel, with
 * its ordinary driver (`vfio-pci-gk`), or by a program in a container, through /dev/vfio/<group> (`vfio-pci`). For the
 * second the device is taken from its driver and given to the kernel's vfio-pci; what a program opens is the whole IOMMU
 * group, so all devices of one request must be in one. Either way the container's variables name host addresses, which
 * are not those of the guest: the pairs are handed back.
 */
import { readlink, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { deviceNumber } from "../sys/device-number.ts";
import type { Device, FoundDevice } from "./device.ts";
import { isPciAddress } from "./pci-environment.ts";
import { type PciPath, pciDeviceFolder, pciPath } from "./pci-path.ts";
import type { Uevents } from "./uevents.ts";
import { writeAttribute } from "./write-attribute.ts";

/**
 * `sysfs`, `dev`: where these are mounted. `mayBind`: whether the machine's devices are ours to take from their drivers.
 * `loadDriver`: has the kernel load vfio-pci.
 */
export type Vfio = {
  uevents: Uevents;
  mayBind: boolean;
  loadDriver: () => Promise<void>;
  sysfs?: string;
  dev?: string;
};

/** Most that one request may name; a machine has fewer. */
const maxDevices = 256;
const driver = "vfio-pci";

/** Waits for the devices and leaves them to the guest's kernel. @throws INTERNAL; the reason of `signal`. */
export async function vfioForGuestKernel(
  vfio: Vfio,
  device: Device,
  signal: AbortSignal,
): Promise<FoundDevice> {
  return { addresses: await arrived(vfio, device, signal) };
}

/** Waits for the devices and gives them to vfio-pci. @throws INTERNAL; the reason of `signal`. */
export async function vfioGroup(vfio: Vfio, device: Device, signal: AbortSignal): Promise<FoundDevice> {
  if (!vfio.mayBind)
    throw new AgentError(Code.internal, "EPERM: devices of this machine are not ours to bind");
  const { sysfs = "/sys", dev = "/dev", uevents } = vfio;
  const addresses = await arrived(vfio, device, signal);
  const groups = new Set<string>();
  for (const [, address] of addresses) {
    await bind(vfio, address);
    groups.add(await iommuGroup(sysfs, address));
  }
  const [group] = groups;
  if (group === undefined || groups.size > 1) {
    throw new AgentError(Code.internal, "VFIO devices of one request are not in one IOMMU group");
  }
  const path = `/dev/vfio/${group}`;
  const look = async () => {
    const found = await stat(join(dev, "vfio", group)).catch(() => undefined);
    return found?.isCharacterDevice() ? deviceNumber(found.rdev) : undefined;
  };
  const number = await uevents.waitFor(look, { what: "VFIO group", signal });
  return { node: { type: "c", ...number, path }, addresses };
}

/** The pairs of addresses, once the devices are there. An option without a PCI path is passed over (4.4). */
async function arrived(
  { uevents, sysfs = "/sys" }: Vfio,
  { options }: Device,
  signal: AbortSignal,
): Promise<[host: string, guest: string][]> {
  if (options.length > maxDevices) throw new AgentError(Code.internal, "too many VFIO devices");
  const pairs: [string, string][] = [];
  for (const { host, path } of options.map(option)) {
    if (path === undefined) continue;
    const look = () => existing(sysfs, path);
    pairs.push([host, basename(await uevents.waitFor(look, { what: "PCI device", signal }))]);
  }
  return pairs;
}

function option(text: string): { host: string; path: PciPath | undefined } {
  const [host = "", path, ...rest] = text.split("=");
  if (!isPciAddress(host) || path === undefined || rest.length > 0) {
    throw new AgentError(Code.internal, "malformed VFIO option");
  }
  return { host: host.toLowerCase(), path: path === "" ? undefined : pciPath(path) };
}

async function existing(sysfs: string, path: PciPath): Promise<string | undefined> {
  const folder = await pciDeviceFolder(sysfs, path);
  if (folder === undefined) return undefined;
  return stat(folder).then(
    () => folder,
    () => undefined,
  );
}

/** Takes a device from its driver, if it has another one, and has the kernel give it to vfio-pci. */
async function bind({ sysfs = "/sys", loadDriver }: Vfio, address: string): Promise<void> {
  const bus = join(sysfs, "bus/pci");
  const device = join(bus, "devices", address);
  await stat(join(bus, "drivers", driver)).catch(loadDriver);
  try {
    await writeAttribute(join(device, "driver_override"), driver);
    const current = await linkedName(join(device, "driver"));
    if (current === driver) return;
    if (current !== undefined) await writeAttribute(join(device, "driver/unbind"), address);
    await writeAttribute(join(bus, "drivers_probe"), address);
  } catch (error) {
    throw AgentError.from(error, `give a PCI device to ${driver}`, Code.internal);
  }
}

async function iommuGroup(sysfs: string, address: string): Promise<string> {
  const group = await linkedName(join(sysfs, "bus/pci/devices", address, "iommu_group"));
  if (group === undefined || !/^\d+$/.test(group)) {
    throw new AgentError(Code.internal, "a VFIO device has no IOMMU group");
  }
  return group;
}

function linkedName(link: string): Promise<string | undefined> {
  return readlink(link).then(
    (target) => basename(target),
    () => undefined,
  );
}
