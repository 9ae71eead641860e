/**
 * Primer. runtime-rs sends a root file system as several storages (agent-api 4.2.1): read-only layers in EROFS, each a
 * disk or a partition of one, perhaps with a writable ext4 above them, and the mount point of the whole. Such a group
 * becomes a list of ordinary storages, in the order in which they are mounted: the upper, the lowers, the overlay. Undone
 * newest first, as every list is, the overlay goes before its layers.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";
import type { ContainerId } from "../base/ids.ts";
import type { Layer, Storage } from "./storage.ts";

/** The name of the driver for what a group is made of, and for a lone storage that is simply mounted. */
export const layerDriver = "erofs.multi-layer";

const member = "X-kata.multi-layer=true";
const upperMark = "X-kata.overlay-upper";
const lowerMark = "X-kata.overlay-lower";
const partitioned = "X-kata.gpt-partitioned=true";
const partitionKey = "X-kata.partition-number=";
const directoryKey = "X-kata.mkdir.path=";
/** Of a GPT there are 128; more layers than that no snapshotter makes. */
const maxLayers = 128;

/**
 * The list with its group, if there is one, taken apart; it stands where its first member stood.
 * @throws INTERNAL for a group without lowers, with two uppers, or with an upper that is not ext4.
 */
export function withLayersApart(storages: readonly Storage[], owner: ContainerId | undefined): Storage[] {
  const members = storages.filter(isMember);
  const [first] = members;
  if (first === undefined) return [...storages];
  const apart = layers(members, owner);
  return storages.flatMap((storage) => (storage === first ? apart : isMember(storage) ? [] : [storage]));
}

function isMember({ driver, options }: Storage): boolean {
  const marked = options.includes(upperMark) || options.includes(lowerMark);
  return options.includes(member) || (driver === layerDriver && marked);
}

function layers(members: readonly Storage[], owner: ContainerId | undefined): Storage[] {
  if (owner === undefined) throw new AgentError(Code.internal, "layers need a container");
  const [upper, second] = members.filter(isUpper);
  const lowers = members.filter((storage) => !isUpper(storage) && isLower(storage)).sort(byPartition);
  const [top] = lowers;
  if (second !== undefined) throw new AgentError(Code.internal, "layers have two uppers");
  if (top === undefined) throw new AgentError(Code.internal, "layers have no lower");
  if (lowers.length > maxLayers) throw new AgentError(Code.internal, "too many layers");
  if (upper !== undefined && upper.fstype !== "ext4") {
    throw new AgentError(Code.internal, "the upper of layers is not ext4");
  }
  // Nobody can have put anything there before: a list may name any mount point, and what is there counts as in place.
  const work = join(guestPaths.base, owner, `multi-layer-${randomBytes(8).toString("hex")}`);
  const mounts = lowers.map((lower, index) => placed(lower, "lower", join(work, `lower-${index}`)));
  const overlay: Storage = {
    driver: layerDriver,
    driverOptions: [],
    source: "overlay",
    fstype: "overlay",
    options: [],
    mountPoint: absolutePath((upper ?? top).mountPoint, "mount point"),
    shared: false,
    layer: {
      kind: "overlay",
      work,
      lowers: mounts.length,
      directories: members.flatMap(({ options }) => directories(options)),
    },
  };
  return [...(upper === undefined ? [] : [placed(upper, "upper", join(work, "upper"))]), ...mounts, overlay];
}

function isUpper({ fstype, options }: Storage): boolean {
  return options.includes(upperMark) || (fstype === "ext4" && !options.includes(lowerMark));
}

function isLower({ fstype, options }: Storage): boolean {
  return options.includes(lowerMark) || fstype === "erofs";
}

function placed(storage: Storage, kind: "upper" | "lower", mountPoint: string): Storage {
  const layer: Layer = { kind, device: storage.driver, partition: partition(storage) };
  return { ...storage, driver: layerDriver, mountPoint, shared: false, layer };
}

/** A lower partition number is a higher layer; without partitions the order is that of the list. */
function byPartition(one: Storage, other: Storage): number {
  return (partition(one) ?? 0) - (partition(other) ?? 0);
}

function partition({ options }: Storage): number | undefined {
  if (!options.includes(partitioned)) return undefined;
  const digits = options.find((option) => option.startsWith(partitionKey))?.slice(partitionKey.length) ?? "";
  if (!/^[1-9]\d{0,2}$/.test(digits)) throw new AgentError(Code.internal, "a layer has no partition number");
  return Number(digits);
}

/** What follows a colon is the business of others. */
function directories(options: readonly string[]): string[] {
  return options
    .filter((option) => option.startsWith(directoryKey))
    .map((option) => option.slice(directoryKey.length).split(":")[0] ?? "");
}
