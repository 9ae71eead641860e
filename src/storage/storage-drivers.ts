import type { BlockDevices } from "../devices/block-devices.ts";
import { layerDriver } from "./layer-group.ts";
import { mountStorage } from "./mount-storage.ts";
import type { StorageDriver } from "./storage.ts";
import { nineStorage } from "./storage-9p.ts";
import { bindStorage } from "./storage-bind.ts";
import { blockStorages } from "./storage-block.ts";
import { ephemeralStorage } from "./storage-ephemeral.ts";
import { layerStorage } from "./storage-layers.ts";
import { localStorage } from "./storage-local.ts";
import { overlayStorage } from "./storage-overlay.ts";
import { watchableStorage } from "./storage-watchable.ts";
import type { Watcher } from "./watcher.ts";

/** `ownsMachine`: kernel modules and huge pages are the agent's to change. */
export type StorageDriversOptions = { devices: BlockDevices; ownsMachine: boolean; watcher: Watcher };

/** The drivers by the name that requests use (agent-api 4.2). Also what GetGuestDetails lists. */
export function storageDrivers({
  devices,
  ownsMachine,
  watcher,
}: StorageDriversOptions): ReadonlyMap<string, StorageDriver> {
  return new Map<string, StorageDriver>([
    ...blockStorages(devices),
    ["9p", nineStorage(ownsMachine)],
    ["bind", bindStorage],
    [layerDriver, layerStorage({ devices, ownsMachine })],
    ["ephemeral", ephemeralStorage(ownsMachine)],
    ["local", localStorage],
    ["overlayfs", overlayStorage],
    ["watchable-bind", watchableStorage(watcher)],
    ["virtio-fs", (storage, _owner, signal) => mountStorage(storage, signal)],
  ]);
}
