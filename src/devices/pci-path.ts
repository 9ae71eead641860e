import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** Way to a PCI device: the bus of its root complex and the slots from there on, as sysfs writes them. */
export type PciPath = {
  /** Two hexadecimal digits. */
  readonly root: string;
  /** At least one `SS.F`: slot in two hexadecimal digits, function. */
  readonly slots: readonly string[];
};

const slotText = /^([0-9a-f]{1,2})(?:\.([0-7]))?$/i;
const rootText = /^[2-9a-f][0-9a-f]$/i;
const maxSlot = 0x1f;
/** More bridges than a machine has buses cannot be in a row. */
const maxSlots = 256;
const deviceName = /^([0-9a-f]{4,8}:[0-9a-f]{2}):[0-9a-f]{2}\.[0-7]$/;

/**
 * Reads a PCI path of a request (agent-api 4.5): `02/01` is device 01 behind the bridge in slot 02; `20/00/02` starts
 * on the root complex with bus 20. @throws INTERNAL.
 */
export function pciPath(text: string): PciPath {
  const parts = text.split("/");
  const numa = parts.length >= 3 && rootText.test(parts[0] ?? "");
  const root = numa ? (parts.shift() ?? "").toLowerCase() : "00";
  if (parts.length > maxSlots) throw invalid();
  return { root, slots: parts.map(slot) };
}

/** The same from slot numbers, function 0 of each, below the first root bus (agent-api 3.30). @throws INTERNAL. */
export function pciPathOfSlots(slots: readonly number[]): PciPath {
  const sound = slots.every((number) => Number.isInteger(number) && number >= 0 && number <= maxSlot);
  if (!sound || slots.length === 0 || slots.length > maxSlots) throw invalid();
  return { root: "00", slots: slots.map((number) => slot(number.toString(16))) };
}

function slot(text: string): string {
  const [, device = "", fn = "0"] = slotText.exec(text) ?? [];
  if (device === "" || Number.parseInt(device, 16) > maxSlot) throw invalid();
  return `${device.toLowerCase().padStart(2, "0")}.${fn}`;
}

function invalid(): AgentError {
  return new AgentError(Code.internal, "invalid PCI path");
}

/** The folder of the device in sysfs; undefined while it, or a bridge on the way, is not there. */
export async function pciDeviceFolder(sysfs: string, path: PciPath): Promise<string | undefined> {
  let folder = await rootFolder(sysfs, path.root);
  let bus: string | undefined = `0000:${path.root}`;
  for (const [index, slot] of path.slots.entries()) {
    if (folder === undefined || bus === undefined) return undefined;
    folder = join(folder, `${bus}:${slot}`);
    if (index < path.slots.length - 1) bus = await busBehind(folder);
  }
  return folder;
}

/** Directly below `devices`, or below the controller that a device tree names. */
async function rootFolder(sysfs: string, root: string): Promise<string | undefined> {
  const name = `pci0000:${root}`;
  const devices = join(sysfs, "devices");
  if ((await entries(devices)).includes(name)) return join(devices, name);
  const platform = join(devices, "platform");
  for (const controller of await entries(platform)) {
    if (!controller.endsWith(".pcie")) continue;
    const folder = join(platform, controller);
    if ((await entries(folder)).includes(name)) return join(folder, name);
  }
  return undefined;
}

/** The bus on the other side of a bridge, `domain:bus`; a bridge without `pci_bus` shows it by its devices. */
async function busBehind(bridge: string): Promise<string | undefined> {
  const named = await entries(join(bridge, "pci_bus"));
  if (named.length > 0) return named.length === 1 ? named[0] : undefined;
  const buses = new Set((await entries(bridge)).map((name) => deviceName.exec(name)?.[1]));
  buses.delete(undefined);
  return buses.size === 1 ? [...buses][0] : undefined;
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
