import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { BlockDevice } from "../devices/block-device.ts";
import type { BlockDevices } from "../devices/block-devices.ts";
import { pciPath } from "../devices/pci-path.ts";
import { scsiAddress } from "../devices/scsi-address.ts";
import { UmountFlag, umount } from "../sys/mount.ts";
import { makeLayerDirectories } from "./layer-directories.ts";
import { mountStorage } from "./mount-storage.ts";
import { makeDirectoryWithin } from "./share-directory.ts";
import type { Layer, Storage, StorageDriver } from "./storage.ts";
import { openVerity } from "./verity-device.ts";
import { type Verity, verityOptions } from "./verity-options.ts";

/** `ownsMachine`: disks may be put under verity, which has no namespace. */
export type LayerStorageOptions = { devices: BlockDevices; ownsMachine: boolean };

/** The driver of what a group of layers is made of (agent-api 4.2.1); a storage of no group is simply mounted. */
export function layerStorage({ devices, ownsMachine }: LayerStorageOptions): StorageDriver {
  return async (storage, _owner, signal) => {
    const { layer } = storage;
    if (layer === undefined) return mountStorage(storage, signal);
    if (layer.kind === "overlay") return overlay(storage, layer);
    const disk = await layerDevice(devices, storage.source, layer, signal);
    if (layer.kind === "upper") return mountStorage({ ...storage, source: disk.path }, signal);
    const lower = { ...storage, options: ["ro"] };
    const verity = verityOptions(storage.options);
    if (verity === undefined) return mountStorage({ ...lower, source: disk.path }, signal);
    if (!ownsMachine) throw new AgentError(Code.internal, "EPERM: disks of this machine are not ours to map");
    return mountChecked(lower, disk, verity, signal);
  };
}

/** Once it is mounted the verity device goes with the mount. */
async function mountChecked(
  lower: Storage,
  disk: BlockDevice,
  verity: Verity,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const checked = await openVerity(disk.path, verity);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => checked.removeWithLastUser().catch(() => undefined));
  const target = await mountStorage({ ...lower, source: checked.path }, signal);
  undo.defer(() => umount(lower.mountPoint, UmountFlag.detach | UmountFlag.noFollow));
  await checked.removeWithLastUser();
  undo.move();
  return target;
}

async function layerDevice(
  devices: BlockDevices,
  source: string,
  { device, partition }: Exclude<Layer, { kind: "overlay" }>,
  signal: AbortSignal | undefined,
): Promise<BlockDevice> {
  const disk = await wholeDisk(devices, device, source, signal);
  if (partition === undefined) return disk;
  // The kernel puts a letter between digits of its own and those of the partition.
  const separator = /\d$/.test(disk.path) ? "p" : "";
  return devices.byNode(`${disk.path}${separator}${partition}`, signal);
}

function wholeDisk(
  devices: BlockDevices,
  driver: string,
  source: string,
  signal: AbortSignal | undefined,
): Promise<BlockDevice> {
  if (driver === "scsi") return devices.byScsi(scsiAddress(source), signal);
  if (driver !== "blk") throw new AgentError(Code.internal, "a layer is neither a SCSI nor a virtio disk");
  return source.startsWith("/dev/")
    ? devices.byNode(source, signal)
    : devices.byPciPath(pciPath(source), signal);
}

/**
 * The layers are named by way of an open directory: mount(2) takes one page of text, and the bundle's own path would fill
 * it with three dozen of them.
 */
async function overlay(
  storage: Storage,
  { work, lowers, directories }: Extract<Layer, { kind: "overlay" }>,
): Promise<string | undefined> {
  const upper = join(work, "upper");
  await mkdir(upper, { recursive: true, mode: 0o755 });
  await makeLayerDirectories(directories, upper, join(work, "lower-0"));
  for (const name of ["upper", "work"]) await makeOwnDirectory(join(upper, name));
  using open = await makeDirectoryWithin(work, [], 0o755);
  const lowerDirs = Array.from({ length: lowers }, (_none, index) => `${open.path}/lower-${index}`);
  const upperDirs = [`upperdir=${open.path}/upper/upper`, `workdir=${open.path}/upper/work`];
  return await mountStorage({ ...storage, options: [`lowerdir=${lowerDirs.join(":")}`, ...upperDirs] });
}

/** On a disk that the host has written a link may lie in the place of the directory. */
async function makeOwnDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 }).catch(() => undefined);
  const made = await lstat(path).catch(() => undefined);
  if (!made?.isDirectory())
    throw new AgentError(Code.internal, "the upper of layers has no room for its overlay");
}
