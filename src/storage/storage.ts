import type { ContainerId } from "../base/ids.ts";

/** A file system that a request wants in place, checked nowhere yet (agent-api 4.1, 4.2). */
export type Storage = {
  driver: string;
  driverOptions: readonly string[];
  source: string;
  fstype: string;
  options: readonly string[];
  mountPoint: string;
  /** True: stays in place until the guest ends, whoever uses it. */
  shared: boolean;
  /** The group that shall own the files of the volume. */
  fsGroup?: FsGroup | undefined;
  /** Set by the agent: the part that the storage has in a group of layers. */
  layer?: Layer;
};

/** What a storage is in a group of layers (agent-api 4.2.1). `device`: the driver by which its disk is found. */
export type Layer =
  | { readonly kind: "upper" | "lower"; readonly device: string; readonly partition: number | undefined }
  | {
      readonly kind: "overlay";
      /** Directory of the group: in it `upper`, which may be a mount, and `lower-0` and so on, the highest first. */
      readonly work: string;
      readonly lowers: number;
      /** Directories to make before the overlay is mounted: templates such as `{{ mount 0 }}/upper`. */
      readonly directories: readonly string[];
    };

/** A group for a volume; `onRootMismatch`: nothing is changed where the volume's root is right already. */
export type FsGroup = { readonly gid: number; readonly policy: "always" | "onRootMismatch" };

/**
 * Puts one storage in place for a container, or for the pod when there is no `owner`; `signal` ends waits for devices.
 * @returns what is to be done when nobody uses it any more: a mount point to unmount, or a function to call; undefined
 *   when it stays for good.
 * @throws INTERNAL, with nothing left mounted.
 */
export type StorageDriver = (
  storage: Storage,
  owner: ContainerId | undefined,
  signal: AbortSignal | undefined,
) => Promise<StorageUndo | undefined>;

/** How a storage is taken away: the mount point to unmount and remove, or a function that does it. */
export type StorageUndo = string | (() => Promise<void>);
