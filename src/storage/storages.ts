/**
 * What is mounted for the pod and its containers, by mount point, with a count of users (agent-api 4.1, 4.3).
 *
 * The first request for a mount point does the work, later ones wait for it and count; the last release undoes it.
 * A list is undone newest first, since a storage may lie within an earlier one; one that fails half-way is undone as
 * far as it had come, so a failed create leaves no mount behind.
 *
 * What is released is forgotten, whatever becomes of the unmount: a mount in use is detached, and the kernel ends it
 * with its last user. Kept in the record it would count as in place for the next container that asks for it.
 */
import { dirname } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { ContainerId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { mayHang } from "../sys/may-hang.ts";
import { UmountFlag, umount } from "../sys/mount.ts";
import { span } from "../trace/span.ts";
import { withLayersApart } from "./layer-group.ts";
import { removeMountPoint } from "./remove-mount-point.ts";
import type { Storage, StorageDriver, StorageUndo } from "./storage.ts";

/** How long releases are waited for: far more than unmounts need that do not hang. */
const releaseMs = 5_000;

type Entry = {
  users: number;
  readonly shared: boolean;
  readonly mounted: Promise<StorageUndo | undefined>;
  /** The driver has come to its end, well or not. */
  settled: boolean;
  /** While the last user's release is under way; never rejects. */
  releasing?: Promise<void>;
};

/** The record of all storages of the guest. */
export class Storages {
  readonly #drivers: ReadonlyMap<string, StorageDriver>;
  readonly #log: Log;
  readonly #unmount: typeof umount;
  readonly #entries = new Map<string, Entry>();

  /** `unmount` takes back what a driver has mounted; a test may watch it. */
  constructor(drivers: ReadonlyMap<string, StorageDriver>, log: Log, unmount = umount) {
    this.#drivers = drivers;
    this.#log = log;
    this.#unmount = unmount;
  }

  /** The names of the drivers, for GetGuestDetails. */
  get driverNames(): string[] {
    return [...this.#drivers.keys()].sort();
  }

  /**
   * Puts a list of storages in place, in order. `signal` ends waits for devices.
   * @returns the mount points to {@link release} later.
   * @throws INTERNAL; what the list had put in place before is undone.
   */
  async add(
    storages: readonly Storage[],
    owner: ContainerId | undefined,
    signal?: AbortSignal,
  ): Promise<string[]> {
    const added: string[] = [];
    try {
      for (const storage of withLayersApart(storages, owner)) {
        await this.#addOne(storage, owner, signal);
        added.push(storage.mountPoint);
      }
      return added;
    } catch (error) {
      await this.release(added);
      throw error;
    }
  }

  /**
   * Counts one user less for each mount point of a list and unmounts, last to first, what nobody uses. Failures are
   * logged (agent-api 4.3), and what takes too long, as on a dead share, goes on unwatched (agent-api 10.2).
   */
  async release(mountPoints: readonly string[]): Promise<void> {
    using turns = this.#limited();
    for (const mountPoint of [...mountPoints].reverse()) {
      await turns.wait(this.#releaseOne(mountPoint));
    }
  }

  /** Unmounts everything, newest first, whoever uses it: the sandbox ends. Failures are logged. */
  async releaseAll(): Promise<void> {
    using turns = this.#limited();
    for (const [mountPoint, entry] of [...this.#entries].reverse()) {
      this.#entries.delete(mountPoint);
      const undone = entry.mounted
        .then((undo) => (typeof undo === "function" ? undo() : this.#detach(mountPoint)))
        .catch(() => {
          this.#log.debug({}, "a storage was no mount, or was gone already");
        });
      // One that hangs, as on a dead share, must not hold up the others.
      if (entry.settled) await turns.wait(undone);
    }
  }

  /** Waits for releases, one after the other, for so long all in all. What fails is logged. */
  #limited(): Disposable & { wait(release: Promise<void>): Promise<void> } {
    const limit = deadline(releaseMs);
    return {
      wait: (release) => {
        const told = release.catch((error) => {
          this.#log.warn({ error: AgentError.from(error).message }, "storage was not released");
        });
        return abortable(told, limit.signal).catch(() => {
          this.#log.warn({ limitMs: releaseMs }, "a storage is still being released");
        });
      },
      [Symbol.dispose]() {
        limit.done();
      },
    };
  }

  #detach(mountPoint: string): Promise<void> {
    return mayHang(dirname(mountPoint), () => this.#unmount(mountPoint, UmountFlag.detach));
  }

  async #addOne(
    storage: Storage,
    owner: ContainerId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let known = this.#entries.get(storage.mountPoint);
    while (known?.releasing !== undefined) {
      await abortable(known.releasing, signal);
      known = this.#entries.get(storage.mountPoint);
    }
    if (known !== undefined) {
      known.users += 1;
      return this.#inPlace(storage.mountPoint, known, signal);
    }
    const driver = this.#drivers.get(storage.driver);
    if (driver === undefined) {
      throw new AgentError(Code.internal, `Failed to find the storage handler ${storage.driver}`);
    }
    const attributes = { "kata.storage.driver": storage.driver };
    const mounted = span("storage", attributes, () => driver(storage, owner, signal)).catch((error) => {
      if (this.#entries.get(storage.mountPoint) === entry) this.#entries.delete(storage.mountPoint);
      throw error;
    });
    const entry: Entry = { users: 1, shared: storage.shared, mounted, settled: false };
    const settle = () => {
      entry.settled = true;
    };
    mounted.then(settle, settle);
    this.#entries.set(storage.mountPoint, entry);
    await this.#inPlace(storage.mountPoint, entry, signal);
  }

  /** Waits until it is mounted. Who gives up before, as on a dead share, is no user; what comes of it is undone. */
  async #inPlace(mountPoint: string, entry: Entry, signal: AbortSignal | undefined): Promise<void> {
    try {
      await abortable(entry.mounted, signal);
    } catch (error) {
      if (this.#entries.get(mountPoint) === entry) void this.release([mountPoint]);
      throw error;
    }
  }

  async #releaseOne(mountPoint: string): Promise<void> {
    const entry = this.#entries.get(mountPoint);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0 || entry.shared) return;
    const undo = await entry.mounted;
    // Without a path to clean up the storage belongs to the pod and outlives its users; another user may have come.
    if (undo === undefined || entry.users > 0 || entry.releasing !== undefined) return;
    const undone = this.#undo(mountPoint, undo);
    entry.releasing = undone.then(noted, noted);
    try {
      await undone;
    } finally {
      delete entry.releasing;
    }
  }

  async #undo(mountPoint: string, undo: StorageUndo): Promise<void> {
    try {
      if (typeof undo === "function") return await undo();
      await mayHang(dirname(undo), async () => {
        await this.#unmountOrDetach(undo);
        await removeMountPoint(undo);
      });
    } finally {
      this.#entries.delete(mountPoint);
    }
  }

  async #unmountOrDetach(target: string): Promise<void> {
    try {
      await this.#unmount(target, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
      this.#log.warn({ target }, "storage is in use, so it was only detached");
      await this.#unmount(target, UmountFlag.detach);
    }
  }
}

function noted(): void {}
